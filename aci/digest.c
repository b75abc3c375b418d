/* Message digests by OpenSSL's EVP, which uses the SHA instructions of the processor. */
#include "aci/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/library.h"

#define CRYPTO_CALLS(CALL, of)      \
	CALL(of, EVP_MD_CTX_new)    \
	CALL(of, EVP_MD_CTX_free)   \
	CALL(of, EVP_sha256)        \
	CALL(of, EVP_sha512)        \
	CALL(of, EVP_DigestInit_ex) \
	CALL(of, EVP_DigestUpdate)  \
	CALL(of, EVP_DigestFinal_ex)
static LIBRARY_STRUCT(crypto, CRYPTO_CALLS) crypto;
static LIBRARY_DEFINE(crypto, CRYPTO_SONAME, CRYPTO_CALLS);

struct digest {
	EVP_MD_CTX *context;
	rkt_error *why; /* it could not be begun, told when something is asked of it; or NULL */
};

static int fail_digest(rkt_error **err)
{
	return rkt_fail(err, RKT_FAILED, "OpenSSL cannot compute the digest");
}

const char *digest_name(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 ? "sha256" : "sha512";
}

size_t digest_hex_len(enum digest_kind kind)
{
	return kind == DIGEST_SHA256 ? 64 : 128;
}

static int begin(digest *self, enum digest_kind kind, rkt_error **err)
{
	if (library_load(&crypto_library, err) < 0)
		return -1;
	self->context = crypto.EVP_MD_CTX_new();
	if (!self->context ||
		crypto.EVP_DigestInit_ex(self->context,
			kind == DIGEST_SHA256 ? crypto.EVP_sha256() : crypto.EVP_sha512(),
			NULL) != 1)
		return fail_digest(err);
	return 0;
}

digest *digest_new(enum digest_kind kind)
{
	digest *self = xcalloc(1, sizeof *self);

	(void)begin(self, kind, &self->why);
	return self;
}

void digest_free(digest *self)
{
	if (!self)
		return;
	if (self->context)
		crypto.EVP_MD_CTX_free(self->context);
	rkt_error_free(self->why);
	free(self);
}

static int check_begun(const digest *self, rkt_error **err)
{
	if (!self->why)
		return 0;
	return rkt_fail(err, rkt_error_kind(self->why), "%s", rkt_error_raw(self->why));
}

int digest_add(digest *self, struct slice bytes, rkt_error **err)
{
	if (check_begun(self, err) < 0)
		return -1;
	return crypto.EVP_DigestUpdate(self->context, bytes.data, bytes.len) == 1
		       ? 0
		       : fail_digest(err);
}

int digest_tap(void *context, struct slice block, rkt_error **err)
{
	return digest_add(context, block, err);
}

int digest_hex(digest *self, char out[static DIGEST_HEX_MAX + 1], rkt_error **err)
{
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned len;

	if (check_begun(self, err) < 0)
		return -1;
	if (crypto.EVP_DigestFinal_ex(self->context, value, &len) != 1)
		return fail_digest(err);
	hex_encode(value, len, out);
	return 0;
}
