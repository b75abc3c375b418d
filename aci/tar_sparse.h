/*
 * Sparse members: files whose holes are not in the tar. Four forms say which bytes are (GNU tar's
 * manual, "Storing Sparse Files"):
 *  - GNU, type S: a list in the header, continued in blocks after it;
 *  - pax 0.0: GNU.sparse.size, .numblocks, and pairs of .offset and .numbytes;
 *  - pax 0.1: the pairs in one GNU.sparse.map, the true name in .name;
 *  - pax 1.0: GNU.sparse.major, .minor, .realsize, .name; the list stands before the data.
 *
 * One rule for all: runs rise, do not overlap, lie within the file, and together are as long as the
 * data in the tar (S-004). Empty runs, with which GNU tar marks the end of a file, are read and
 * dropped. Refused by name: other versions, keys of two forms in one member, a number of runs that
 * is not the one announced, star's type S and Solaris' SUN.holesdata, and more runs than struct
 * tar_limits allows.
 */
#pragma once

#include "aci/tar_stream.h"

struct tar_sparse {
	unsigned given; /* bits 1 << key: what a pax header says */
	bool gnu;       /* the member is of type S */
	uint64_t size;  /* of the file, in bytes */
	uint64_t announced, major, minor;
	struct slice name; /* the file's true name, lent by the pax header; empty: as elsewhere */

	struct tar_extent *extents; /* rising, none empty */
	size_t count, room;
	uint64_t stored; /* bytes of all runs together */
	uint64_t next;   /* where the next run may begin */
	uint64_t seen;   /* runs read, empty ones too */
	uint64_t offset; /* pax 0.0: of a run whose length comes next */
	bool open;       /* ... and there is one */
	uint64_t max;    /* runs allowed: set by the owner */
};

/* Forgets an earlier member; memory and MAX are kept. */
void tar_sparse_reset(struct tar_sparse *self);
void tar_sparse_free(struct tar_sparse *self);

/* Whether the headers read so far make a sparse member. */
bool tar_sparse_is(const struct tar_sparse *self);

/* Takes the record KEY=VALUE of a pax header, which must live as long as SELF is used: 1 it is
 * about sparseness, 0 it is not, -1 error. */
int tar_sparse_take(struct tar_sparse *self, const char *key, struct slice value, rkt_error **err);

/* Reads the list in FIELDS, the part of a GNU header from byte 386 on (109 bytes),
 * and the blocks that continue it from STREAM. FIELDS may be lent by STREAM. */
int tar_sparse_read_gnu(
	struct tar_sparse *self, const uint8_t *fields, struct tar_stream *stream, rkt_error **err);

/* Reads what stands before the data in pax 1.0, at most *STORED bytes, and takes it off *STORED,
 * the bytes of the member in the tar. Then, for all forms, checks the whole against *STORED. */
int tar_sparse_finish(
	struct tar_sparse *self, struct tar_stream *stream, uint64_t *stored, rkt_error **err);
