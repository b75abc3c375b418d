/*
 * Changing JSON text, not values: whatever is not changed keeps its bytes, its spaces, the order of
 * its members and the spelling of its numbers and strings.
 *
 * All texts must be strict (json_check()). A value is named by the offset of its first byte; a
 * change moves only what stands behind the value or container it was asked for.
 */
#pragma once

#include "base/json.h"

#define JSON_NOWHERE SIZE_MAX

/* The value that the text is. */
size_t json_edit_root(struct slice text);
/* The member KEY of the value at OBJECT. JSON_NOWHERE when there is none, or the value is of
 * another kind. */
size_t json_edit_member(struct slice text, size_t object, const char *key);
/* The element of the value at ARRAY that follows the element at AFTER, JSON_NOWHERE: the first one.
 * JSON_NOWHERE when there is none, or the value is of another kind. */
size_t json_edit_next(struct slice text, size_t array, size_t after);
/* The bytes of the value at AT. Lent by TEXT. */
struct slice json_edit_bytes(struct slice text, size_t at);

/* Puts VALUE in the place of the value at AT, on one line or many as that was. */
void json_edit_replace(struct buf *text, size_t at, const json *value);
/* Adds VALUE behind what is in the value at CONTAINER, as the member KEY of an object, or with KEY
 * NULL as an element of an array. What stands before it shows how lines are broken. */
void json_edit_add(struct buf *text, size_t container, const char *key, const json *value);
