/* A compact set of path hashes, split in shards so that growing one costs little at a time. */
#include "aci/path_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"

/* 93 bits of the hash, and the use in the lowest three of the first word: 0 there is an empty slot.
 * Eight more bits of the hash are known from the shard. */
struct path_slot {
	uint32_t words[3];
};

#define USE_MASK     7u
#define CAPACITY_MIN 16u

/* Linear probing stays short up to here; small steps keep the memory within 18 bytes a path. */
static uint32_t fill_max(uint32_t capacity)
{
	return capacity - capacity / 6;
}

static uint32_t grown(uint32_t capacity)
{
	return capacity ? capacity + capacity / 4 : CAPACITY_MIN;
}

static struct path_slot *find(const struct path_shard *shard, const struct path_slot *wanted)
{
	uint32_t at = (uint32_t)((uint64_t)wanted->words[2] * shard->capacity >> 32);

	for (;;) {
		struct path_slot *slot = &shard->slots[at];
		uint32_t differ = (slot->words[0] ^ wanted->words[0]) & ~USE_MASK;

		if (!(slot->words[0] & USE_MASK))
			return slot;
		if (!differ && slot->words[1] == wanted->words[1] &&
			slot->words[2] == wanted->words[2])
			return slot;
		at = at + 1 < shard->capacity ? at + 1 : 0;
	}
}

static void grow(struct path_shard *shard)
{
	struct path_shard bigger = { .count = shard->count, .capacity = grown(shard->capacity) };

	bigger.slots = xcalloc(bigger.capacity, sizeof *bigger.slots);
	for (uint32_t i = 0; i < shard->capacity; i++)
		if (shard->slots[i].words[0] & USE_MASK)
			*find(&bigger, &shard->slots[i]) = shard->slots[i];
	free(shard->slots);
	*shard = bigger;
}

static unsigned locate(
	const struct path_set *set, const char *path, size_t len, struct path_slot *ret_slot)
{
	struct siphash hash = siphash(&set->key, path, len);

	ret_slot->words[0] = (uint32_t)hash.words[0] & ~USE_MASK;
	ret_slot->words[1] = (uint32_t)(hash.words[0] >> 32);
	ret_slot->words[2] = (uint32_t)hash.words[1];
	return (unsigned)(hash.words[1] >> 32) % PATH_SET_SHARDS;
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
	struct path_slot wanted;
	const struct path_shard *shard = &set->shards[locate(set, path, len, &wanted)];

	return shard->capacity ? (enum path_use)(find(shard, &wanted)->words[0] & USE_MASK)
			       : PATH_UNUSED;
}

void path_set_put(struct path_set *set, const char *path, size_t len, enum path_use use)
{
	struct path_slot wanted, *slot;
	struct path_shard *shard = &set->shards[locate(set, path, len, &wanted)];

	if (shard->count >= fill_max(shard->capacity))
		grow(shard);
	slot = find(shard, &wanted);
	if (!(slot->words[0] & USE_MASK))
		shard->count++;
	*slot = wanted;
	slot->words[0] |= (uint32_t)use;
}
