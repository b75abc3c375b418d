/*
 * A spool file: bytes of a file that is on its way, and beside it, in NAME.json, what its server
 * said about the version they are of. Locked by who has it open. One of another user is never
 * gone on with.
 */
#pragma once

#include "store/fetch/http.h"

#define SPOOL_NOTE_SUFFIX ".json"

struct spool {
	int dir, fd;
	const char *name;
	char *etag, *last_modified; /* of the version; NULL: not said */
	int64_t length;             /* of the whole file; -1: not known */
	bool waited;                /* somebody else had it first */
};

/* Hears that somebody else has it, before that is waited for. */
struct spool_waiting {
	void (*busy)(void *context);
	void *context;
};

#define SPOOL_EMPTY                               \
	{                                         \
		.dir = -1, .fd = -1, .length = -1 \
	}

/* Opens or makes it, and waits until nobody else has it. DIR and NAME are lent. *RET_HAVE is how
 * many bytes are in it; 0 when nobody knows of what they are. */
int spool_open(struct spool *self, int dir, const char *name, const struct spool_waiting *waiting,
	uint64_t *ret_have, rkt_error **err);
void spool_close(struct spool *self);
/* Empties it, and writes down which version ANSWER is about. */
int spool_restart(struct spool *self, const struct http_answer *answer, rkt_error **err);
/* What If-Range needs: a strong entity tag, or the date when the length is known too. NULL: nothing
 * proves that another answer is about the same bytes. */
const char *spool_proof(const struct spool *self);
/* Whether the version has a strong entity tag. */
bool spool_has_strong_tag(const struct spool *self);
/* Whether ANSWER is about the version that is in the file. */
bool spool_is_same(const struct spool *self, const struct http_answer *answer);
/* Removes the files. The caller has it open, or nobody. */
void spool_forget(int dir, const char *name);
