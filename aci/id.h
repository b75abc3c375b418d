/* Image references by digest: full IDs, prefixes, and the sha512 aliases of the later spec. */
#pragma once

#include "rkt/image.h"
#include "aci/digest.h"

/* Fewer digits than this are not looked up as a prefix. */
#define IMAGE_ID_PREFIX_MIN 8

enum id_form {
	ID_NONE,          /* not a reference by digest */
	ID_SHA256,        /* sha256-<64> */
	ID_SHA256_PREFIX, /* sha256-<8..63>, or 8..64 bare digits */
	ID_SHA512,        /* sha512-<8..128> */
};

/* What TEXT looks like; *RET_DIGITS (may be NULL) points at its digits inside TEXT. Bare
 * hexadecimal digits count as a prefix only from IMAGE_ID_PREFIX_MIN on. */
enum id_form id_form_of(const char *text, const char **ret_digits);

/* Makes the ID of a finished SHA-256 in hexadecimal (64 digits). */
rkt_image_id id_from_hex(const char *hex);
