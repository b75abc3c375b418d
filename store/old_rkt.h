/*
 * A data directory of old rkt (github.com/rkt/rkt, 0.6 to 1.30), which is only read.
 *
 *	DIR/cas/blob/sha512/<2>/sha512-<64>	uncompressed tars, named after the first 64 digits
 *						of their SHA-512
 *	DIR/cas/db/ql.db			when and whence: not read, nobody else knows QL
 *	DIR/cas/imageManifest, imagelocks, tree, tmp, DIR/pods		nothing of it is needed
 *
 * Keys are not in there: rkt has them where we look for them too (doc/trust.md).
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define OLD_RKT_KEY_LEN 64

struct old_blob {
	char name[sizeof "sha512-" + OLD_RKT_KEY_LEN];
	uint64_t size;
	int64_t written_sec; /* when rkt had it */
	uint32_t written_nsec;
};

struct old_rkt {
	int shelf;  /* cas/blob/sha512, or -1: it has none */
	char *path; /* of the directory, absolute, for people; NULL without a shelf */
	struct old_blob *blobs;
	size_t count;
	size_t strangers; /* what else lies among the blobs */
};

#define OLD_RKT_EMPTY                \
	{                            \
		-1, NULL, NULL, 0, 0 \
	}

/* Lists the images of the directory PATH, the one that came first first, so that of several of one
 * name the last stays the newest. RKT_MISSING: there is no such directory; RKT_USAGE: it is not one
 * of old rkt. SELF is OLD_RKT_EMPTY before, and closed by the caller whatever comes out. */
int old_rkt_open(struct old_rkt *self, const char *path, rkt_error **err);
void old_rkt_close(struct old_rkt *self);

/* The digits of BLOB. */
const char *old_blob_digits(const struct old_blob *blob);
/* Opens BLOB for reading. Any thread. */
int old_rkt_open_blob(const struct old_rkt *self, const struct old_blob *blob, rkt_error **err);
/* The path of BLOB, for the record. The caller frees it. */
char *old_rkt_path(const struct old_rkt *self, const struct old_blob *blob);

#define auto_old_rkt __attribute__((cleanup(old_rkt_close)))
