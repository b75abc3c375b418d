/*
 * What the tests of the index share: entries made by hand, and a reader of index bytes that knows
 * the format from its description and nothing of the writer.
 */
#pragma once

#include "tests/unit/scratch.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "store/index/erofs.h"
#include "store/index/index.h"

struct fixture {
	index_builder *builder;
	uint64_t blocks; /* of the tar, so far */
	struct buf index;
	struct index_stats stats;
};

static inline struct fixture fixture_new(void)
{
	return (struct fixture){ .builder = index_new(), .blocks = 1 };
}

static inline void fixture_free(struct fixture *f)
{
	index_free(f->builder);
	buf_free(&f->index);
}

static inline int add_entry(
	struct fixture *f, const char *path, struct tar_entry entry, rkt_error **err)
{
	struct image_entry image = { .path = path, .tar = &entry };

	entry.path = path;
	entry.path_len = strlen(path);
	if (entry.type == TAR_HARDLINK)
		image.hard_link = entry.link;
	return index_add(f->builder, &image, err);
}

static inline void add(struct fixture *f, const char *path, struct tar_entry entry)
{
	rkt_error *err = NULL;

	assert_ok(add_entry(f, path, entry, &err), err);
}

static inline void add_dir(struct fixture *f, const char *path, mode_t mode)
{
	add(f, path, (struct tar_entry){ .type = TAR_DIR, .mode = mode });
}

static inline void add_file(struct fixture *f, const char *path, uint64_t size)
{
	add(f, path,
		(struct tar_entry){ .type = TAR_FILE,
			.mode = 0644,
			.size = size,
			.data_offset = f->blocks * 512 });
	f->blocks += (size + 511) / 512;
}

static inline void add_symlink(struct fixture *f, const char *path, const char *target)
{
	add(f, path, (struct tar_entry){ .type = TAR_SYMLINK, .link = target });
}

static inline void add_hardlink(struct fixture *f, const char *path, const char *target)
{
	add(f, path, (struct tar_entry){ .type = TAR_HARDLINK, .link = target });
}

/* The entry must be refused as invalid with a text that holds WORDS. */
static inline void assert_refused(
	struct fixture *f, const char *path, struct tar_entry entry, const char *words)
{
	rkt_error *err = NULL;

	assert_int_equal(add_entry(f, path, entry, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", rkt_error_message(err), words);
	rkt_error_free(err);
}

/* Writes the index and reads it back. */
static inline void write_out(struct fixture *f)
{
	char path[256];
	int dir = scratch_make(path), fd;
	rkt_error *err = NULL;

	fd = fd_tmpfile(dir, &err);
	assert_ok(fd, err);
	assert_ok(index_write(f->builder, f->blocks * 512, fd, &f->stats, &err), err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	f->index.len = 0;
	assert_ok(fd_read_rest(fd, 64 << 20, &f->index, &err), err);
	close(fd);
	close(dir);
	scratch_remove(path);
}

/* ---- reading ------------------------------------------------------------------------------- */

static inline const void *bytes_at(const struct fixture *f, uint64_t offset, size_t len)
{
	assert_true(offset + len <= f->index.len);
	return f->index.data + offset;
}

static inline struct erofs_super super_of(const struct fixture *f)
{
	return *(const struct erofs_super *)bytes_at(f, 1024, sizeof(struct erofs_super));
}

static inline struct erofs_inode inode_at(const struct fixture *f, uint64_t nid)
{
	return *(const struct erofs_inode *)bytes_at(f, nid * 32, sizeof(struct erofs_inode));
}

static inline unsigned layout_of(const struct erofs_inode *inode)
{
	return inode->format >> 1 & 7;
}

static inline uint64_t body_of(const struct erofs_inode *inode, uint64_t nid)
{
	return nid * 32 + 64 + (inode->xattr_icount ? 12 + 4 * (inode->xattr_icount - 1u) : 0);
}

/* Where the data of the directory or symlink NID at OFFSET are, up to the block's end. */
static inline uint64_t data_offset(const struct fixture *f, uint64_t nid, uint64_t offset)
{
	struct erofs_inode inode = inode_at(f, nid);
	uint64_t whole = layout_of(&inode) == 2 ? (inode.size - 1) / 512 * 512 : inode.size;

	assert_true(layout_of(&inode) == 0 || layout_of(&inode) == 2);
	if (offset < whole)
		return inode.data * UINT64_C(512) + offset;
	return body_of(&inode, nid) + offset - whole;
}

struct found {
	uint64_t nid;
	unsigned type;
	uint8_t name[255];
	size_t len;
};

/* Reads entry NUMBER of the block of LEN bytes at OFFSET; false behind the last. */
static inline bool read_dirent(
	const struct fixture *f, uint64_t offset, size_t len, size_t number, struct found *ret)
{
	const struct erofs_dirent *dirents = bytes_at(f, offset, len);
	size_t count = dirents[0].name_offset / sizeof *dirents, end = len;

	if (number >= count)
		return false;
	if (number + 1 < count)
		end = dirents[number + 1].name_offset;
	ret->nid = dirents[number].nid;
	ret->type = dirents[number].type;
	assert_true(dirents[number].name_offset < end && end <= len);
	ret->len = strnlen((const char *)dirents + dirents[number].name_offset,
		end - dirents[number].name_offset);
	assert_true(ret->len > 0 && ret->len <= 255);
	memcpy(ret->name, (const char *)dirents + dirents[number].name_offset, ret->len);
	return true;
}

/* Calls VISIT for each entry of the directory NID, in the order on disk. */
static inline void for_each_dirent(const struct fixture *f, uint64_t nid,
	void (*visit)(const struct found *found, void *context), void *context)
{
	struct erofs_inode inode = inode_at(f, nid);

	assert_true(S_ISDIR(inode.mode));
	for (uint64_t offset = 0; offset < inode.size; offset += 512) {
		size_t len = inode.size - offset < 512 ? (size_t)(inode.size - offset) : 512;
		struct found found;

		for (size_t i = 0; read_dirent(f, data_offset(f, nid, offset), len, i, &found); i++)
			visit(&found, context);
	}
}

struct search {
	const char *name;
	uint64_t nid;
};

static inline void match_name(const struct found *found, void *context)
{
	struct search *search = context;

	if (found->len == strlen(search->name) &&
		memcmp(found->name, search->name, found->len) == 0)
		search->nid = found->nid;
}

/* The nid of PATH, or 0. */
static inline uint64_t find(const struct fixture *f, const char *path)
{
	char copy[4096], *rest = NULL;
	uint64_t nid = super_of(f).root_nid;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *part = strtok_r(copy, "/", &rest); part && nid;
		part = strtok_r(NULL, "/", &rest)) {
		struct search search = { part, 0 };

		for_each_dirent(f, nid, match_name, &search);
		nid = search.nid;
	}
	return nid;
}

static inline struct erofs_inode inode_of(const struct fixture *f, const char *path)
{
	uint64_t nid = find(f, path);

	assert_true(nid != 0);
	return inode_at(f, nid);
}
