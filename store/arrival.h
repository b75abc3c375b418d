/*
 * How the file with an image arrives, and who else is importing it.
 *
 * Of two that import the same file one works; the other waits and finds it done. Of a regular file
 * its fingerprint (packed.h) says beforehand that it is the same: whoever works on it holds the
 * lock of the fingerprint. Of a pipe nothing is known beforehand but how it begins: whoever reads
 * one holds the lock of its first 64 KiB, and so, beside the other one, does who reads a regular
 * file that begins so. Whoever finds that lock taken lets his pipe run into an unnamed file, waits,
 * and goes on as with a regular file. So pipes with the same image do the work once; pipes with
 * different images wait for each other only when their first 64 KiB are the same; and nobody who
 * has a regular file waits for a pipe, which may be slow.
 *
 * A pipe that nobody else has is not written down first: that would cost a write of all its bytes,
 * and decompression could begin only when the last of them has come.
 */
#pragma once

#include "aci/source.h"
#include "store/blob.h"
#include "store/packed.h"

struct arrival {
	source *stream;       /* a pipe: to be read now, once. NULL: it is a file */
	int fd;               /* the file, lent */
	struct scratch spool; /* which it is, when it came through a pipe */
	int locks;            /* with its descriptor all locks are gone */
};

#define ARRIVAL_EMPTY                       \
	{                                   \
		NULL, -1, SCRATCH_EMPTY, -1 \
	}

/* Looks at FD, lent, and waits, when it is a pipe that somebody else may be importing, until he is
 * done; TAP sees, with CONTEXT, what is written down meanwhile. SELF is ARRIVAL_EMPTY before, and
 * closed by the caller, whatever comes out, after the import. */
int arrival_open(struct arrival *self, const struct layout *layout, int fd, source_tap_fn *tap,
	void *context, rkt_error **err);
/* Of a file: its print, and the wait for whoever works on one with the same. 1, 0 when it has no
 * more bytes, or -1. */
int arrival_wait(struct arrival *self, struct packed_print *ret, rkt_error **err);
/* Whether it came through a pipe and is a file of ours. */
bool arrival_is_spool(const struct arrival *self);
void arrival_close(struct arrival *self);
