/*
 * The directories of an extraction that wait for its end. There may be as many as an archive says,
 * so they wait in a file without a name, not in memory (S-012); the first few thousand need none.
 */
#pragma once

#include "aci/extract_attrs.h"

enum later_what {
	LATER_ENTRY,
	LATER_ON_THE_WAY, /* not chosen itself: goes when there is nothing in it */
	LATER_INVENTED,   /* no entry speaks of it */
};

struct later_dir {
	struct buf path; /* below the root, and a NUL after it; empty: the root itself */
	struct extract_attrs attrs;
	enum later_what what;
};
void later_dir_free(struct later_dir *dir);

/* Where the first and the last record of a depth begin, counted from 1; each knows the next. */
struct later_chain {
	uint64_t first, last;
};

struct later {
	int scratch;   /* -1: none is needed yet */
	uint64_t kept; /* bytes in SCRATCH */
	/* Records that come after these. */
	struct buf tail;
	struct later_chain *chains; /* the records of each depth, from the root down */
	size_t depths;
	/* What was read of SCRATCH last. */
	struct buf window;
	uint64_t window_at;
};
#define LATER_NONE ((struct later){ .scratch = -1 })

void later_free(struct later *self);

/* Keeps a copy of DIR. A scratch file, where one is needed, is made in the directory PLACE. How
 * deep a directory may be is for the reader of the archive to say. */
int later_add(struct later *self, int place, const struct later_dir *dir, rkt_error **err);

enum later_order {
	LATER_DEEPEST_FIRST, /* every directory after all that are below it */
	LATER_TOP_FIRST,     /* ... before them */
};

/* Calls EACH for all directories, those of one depth as they were added, until it returns -1; which
 * is then what this returns. */
int later_walk(struct later *self, enum later_order order,
	int (*each)(void *context, const struct later_dir *dir, rkt_error **err), void *context,
	rkt_error **err);
