/*
 * A file that is being made. It has no name until it is whole (O_TMPFILE), or, where the file
 * system cannot do that, a name of its own that begins with a dot, which goes when it is given up;
 * killed by a signal, such a one stays.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/place.h"

enum draft_over {
	DRAFT_KEEP,    /* a file of the name is an error */
	DRAFT_REPLACE, /* ... is replaced, in one step */
};

struct draft {
	int fd; /* open for reading and writing; -1: none */
	enum draft_over over;
	mode_t mode;        /* that it will have; 0: what creat(2) would have given it */
	struct place place; /* where it will appear */
	char *name;         /* what it is called meanwhile; NULL: it has no name */
};
#define DRAFT_NONE ((struct draft){ .fd = -1, .place.dir = -1 })

/* Begins the file PATH. RET is DRAFT_NONE before; the caller calls draft_free() either way. */
int draft_open(struct draft *ret, const char *path, enum draft_over over, rkt_error **err);
/* What was written is on the disk afterwards: to be called before it appears. */
int draft_sync(const struct draft *self, rkt_error **err);
/* Lets it appear. */
int draft_appear(struct draft *self, rkt_error **err);
/* Takes back a file that appeared just now, as something else failed. */
void draft_withdraw(struct draft *self);
/* Gives up what has not appeared. */
void draft_free(struct draft *self);
#define auto_draft __attribute__((cleanup(draft_free)))

/* Creates NAME below DIR with MODE and these bytes; it appears whole or not at all. EEXIST when it
 * is there already. Not synced: the caller knows when. */
int draft_write(int dir, const char *name, struct slice bytes, mode_t mode, rkt_error **err);
