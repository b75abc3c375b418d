/* Message digests (OpenSSL EVP) of what streams by. */
#pragma once

#include "aci/source.h"

enum digest_kind { DIGEST_SHA256, DIGEST_SHA512 };

#define DIGEST_HEX_MAX 128

/* "sha256", "sha512"; its hexadecimal length in digits. */
const char *digest_name(enum digest_kind kind);
size_t digest_hex_len(enum digest_kind kind);

typedef struct digest digest;

digest *digest_new(enum digest_kind kind);
void digest_free(digest *self);
int digest_add(digest *self, struct slice bytes, rkt_error **err);
/* digest_add() as a source_tap_fn; CONTEXT is the digest. */
int digest_tap(void *context, struct slice block, rkt_error **err);
/* Ends the digest and writes it in lower-case hexadecimal. No more bytes may follow. */
int digest_hex(digest *self, char out[static DIGEST_HEX_MAX + 1], rkt_error **err);

SCOPE_DEFINE(digest, digest *, digest_free)
#define auto_digest __attribute__((cleanup(scope_digest)))
