/*
 * Which paths an archive has used so far, and for what: needed to refuse duplicates, links to what
 * is not there, and entries below files, in an archive of millions of entries (S-007, S-008,
 * S-012).
 *
 * Kept are hashes only, keyed with random bytes so that no archive can be made to collide: at most
 * 11 bytes a path, growing in small steps. With 73 bits compared, two of four million paths look
 * alike once in 10^9 archives, two of ten thousand once in 10^14.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "aci/siphash.h"
#include "base/error.h"

enum path_use {
	PATH_UNUSED,
	PATH_FILE,
	PATH_HARDLINK,
	PATH_SYMLINK,
	PATH_OTHER,  /* devices and FIFOs */
	PATH_PARENT, /* a directory that has no entry of its own yet, only something below it */
	PATH_DIR,
};

#define PATH_SET_SHARDS 4096

struct path_shard {
	uint64_t *slots; /* owned; open addressing, never full */
	uint32_t count, capacity;
};

struct path_set {
	struct siphash_key key;
	struct path_shard shards[PATH_SET_SHARDS];
};

/* Makes SET, all zero before, ready. Fails only when the system has no random bytes. */
int path_set_init(struct path_set *set, rkt_error **err);
void path_set_free(struct path_set *set);

/* What the LEN bytes at PATH were last put in for. */
enum path_use path_set_get(const struct path_set *set, const char *path, size_t len);
/* Records that PATH is used for USE (not PATH_UNUSED), whatever it was before. */
void path_set_put(struct path_set *set, const char *path, size_t len, enum path_use use);
