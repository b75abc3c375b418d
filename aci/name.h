/* AC Identifiers, AC Names and environment names (appc types.md). */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* ^[a-z0-9]+([-._~/][a-z0-9]+)*$ : names of images, labels, isolators, annotations. On false,
 * *RET_WHY (may be NULL) says which rule is broken, as a constant string. */
bool ac_identifier_is(const char *text, const char **ret_why);
/* ^[a-z0-9]+([-][a-z0-9]+)*$ : names of apps, volumes, mount points, ports. */
bool ac_name_is(const char *text, const char **ret_why);
/* Letters, digits, '_', '.', '-', not beginning with a digit. */
bool env_name_is(const char *text, const char **ret_why);

/* Whether NAME is PREFIX or below it, part by part: example.com/foo covers itself and
 * example.com/foo/bar, but neither example.com/foobar nor example.com.evil.org (S-024). Both are AC
 * Identifiers; with a PREFIX that is none the answer is false. */
bool ac_identifier_has_prefix(const char *name, const char *prefix);

/* The AC Name nearest to an identifier, as rkt made app names of image names: the part after the
 * last '/', every run of other characters one '-'. The caller frees it. */
char *ac_name_from_identifier(const char *identifier);
