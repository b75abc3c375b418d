/* Handing the pod over to stage1: the last thing stage0 does. */
#pragma once

#include <stdbool.h>

#include "runner/pod_dir.h"

struct launch {
	const struct pod_dir *pod;
	bool debug, interactive;
	const char *net;      /* "none" or "host" */
	const char *hostname; /* NULL: stage1 chooses */
};

/* Executes stage1/init as stage1/contract.h says, in the working directory, where prepare_pod() has
 * made the pod: the lock goes over in RKT_LOCK_FD, every other descriptor but the standard ones is
 * closed. Returns only on error. */
int launch_stage1(const struct launch *self, rkt_error **err);
