/* Message digests by OpenSSL's EVP, which uses the SHA instructions of the processor. */
#include "aci/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"

struct digest {
	EVP_MD_CTX *context; /* NULL when it could not be set up */
};

const char *digest_name(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 ? "sha256" : "sha512";
}

size_t digest_hex_len(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 ? 64 : 128;
}

digest *digest_new(enum digest_kind kind)
{
	digest *self = xcalloc(1, sizeof *self);

	self->context = EVP_MD_CTX_new();
	if (self->context &&
		EVP_DigestInit_ex(self->context,
			kind == DIGEST_SHA256 ? EVP_sha256() : EVP_sha512(), NULL) != 1) {
		EVP_MD_CTX_free(self->context);
		self->context = NULL;
	}
	return self;
}

void digest_free(digest *self)
{
	if (!self)
		return;
	EVP_MD_CTX_free(self->context);
	free(self);
}

int digest_add(digest *self, struct slice bytes, rkt_error **err)
{
	if (!self->context || EVP_DigestUpdate(self->context, bytes.data, bytes.len) != 1)
		return rkt_fail(err, RKT_FAILED, "OpenSSL cannot compute the digest");
	return 0;
}

int digest_tap(void *context, struct slice block, rkt_error **err)
{
	return digest_add(context, block, err);
}

int digest_hex(digest *self, char out[static DIGEST_HEX_MAX + 1], rkt_error **err)
{
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!self->context || EVP_DigestFinal_ex(self->context, value, &len) != 1)
		return rkt_fail(err, RKT_FAILED, "OpenSSL cannot compute the digest");
	hex_encode(value, len, out);
	return 0;
}
