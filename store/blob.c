/* Scratch files, the blob writer, and reading blobs back with their digest checked. */
#include "store/blob.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/uuid.h"

/* System time for 300 MB in small writes exceeds the digest's: write at least this much at once. */
#define WRITE_SIZE (1024 * 1024)
/* After so many bytes the kernel is told to begin writing, so that the sync at the end is short. */
#define START_SIZE (8ull * 1024 * 1024)

/* Makes up a name in cas/tmp, which gc knows what to do with. */
static int make_up_name(char (*ret)[SCRATCH_NAME_SIZE], rkt_error **err)
{
	char unique[UUID_TEXT_LEN + 1];

	if (uuid_make(unique, err) < 0)
		return -1;
	snprintf(*ret, sizeof *ret, "file-%s", unique);
	return 0;
}

/* Under the naming lock: without it, gc could find the file before it is locked. */
static int make_named(const struct layout *layout, struct scratch *ret, rkt_error **err)
{
	if (make_up_name(&ret->name, err) < 0)
		return -1;
	ret->fd = openat(
		layout->tmp, ret->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (ret->fd < 0) {
		ret->name[0] = '\0';
		return rkt_fail_errno(err, "create a file in cas/tmp");
	}
	return lock_wait(ret->fd, LOCK_EXCLUSIVE, err);
}

static int lock_and_make_named(const struct layout *layout, struct scratch *ret, rkt_error **err)
{
	auto_fd int naming = layout_lock(layout, LAYOUT_NAMING, err);

	return naming < 0 ? -1 : make_named(layout, ret, err);
}

typedef int make_fn(const struct layout *layout, struct scratch *ret, rkt_error **err);

/* An unnamed file, or, where the file system has no such, what MAKE makes. */
static int open_scratch(
	const struct layout *layout, make_fn *make, struct scratch *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	*ret = (struct scratch)SCRATCH_EMPTY;
	ret->dir = layout->tmp;
	ret->fd = fd_tmpfile(layout->tmp, &why);
	if (ret->fd >= 0)
		return 0;
	if (fd_needs_name(rkt_error_errno(why)))
		return make(layout, ret, err);
	return rkt_fail_with(err, pass_ptr(why));
}

int scratch_open(const struct layout *layout, struct scratch *ret, rkt_error **err)
{
	return open_scratch(layout, lock_and_make_named, ret, err);
}

int scratch_open_locked(const struct layout *layout, struct scratch *ret, rkt_error **err)
{
	return open_scratch(layout, make_named, ret, err);
}

/* Whether NAME in SHARD is as long as FD: 1, 0, or -1. */
static int same_size(int fd, int shard, const char *name, rkt_error **err)
{
	struct stat ours, theirs;

	if (fstat(fd, &ours) < 0)
		return rkt_fail_errno(err, "stat");
	if (fstatat(shard, name, &theirs, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "stat %s", name);
	return S_ISREG(theirs.st_mode) && ours.st_size == theirs.st_size;
}

static int link_scratch(struct scratch *self, int shard, const char *name, rkt_error **err)
{
	if (!self->name[0])
		return fd_link(self->fd, shard, name, err);
	if (linkat(self->dir, self->name, shard, name, 0) == 0)
		return 0;
	return errno == EEXIST ? 1 : rkt_fail_errno(err, "link %s", name);
}

int scratch_publish(struct scratch *self, int shard, const char *name, rkt_error **err)
{
	int there = link_scratch(self, shard, name, err), same;

	if (there <= 0)
		return there;
	same = same_size(self->fd, shard, name, err);
	if (same)
		return same < 0 ? -1 : 0;
	/* somebody truncated it: a good copy takes its place */
	return scratch_replace(self, shard, name, err);
}

int scratch_replace(struct scratch *self, int shard, const char *name, rkt_error **err)
{
	char own[SCRATCH_NAME_SIZE];

	if (!self->name[0]) {
		if (make_up_name(&own, err) < 0 || fd_link(self->fd, self->dir, own, err) < 0)
			return -1;
		memcpy(self->name, own, sizeof own);
	}
	if (renameat(self->dir, self->name, shard, name) < 0)
		return rkt_fail_errno(err, "put %s in place", name);
	self->name[0] = '\0';
	return 0;
}

int scratch_sync(struct scratch *self, rkt_error **err)
{
	if (fchmod(self->fd, 0444) < 0)
		return rkt_fail_errno(err, "chmod");
	return fdatasync(self->fd) < 0 ? rkt_fail_errno(err, "fdatasync") : 0;
}

int scratch_shelve(struct scratch *self, int shelf, const rkt_image_id *id, rkt_error **err)
{
	auto_fd int shard = layout_shard_make(shelf, id, err);

	if (shard < 0 || scratch_publish(self, shard, id->text, err) < 0)
		return -1;
	return fsync(shard) < 0 ? rkt_fail_errno(err, "fsync folder") : 0;
}

void scratch_close(struct scratch *self)
{
	if (self->name[0])
		unlinkat(self->dir, self->name, 0);
	scope_close(&self->fd);
	*self = (struct scratch)SCRATCH_EMPTY;
}

static int write_out(struct blob_writer *self, struct slice bytes, rkt_error **err)
{
	if (fd_write_all(self->file.fd, bytes.data, bytes.len, err) < 0)
		return -1;
	self->size += bytes.len;
	if (self->size - self->started < START_SIZE)
		return 0;
	/* a hint only: the sync at the end is what counts */
	(void)sync_file_range(self->file.fd, (off64_t)self->started,
		(off64_t)(self->size - self->started), SYNC_FILE_RANGE_WRITE);
	self->started = self->size;
	return 0;
}

static int write_pending(struct blob_writer *self, rkt_error **err)
{
	int result = self->pending.len ? write_out(self, buf_slice(&self->pending), err) : 0;

	self->pending.len = 0;
	return result;
}

int blob_tap(void *context, struct slice block, rkt_error **err)
{
	struct blob_writer *self = context;

	if (self->pending.len + block.len > WRITE_SIZE && write_pending(self, err) < 0)
		return -1;
	if (block.len >= WRITE_SIZE)
		return write_out(self, block, err);
	if (!self->pending.capacity)
		buf_reserve(&self->pending, WRITE_SIZE);
	buf_append(&self->pending, block.data, block.len);
	return 0;
}

int blob_flush(struct blob_writer *self, rkt_error **err)
{
	if (write_pending(self, err) < 0)
		return -1;
	(void)sync_file_range(self->file.fd, (off64_t)self->started, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

void blob_writer_close(struct blob_writer *self)
{
	buf_free(&self->pending);
	scratch_close(&self->file);
}

int blob_open(const struct layout *layout, const rkt_image_id *id, uint64_t size, rkt_error **err)
{
	auto_free char *what = xasprintf("the blob of %s", id->text);

	return layout_open_file(layout->blob, id, size, what, err);
}

/* ---- a stream whose digest is known beforehand ----------------------------------------------- */

struct verified {
	source base;
	source *below;
	digest *sum;
	rkt_image_id id;
};

static int verified_end(struct verified *self, rkt_error **err)
{
	char digits[DIGEST_HEX_MAX + 1];
	rkt_image_id found;

	if (digest_hex(self->sum, digits, err) < 0)
		return -1;
	found = id_from_hex(digits);
	if (strcmp(found.text, self->id.text) != 0)
		return rkt_fail(err, RKT_INVALID, "the blob of %s is damaged: its bytes give %s",
			self->id.text, found.text);
	return 0;
}

static int verified_next(source *base, struct slice *ret_block, rkt_error **err)
{
	struct verified *self = (struct verified *)base;
	int got = source_next(self->below, ret_block, err);

	if (got < 0)
		return -1;
	if (!got)
		return verified_end(self, err);
	return digest_add(self->sum, *ret_block, err) < 0 ? -1 : 1;
}

static void verified_interrupt(source *base)
{
	source_interrupt(((struct verified *)base)->below);
}

static void verified_release(source *base)
{
	struct verified *self = (struct verified *)base;

	source_free(self->below);
	digest_free(self->sum);
	free(self);
}

source *source_verified(source *below, const rkt_image_id *id)
{
	static const struct source_ops ops = {
		.next = verified_next, .interrupt = verified_interrupt, .release = verified_release
	};
	struct verified *self = xcalloc(1, sizeof *self);

	self->base.ops = &ops;
	self->below = below;
	self->sum = digest_new(DIGEST_SHA256);
	self->id = *id;
	return &self->base;
}
