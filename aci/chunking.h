/*
 * How the data of a file in a tar are cut into equal chunks, each all data or all hole: what an
 * index over the tar can point at (doc/formats.md, "EROFS index"). The store makes such an index;
 * aci-validate tells beforehand whether it could.
 *
 * A chunk is CHUNK_BLOCK << bits bytes long. A file in one piece is one chunk where that is
 * possible. The chunks of a sparse file are as large as its runs allow: each run begins at a
 * chunk's border, and ends at one or in the last block of the file, because a chunk shared by a run
 * and a hole would show the next member's header.
 */
#pragma once

#include "aci/tar.h"

#define CHUNK_BLOCK    512u
#define CHUNK_BITS_MAX 31u
/* Chunks of all sparse files of an image together, 8 bytes each in an index: a few bytes of tar can
 * ask for as many as they like. */
#define CHUNKS_SPARSE_MAX UINT32_C(4194304)
/* Blocks are counted with 32 bits, and the last two numbers mean something else: 2 TiB. */
#define CHUNK_BLOCKS_MAX 0xfffffffeu

/* How many blocks SIZE bytes fill, the last perhaps in part. */
static inline uint64_t chunking_blocks(uint64_t size)
{
	return size / CHUNK_BLOCK + (size % CHUNK_BLOCK != 0);
}

/* The bits of a file of SIZE bytes in one piece, and how many chunks of given bits it has. */
unsigned chunking_bits(uint64_t size);
uint64_t chunking_count(uint64_t size, unsigned bits);

/* The bits of the sparse file ENTRY; false when its runs do not begin on multiples of CHUNK_BLOCK,
 * in the file and in the tar. */
bool chunking_sparse_bits(const struct tar_entry *entry, unsigned *ret);
