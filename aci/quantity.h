/*
 * Quantities of resources: "128974848", "0.3", "250m", "1.5G", "123Mi" (appc ace.md "Resource
 * Isolators").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is counted in: whole bytes (operations, ...), or thousandths (of a core). */
enum quantity_unit { QUANTITY_WHOLE = 1, QUANTITY_MILLI = 1000 };

/* Reads all of TEXT, in units of UNIT; what is left over of a unit makes one more, as the reference
 * tool does. On false (no number, unknown suffix, more than nine decimals, above 2^63-1), *RET_WHY
 * says why, as a constant string. */
bool quantity_parse(const char *text, enum quantity_unit unit, uint64_t *ret, const char **ret_why);
