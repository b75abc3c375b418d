/*
 * The file an image is delivered in, known again by its bytes: the SHA-256 of all of them decides.
 * So that unknown files need not be read twice, a fingerprint (size, first and last 64 KiB) says
 * beforehand whether that digest is worth making: no fingerprint, no such file. Names count for
 * nothing; what times and inode numbers are worth, seen.h says.
 */
#pragma once

#include <stdbool.h>

#include "aci/digest.h"
#include "store/alias.h"

struct packed {
	digest *sum;
	uint64_t size;
	struct buf head, tail; /* the first and the last PACKED_EDGE bytes */
	/* The file is the tar itself, whose digest somebody else makes: SUM is left alone. */
	bool plain;
	digest *sha512; /* of it, for who asked packed_start() for it; else NULL */
};

enum packed_digests { PACKED_SHA256, PACKED_SHA512_TOO };
void packed_start(struct packed *self, enum packed_digests which);
void packed_free(struct packed *self);
/* A source_tap_fn over the packed bytes; CONTEXT is the struct packed. */
int packed_tap(void *context, struct slice block, rkt_error **err);
/* After the last byte; not for a plain file. */
int packed_digest(struct packed *self, struct alias *ret, rkt_error **err);
int packed_sha512(struct packed *self, struct alias *ret, rkt_error **err);
int packed_hint(const struct packed *self, struct alias *ret, rkt_error **err);

/* What a file is known by before it is read. */
struct packed_print {
	struct alias hint;
	uint64_t beginning; /* a number made of its first 64 KiB */
};

/* The print of FD, a regular file, from its present position to its end; the position stays. 1, 0
 * when it has no more bytes, or -1. */
int packed_print_of_fd(int fd, struct packed_print *ret, rkt_error **err);
/* The number of a file that begins with START: 64 KiB or more, or all of it. */
int packed_beginning(struct slice start, uint64_t *ret, rkt_error **err);
