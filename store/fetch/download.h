/*
 * A file by its URL into a spool file, whatever goes wrong on the way: what may pass is tried
 * again, with waits that grow; what came stays, and the rest is asked for, now or the next time, as
 * long as the server proves that it is the same file still (S-027).
 *
 * The spool file NAME lies in a directory with NAME.json, which says of which version of the file
 * it is. It is locked while somebody works on it: others who want the same wait.
 */
#pragma once

#include "store/fetch/tries.h"

struct download_request {
	const char *url;
	int dir;          /* of spool files */
	const char *name; /* in DIR; a file name of hexadecimal digits */
	/* What was fetched before, and is wanted only when the file has changed. NULL: it is
	 * wanted. */
	const char *etag, *last_modified;
	uint64_t max_bytes;
	/* Somebody else may have the file by now who was fetching it when this was asked for: ends
	 * in DOWNLOAD_WAITED then. */
	bool share;
	/* For a large file that comes slowly the rest is asked for by so many at once, where the
	 * server says that it can (parallel.h). 0 and 1: never. */
	unsigned connections;
	struct tries tries; /* whose TELL is also told what else goes wrong and is not the end */
	/* Now and then: how many bytes are there, and how many will be (0: not known). May be
	 * NULL. */
	void (*progress)(void *context, uint64_t done, uint64_t of);
	/* Each piece of the file once it is in FD, the spool file, at OFFSET; an offset before that
	 * of an earlier piece means that the file is another one from there on. -1 ends the
	 * download. May be NULL. */
	int (*arrived)(void *context, int fd, uint64_t offset, struct slice bytes, rkt_error **err);
	void *context;
};

enum download_outcome {
	DOWNLOAD_NEW,
	DOWNLOAD_UNCHANGED, /* 304: it is what was fetched before */
	DOWNLOAD_LATER,     /* 202: the server will have it later */
	DOWNLOAD_WAITED,    /* nobody was asked: see what somebody else has brought meanwhile */
};

struct download {
	enum download_outcome outcome;
	int fd;                    /* DOWNLOAD_NEW: the file, at its start, locked; else -1 */
	uint64_t size;             /* of that */
	struct http_answer answer; /* the last */
};

#define DOWNLOAD_EMPTY                        \
	{                                     \
		.fd = -1, .answer.length = -1 \
	}

/* RET is DOWNLOAD_EMPTY, and closed by the caller in any case. RKT_MISSING: there is no such
 * file (404, 410). What came remains in DIR when the rest may come the next time. */
int download(struct http *web, const struct download_request *request, struct download *ret,
	rkt_error **err);
void download_close(struct download *self);

/* Removes the spool file NAME from DIR, who must have its lock (an open download). */
void download_forget(int dir, const char *name);
