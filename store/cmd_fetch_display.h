/* What rkt-store fetch shows: progress on a terminal, notes, events as JSON, and at the end what
 * became of each image. Its functions are callbacks of fetch_queue.h and fetching.h. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/fetch_queue.h"

struct fetch_display {
	bool json;            /* events, instead of IDs and notes */
	bool shows_bytes;     /* as they come */
	bool ends_unread;     /* by SIGPIPE, once nobody would read what will be printed */
	bool no_dependencies; /* nobody looks whether all is there that an image is made of */
	rkt_store *store;
	struct progress *progress; /* or NULL; ended by fetch_display_end() */
	pthread_mutex_t lock;      /* of what is printed */
	_Atomic uint64_t came, expected;
	uint64_t told; /* of what came, with JSON */
};

/* CONTEXT is the display. */
void fetch_display_count(void *context, uint64_t came, uint64_t expected);
void fetch_display_tell(void *context, const char *words);
void fetch_display_tick(void *context);
/* Prints the IDs, or events, of DONE. The first error is returned, others are told at once. */
int fetch_display_end(void *context, const struct fetch_done *done, rkt_error **err);
