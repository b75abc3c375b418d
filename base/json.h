/*
 * JSON, strictly read: the one door to json-c.
 *
 * json-c alone accepts what must be refused (duplicate keys, single quotes, NaN, raw control
 * characters, lone surrogates, integers out of range), so json_parse() first runs json_check.c over
 * the bytes: RFC 8259, valid UTF-8, no duplicate keys, no NUL in strings, depth at most 64,
 * integers within int64. A fault is RKT_INVALID and says line, column and JSON pointer (S-014).
 *
 * Values are reached by getters that check the type; nothing is coerced.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Any JSON value; lent by its document (or builder root) and valid as long as that lives. It is
 * json-c's own type, which nobody else may look into. */
typedef struct json_object json;

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER, /* with fraction or exponent */
	JSON_INTEGER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* Parses BYTES (one value, nothing after it). The caller frees the root with json_free(). */
json *json_parse(struct slice bytes, rkt_error **err);
void json_free(json *root);

enum json_kind json_kind_of(const json *value);
/* "a string", "an object", ... for messages. */
const char *json_kind_name(enum json_kind kind);

/* The member KEY of an object, or NULL when there is none (or VALUE is no object). A JSON null
 * counts as absent. */
json *json_get(const json *object, const char *key);
/* NULL when VALUE is not of the type. The text is NUL-terminated and has no NUL inside. */
const char *json_string(const json *value);
bool json_integer(const json *value, int64_t *ret);
bool json_boolean(const json *value, bool *ret);
/* The text of a number or integer as it was written; lent. NULL for all other values. */
const char *json_number(const json *value);
/* Where in the parsed text the value begins; false for what was built, and for some numbers. */
bool json_offset(const json *value, size_t *ret);
size_t json_count(const json *array_or_object);
json *json_at(const json *array, size_t index);

/* Goes through the members of an object in the order of the text:
 *	struct json_iter it = json_iter_start(object);
 *	while (json_iter_next(&it)) ... it.key, it.value */
struct json_iter {
	const char *key;
	json *value;
	void *state;
};
struct json_iter json_iter_start(const json *object);
bool json_iter_next(struct json_iter *it);

/* Building. Every json_new_*() is owned by the caller until given to a container by json_set() or
 * json_append(), which take it over. VALUE NULL is written as null. */
json *json_new_object(void);
json *json_new_array(void);
json *json_new_string(const char *text);
json *json_new_integer(int64_t value);
json *json_new_bool(bool value);
void json_set(json *object, const char *key, json *value);
void json_append(json *array, json *value);
/* A deep copy owned by the caller. */
json *json_copy(const json *value);

enum json_style { JSON_COMPACT, JSON_PRETTY };
/* Appends the text (no newline at the end; slashes are not escaped; bytes that are not UTF-8, which
 * only values built from file names can hold, become U+FFFD). */
void json_write(const json *value, enum json_style style, struct buf *out);

SCOPE_DEFINE(json, json *, json_free)
#define auto_json __attribute__((cleanup(scope_json)))
