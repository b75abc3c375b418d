/* The directory of a pod: making, opening, locking, finding and removing it. */
#include "runner/pod_dir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/str.h"
#include "base/tree.h"

/* ".garbage-" and a UUID */
#define ENTRY_NAME_SIZE (sizeof ".garbage-" + UUID_TEXT_LEN)

static const char *const prefixes[] = {
	[POD_DIR_POD] = "",
	[POD_DIR_EMBRYO] = ".new-",
	[POD_DIR_GARBAGE] = ".garbage-",
};

static const char *entry_name(
	enum pod_dir_kind kind, const char *uuid, char out[static ENTRY_NAME_SIZE])
{
	snprintf(out, ENTRY_NAME_SIZE, "%s%.*s", prefixes[kind], UUID_TEXT_LEN, uuid);
	return out;
}

static int open_data_dir(const char *data_dir, rkt_error **err)
{
	int fd = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? rkt_fail_errno(err, "open %s", data_dir) : fd;
}

int pods_make(const char *data_dir, rkt_error **err)
{
	auto_fd int data = open_data_dir(data_dir, err);

	return data < 0 ? -1 : fd_make_dir(data, PODS_DIR, 0700, NULL, err);
}

int pods_open(const char *data_dir, rkt_error **err)
{
	auto_fd int data = open_data_dir(data_dir, err);

	return data < 0 ? -1 : fd_open_dir(data, PODS_DIR, err);
}

/* Makes and locks one embryo and names it: 1 when it became a pod, 0 when gc was quicker. */
static int embryo_grow(struct pod_dir *self, rkt_error **err)
{
	char embryo[ENTRY_NAME_SIZE];
	int locked;

	entry_name(POD_DIR_EMBRYO, self->uuid, embryo);
	if (mkdirat(self->pods, embryo, 0700) < 0)
		return rkt_fail_errno(err, "mkdir %s", embryo);
	self->fd = openat(self->pods, embryo, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (self->fd < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "open %s", embryo);
	locked = lock_try(self->fd, LOCK_EXCLUSIVE, err);
	if (locked <= 0)
		return locked;
	if (renameat2(self->pods, embryo, self->pods, self->uuid, RENAME_NOREPLACE) == 0)
		return 1;
	return errno == ENOENT ? 0 : rkt_fail_errno(err, "rename %s", embryo);
}

int pod_dir_make(int pods, struct pod_dir *ret, rkt_error **err)
{
	for (;;) {
		auto_pod_dir struct pod_dir self = { .pods = pods, .fd = -1 };
		int grown;

		if (uuid_make(self.uuid, err) < 0)
			return -1;
		grown = embryo_grow(&self, err);
		if (grown < 0)
			return -1;
		if (grown) {
			*ret = self;
			self.fd = -1;
			return 0;
		}
	}
}

int pod_dir_open(int pods, const struct pod_dir_entry *entry, struct pod_dir *ret, rkt_error **err)
{
	char name[ENTRY_NAME_SIZE];
	struct pod_dir self = { .pods = pods };

	memcpy(self.uuid, entry->uuid, sizeof self.uuid);
	self.fd = fd_open_dir(pods, entry_name(entry->kind, entry->uuid, name), err);
	if (self.fd < 0)
		return -1;
	*ret = self;
	return 0;
}

void pod_dir_close(struct pod_dir *self)
{
	scope_close(&self->fd);
	self->fd = -1;
}

int pod_dir_lock(const struct pod_dir *self, rkt_error **err)
{
	int got = lock_try(self->fd, LOCK_EXCLUSIVE, err);

	if (got)
		return got;
	/* whoever is alive holds it exclusively; a shared holder only looks and will be gone
	 * soon */
	got = lock_try(self->fd, LOCK_SHARED, err);
	if (got <= 0)
		return got;
	return lock_wait(self->fd, LOCK_EXCLUSIVE, err) < 0 ? -1 : 1;
}

static bool entry_parse(const char *name, struct pod_dir_entry *ret)
{
	for (size_t i = ARRAY_LEN(prefixes); i-- > 0;) {
		if (!str_has_prefix(name, prefixes[i]))
			continue;
		name += strlen(prefixes[i]);
		if (!uuid_is(name))
			return false;
		ret->kind = (enum pod_dir_kind)i;
		memcpy(ret->uuid, name, sizeof ret->uuid);
		return true;
	}
	return false;
}

static int entry_compare(const void *a, const void *b)
{
	const struct pod_dir_entry *left = a, *right = b;

	return strcmp(left->uuid, right->uuid);
}

int pod_dir_list(int pods, struct pod_dir_entry **ret, size_t *ret_count, rkt_error **err)
{
	auto_fd int fd = openat(pods, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *stream = NULL;
	auto_free struct pod_dir_entry *entries = NULL;
	struct dirent *dirent;
	size_t count = 0;

	if (fd < 0 || !(stream = fdopendir(fd)))
		return rkt_fail_errno(err, "open %s", PODS_DIR);
	fd = -1; /* the stream owns it */
	while ((errno = 0, dirent = readdir(stream))) {
		struct pod_dir_entry entry;

		if (!entry_parse(dirent->d_name, &entry))
			continue;
		entries = xreallocarray(entries, count + 1, sizeof *entries);
		entries[count++] = entry;
	}
	if (errno)
		return rkt_fail_errno(err, "read %s", PODS_DIR);
	if (count)
		qsort(entries, count, sizeof *entries, entry_compare);
	*ret = pass_ptr(entries);
	*ret_count = count;
	return 0;
}

static bool prefix_is(const char *text)
{
	return strlen(text) >= POD_UUID_PREFIX_MIN && strlen(text) <= UUID_TEXT_LEN &&
	       strspn(text, "0123456789abcdef-") == strlen(text);
}

int pod_dir_resolve(int pods, const char *text, struct pod_dir_entry *ret, rkt_error **err)
{
	auto_free struct pod_dir_entry *entries = NULL;
	auto_buf struct buf found = { 0 };
	size_t count, matches = 0;

	if (!prefix_is(text))
		return rkt_fail(err, RKT_USAGE,
			"%s: not a pod UUID, nor the first %d or more characters of one", text,
			POD_UUID_PREFIX_MIN);
	if (pod_dir_list(pods, &entries, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].kind != POD_DIR_POD || !str_has_prefix(entries[i].uuid, text))
			continue;
		buf_printf(&found, "%s%s", matches++ ? ", " : "", entries[i].uuid);
		*ret = entries[i];
	}
	if (!matches)
		return rkt_fail(err, RKT_MISSING, "no pod %s", text);
	if (matches > 1)
		return rkt_fail(err, RKT_USAGE, "%s is ambiguous: %s", text, buf_text(&found));
	return 0;
}

int pod_dir_retire(const struct pod_dir *self, struct pod_dir_entry *entry, rkt_error **err)
{
	char from[ENTRY_NAME_SIZE], to[ENTRY_NAME_SIZE];

	entry_name(entry->kind, entry->uuid, from);
	entry_name(POD_DIR_GARBAGE, entry->uuid, to);
	if (renameat(self->pods, from, self->pods, to) < 0)
		return rkt_fail_errno(err, "rename %s", from);
	entry->kind = POD_DIR_GARBAGE;
	return 0;
}

int pod_dir_erase(const struct pod_dir *self, const struct pod_dir_entry *entry, rkt_error **err)
{
	char name[ENTRY_NAME_SIZE];

	return tree_remove(self->pods, entry_name(entry->kind, entry->uuid, name), err);
}
