/*
 * gpg's verdict over a file while it arrives: a thread gives gpg what was written to the spool
 * file, so that the verdict is there as soon as the last byte is. Nothing else looks at the bytes
 * before (S-021); the import holds the digest of what gpg saw against what it reads itself (S-020).
 */
#pragma once

#include "store/signed.h"

typedef struct judging judging;

/* SIGNING is used by no other thread until the end; SIGNATURE is lent until then. Never NULL. */
judging *judging_new(struct signing *signing, struct slice signature);
/* BYTES are in the file FD now, at OFFSET. What lies before and was not fed is read from FD; an
 * offset before what was fed means that the file has changed: everything is judged anew. */
int judging_feed(judging *self, int fd, uint64_t offset, struct slice bytes, rkt_error **err);
/* The verdict over the first SIZE bytes of FD; -1 when there is none. */
int judging_end(judging *self, int fd, uint64_t size, struct trust_result *ret, rkt_error **err);
/* NULL is allowed; without judging_end() the verdict is given up. */
void judging_free(judging *self);

SCOPE_DEFINE(judging, judging *, judging_free)
#define auto_judging __attribute__((cleanup(scope_judging)))
