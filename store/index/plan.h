/*
 * Where everything goes in an index: the order of inodes, their places, the listings of
 * directories.
 *
 * Inodes come breadth first, a directory's by name, so that listing a directory reads neighbours;
 * the same tree always gives the same layout. Only what a name leads to is laid out.
 */
#pragma once

#include "store/index/erofs.h"
#include "store/index/node.h"

struct place {
	uint32_t nid;
	uint32_t nlink;
	uint32_t data;         /* its first data block, counted from the first of all */
	uint32_t size;         /* directories: i_size in bytes */
	uint32_t first, count; /* directories: its names in LISTING */
	uint32_t last;         /* directories: where in LISTING its last block begins */
	uint8_t layout;        /* enum erofs_layout */
};

struct plan {
	const struct nodes *nodes; /* lent */
	struct place *places;      /* by inode; of use for those in ORDER */
	uint32_t *order;           /* COUNT inodes as they come in the index */
	uint32_t count;
	uint32_t *listing;         /* names, one directory after the other */
	uint32_t first_data_block; /* of the index */
	uint32_t blocks;           /* of the index, padding included */
};

/* Lays out NODES, which must outlive the layout, for an index over TAR_COUNT (at most
 * EROFS_DEVICES_MAX) tars. */
void plan_make(struct plan *plan, const struct nodes *nodes, uint32_t tar_count);
void plan_free(struct plan *plan);

/* How many of the names in LISTING from FIRST to before END go into one directory block. *RET_SIZE
 * is how many bytes they take. */
uint32_t plan_block(const struct plan *plan, uint32_t first, uint32_t end, uint32_t *ret_size);

/* Bytes of the xattrs behind INODE. */
static inline uint32_t plan_xattr_size(const struct inode *inode)
{
	uint32_t header = sizeof(struct erofs_xattr_header);

	return inode->xattr_icount ? header + 4u * (inode->xattr_icount - 1u) : 0;
}
