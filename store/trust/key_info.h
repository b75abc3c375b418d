/* What a key is, for people who shall decide whether to trust it. */
#pragma once

#include "base/names.h"
#include "store/trust/verify.h"

struct key_info {
	/* Of the primary key, in lower-case hexadecimal. */
	char fingerprint[TRUST_FINGERPRINT_MAX + 1];
	struct names
		user_ids;    /* those the key itself vouches for, raw; the first is its main one */
	char *algorithm;     /* of the primary key, with its size: "rsa3072", "ed25519" */
	int64_t created_sec; /* seconds since 1970 */
	int64_t expires_sec; /* 0: never */
	bool expired, revoked;
	bool can_sign;    /* it or one of its subkeys may sign, if it were not expired or revoked */
	bool strong;      /* one of those may sign with a strength that counts (doc/trust.md) */
	struct buf armor; /* the key as gpg exports it, armored */
};

/* Reads the one public key in BYTES, armored or not: into a home of its own, so that only what the
 * key itself signed is told. RKT_INVALID when there is none, when there are several, or secret
 * ones. RET is freed by the caller whatever comes out, and all zero before. */
int key_info_read(struct slice bytes, struct key_info *ret, rkt_error **err);
void key_info_free(struct key_info *self);

struct key_infos {
	struct key_info *items; /* in no order, their ARMOR empty */
	size_t count;
};

/* All keys of HOME, for one run of gpg. RET is freed by the caller whatever comes out, and all zero
 * before. */
int key_infos_read(trust_home *home, struct key_infos *ret, rkt_error **err);
/* The one with FINGERPRINT, as it is called there. Lent; NULL: there is none. */
const struct key_info *key_infos_find(const struct key_infos *self, const char *fingerprint);
void key_infos_free(struct key_infos *self);

#define auto_key_info  __attribute__((cleanup(key_info_free)))
#define auto_key_infos __attribute__((cleanup(key_infos_free)))
