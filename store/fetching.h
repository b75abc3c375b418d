/*
 * From what people type to an image in the store: a file, a URL, a name that the web is asked for,
 * an ID. For one image, in this order (S-020, S-021, S-025): signature; bytes, into a file of
 * cas/partial; gpg's verdict over exactly these bytes; then the import from the same descriptor,
 * which asks before its commit whether this key speaks for this name, and whether this is what was
 * asked for.
 *
 * struct fetching is the same for all; a fetcher serves one thread.
 */
#pragma once

#include "store/fetch/http.h"
#include "store/store.h"
#include "store/trust/keys.h"

enum fetch_policy {
	FETCH_UPDATE, /* ask whether there is something newer, unless the cache is fresh */
	FETCH_NEW,    /* ask only for what is not in the store */
	FETCH_NEVER,  /* ask nobody */
};

/* What a reference is; fetch_kind_of(): one that a user typed. */
enum fetch_kind { FETCH_FILE, FETCH_URL, FETCH_ID, FETCH_NAME };
enum fetch_kind fetch_kind_of(const char *reference);
/* REFERENCE as it may be shown, and not escaped: without a password, and where one may be in it in
 * another place than a URL has one, it is "what was asked for" (S-029). The caller frees it. */
char *fetch_shown(const char *reference);

struct fetching {
	rkt_store *store; /* open for writing */
	struct http_options http;
	enum fetch_policy policy;
	bool unsigned_too; /* what nobody signed is taken, signatures are not asked for */
	bool no_cache;     /* ask for the whole file, whatever is known */
	/* File or URL of the signature, which is checked over what comes: nothing known of the
	 * image's URL counts then. NULL: that of the image and ".asc". */
	const char *signature;
	const struct trusted_keys *keys; /* not looked at with UNSIGNED_TOO */
	unsigned connections;            /* as those of a download */
	unsigned tries, wait_ms;         /* as in struct tries; 0: the usual */
	uint64_t max_bytes;
	/* Bytes that came, and that are expected, since the last call. In any thread. May be
	 * NULL. */
	void (*progress)(void *context, uint64_t came, uint64_t expected);
	/* What went wrong and is not the end yet, not escaped. In any thread. May be NULL. */
	void (*tell)(void *context, const char *words);
	void *context;
};

typedef struct fetcher fetcher;
fetcher *fetcher_new(const struct fetching *all);
/* NULL is allowed. */
void fetcher_free(fetcher *self);

enum fetch_how {
	FETCH_CAME,      /* its bytes were fetched */
	FETCH_UNCHANGED, /* the server said that it is what is there */
	FETCH_WAS_THERE, /* nobody was asked */
};
struct fetched {
	rkt_image_id id;
	enum fetch_how how;
	/* The URL or file it came from; NULL: it was there. Freed with fetched_free(). */
	char *source;
};
void fetched_free(struct fetched *self);

/* Brings the image REFERENCE, which is of KIND, into the store, its dependencies not. What a
 * reference looks like decides only where a user typed it: a dependency is never a file.
 * RKT_MISSING: there is no such image; RKT_UNTRUSTED: no trusted key speaks for it. */
int fetch_one(fetcher *self, enum fetch_kind kind, const char *reference, struct fetched *ret,
	rkt_error **err);

SCOPE_DEFINE(fetcher, fetcher *, fetcher_free)
#define auto_fetcher __attribute__((cleanup(scope_fetcher)))
#define auto_fetched __attribute__((cleanup(fetched_free)))
