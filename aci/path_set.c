/* A compact set of path hashes, split in shards so that growing one costs little at a time. */
#include "aci/path_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

/* A slot is 61 bits of the hash, and the use in the lowest three: 0 there is an empty slot. Twelve
 * more bits of the hash are known from the shard. */
#define USE_MASK     UINT64_C(7)
#define CAPACITY_MIN 8u

/* Linear probing stays short up to here; small steps keep the memory within 11 bytes a path. */
static uint32_t fill_max(uint32_t capacity)
{
	return capacity - capacity / 6;
}

static uint32_t grown(uint32_t capacity)
{
	return capacity ? capacity + capacity / 8 : CAPACITY_MIN;
}

static uint64_t *find(const struct path_shard *shard, uint64_t wanted)
{
	uint32_t at = (uint32_t)((wanted >> 32) * shard->capacity >> 32);

	for (;;) {
		uint64_t *slot = &shard->slots[at];

		if (!(*slot & USE_MASK) || !((*slot ^ wanted) & ~USE_MASK))
			return slot;
		at = at + 1 < shard->capacity ? at + 1 : 0;
	}
}

static void grow(struct path_shard *shard)
{
	struct path_shard bigger = { .count = shard->count, .capacity = grown(shard->capacity) };

	bigger.slots = xcalloc(bigger.capacity, sizeof *bigger.slots);
	for (uint32_t i = 0; i < shard->capacity; i++)
		if (shard->slots[i] & USE_MASK)
			*find(&bigger, shard->slots[i]) = shard->slots[i];
	free(shard->slots);
	*shard = bigger;
}

/* The shard of PATH, and in *RET_SLOT its slot without the use. */
static unsigned locate(const struct path_set *set, const char *path, size_t len, uint64_t *ret_slot)
{
	struct siphash hash = siphash(&set->key, path, len);

	*ret_slot = hash.words[0] & ~USE_MASK;
	return (unsigned)(hash.words[1] % PATH_SET_SHARDS);
}

int path_set_init(struct path_set *set, rkt_error **err)
{
	if (getrandom(&set->key, sizeof set->key, 0) != sizeof set->key)
		return rkt_fail_errno(err, "getrandom");
	return 0;
}

void path_set_free(struct path_set *set)
{
	for (size_t i = 0; i < PATH_SET_SHARDS; i++)
		free(set->shards[i].slots);
	memset(set, 0, sizeof *set);
}

enum path_use path_set_get(const struct path_set *set, const char *path, size_t len)
{
	uint64_t wanted;
	const struct path_shard *shard = &set->shards[locate(set, path, len, &wanted)];

	return shard->capacity ? (enum path_use)(*find(shard, wanted) & USE_MASK) : PATH_UNUSED;
}

void path_set_put(struct path_set *set, const char *path, size_t len, enum path_use use)
{
	uint64_t wanted, *slot;
	struct path_shard *shard = &set->shards[locate(set, path, len, &wanted)];

	if (shard->count >= fill_max(shard->capacity))
		grow(shard);
	slot = find(shard, wanted);
	if (!(*slot & USE_MASK))
		shard->count++;
	*slot = wanted | (uint64_t)use;
}
