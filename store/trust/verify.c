/* What gpg's verdicts mean to us. */
#include "store/trust/verify.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "store/trust/gpg.h"

#define RSA_BITS_MIN 2048u
/* How far the clock of who signs may be ahead. */
#define CLOCK_SKEW_SEC (60 * 60)

/* ---- bytes on their way to gpg --------------------------------------------------------------- */

struct feed {
	int fd;
	digest *sum;
	rkt_error *error;
	struct names *binary; /* gets the good signatures that are over bytes, by their names */
};

static ssize_t feed_read(void *context, void *bytes, size_t len)
{
	struct feed *feed = context;
	ssize_t got = fd_read_full(feed->fd, bytes, len, &feed->error);

	if (got > 0 &&
		digest_add(feed->sum, (struct slice){ bytes, (size_t)got }, &feed->error) < 0)
		got = -1;
	if (got < 0)
		errno = EIO;
	return got;
}

/* ---- the kind of a signature ----------------------------------------------------------------- */

/* One over text (RFC 4880, 5.2.1) is over its lines, and the same for all ways to end them: who has
 * it can change these bytes. gpgme does not tell it from one over the bytes, so gpg's status line
 * is asked for. It can only make less of a signature: where gpg does not say so, none is over
 * bytes. */

#define BINARY "00"

/* What tells signatures apart. */
static char *signature_name(const char *fingerprint, const char *made_sec)
{
	return xasprintf("%s %s", fingerprint, made_sec);
}

/* VALIDSIG fingerprint date seconds expires version reserved algorithm digest class ... */
static gpgme_error_t take_status(void *context, const char *keyword, const char *text)
{
	struct feed *feed = context;
	auto_free char *line = xstrdup(text);
	char *rest = line, *words[9] = { NULL };

	if (strcmp(keyword, "VALIDSIG") != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words) && rest; i++)
		words[i] = strsep(&rest, " ");
	if (words[8] && strcmp(words[8], BINARY) == 0)
		names_add(feed->binary, signature_name(words[0], words[2]));
	return 0;
}

static bool is_binary(const struct names *binary, gpgme_signature_t signature)
{
	auto_free char *made_sec = xasprintf("%lu", signature->timestamp);
	auto_free char *name = signature_name(signature->fpr, made_sec);

	for (size_t i = 0; i < binary->count; i++)
		if (strcmp(binary->items[i], name) == 0)
			return true;
	return false;
}

static int run_gpg(trust_home *self, struct slice signature, struct feed *feed,
	gpgme_error_t *ret_error, rkt_error **err)
{
	struct gpgme_data_cbs calls = { .read = feed_read };
	gpgme_data_t detached, content;
	gpgme_error_t error;

	error = gpgme.gpgme_data_new_from_mem(
		&detached, (const char *)signature.data, signature.len, 0);
	if (error)
		return gpg_failed(error, "lend signature", err);
	error = gpgme.gpgme_data_new_from_cbs(&content, &calls, feed);
	if (error) {
		gpgme.gpgme_data_release(detached);
		return gpg_failed(error, "lend content", err);
	}
	gpgme.gpgme_set_status_cb(self->gpg, take_status, feed);
	*ret_error = gpgme.gpgme_op_verify(self->gpg, detached, content, NULL);
	gpgme.gpgme_set_status_cb(self->gpg, NULL, NULL);
	gpgme.gpgme_data_release(content);
	gpgme.gpgme_data_release(detached);
	return feed->error ? rkt_fail_with(err, pass_ptr(feed->error)) : 0;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static int say(struct trust_result *ret, enum trust_verdict verdict, char *why)
{
	free(ret->why);
	ret->verdict = verdict;
	ret->why = why;
	return 0;
}

static bool is_strong_hash(gpgme_hash_algo_t hash)
{
	return hash == GPGME_MD_SHA224 || hash == GPGME_MD_SHA256 || hash == GPGME_MD_SHA384 ||
	       hash == GPGME_MD_SHA512;
}

const char *gpg_key_weakness(gpgme_subkey_t key)
{
	switch (key->pubkey_algo) {
	case GPGME_PK_RSA:
	case GPGME_PK_RSA_S:
	case GPGME_PK_DSA:
		return key->length < RSA_BITS_MIN ? "of a key with less than 2048 bits" : NULL;
	case GPGME_PK_ECDSA:
	case GPGME_PK_EDDSA:
		return NULL;
	default:
		return "of an unknown kind of key";
	}
}

static const char *weakness_of(gpgme_subkey_t key, gpgme_hash_algo_t hash)
{
	if (!is_strong_hash(hash))
		return gpgme.gpgme_hash_algo_name(hash) ?: "of an unknown digest";
	return gpg_key_weakness(key);
}

/* Whether KEY held at TIME: 0 in expires is never. */
static bool held_at(gpgme_subkey_t key, unsigned long time)
{
	return key->timestamp >= 0 && (unsigned long)key->timestamp <= time &&
	       (key->expires <= 0 || time < (unsigned long)key->expires);
}

static gpgme_subkey_t find_subkey(gpgme_key_t key, const char *fingerprint)
{
	for (gpgme_subkey_t at = key->subkeys; at; at = at->next)
		if (at->fpr && strcmp(at->fpr, fingerprint) == 0)
			return at;
	return NULL;
}

/* The signature is right, and KEY made it: may that count? */
static int judge_key(gpgme_signature_t signature, gpgme_key_t key, struct trust_result *ret)
{
	gpgme_subkey_t primary = key->subkeys, maker = find_subkey(key, signature->fpr);
	const char *weakness;
	char when[TIME_TEXT_SIZE];

	if (!primary || !primary->fpr || !maker || key->secret)
		return say(ret, TRUST_UNTRUSTED, xstrdup("it is not known which key made it"));
	snprintf(ret->primary, sizeof ret->primary, "%s", primary->fpr);
	if (key->revoked || maker->revoked ||
		gpgme_err_code(signature->status) == GPG_ERR_CERT_REVOKED)
		return say(ret, TRUST_UNTRUSTED, xasprintf("key %s was revoked", maker->fpr));
	if (key->invalid || maker->invalid || !maker->can_sign)
		return say(ret, TRUST_UNTRUSTED, xasprintf("key %s may not sign", maker->fpr));
	if (!held_at(maker, signature->timestamp) || !held_at(primary, signature->timestamp))
		return say(ret, TRUST_UNTRUSTED,
			xasprintf("key %s did not hold when it was made", maker->fpr));
	if ((int64_t)signature->timestamp > time_now_sec() + CLOCK_SKEW_SEC)
		return say(ret, TRUST_UNTRUSTED,
			xasprintf("it was made in the future, %s by the clock here",
				time_rfc3339((int64_t)signature->timestamp, when)));
	if (gpgme_err_code(signature->status) == GPG_ERR_SIG_EXPIRED)
		return say(ret, TRUST_UNTRUSTED, xstrdup("the signature expired"));
	weakness = weakness_of(maker, signature->hash_algo);
	if (weakness)
		return say(ret, TRUST_UNTRUSTED, xasprintf("it is too weak: %s", weakness));
	return say(ret, TRUST_GOOD, xasprintf("made by key %s", maker->fpr));
}

static bool has_key(trust_home *self, const char *maker)
{
	gpgme_key_t key;

	if (gpgme.gpgme_get_key(self->gpg, maker, &key, 0))
		return false;
	gpgme.gpgme_key_unref(key);
	return true;
}

/* Of a kind gpg does not know, which it looks at before it looks for the key. That may be one that
 * nobody asks about: who signs with a key of a new kind too does it for programs that know it. */
static int judge_unknown(
	trust_home *self, gpgme_signature_t signature, const char *maker, struct trust_result *ret)
{
	const char *why = gpgme.gpgme_strerror(signature->status);

	if (has_key(self, maker))
		return say(ret, TRUST_INVALID, xasprintf("it cannot be checked: %s", why));
	return say(ret, TRUST_UNTRUSTED,
		xasprintf(
			"made by key %s, which is not in the keyring, and it cannot be checked: %s",
			maker, why));
}

static int judge_signature(trust_home *self, gpgme_signature_t signature,
	const struct names *binary, struct trust_result *ret, rkt_error **err)
{
	gpgme_error_t error;
	gpgme_key_t key;
	const char *maker = signature->fpr ?: "";

	snprintf(ret->fingerprint, sizeof ret->fingerprint, "%s", maker);
	ret->primary[0] = '\0';
	ret->made_sec = (int64_t)signature->timestamp;
	switch (gpgme_err_code(signature->status)) {
	case GPG_ERR_NO_ERROR:
	case GPG_ERR_KEY_EXPIRED:
	case GPG_ERR_SIG_EXPIRED:
	case GPG_ERR_CERT_REVOKED:
		break;
	case GPG_ERR_NO_PUBKEY:
		return say(ret, TRUST_UNTRUSTED,
			xasprintf("made by key %s, which is not in the keyring", maker));
	case GPG_ERR_BAD_SIGNATURE:
		return say(ret, TRUST_INVALID, xasprintf("key %s signed other bytes", maker));
	default:
		return judge_unknown(self, signature, maker, ret);
	}
	error = gpgme.gpgme_get_key(self->gpg, maker, &key, 0);
	if (error)
		return gpg_failed(error, "look up key", err);
	judge_key(signature, key, ret);
	gpgme.gpgme_key_unref(key);
	if (ret->verdict == TRUST_GOOD && !is_binary(binary, signature))
		return say(ret, TRUST_UNTRUSTED,
			xstrdup("it is one over text, which holds for other bytes too: sign without "
				"--textmode"));
	return 0;
}

static void keep_better(struct trust_result *best, struct trust_result *one, bool first)
{
	/* a bad one by an allowed key refuses; else a good one decides; else the first is named */
	if (first || one->verdict == TRUST_INVALID ||
		(one->verdict == TRUST_GOOD && best->verdict == TRUST_UNTRUSTED)) {
		free(best->why);
		*best = *one;
		one->why = NULL;
	}
	free(one->why);
}

static char *lower_case(const char *text)
{
	char *copy = xstrdup(text);

	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

static int judge(
	trust_home *self, const struct names *binary, struct trust_result *ret, rkt_error **err)
{
	gpgme_verify_result_t result = gpgme.gpgme_op_verify_result(self->gpg);
	struct names speakers = { 0 };
	size_t count = 0;
	int done = 0;

	if (!result || !result->signatures)
		return say(ret, TRUST_INVALID, xstrdup("there is no detached signature in it"));
	gpgme.gpgme_result_ref(result); /* looking up keys would take it away */
	for (gpgme_signature_t at = result->signatures; done == 0 && at; at = at->next) {
		struct trust_result one = { 0 };

		done = judge_signature(self, at, binary, &one, err);
		if (done == 0 && one.verdict == TRUST_GOOD)
			names_add(&speakers, lower_case(one.primary));
		if (done == 0 && ret->verdict != TRUST_INVALID)
			keep_better(ret, &one, count == 0);
		else
			free(one.why);
		count++;
	}
	gpgme.gpgme_result_unref(result);
	ret->speakers = speakers;
	return done;
}

/* Whether BYTES may be a signature at all: armored as one, or one is the first packet (RFC 4880,
 * 4.2 and 4.3). */
static bool may_be_signature(struct slice bytes)
{
	static const char armor[] = "-----BEGIN PGP SIGNATURE";
	uint8_t first = bytes.len ? bytes.data[0] : 0;

	if (first & 0x80)
		return (first & 0x40 ? first & 0x3f : first >> 2 & 0xf) == 2;
	return memmem(bytes.data, bytes.len, armor, sizeof armor - 1) != NULL;
}

/* Whether gpg worked, and what it was given did not. Of some packets that are no signature it says
 * no more than that something went wrong. */
static bool is_about_data(gpgme_error_t error, struct slice signature)
{
	return gpgme_err_code(error) == GPG_ERR_NO_DATA ||
	       gpgme_err_code(error) == GPG_ERR_BAD_DATA ||
	       (gpgme_err_code(error) == GPG_ERR_GENERAL && !may_be_signature(signature));
}

int trust_verify(
	trust_home *self, struct slice signature, int fd, struct trust_result *ret, rkt_error **err)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	auto_names struct names binary = { 0 };
	struct feed feed = { fd, sum, NULL, &binary };
	struct trust_result result = { 0 };
	gpgme_error_t error = 0;
	int done;

	if (run_gpg(self, signature, &feed, &error, err) < 0)
		return -1;
	if (error && !is_about_data(error, signature))
		return gpg_failed(error, "verify", err);
	if (error)
		done = say(&result, TRUST_INVALID,
			xasprintf("it is no detached signature: %s",
				gpgme_err_code(error) == GPG_ERR_GENERAL
					? "there is none in it"
					: gpgme.gpgme_strerror(error)));
	else
		done = judge(self, &binary, &result, err);
	if (done < 0 || digest_hex(sum, result.sha256, err) < 0) {
		trust_result_free(&result);
		return -1;
	}
	*ret = result;
	return 0;
}

void trust_result_free(struct trust_result *result)
{
	free(result->why);
	names_free(&result->speakers);
}
