/* Between the files of fetching: one for URLs, one for names, one for what signatures say. */
#pragma once

#include "aci/manifest.h"
#include "store/fetch/download.h"
#include "store/fetch_judge.h"
#include "store/fetching.h"

struct fetcher {
	const struct fetching *all;
	struct http *web;
	uint64_t told, told_of; /* of the download under way */
	struct signing signing; /* opened when it is needed first */
	judging *judging;       /* of the image under way, when its signature came first; lent */
	bool share;             /* as in a download_request */
};

/* A URL, or what is known of one image besides. Strings are lent. */
struct fetch_place {
	const char *url;
	const char *signature_url; /* NULL: signature_url_of(URL) */
	bool signature_is_named;   /* by the user: it is checked, whatever is known of the URL */
	const char *wanted;        /* "NAME[:VERSION],..." that the image must be; NULL: any */
	bool may_be_nothing;       /* the URL is made up: where no signature is, no image is */
};

/* ---- fetch_url.c ----------------------------------------------------------------------------- */

int fetch_url(fetcher *self, const struct fetch_place *place, struct fetched *ret, rkt_error **err);

/* Fails for what would have to be asked for, against the policy: SHOWN is not in the store, or
 * UNTRUSTED, because nobody signed it who may speak for it. */
int fetch_fail_never(const char *shown, bool untrusted, rkt_error **err);

/* Downloads URL into the spool. ETAG and LAST_MODIFIED may be NULL. The caller closes *RET. */
int fetch_download(fetcher *self, const char *url, const char *etag, const char *last_modified,
	uint64_t max_bytes, struct download *ret, rkt_error **err);
/* Forgets the spool file of URL, which is open. */
void fetch_forget(fetcher *self, const char *url);
/* How often is tried what may pass. */
struct tries fetch_tries(fetcher *self);
/* One line for the user, about URL, not escaped. */
void fetch_tell(const fetcher *self, const char *words);

/* ---- fetch_here.c ---------------------------------------------------------------------------- */

/* The name and labels of DEPENDENCY, as people write them; the caller frees it. */
char *dependency_name(const struct ac_dependency *dependency);
struct fetch_job;
/* Where JOB is a dependency that could not be asked for, takes the image in the store that
 * satisfies it, and tells so: true. One that no trusted key signed is not taken. */
bool here_take(const struct fetching *all, struct fetch_job *job);

/* ---- fetch_name.c ---------------------------------------------------------------------------- */

int fetch_name(fetcher *self, const char *reference, struct fetched *ret, rkt_error **err);

/* ---- fetch_signature.c ----------------------------------------------------------------------- */

struct signature {
	struct buf bytes;
	bool later; /* the server will have it later (202) */
};
#define auto_signature __attribute__((cleanup(signature_free)))
void signature_free(struct signature *self);

/* Whether the image ID may be used as it lies in the store: its record says that a key signed it
 * that may speak for it still, or nobody need have; and it is what is WANTED, as in a
 * fetch_place. */
bool signature_is_known(const struct fetching *all, const rkt_image_id *id, const char *wanted);

/* Where the signature of the image at URL is, if nobody says: ".asc" behind the path, before the
 * query. The caller frees it. */
char *signature_url_of(const char *url);

/* Gets the signature at URL, or the file URL where it is none. RKT_MISSING: there is none. */
int signature_get(fetcher *self, const char *url, struct signature *ret, rkt_error **err);

/* The error WHY of signature_get(), which it takes over: that there is no signature means that
 * nobody trusted speaks for the image. -1. */
int signature_missing(rkt_error *why, rkt_error **err);

/* Makes the keys ready that signatures are judged by. */
int signature_ready(fetcher *self, rkt_error **err);

/* Judges SIGNATURE (NULL: nobody signed, and that is allowed) over FD from its start, and imports
 * the same bytes. FROM is where they came from, NULL: not known. WANTED as in a fetch_place. */
int signature_import(fetcher *self, int fd, const struct signature *signature, const char *from,
	const char *wanted, rkt_image_id *ret, rkt_error **err);
/* The same of a signature that was judged while the bytes came: SELF->judging, of SIZE bytes. */
int signature_import_judged(fetcher *self, int fd, uint64_t size, const char *from,
	const char *wanted, rkt_image_id *ret, rkt_error **err);
