/* Reading an index back by the grammar of erofs.h, knowing nothing of its writer. */
#pragma once

#include "base/buf.h"

/* A name in the index and what it leads to; "." and ".." are not among them. */
struct walked {
	char *path;    /* "" is the root */
	size_t parent; /* the directory it is in, by its place in the list; the root is its own */
	uint64_t nid, size;
	uint32_t uid, gid, mtime_nsec, nlink;
	int64_t mtime_sec;
	uint16_t mode, xattr_icount;
	uint32_t *blocks;  /* files: where each chunk is in the tar, or EROFS_HOLE; owned */
	uint64_t chunks;   /* how many */
	unsigned bits;     /* a chunk has 1 << BITS blocks */
	struct buf target; /* symlinks */
};

struct walked_list {
	struct walked *items; /* owned; a directory before what is in it */
	size_t count;
};

/* Looks at every byte of INDEX, made over one tar of TAR_BLOCKS: each belongs to one piece of the
 * grammar or is zero, every number is in its range, names have their order, links their count. What
 * is not so breaks a promise (fuzz.h). RET gets all names; the caller frees it. */
void index_walk(struct slice index, uint64_t tar_blocks, struct walked_list *ret);
void walked_list_free(struct walked_list *list);
