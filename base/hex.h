/* Bytes as lower-case hexadecimal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2·LEN digits and a NUL to OUT. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);
/* Reads exactly 2·LEN lower-case digits of TEXT into OUT; false when there is anything else. */
bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len);
/* Whether the LEN characters at TEXT are all lower-case hexadecimal digits. */
bool hex_is(const char *text, size_t len);
