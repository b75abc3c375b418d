/*
 * Reading JSON by a schema: typed fields with their place, breaches as findings.
 *
 * The readers of manifests do not look at errors after each field: a breach is remembered by the
 * schema, the field reads as absent, and schema_end() says at the end whether what was read may be
 * used. So one walk serves the reader that stops at the first fault and the validator that wants
 * all.
 */
#pragma once

#include "aci/check.h"
#include "base/json.h"
#include "base/json_check.h"

/* A place in a document: how one got there, and the value that is there (NULL: absent or null).
 * The spots above must outlive it; keys are lent. */
struct spot {
	const struct spot *parent;
	const char *key; /* NULL: the element INDEX of a list */
	size_t index;
	const json *value;
};

struct schema {
	check *check;      /* NULL: the first error ends the reading */
	struct slice text; /* the JSON text, for line and column; may be empty */
	unsigned version;  /* acVersion as SCHEMA_VERSION(); 0: not known */

	/* private */
	rkt_error *first;            /* the first error */
	bool ended;                  /* the check wants no more */
	struct json_place place;     /* of the last finding: the next is mostly not far behind it */
	struct schema_block *memory; /* see schema_new() */
};

#define SCHEMA_VERSION(major, minor, patch) ((major)*1000000u + (minor)*1000u + (patch))

/* Parses TEXT; a fault is a breach of json-syntax. The caller frees the document; NULL then. */
json *schema_document(struct schema *self, struct slice text);

/* Returns 0, or -1 with the first error (which is among the findings) moved to *ERR. */
int schema_end(struct schema *self, rkt_error **err);

/* An array of zeroes that lives until schema_free() of its block list. NULL when COUNT is 0. */
void *schema_new(struct schema *self, size_t count, size_t size);
/* Hands on what schema_new() made; schema_free() releases it. */
struct schema_block *schema_take(struct schema *self);
void schema_free(struct schema_block *memory);

/* Reports a breach of RULE at AT. */
void schema_breach(struct schema *self, const struct spot *at, const char *rule, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* POINTER is where ROOT stands in its document, "" for all of it. */
struct spot spot_root(const json *root, const char *pointer);
struct spot spot_get(const struct spot *object, const char *key);
struct spot spot_at(const struct spot *list, size_t index);

/* The field KEY, or where that is absent, OLD, its name in earlier texts or other practice. */
struct spot schema_field(
	struct schema *self, const struct spot *object, const char *key, const char *old);
/* Warns when a manifest of 0.6.0 or later uses WHAT, a form of earlier texts. */
void schema_old(struct schema *self, const struct spot *at, const char *what);
/* Warns of fields of OBJECT that are not in the list FIELDS (ended by NULL). */
void schema_known(struct schema *self, const struct spot *object, const char *const fields[]);

/* Whether there is a value at AT; a breach of json-type when it is of another kind. */
bool schema_is(struct schema *self, const struct spot *at, enum json_kind kind);
/* The same for what must be there: an element of a list, a member of a map. */
bool schema_is_item(struct schema *self, const struct spot *at, enum json_kind kind);
/* The number of elements of the list at AT; 0 when there is none. */
size_t schema_count(struct schema *self, const struct spot *at);
/* The string at AT, or NULL. */
const char *schema_string(struct schema *self, const struct spot *at);
/* A string that must be there and not be empty: else a breach of RULE, and NULL. */
const char *schema_required(struct schema *self, const struct spot *at, const char *rule);
/* The same, and a name by CHECK (ac_name_is, ...), else a breach of name-syntax. */
typedef bool schema_name_check(const char *text, const char **ret_why);
const char *schema_name(struct schema *self, const struct spot *at, schema_name_check *is_name);
bool schema_boolean(struct schema *self, const struct spot *at, bool absent);
/* An integer from MIN to MAX; ABSENT when there is none; else a breach of RULE. */
struct schema_range {
	int64_t min, max, absent;
	const char *rule;
};
int64_t schema_integer(
	struct schema *self, const struct spot *at, const struct schema_range *range);
/* The list of strings at AT, ended by NULL; NULL when there is none or it is empty. RET_COUNT may
 * be NULL. */
const char *const *schema_strings(struct schema *self, const struct spot *at, size_t *ret_count);
/* Checks that the object at AT, if there is one, has only strings. */
void schema_string_map(struct schema *self, const struct spot *at);

/* Reports every element of LIST whose name came before. ITEMS are COUNT structs of SIZE bytes that
 * begin with a `const char *` name, in the order of the list. */
struct schema_items {
	const void *items;
	size_t count, size;
};
void schema_unique(struct schema *self, const struct spot *list, const struct schema_items *items,
	const char *rule);

SCOPE_DEFINE(schema_block, struct schema_block *, schema_free)
