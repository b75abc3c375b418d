/* Telling a data directory of old rkt from others, and finding the images in it. */
#include "store/old_rkt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/names.h"
#include "base/str.h"

#define SCHEME     "sha512-"
#define SCHEME_LEN (sizeof SCHEME - 1)

static bool has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the blobs ------------------------------------------------------------------------------- */

static bool is_shard(const char *name)
{
	return strlen(name) == 2 && hex_is(name, 2);
}

static bool is_key(const char *name, const char *shard)
{
	return str_has_prefix(name, SCHEME) && strlen(name) == SCHEME_LEN + OLD_RKT_KEY_LEN &&
	       hex_is(name + SCHEME_LEN, OLD_RKT_KEY_LEN) &&
	       strncmp(name + SCHEME_LEN, shard, 2) == 0;
}

static void add_blob(struct old_rkt *self, const char *name, const struct stat *st)
{
	struct old_blob *blob;

	self->blobs = xreallocarray(self->blobs, self->count + 1, sizeof *self->blobs);
	blob = &self->blobs[self->count++];
	*blob = (struct old_blob){ .size = (uint64_t)st->st_size,
		.written_sec = st->st_mtim.tv_sec,
		.written_nsec = (uint32_t)st->st_mtim.tv_nsec };
	memcpy(blob->name, name, SCHEME_LEN + OLD_RKT_KEY_LEN + 1);
}

/* A file called NAME in SHARD, the folder called ABOVE. */
static int look_at(
	struct old_rkt *self, int shard, const char *above, const char *name, rkt_error **err)
{
	struct stat st;

	if (fstatat(shard, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT) /* rkt removed it this very moment */
			return 0;
		return rkt_fail_errno(err, "stat %s", name);
	}
	if (S_ISREG(st.st_mode) && is_key(name, above))
		add_blob(self, name, &st);
	else
		self->strangers++;
	return 0;
}

static int names_in(int dir, struct names *ret, rkt_error **err)
{
	int own = fcntl(dir, F_DUPFD_CLOEXEC, 3);

	return own < 0 ? rkt_fail_errno(err, "dup") : names_of_dir(own, ret, err);
}

static int list_shard(struct old_rkt *self, int shard, const char *above, rkt_error **err)
{
	auto_names struct names names = { 0 };

	if (names_in(shard, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (look_at(self, shard, above, names.items[i], err) < 0)
			return -1;
	return 0;
}

/* What is called NAME among the shards. */
static int look_into(struct old_rkt *self, const char *name, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int shard = -1;

	if (is_shard(name))
		shard = fd_open_dir(self->shelf, name, &why);
	if (shard >= 0)
		return list_shard(self, shard, name, err);
	if (why && rkt_error_errno(why) != ENOTDIR && rkt_error_errno(why) != ELOOP)
		return rkt_fail_with(err, pass_ptr(why));
	self->strangers++;
	return 0;
}

static int by_time(const void *one, const void *other)
{
	const struct old_blob *a = one, *b = other;

	if (a->written_sec != b->written_sec)
		return a->written_sec < b->written_sec ? -1 : 1;
	if (a->written_nsec != b->written_nsec)
		return a->written_nsec < b->written_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* ---- the directory --------------------------------------------------------------------------- */

static int is_none(const char *path, rkt_error **err)
{
	return rkt_fail(err, RKT_USAGE,
		"%s is no data directory of old rkt: it has no cas/blob/sha512", path);
}

static int open_shelf(struct old_rkt *self, const char *path, int top, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int cas = fd_open_dir(top, "cas", &why), blob = -1;

	if (cas >= 0 && has(cas, "index"))
		return rkt_fail(err, RKT_USAGE,
			"%s is a store of ours, not of old rkt: its images need not be brought over",
			path);
	if (cas >= 0)
		blob = fd_open_dir(cas, "blob", &why);
	if (blob >= 0)
		self->shelf = fd_open_dir(blob, "sha512", &why);
	if (self->shelf >= 0)
		return 0;
	if (rkt_error_kind(why) != RKT_MISSING && rkt_error_errno(why) != ENOTDIR) {
		rkt_fail_with(err, pass_ptr(why));
		return rkt_fail_outer(err, "reading %s", path);
	}
	/* rkt makes its folders when it needs them */
	return cas >= 0 && has(cas, "db/ql.db") ? 0 : is_none(path, err);
}

static int list(struct old_rkt *self, const char *path, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", path);
	auto_names struct names shards = { 0 };

	self->path = realpath(path, NULL);
	if (!self->path)
		return rkt_fail_errno(err, "realpath");
	if (names_in(self->shelf, &shards, err) < 0)
		return -1;
	for (size_t i = 0; i < shards.count; i++)
		if (look_into(self, shards.items[i], err) < 0)
			return -1;
	if (self->count)
		qsort(self->blobs, self->count, sizeof *self->blobs, by_time);
	return 0;
}

int old_rkt_open(struct old_rkt *self, const char *path, rkt_error **err)
{
	auto_fd int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such directory: %s", path);
	if (top < 0)
		return rkt_fail_errno(err, "open %s", path);
	if (open_shelf(self, path, top, err) < 0)
		return -1;
	return self->shelf < 0 ? 0 : list(self, path, err);
}

void old_rkt_close(struct old_rkt *self)
{
	scope_close(&self->shelf);
	free(self->blobs);
	free(self->path);
	*self = (struct old_rkt)OLD_RKT_EMPTY;
}

const char *old_blob_digits(const struct old_blob *blob)
{
	return blob->name + SCHEME_LEN;
}

int old_rkt_open_blob(const struct old_rkt *self, const struct old_blob *blob, rkt_error **err)
{
	const char shard[3] = { blob->name[SCHEME_LEN], blob->name[SCHEME_LEN + 1] };
	auto_fd int dir = fd_open_dir(self->shelf, shard, err);
	int fd;

	if (dir < 0)
		return -1;
	fd = openat(dir, blob->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? rkt_fail_errno(err, "open") : fd;
}

char *old_rkt_path(const struct old_rkt *self, const struct old_blob *blob)
{
	return xasprintf(
		"%s/cas/blob/sha512/%.2s/%s", self->path, old_blob_digits(blob), blob->name);
}
