/* Files of downloads under way. */
#include "store/fetch/spool.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/draft.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/proc.h"
#include "store/fetch/header.h"

#define NOTE_SIZE_MAX 65536
#define OPEN_TRIES    16

static char *note_name(const char *name)
{
	return xasprintf("%s" SPOOL_NOTE_SUFFIX, name);
}

/* ---- the note -------------------------------------------------------------------------------- */

static void forget_version(struct spool *self)
{
	free(self->etag);
	free(self->last_modified);
	self->etag = self->last_modified = NULL;
	self->length = -1;
}

/* Whether NOTE was made since the machine started: nothing is synced while a file is on its way, so
 * after a power cut its bytes may be anything. */
static bool is_of_this_boot(const json *note)
{
	auto_free char *boot = proc_boot_id(NULL);
	const char *noted = json_string(json_get(note, "boot"));

	return boot && noted && strcmp(boot, noted) == 0;
}

/* A note that cannot be read is none: the file is fetched from its start. */
static void read_note(struct spool *self)
{
	auto_free char *name = note_name(self->name);
	auto_buf struct buf text = { 0 };
	auto_json json *note = NULL;

	if (fd_read_file(self->dir, name, NOTE_SIZE_MAX, &text, NULL) < 0)
		return;
	note = json_parse(buf_slice(&text), NULL);
	if (!note || !is_of_this_boot(note))
		return;
	self->etag = xstrdup_if(json_string(json_get(note, "etag")));
	self->last_modified = xstrdup_if(json_string(json_get(note, "lastModified")));
	if (!json_integer(json_get(note, "length"), &self->length) || self->length < 0)
		self->length = -1;
}

static json *text_or_null(const char *text)
{
	return text ? json_new_string(text) : NULL;
}

static int write_note(const struct spool *self, rkt_error **err)
{
	auto_free char *name = note_name(self->name);
	auto_json json *note = json_new_object();
	auto_free char *boot = proc_boot_id(err);
	auto_buf struct buf text = { 0 };

	if (!boot)
		return -1;
	json_set(note, "boot", json_new_string(boot));
	json_set(note, "etag", text_or_null(self->etag));
	json_set(note, "lastModified", text_or_null(self->last_modified));
	if (self->length >= 0)
		json_set(note, "length", json_new_integer(self->length));
	json_write(note, JSON_COMPACT, &text);
	if (unlinkat(self->dir, name, 0) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove %s", name);
	return draft_write(self->dir, name, buf_slice(&text), 0600, err);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Whether FD is the file that is called NAME still: who had the lock may have removed it. */
static bool is_linked(int dir, const char *name, int fd)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && fstatat(dir, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Whether FD is a file that nobody else may write to: in a store that is shared with a group others
 * may have put theirs in its place. Without any link it is one of ours that was just done with, and
 * what bears its name now is not to be removed. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       st.st_nlink <= 1 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens the file, or makes it. One that is not ours, or cannot be opened, is removed first: whoever
 * works on it keeps it, without its name. */
static int open_own(struct spool *self, rkt_error **err)
{
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		auto_fd int fd = openat(self->dir, self->name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

		if (fd >= 0 && is_ours(fd)) {
			self->fd = pass_fd(fd);
			return 0;
		}
		if (fd < 0 && errno != EACCES && errno != EPERM && errno != ELOOP && errno != ENXIO)
			return rkt_fail_errno(err, "open spool file");
		spool_forget(self->dir, self->name);
	}
	return rkt_fail(err, RKT_FAILED,
		"cas/partial/%s belongs to somebody else and cannot be removed", self->name);
}

static int lock(struct spool *self, const struct spool_waiting *waiting, rkt_error **err)
{
	int got = lock_try(self->fd, LOCK_EXCLUSIVE, err);

	if (got)
		return got < 0 ? -1 : 0;
	if (!self->waited)
		waiting->busy(waiting->context);
	self->waited = true;
	return lock_wait(self->fd, LOCK_EXCLUSIVE, err);
}

int spool_open(struct spool *self, int dir, const char *name, const struct spool_waiting *waiting,
	uint64_t *ret_have, rkt_error **err)
{
	struct stat st;

	self->dir = dir;
	self->name = name;
	do {
		scope_close(&self->fd);
		self->fd = -1;
		if (open_own(self, err) < 0 || lock(self, waiting, err) < 0)
			return -1;
	} while (!is_linked(dir, name, self->fd));
	if (fstat(self->fd, &st) < 0)
		return rkt_fail_errno(err, "stat spool file");
	read_note(self);
	*ret_have = spool_proof(self) ? (uint64_t)st.st_size : 0;
	return 0;
}

void spool_close(struct spool *self)
{
	scope_close(&self->fd);
	forget_version(self);
	*self = (struct spool)SPOOL_EMPTY;
}

int spool_restart(struct spool *self, const struct http_answer *answer, rkt_error **err)
{
	if (ftruncate(self->fd, 0) < 0)
		return rkt_fail_errno(err, "empty spool file");
	forget_version(self);
	self->etag = xstrdup_if(http_field(answer, "etag"));
	self->last_modified = xstrdup_if(http_field(answer, "last-modified"));
	self->length = answer->length;
	return write_note(self, err);
}

static bool is_strong(const char *text, struct etag *ret)
{
	return text && etag_parse(slice_of_text(text), ret) && !ret->weak;
}

const char *spool_proof(const struct spool *self)
{
	struct etag etag;

	if (is_strong(self->etag, &etag))
		return self->etag;
	return self->last_modified && self->length >= 0 ? self->last_modified : NULL;
}

bool spool_has_strong_tag(const struct spool *self)
{
	struct etag etag;

	return is_strong(self->etag, &etag);
}

bool spool_is_same(const struct spool *self, const struct http_answer *answer)
{
	const char *date = http_field(answer, "last-modified");
	struct content_range range;
	struct etag ours, theirs;

	if (is_strong(self->etag, &ours))
		return is_strong(http_field(answer, "etag"), &theirs) && etag_same(&ours, &theirs);
	return self->last_modified && date && strcmp(date, self->last_modified) == 0 &&
	       self->length >= 0 && http_content_range(answer, &range) && range.has_total &&
	       range.total == (uint64_t)self->length;
}

void spool_forget(int dir, const char *name)
{
	auto_free char *note = note_name(name);

	unlinkat(dir, note, 0);
	unlinkat(dir, name, 0);
}
