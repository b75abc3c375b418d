/* rkt-store trust rm and mask: keys that shall speak no more. */
#include "store/cmd_trust.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "cli/out.h"

/* A fingerprint as people copy it, with spaces and in any case, as files are called. */
static int read_fingerprint(
	const char *text, char ret[static KEYS_FINGERPRINT_LEN + 1], rkt_error **err)
{
	size_t len = 0;

	for (const char *at = text; *at; at++) {
		if (*at == ' ')
			continue;
		if (len == KEYS_FINGERPRINT_LEN)
			return rkt_fail(
				err, RKT_USAGE, "%s is no fingerprint: it is too long", text);
		ret[len++] = (char)tolower((unsigned char)*at);
	}
	ret[len] = '\0';
	if (len != KEYS_FINGERPRINT_LEN || !hex_is(ret, len))
		return rkt_fail(err, RKT_USAGE, "%s is no fingerprint: these have %d digits", text,
			KEYS_FINGERPRINT_LEN);
	return 0;
}

/* Says where the key is trusted still, so that nobody believes it to be gone. */
static int tell_rest(const char *fingerprint, rkt_error **err)
{
	auto_trusted_keys struct trusted_keys keys = { 0 };

	if (trust_read(&keys, err) < 0)
		return -1;
	for (size_t i = 0; i < keys.count; i++) {
		const struct trusted_key *key = &keys.items[i];

		if (strcmp(key->fingerprint, fingerprint) == 0 && key->bytes.len &&
			keys_may_speak(&keys, fingerprint, key->prefix))
			out_warning("the key is still trusted for %s: %s",
				key->prefix ? key->prefix : "all images", key->path);
	}
	return 0;
}

/* Whether a file that is not ours to remove trusts the key for this scope. */
static bool is_of_others(const char *prefix, const char *fingerprint)
{
	auto_trusted_keys struct trusted_keys keys = { 0 };

	if (keys_read(&keys, NULL) < 0)
		return false;
	for (size_t i = 0; i < keys.count; i++) {
		const struct trusted_key *key = &keys.items[i];

		if (key->bytes.len && strcmp(key->fingerprint, fingerprint) == 0 &&
			strcmp(key->prefix ?: "", prefix ?: "") == 0)
			return true;
	}
	return false;
}

enum edit { EDIT_RM, EDIT_MASK };

static int edit_one(enum edit edit, const struct trust_settings *settings, const char *fingerprint,
	char **ret_path, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	if (edit == EDIT_MASK)
		return keys_write(
			settings->prefix, fingerprint, (struct slice){ 0 }, ret_path, err);
	if (keys_remove(settings->prefix, fingerprint, ret_path, &why) == 0)
		return 0;
	if (rkt_error_kind(why) == RKT_MISSING && is_of_others(settings->prefix, fingerprint))
		return rkt_fail(err, RKT_MISSING,
			"%s; the key is one of another directory: mask it instead",
			rkt_error_raw(why));
	return rkt_fail_with(err, pass_ptr(why));
}

static int edit_all(enum edit edit, const struct trust_settings *settings,
	const struct operands *words, size_t first, rkt_error **err)
{
	if (first == words->count)
		return rkt_fail(err, RKT_USAGE, "no FINGERPRINT");
	for (size_t i = first; i < words->count; i++) {
		char fingerprint[KEYS_FINGERPRINT_LEN + 1];
		auto_free char *path = NULL;

		if (read_fingerprint(words->items[i], fingerprint, err) < 0 ||
			edit_one(edit, settings, fingerprint, &path, err) < 0)
			return -1;
		fputs(edit == EDIT_RM ? "removed: " : "masked: ", stdout);
		out_escaped(path);
		putchar('\n');
		if (out_flush(err) < 0 || tell_rest(fingerprint, err) < 0)
			return -1;
	}
	return 0;
}

int trust_rm(const struct trust_settings *settings, const struct operands *words, size_t first,
	rkt_error **err)
{
	return edit_all(EDIT_RM, settings, words, first, err);
}

int trust_mask(const struct trust_settings *settings, const struct operands *words, size_t first,
	rkt_error **err)
{
	return edit_all(EDIT_MASK, settings, words, first, err);
}
