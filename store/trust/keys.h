/*
 * Trusted keys on disk, where rkt keeps them: below the configuration directories (config/dirs.h),
 *
 *	trustedkeys/root.d/FINGERPRINT                speaks for all images
 *	trustedkeys/prefix.d/example.com/app/FINGERPRINT
 *	                                              for example.com/app and what is below it
 *
 * FINGERPRINT is that of the primary key, 40 lower-case hexadecimal digits; the file is that public
 * key and no other, armored or not. An empty file is a mask: it takes back what was said of this
 * key before.
 *
 * Of all files about one key that concern a name the last one decides, in this order: root.d of the
 * system, the administrator, the user; then prefix.d of the system, the shorter prefix before the
 * longer, of the administrator, of the user.
 */
#pragma once

#include "base/names.h"
#include "config/dirs.h"
#include "store/trust/verify.h"

/* Digits in the name of a key file. */
#define KEYS_FINGERPRINT_LEN 40
/* Larger key files are left out. */
#define KEYS_FILE_MAX (1024u * 1024)
/* Of a prefix: folders in each other. */
#define KEYS_PARTS_MAX 64

struct trusted_key {
	enum config_level level;
	char *prefix; /* NULL: all names */
	char *path;   /* of the file */
	char fingerprint[KEYS_FINGERPRINT_LEN + 1];
	struct buf bytes; /* empty: a mask */
	char *problem;    /* why it is no key that can be used, escaped; NULL: it is */
};

struct trusted_keys {
	struct trusted_key *items; /* in the order above */
	size_t count, capacity;
	/* What lies there and was left out, one sentence each with its path, not escaped. */
	struct names problems;
};

/* Reads all files. What is no key file is a problem, not an error; a directory that cannot be read
 * is an error, because a mask may be in there. SELF is all zero before, and freed by the caller
 * whatever comes out. */
int keys_read(struct trusted_keys *self, rkt_error **err);
void keys_free(struct trusted_keys *self);

enum keys_which {
	KEYS_TRUSTED, /* those that may speak for some name */
	KEYS_ALL,     /* those that others take back too */
};

/* A home with these keys. A file that is not the one key its name says becomes a problem, and says
 * nothing from here on. NULL on error. */
trust_home *keys_home(struct trusted_keys *self, enum keys_which which, rkt_error **err);

/* Whether the key with this fingerprint (of the primary key, in any case) may speak for images
 * called NAME, an AC identifier (S-024). NAME NULL: for names that no prefix is about. Call
 * keys_home() first, which finds out whose files can be used. */
bool keys_may_speak(const struct trusted_keys *self, const char *fingerprint, const char *name);

/* ---- changing them --------------------------------------------------------------------------- */

/* All of these are about the directory of config_own_level(). PREFIX NULL: root.d; else it is an AC
 * identifier. FINGERPRINT is as files are called. */

/* Writes the file, wholly or not at all, durably, and readable by all. No bytes: a mask. RKT_USAGE:
 * PREFIX has more parts than are read. The caller frees *RET_PATH. */
int keys_write(const char *prefix, const char *fingerprint, struct slice bytes, char **ret_path,
	rkt_error **err);
/* Removes the file, and folders that are empty then. RKT_MISSING when there is none. */
int keys_remove(const char *prefix, const char *fingerprint, char **ret_path, rkt_error **err);

#define auto_trusted_keys __attribute__((cleanup(keys_free)))
