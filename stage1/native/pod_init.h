/*
 * Process 1 of the pod: starts the launchers, reaps everything, tells the supervisor how apps end.
 *
 * It has no files: once the launchers are on their way its root is empty and its streams are
 * closed. When it ends, for whatever reason, the kernel kills all that is left in the pod; and it
 * ends when its supervisor does, by the kernel (PDEATHSIG) and by the end of the control line.
 */
#pragma once

#include "stage1/native/plan.h"

/* Runs in a process that is new in all namespaces of the pod; CONTROL is its end of the line, in
 * blocking mode. Signals are blocked as by signals_take(). Ends with 0 when every app has ended and
 * been reported, else with STAGE1_EXIT_FAILED after a line on standard error. */
_Noreturn void pod_init(struct plan *plan, int control);
