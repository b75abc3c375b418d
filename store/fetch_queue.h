/*
 * Several references at once, and what their images depend on: threads that take one after the
 * other. A reference that several need is fetched once.
 */
#pragma once

#include "store/fetching.h"

struct fetch_job {
	enum fetch_kind kind;
	char *reference;
	char *needed_by; /* the name of the image that depends on it; NULL: somebody typed it */
	rkt_image_id dependent; /* that image */
	struct fetched fetched;
	rkt_error *error; /* NULL: it is in the store */
	bool is_unsigned; /* it is there in spite of the error, but no trusted key signed it */
};

struct fetch_queue; /* made and owned by fetch_all() */

struct fetch_done {
	/* Of all: those that were typed first, in their order, then dependencies. Lent. */
	struct fetch_job *const *jobs;
	size_t count;
};

struct fetch_wishes {
	const struct fetching *all;
	const char *const *references;
	size_t count;
	unsigned threads;
	bool no_dependencies;
	/* Called a few times a second in a thread of its own, and no more when DONE is. May be
	 * NULL. */
	void (*tick)(void *context);
	/* Called in the calling thread when all are done. */
	int (*done)(void *context, const struct fetch_done *done, rkt_error **err);
	void *context;
};

/* What DONE says. */
int fetch_all(const struct fetch_wishes *wishes, rkt_error **err);
