/* A file of records, chained by depth: no order must be made of them in memory. */
#include "aci/later.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"

#define TAIL_MAX   ((size_t)1024 * 1024)
#define WINDOW_LEN ((size_t)16 * 1024)

/* Followed by path, access and default ACL. Only this process reads them. */
struct record {
	uint64_t next; /* of the same depth, counted from 1; 0: there is none */
	int64_t mtime_sec;
	uint32_t mtime_nsec, uid, gid, mode;
	uint32_t path_len, access_len, default_len;
	uint32_t what;
};

void later_dir_free(struct later_dir *dir)
{
	buf_free(&dir->path);
	attrs_free(&dir->attrs);
}

void later_free(struct later *self)
{
	scope_close(&self->scratch);
	free(self->chains);
	buf_free(&self->tail);
	buf_free(&self->window);
}

static size_t depth_of(const struct buf *path)
{
	size_t depth = path->len > 0;

	for (size_t i = 0; i < path->len; i++)
		depth += path->data[i] == '/';
	return depth;
}

static int flush(struct later *self, int place, rkt_error **err)
{
	if (self->scratch < 0)
		self->scratch = fd_scratch(place, err);
	if (self->scratch < 0 ||
		fd_pwrite_all(self->scratch, self->tail.data, self->tail.len, self->kept, err) < 0)
		return -1;
	self->kept += self->tail.len;
	self->tail.len = 0;
	return 0;
}

static struct later_chain *chain_of(struct later *self, size_t depth)
{
	if (depth >= self->depths) {
		self->chains = xreallocarray(self->chains, depth + 1, sizeof *self->chains);
		memset(self->chains + self->depths, 0,
			(depth + 1 - self->depths) * sizeof *self->chains);
		self->depths = depth + 1;
	}
	return &self->chains[depth];
}

/* Makes the last record of CHAIN lead to AT. */
static int link_last(struct later *self, struct later_chain *chain, uint64_t at, rkt_error **err)
{
	uint64_t last = chain->last, place = last - 1 + offsetof(struct record, next);

	chain->last = at;
	if (!last) {
		chain->first = at;
		return 0;
	}
	if (last - 1 < self->kept)
		return fd_pwrite_all(self->scratch, &at, sizeof at, place, err);
	memcpy(self->tail.data + (place - self->kept), &at, sizeof at);
	return 0;
}

int later_add(struct later *self, int place, const struct later_dir *dir, rkt_error **err)
{
	const struct extract_attrs *attrs = &dir->attrs;
	struct later_chain *chain = chain_of(self, depth_of(&dir->path));
	struct record record = {
		.mtime_sec = attrs->mtime.tv_sec,
		.mtime_nsec = (uint32_t)attrs->mtime.tv_nsec,
		.uid = attrs->uid,
		.gid = attrs->gid,
		.mode = attrs->mode,
		.path_len = (uint32_t)dir->path.len,
		.access_len = (uint32_t)attrs->access.len,
		.default_len = (uint32_t)attrs->by_default.len,
		.what = dir->what,
	};

	if (link_last(self, chain, self->kept + self->tail.len + 1, err) < 0)
		return -1;
	buf_append(&self->tail, &record, sizeof record);
	buf_append(&self->tail, dir->path.data, dir->path.len);
	buf_append(&self->tail, attrs->access.data, attrs->access.len);
	buf_append(&self->tail, attrs->by_default.data, attrs->by_default.len);
	return self->tail.len < TAIL_MAX ? 0 : flush(self, place, err);
}

/* Lends the LEN bytes at OFFSET, until the next call; what follows them is read along. */
static int fetch(
	struct later *self, uint64_t offset, size_t len, const uint8_t **ret, rkt_error **err)
{
	size_t wanted = len > WINDOW_LEN ? len : WINDOW_LEN;
	ssize_t got;

	if (offset >= self->kept) {
		*ret = self->tail.data + (offset - self->kept);
		return 0;
	}
	if (offset < self->window_at || offset + len > self->window_at + self->window.len) {
		self->window.len = 0;
		got = fd_pread_full(
			self->scratch, buf_reserve(&self->window, wanted), wanted, offset, err);
		if (got < 0)
			return -1;
		if ((size_t)got < len)
			return rkt_fail(err, RKT_FAILED, "the scratch file became shorter");
		self->window.len = (size_t)got;
		self->window_at = offset;
	}
	*ret = self->window.data + (offset - self->window_at);
	return 0;
}

static const uint8_t *set(struct buf *buf, const uint8_t *bytes, size_t len)
{
	buf->len = 0;
	buf_append(buf, bytes, len);
	return bytes + len;
}

/* Reads the record that begins at *AT, which becomes the next. */
static int read_next(struct later *self, uint64_t *at, struct later_dir *dir, rkt_error **err)
{
	struct extract_attrs *attrs = &dir->attrs;
	uint64_t offset = *at - 1;
	struct record record;
	const uint8_t *bytes;

	if (fetch(self, offset, sizeof record, &bytes, err) < 0)
		return -1;
	memcpy(&record, bytes, sizeof record);
	if (fetch(self, offset + sizeof record,
		    (size_t)record.path_len + record.access_len + record.default_len, &bytes,
		    err) < 0)
		return -1;
	bytes = set(&dir->path, bytes, record.path_len);
	bytes = set(&attrs->access, bytes, record.access_len);
	set(&attrs->by_default, bytes, record.default_len);
	attrs->uid = record.uid;
	attrs->gid = record.gid;
	attrs->mode = record.mode;
	attrs->mtime = (struct timespec){ record.mtime_sec, record.mtime_nsec };
	dir->what = (enum later_what)record.what;
	*at = record.next;
	return 0;
}

int later_walk(struct later *self, enum later_order order,
	int (*each)(void *context, const struct later_dir *dir, rkt_error **err), void *context,
	rkt_error **err)
{
	__attribute__((cleanup(later_dir_free))) struct later_dir dir = { 0 };

	for (size_t i = 0; i < self->depths; i++) {
		size_t depth = order == LATER_TOP_FIRST ? i : self->depths - 1 - i;

		for (uint64_t at = self->chains[depth].first; at;) {
			if (read_next(self, &at, &dir, err) < 0)
				return -1;
			buf_text(&dir.path);
			if (each(context, &dir, err) < 0)
				return -1;
		}
	}
	return 0;
}
