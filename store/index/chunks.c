/* Chunks: of files in one piece, and of sparse ones. */
#include "store/index/chunks.h"

#include <string.h>

#include "store/index/erofs.h"

/* COUNT chunks from CHUNK on are in the tar, from BLOCK on. A sparse inode points at their number,
 * as 32 bits, and then at them. */
struct run {
	uint32_t chunk, count, block;
};

_Static_assert(CHUNK_BLOCK == EROFS_BLOCK && CHUNK_BITS_MAX == EROFS_CHUNK_BITS_MAX &&
		       CHUNK_BLOCKS_MAX == EROFS_BLOCKS_MAX,
	"chunking.h speaks of EROFS");

/* Takes note that COUNT blocks from FIRST on are used. */
static int use_blocks(struct chunks_place *place, uint64_t first, uint64_t count, rkt_error **err)
{
	if (first > EROFS_BLOCKS_MAX || count > EROFS_BLOCKS_MAX - first)
		return rkt_fail(err, RKT_INVALID, "data beyond 2 TiB");
	if (first + count > place->blocks_used)
		place->blocks_used = first + count;
	return 0;
}

static int fill_sparse(struct nodes *nodes, struct chunks_place *place,
	const struct tar_entry *entry, struct inode *inode, rkt_error **err)
{
	uint32_t first = (uint32_t)(entry->data_offset / EROFS_BLOCK), where = 0;
	uint32_t run_count = (uint32_t)entry->extent_count;
	uint64_t chunk_size, count;
	unsigned bits = 0;

	if (!chunking_sparse_bits(entry, &bits))
		return rkt_fail(err, RKT_INVALID,
			"a sparse file whose runs of data are not multiples of %u bytes: write it "
			"without --sparse",
			EROFS_BLOCK);
	count = chunking_count(entry->size, bits);
	if (count > CHUNKS_SPARSE_MAX - place->sparse)
		return rkt_fail(err, RKT_INVALID,
			"sparse files in pieces so small that an index would need more than %u "
			"entries for them",
			CHUNKS_SPARSE_MAX);
	place->sparse += (uint32_t)count;
	chunk_size = (uint64_t)EROFS_BLOCK << bits;
	inode->file.sparse = true;
	inode->file.chunk_bits = (uint8_t)bits;
	if (nodes_keep(nodes, (struct slice){ (const uint8_t *)&run_count, sizeof run_count },
		    &inode->file.block, err) < 0)
		return -1;
	for (size_t i = 0; i < entry->extent_count; i++) {
		const struct tar_extent *extent = &entry->extents[i];
		struct run run = {
			.chunk = (uint32_t)(extent->offset / chunk_size),
			.count = (uint32_t)chunking_count(extent->len, bits),
			.block = first,
		};

		if (nodes_keep(nodes, (struct slice){ (const uint8_t *)&run, sizeof run }, &where,
			    err) < 0)
			return -1;
		first += (uint32_t)chunking_blocks(extent->len);
	}
	return 0;
}

int chunks_fill(struct nodes *nodes, struct chunks_place *place, const struct tar_entry *entry,
	struct inode *inode, rkt_error **err)
{
	uint64_t first = entry->data_offset / EROFS_BLOCK;

	if (!entry->size)
		return 0;
	if (entry->data_offset % EROFS_BLOCK)
		return rkt_fail(err, RKT_INVALID, "data at offset %ju, not a multiple of %u",
			(uintmax_t)entry->data_offset, EROFS_BLOCK);
	if (use_blocks(place, first, chunking_blocks(entry->sparse ? entry->stored : entry->size),
		    err) < 0)
		return -1;
	inode->file.size = entry->size;
	inode->file.device = place->device;
	if (entry->sparse)
		return fill_sparse(nodes, place, entry, inode, err);
	inode->file.block = (uint32_t)first;
	inode->file.chunk_bits = (uint8_t)chunking_bits(entry->size);
	return 0;
}

struct chunks_walk chunks_walk_start(const struct nodes *nodes, const struct inode *inode)
{
	struct chunks_walk walk = {
		.inode = inode,
		.count = chunking_count(inode->file.size, inode->file.chunk_bits),
	};

	if (inode->file.sparse) {
		walk.runs = nodes->bytes.data + inode->file.block;
		memcpy(&walk.run_count, walk.runs, sizeof walk.run_count);
		walk.runs += sizeof walk.run_count;
	}
	return walk;
}

static uint32_t block_in_runs(struct chunks_walk *walk)
{
	struct run run;

	if (!walk->run_count)
		return EROFS_HOLE;
	memcpy(&run, walk->runs, sizeof run);
	if (walk->chunk < run.chunk)
		return EROFS_HOLE;
	if (walk->chunk + 1 == (uint64_t)run.chunk + run.count) {
		walk->runs += sizeof run;
		walk->run_count--;
	}
	return run.block + (uint32_t)((walk->chunk - run.chunk) << walk->inode->file.chunk_bits);
}

bool chunks_walk_next(struct chunks_walk *walk, uint32_t *ret_block)
{
	if (walk->chunk == walk->count)
		return false;
	*ret_block = walk->runs ? block_in_runs(walk)
				: (uint32_t)(walk->inode->file.block +
					     (walk->chunk << walk->inode->file.chunk_bits));
	walk->chunk++;
	return true;
}
