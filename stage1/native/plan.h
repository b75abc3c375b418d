/* What the supervisor has worked out before the first namespace is made, and everybody after it
 * only reads. It reaches the pod's processes as their copy of the supervisor's memory. */
#pragma once

#include "stage1/common/apps.h"
#include "stage1/native/volumes.h"

enum plan_network {
	PLAN_NETWORK_NONE, /* a network of its own: loopback only */
	PLAN_NETWORK_HOST, /* the caller's */
};

struct plan {
	const char *uuid;
	const char *hostname;
	enum plan_network network;
	struct app_list apps;
	struct app_volumes *volumes; /* one an app */
	/* Which of the descriptors 0, 1, 2 are terminals (bit N): the apps get a pty there. */
	unsigned terminals;
	const char *term; /* TERM of that terminal */
};
