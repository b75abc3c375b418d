/*
 * One app, from a bare mount namespace to exec.
 *
 * Its launcher builds the root, waits until the pod may start, and becomes the app. When the image
 * has a post-stop handler the launcher stays instead, in the same root, runs handler, app and
 * handler one after the other, and passes signals on to whichever runs.
 */
#pragma once

#include "stage1/native/plan.h"

struct launch {
	const struct plan *plan;
	uint32_t index; /* of the app */
	int control;    /* the pod's end of the line to the supervisor */
	int gate;       /* readable, or at its end, when the apps may start */
};

/* Runs in a process of its own, in a mount namespace of its own with private mounts, whose working
 * directory is the pod directory. Ends with the app's exit status, or one of ours after a line on
 * standard error: 127 when the program does not exist, 126 when it cannot be executed, else
 * STAGE1_EXIT_FAILED. */
_Noreturn void launch_app(const struct launch *launch);
