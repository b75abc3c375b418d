/* The strict pass over JSON text before json-c sees it: RFC 8259 and the rules of S-014. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* Objects and arrays inside each other. */
#define JSON_DEPTH_MAX 64
/* Objects and arrays in one text: json-c needs some 700 bytes for an empty one, so without a bound
 * a text of 1 MiB could make it ask for 250 MiB. */
#define JSON_CONTAINERS_MAX 32768
#define JSON_SIZE_MAX       (64u * 1024 * 1024)

/* Returns 0 when BYTES are one strict JSON value, else -1 with RKT_INVALID and the place:
 * "json: line 3, column 14, at /app/exec/0: duplicate key". Columns count characters from 1. Time
 * is linear in the length times the logarithm of the number of keys; memory in proportion to the
 * keys of the objects open. */
int json_check(struct slice bytes, rkt_error **err);

/* The same, and appends to OFFSETS one uint32_t for each value, in the order of the text, a
 * container before what is in it: where in BYTES it begins. */
int json_check_offsets(struct slice bytes, struct buf *offsets, rkt_error **err);

/* A place in a text as people count it: lines and columns (in characters) from 1. */
struct json_place {
	size_t offset;
	unsigned line, column;
};
#define JSON_PLACE_START ((struct json_place){ 0, 1, 1 })

/* Moves PLACE to the byte at OFFSET; forward it reads only what lies between. */
void json_place_move(struct json_place *place, struct slice bytes, size_t offset);

/* Appends "/" and the token, escaped as JSON pointers want it (RFC 6901: ~ is ~0, / is ~1). */
void json_pointer_append(struct buf *pointer, const void *token, size_t len);
