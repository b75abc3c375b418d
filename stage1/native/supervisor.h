/*
 * The process on the host's side: it stays outside all namespaces of the pod, holds the lock on the
 * pod directory, writes what the contract wants written, has the caller's terminal and signals, and
 * ends with the pod's status. When it is killed the pod dies with it.
 */
#pragma once

#include "stage1/native/plan.h"

struct supervisor_options {
	const char *uuid;
	const char *hostname;
	enum plan_network network;
	bool interactive; /* standard input must reach the app: refuse to share it */
	bool debug;       /* say on standard error what is done */
	int lock;         /* the descriptor of the pod's lock, close-on-exec */
};

/* Runs the pod in the working directory to its end. Returns the exit status of stage1 (that of the
 * first app that failed, else 0), or -1. */
int supervise(const struct supervisor_options *options, rkt_error **err);
