/* What files take on their disk. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Adds to *BYTES what NAME below DIR takes, with all that is below it when it is a directory.
 * Follows no symlink and crosses no mount; any depth works. Of a file with several names each
 * stands for its part, so a tree that has them all counts it once. What is not there, goes
 * meanwhile, or may not be read adds nothing. */
int usage_add(int dir, const char *name, uint64_t *bytes, rkt_error **err);
