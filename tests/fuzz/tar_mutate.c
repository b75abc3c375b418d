/*
 * Changes that leave a tar a tar: libFuzzer alone would never find a right checksum. After its
 * random change the length becomes whole blocks again, and what looks like a header gets its
 * checksum.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#define BLOCK         512u
#define CHECKSUM      148u
#define CHECKSUM_SIZE 8u
#define MAGIC         257u

static void repair_checksum(uint8_t *block)
{
	char text[CHECKSUM_SIZE];
	unsigned sum = 0;

	memset(block + CHECKSUM, ' ', CHECKSUM_SIZE);
	for (unsigned i = 0; i < BLOCK; i++)
		sum += block[i];
	snprintf(text, sizeof text, "%06o", sum);
	memcpy(block + CHECKSUM, text, CHECKSUM_SIZE - 1);
}

/* Copies one block over another, or changes the places of two. */
static void move_blocks(uint8_t *data, size_t blocks, unsigned seed)
{
	uint8_t *a = data + seed / 16 % blocks * BLOCK, *b = data + seed / 4096 % blocks * BLOCK;
	uint8_t keep[BLOCK];

	memcpy(keep, a, BLOCK);
	memmove(a, b, BLOCK);
	if (seed & 8)
		memcpy(b, keep, BLOCK);
}

size_t tar_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t blocks;

	if (size >= BLOCK && seed % 8 == 0)
		move_blocks(data, size / BLOCK, seed);
	else
		size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 16 == 1)
		return size;
	blocks = (size + BLOCK - 1) / BLOCK;
	if (blocks * BLOCK <= max_size) {
		memset(data + size, 0, blocks * BLOCK - size);
		size = blocks * BLOCK;
	}
	for (size_t i = 0; i < size / BLOCK; i++)
		if (!memcmp(data + i * BLOCK + MAGIC, "ustar", 5))
			repair_checksum(data + i * BLOCK);
	return size;
}
