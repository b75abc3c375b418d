/*
 * Files of the store before they have a name, and blobs when they have one.
 *
 * A scratch file is unnamed (O_TMPFILE): a killed process leaves nothing. Where the file system
 * cannot do that it has a name in cas/tmp and is locked as long as it is being written; gc removes
 * those whose lock nobody holds.
 */
#pragma once

#include "aci/source.h"
#include "store/layout.h"

#define SCRATCH_NAME_SIZE 48

struct scratch {
	int fd;                       /* open for reading and writing */
	int dir;                      /* lent: cas/tmp, where NAME is */
	char name[SCRATCH_NAME_SIZE]; /* "" when unnamed */
};

#define SCRATCH_EMPTY      \
	{                  \
		-1, -1, "" \
	}

int scratch_open(const struct layout *layout, struct scratch *ret, rkt_error **err);
/* The same for who holds the naming lock, which the first may wait for. */
int scratch_open_locked(const struct layout *layout, struct scratch *ret, rkt_error **err);
/* Gives the finished and synced file its NAME in the folder SHARD, read-only from here on. A file
 * that has the name and the same size already is left alone: names are digests, or derived from
 * digests. The folder is not synced. */
int scratch_publish(struct scratch *self, int shard, const char *name, rkt_error **err);
/* The same, but what has the name, and may be damaged, makes room: at no time is there none. Under
 * the naming lock, because for a moment the file has a name in cas/tmp. */
int scratch_replace(struct scratch *self, int shard, const char *name, rkt_error **err);
/* Makes the finished file read-only and its bytes durable. */
int scratch_sync(struct scratch *self, rkt_error **err);
/* Publishes the file under ID in its folder of SHELF (layout.h), and makes the name durable. */
int scratch_shelve(struct scratch *self, int shelf, const rkt_image_id *id, rkt_error **err);
/* Forgets the file unless it was published. */
void scratch_close(struct scratch *self);

/* Writes what streams by into a scratch file, in large pieces. */
struct blob_writer {
	struct scratch file;
	struct buf pending;
	uint64_t size, started; /* bytes taken; bytes whose way to the disk has begun */
};

/* blob_tap() is a source_tap_fn; CONTEXT is the writer. */
int blob_tap(void *context, struct slice block, rkt_error **err);
/* Writes what is still pending and starts its way to the disk; the caller syncs. */
int blob_flush(struct blob_writer *self, rkt_error **err);
void blob_writer_close(struct blob_writer *self);

/* Opens the blob of ID, which should have SIZE bytes: RKT_MISSING, or RKT_INVALID when it has
 * not. */
int blob_open(const struct layout *layout, const rkt_image_id *id, uint64_t size, rkt_error **err);

/* Passes BELOW on, and fails at its end with RKT_INVALID when its bytes are not those of ID
 * (S-043). Takes over BELOW. */
source *source_verified(source *below, const rkt_image_id *id);

#define auto_scratch __attribute__((cleanup(scratch_close)))
