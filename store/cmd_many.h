/*
 * Several files imported side by side, their results told in order: for the commands that import.
 *
 * Files are begun in their order, and the times recorded for them are in that order too, so that of
 * several images of one name the last is the newest. What is no regular file (a pipe) is begun when
 * all before it are done, so that nobody waits for it who would not have without --jobs.
 */
#pragma once

#include <stdbool.h>

#include "store/import.h"

struct many_file {
	const char *name; /* for errors: "importing NAME: ..." */
	const void *context;
	/* Opens it, in any thread; -1 with *err set. */
	int (*open)(const struct many_file *self, rkt_error **err);
	bool in_turn;  /* begun when all before it are done */
	uint64_t size; /* for the progress line; 0: unknown */
	const rkt_image_id *expect;
	const char *name_check;
	struct import_wish wish; /* but for its time and RET_HOW */
	enum import_how how;     /* set when it is in the store */
};

struct many {
	rkt_store *store;
	struct many_file *files;
	size_t count;
	unsigned jobs; /* at most; at least 1 */
	/* Told of each file in order, in the calling thread, as soon as it and all before it are
	 * done: ID, or NULL and WHY not, which it takes over. 0 to go on; -1 with *err set ends the
	 * work. */
	int (*done)(void *context, const struct many_file *file, const rkt_image_id *id,
		rkt_error *why, rkt_error **err);
	void *context;
	/* A file that cannot be imported ends the work: no more are begun. DONE is told of those up
	 * to it, and those begun after it are finished and stay. */
	bool stop_at_fault;
};

/* How many jobs there are by default: as many as processors, within what a process may open. */
unsigned many_default_jobs(void);

#define MANY_JOBS_MAX \
	64 /* each has up to ten files open; 1024 is what a process may have by default */

/* Imports them all. What DONE said, or -1 when the work could not begin. */
int many_import(const struct many *self, rkt_error **err);
