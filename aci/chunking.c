/* Chunks of files in one piece, and of sparse ones. */
#include "aci/chunking.h"

unsigned chunking_bits(uint64_t size)
{
	unsigned bits = 0;

	while (bits < CHUNK_BITS_MAX && (uint64_t)CHUNK_BLOCK << bits < size)
		bits++;
	return bits;
}

uint64_t chunking_count(uint64_t size, unsigned bits)
{
	uint64_t chunk = (uint64_t)CHUNK_BLOCK << bits;

	return size / chunk + (size % chunk != 0);
}

bool chunking_sparse_bits(const struct tar_entry *entry, unsigned *ret)
{
	uint64_t borders = 0, before = 0, last_block = chunking_blocks(entry->size);
	unsigned bits = chunking_bits(entry->size);

	for (size_t i = 0; i < entry->extent_count; i++) {
		const struct tar_extent *run = &entry->extents[i];
		uint64_t end = chunking_blocks(run->offset + run->len);

		if (run->offset % CHUNK_BLOCK || before % CHUNK_BLOCK)
			return false;
		before += run->len;
		borders |= run->offset / CHUNK_BLOCK;
		if (end != last_block)
			borders |= end;
	}
	while (borders & ((UINT64_C(1) << bits) - 1))
		bits--;
	*ret = bits;
	return true;
}
