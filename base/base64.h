/* Base64 (RFC 4648, 4). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes in place and sets *LEN to the length of the result; padding may be missing. False, and
 * the bytes are of no use, when there is anything else: a line's end too. */
bool base64_decode(uint8_t *bytes, size_t *len);
