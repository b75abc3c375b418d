/* Which signals a pod passes on to its apps, and how each process of ours stands to signals. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

/* Whether the supervisor passes SIGNAL on. */
bool signal_is_forwarded(int signal);

/* Blocks all signals that we take from a descriptor or by sigwaitinfo(2), in this process and those
 * it makes, and returns a signalfd of them. A signal the caller ignores (nohup) stays ignored. */
int signals_take(rkt_error **err);
/* The set of the above. */
sigset_t signals_taken(void);

/* Before exec: everything at its default and nothing blocked. */
void signals_reset(void);
