/* Inside a home, for the files of this folder that talk to gpgme. */
#pragma once

#include <gpgme.h>

#include "store/trust/verify.h"

struct trust_home {
	char *path;
	int dir; /* the lock on it; -1: not made yet */
	gpgme_ctx_t gpg;
};

/* Fails with RKT_FAILED and gpgme's words for ERROR. */
int gpg_failed(gpgme_error_t error, const char *doing, rkt_error **err);

/* Why signatures by KEY are too weak to count, in words; NULL: they are not. */
const char *gpg_key_weakness(gpgme_subkey_t key);
