/*
 * Importing what has a signature: gpg judges the bytes, and exactly these are imported (S-020,
 * S-021). Which key may speak for the image is asked when its name is known, before anything is
 * recorded. Part of rkt-store; the library knows nothing of signatures.
 */
#pragma once

#include "store/import.h"
#include "store/trust/keys.h"

/* The trusted keys, ready to judge. For one thread at a time. */
struct signing {
	struct trusted_keys keys; /* its problems are for the user to hear of */
	trust_home *home;
};

/* Reads the keys. SELF is all zero before, and closed by the caller whatever comes out. The process
 * must ignore SIGPIPE. */
int signing_open(struct signing *self, rkt_error **err);
void signing_close(struct signing *self);

/* A file and all that is known and wanted of it. */
struct signed_file {
	int fd;                 /* a regular file, or a pipe, which is written down first */
	struct slice signature; /* detached, armored or not */
	const char *source;     /* URL without credentials, or path; NULL: not recorded */
	const struct rkt_import_options *options; /* without a check_name of its own; or NULL */
	const struct import_wish *wish;           /* or NULL */
};

/* As import_as_wished(), of a file that must be signed by a key that may speak for the name the
 * image has. RKT_UNTRUSTED: the signature is of another key, or of one that may not speak for this
 * name; RKT_INVALID: it is of other bytes, or none. */
int signed_import(struct signing *self, rkt_store *store, const struct signed_file *file,
	rkt_image_id *ret_id, rkt_error **err);

/* The same in two steps, for who has asked gpg already: what VERDICT, of trust_verify() over all
 * bytes of FILE->fd, says about the signature; then the import. Its SIGNATURE is not looked at. */
int signed_check(const struct trust_result *verdict, rkt_error **err);
int signed_import_judged(const struct signing *self, rkt_store *store,
	const struct signed_file *file, const struct trust_result *verdict, rkt_image_id *ret_id,
	rkt_error **err);

#define auto_signing __attribute__((cleanup(signing_close)))
