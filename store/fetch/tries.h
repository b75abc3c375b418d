/*
 * Answers that are not what was asked for, in words, and asking again: what often is gone the next
 * time is tried some times, with waits that grow, or as long as the server asks for.
 */
#pragma once

#include "store/fetch/http.h"

#define TRIES_USUAL 5

struct tries {
	unsigned most;
	unsigned wait_ms; /* before the second, twice that before the third, and so on */
	bool of_answers;  /* who does not answer at all is not asked again */
	/* One line about a try that failed and was not the last, not escaped. May be NULL. */
	void (*tell)(void *context, const char *words);
	void *context;
	unsigned failed; /* how many did so far */
};

/* The usual ones, told to TELL. */
struct tries tries_usual(void (*tell)(void *context, const char *words), void *context);

/* Fails for the status of ANSWER: RKT_MISSING for 404 and 410. */
int tries_fail_status(const struct http_answer *answer, rkt_error **err);

/* After a try at SHOWN that failed for WHY: true when it is to be made again, which was told, and
 * waited for. */
bool tries_again(
	struct tries *self, const struct http_answer *answer, const char *shown, rkt_error *why);

/* Gets the file URL of at most MAX bytes into RET, which is empty: one try, and as many more as are
 * left of TRIES. They are told by their URL. */
int tries_get(http *web, const char *url, uint64_t max, struct tries *tries, struct buf *ret,
	rkt_error **err);

/* Tells that SHOWN failed for WHY, and WHAT_NOW. */
void tries_tell(const struct tries *self, const char *shown, rkt_error *why, const char *what_now);
