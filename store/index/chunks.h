/*
 * Where a file's data are: the chunks behind its inode (erofs.h), cut as aci/chunking.h says.
 */
#pragma once

#include "aci/chunking.h"
#include "store/index/node.h"

/* Where a builder stands in the present tar. */
struct chunks_place {
	uint16_t device;      /* the tar's number */
	uint64_t blocks_used; /* of the tar: where its last file ends */
	uint32_t sparse;      /* chunks of sparse files so far, all tars */
};

/* Sets what INODE says of the data of ENTRY, a file; keeps runs in NODES. RKT_INVALID: data that
 * are not on a multiple of 512 bytes (runs of a sparse file may not be), beyond 2 TiB of the tar,
 * or too many chunks. */
int chunks_fill(struct nodes *nodes, struct chunks_place *place, const struct tar_entry *entry,
	struct inode *inode, rkt_error **err);

/* Goes through the chunks of INODE in order:
 *	struct chunks_walk walk = chunks_walk_start(nodes, inode);
 *	for (uint32_t block; chunks_walk_next(&walk, &block);) ...
 * BLOCK is that of the tar, or EROFS_HOLE. */
struct chunks_walk {
	const struct inode *inode;
	const uint8_t *runs; /* what is left of them; NULL: not sparse */
	uint32_t run_count;
	uint64_t chunk, count;
};
struct chunks_walk chunks_walk_start(const struct nodes *nodes, const struct inode *inode);
bool chunks_walk_next(struct chunks_walk *walk, uint32_t *ret_block);
