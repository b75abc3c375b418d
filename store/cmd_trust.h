/* What the forms of rkt-store trust share. */
#pragma once

#include "store/cmd.h"
#include "store/trust/key_info.h"
#include "store/trust/keys.h"

struct trust_settings {
	const char *prefix, *cacert;
	bool root, yes, json, allow_http;
};

/* Reads all key files, and warns of what was left out. */
int trust_read(struct trusted_keys *keys, rkt_error **err);
/* Warns of what is in PROBLEMS from FROM on, and returns how many there are. */
size_t trust_warn(const struct trusted_keys *keys, size_t from);

/* Whether --prefix or --root says, properly, which images it is about: 0, or -1. */
int trust_check_scope(const struct trust_settings *settings, rkt_error **err);
/* "images called example.com/app and what is below it", for messages; the caller frees it. */
char *trust_scope_words(const char *prefix);

/* The form "add": FILES are key files, - for standard input, or URLs; none: those that the web names
 * for the prefix. */
int trust_add(const struct trust_settings *settings, const struct operands *files, rkt_error **err);
int trust_list(const struct trust_settings *settings, rkt_error **err);
/* FINGERPRINTS begin at the operand FIRST. */
int trust_rm(const struct trust_settings *settings, const struct operands *words, size_t first,
	rkt_error **err);
int trust_mask(const struct trust_settings *settings, const struct operands *words, size_t first,
	rkt_error **err);

/* Appends the file at URL to RET. */
int trust_get_url(
	const struct trust_settings *settings, const char *url, struct buf *ret, rkt_error **err);
/* The URLs of the keys that the web names for the prefix: one or more. */
int trust_find(const struct trust_settings *settings, struct names *ret, rkt_error **err);
/* Whether WORD is a URL, not a file. */
bool trust_is_url(const char *word);
