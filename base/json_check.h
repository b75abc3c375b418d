/* The strict pass over JSON text before json-c sees it: RFC 8259 and the rules of S-014. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 64

/* Returns 0 when BYTES are one strict JSON value, else -1 with RKT_INVALID and the place:
 * "json: line 3, column 14, at /app/exec/0: duplicate key". Time is linear in the length times the
 * logarithm of the number of keys; memory in proportion to the keys of the objects open. */
int json_check(struct slice bytes, rkt_error **err);
