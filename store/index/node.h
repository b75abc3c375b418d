/*
 * The tree of an image in memory: inodes, names, and the bytes both point to.
 *
 * Everything is a 32-bit number into one of three growing arrays, so a file costs 68 bytes and its
 * name. A directory's names are a balanced tree (AVL), "." and ".." among them: they come out in
 * the order the format wants, and no order of arrival makes adding slow. Names are never taken
 * away, only pointed at another inode; what no name leads to any more is simply not written.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* Ceilings against archives that are all names (S-012): inodes; names, hard links and directories'
 * dots included; bytes of names, symlink targets and extended attributes together. They also keep
 * every offset and count of the index within 32 bits. */
#define NODES_MAX       UINT32_C(4194304)
#define NODES_NAMES_MAX (4 * NODES_MAX)
#define NODES_BYTES_MAX (UINT32_C(512) << 20)

#define NODES_ROOT    0u /* its inode */
#define NODES_NO_NAME 0u /* no name */

struct inode {
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t uid, gid;
	uint16_t mode;         /* type and permissions */
	uint16_t xattr_icount; /* as on disk; 0: none */
	uint32_t xattr_bytes;  /* where in BYTES the xattr body is */
	union {
		struct {
			uint64_t size;   /* in bytes */
			uint32_t block;  /* of the device; sparse: where in BYTES the runs are */
			uint16_t device; /* which tar, from 1 */
			uint8_t chunk_bits;
			bool sparse;
		} file;
		struct {
			uint32_t names; /* top of the balanced tree; NODES_NO_NAME: not made yet */
		} dir;
		struct {
			uint32_t target; /* where in BYTES */
			uint32_t len;
		} symlink;
		uint32_t device_number; /* as on disk */
	};
};

struct name {
	uint32_t bytes; /* where in BYTES the name is */
	uint32_t inode;
	uint32_t child[2];
	int8_t balance; /* height of child[1] minus that of child[0] */
	uint8_t len;
};

struct nodes {
	struct inode *inodes;
	uint32_t inode_count, inode_room;
	struct name *names; /* the first is NODES_NO_NAME */
	uint32_t name_count, name_room;
	struct buf bytes;
};

/* A tree with nothing but its root: a directory 0755, owned by 0:0, of time 0. */
void nodes_init(struct nodes *nodes);
void nodes_free(struct nodes *nodes);

/* Adds a copy of INODE that no name leads to yet; a directory gets its "." but no "..". Returns its
 * number in *RET. RKT_INVALID at the ceiling. */
int nodes_add(struct nodes *nodes, const struct inode *inode, uint32_t *ret, rkt_error **err);

/* Keeps a copy of BYTES and returns where in *RET. RKT_INVALID at the ceiling. */
int nodes_keep(struct nodes *nodes, struct slice bytes, uint32_t *ret, rkt_error **err);

/* The number of the name TEXT in the directory DIR, or NODES_NO_NAME; "." and ".." are never found, so
 * that no path leads up. */
uint32_t nodes_find(const struct nodes *nodes, uint32_t dir, struct slice text);

/* Makes TEXT in the directory DIR lead to INODE, whatever it led to before. An INODE that is a
 * directory must have no other name; its ".." becomes DIR. RKT_INVALID when TEXT cannot be the name
 * of a file. */
int nodes_set(
	struct nodes *nodes, uint32_t dir, struct slice text, uint32_t inode, rkt_error **err);

/* Goes through the names of a directory in the order of their bytes:
 *	struct nodes_walk walk = nodes_walk_start(nodes, dir);
 *	for (uint32_t name; (name = nodes_walk_next(&walk)) != NODES_NO_NAME;) ... */
#define NODES_HEIGHT_MAX 48 /* an AVL tree of 2^32 names is at most 46 high */
struct nodes_walk {
	const struct nodes *nodes;
	uint32_t above[NODES_HEIGHT_MAX];
	unsigned depth;
};
struct nodes_walk nodes_walk_start(const struct nodes *nodes, uint32_t dir);
uint32_t nodes_walk_next(struct nodes_walk *walk);

static inline const char *nodes_text(const struct nodes *nodes, const struct name *name)
{
	return (const char *)nodes->bytes.data + name->bytes;
}
