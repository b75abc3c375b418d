/*
 * Detached OpenPGP signatures, judged by gpgme's structured results (S-021, S-022, S-023).
 *
 * A home is a private GNUPGHOME with exactly the keys that may speak: the user's keyring, agent,
 * key servers and configuration are never touched, and gpg uses no network.
 */
#pragma once

#include "aci/digest.h"
#include "base/names.h"

/* Larger signatures and keyrings are refused. */
#define TRUST_SIGNATURE_MAX (256u * 1024)
#define TRUST_KEYRING_MAX   (64u * 1024 * 1024)

typedef struct trust_home trust_home;

/* Makes a home in $TMPDIR, else /tmp, where it removes those of processes that were killed. NULL on
 * error. The process must ignore SIGPIPE. */
trust_home *trust_home_new(rkt_error **err);
/* Removes it. NULL is allowed. */
void trust_home_free(trust_home *self);
/* Removes the homes that killed processes of this user left in $TMPDIR or /tmp. trust_home_new()
 * does the same. */
void trust_homes_clear(void);
/* Adds the public keys in BYTES, armored or not. RKT_INVALID when there is none, or when there are
 * secret keys too. */
int trust_home_add(trust_home *self, struct slice bytes, rkt_error **err);

#define TRUST_FINGERPRINT_MAX 64

/* The same for one public key, whose fingerprint in lower-case hexadecimal it returns. RKT_INVALID
 * also when there are several. After an error the home may have some of them: throw it away. */
int trust_home_add_one(trust_home *self, struct slice bytes,
	char ret_fingerprint[static TRUST_FINGERPRINT_MAX + 1], rkt_error **err);

/* Adds plain keys (plain_key.h) that lie in BYTES one after the other, in one run of gpg. Whether
 * it found the keys FINGERPRINTS, of the primary ones, in this order and no others; if not, the
 * home may have any of them: throw it away. */
bool trust_home_add_plain(trust_home *self, struct slice bytes, const struct names *fingerprints);

enum trust_verdict {
	TRUST_GOOD,      /* a good signature by an allowed key, and no bad one by any of them */
	TRUST_INVALID,   /* no signature at all, or a bad one by an allowed key */
	TRUST_UNTRUSTED, /* by other keys, or by an allowed one that was not to be trusted then */
};

struct trust_result {
	enum trust_verdict verdict;
	char *why; /* one sentence without a full stop, escaped; owned */
	/* Of the signature that decided, where it is known, else "": the key or subkey that made
	 * it, in upper-case hexadecimal, and the primary key that one belongs to. */
	char fingerprint[TRUST_FINGERPRINT_MAX + 1], primary[TRUST_FINGERPRINT_MAX + 1];
	int64_t made_sec;                /* when, as it says itself; 0: not known */
	char sha256[DIGEST_HEX_MAX + 1]; /* of the bytes it was held against */
	/* The primary keys of all good signatures, in lower case: each of them may be the one that
	 * is to speak. */
	struct names speakers;
};

/* Judges SIGNATURE over all bytes that FD has from its present position. Bytes are hashed while
 * they go to gpg, nothing else looks at them. Returns -1 when there is no verdict. */
int trust_verify(trust_home *self, struct slice signature, int fd, struct trust_result *ret,
	rkt_error **err);
void trust_result_free(struct trust_result *result);

SCOPE_DEFINE(trust_home, trust_home *, trust_home_free)
#define auto_trust_home __attribute__((cleanup(scope_trust_home)))
