/* Capabilities: what an app may keep at most, and how a process lets go of the rest (S-063). */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* One bit a capability, bit N for number N of capabilities(7). */
typedef uint64_t cap_set;

/* Reduces the bounding set of the calling process to KEEP; no exec can bring back the rest. Needs
 * CAP_SETPCAP, so it comes before the change of user. */
int caps_bound(cap_set keep, rkt_error **err);

/* Reduces the permitted and effective sets to KEEP and empties the inheritable and ambient ones.
 * For a process that stays root; the change to another user does it by itself. */
int caps_limit(cap_set keep, rkt_error **err);
