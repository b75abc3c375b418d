/* The signature of a file, checked by a program of its own: the tools link nothing of OpenPGP
 * (doc/trust.md). */
#pragma once

#include "aci/check.h"
#include "aci/digest.h"

struct signature {
	const char *file;            /* the detached signature, armored or not */
	const char *const *keyrings; /* files with the keys that may speak; ended by NULL */
};

/* Checks the signature over all bytes of *FD from its present position, to which it returns. A *FD
 * that cannot return (a pipe) is replaced by an unnamed file with what it had. What is wrong with
 * the signature becomes a finding. RET_HEX is the SHA-256 of the bytes that were looked at: who
 * reads them again can tell whether they are the same. Returns -1 when nothing can be said. */
int signature_check(const struct signature *self, int *fd, check *found,
	char ret_hex[static DIGEST_HEX_MAX + 1], rkt_error **err);
