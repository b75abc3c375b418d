/* Version 4 UUIDs (RFC 4122), written in lower case. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

#define UUID_TEXT_LEN 36

/* A new random UUID. */
int uuid_make(char out[static UUID_TEXT_LEN + 1], rkt_error **err);
/* Whether TEXT is a UUID of any version in lower case. */
bool uuid_is(const char *text);
