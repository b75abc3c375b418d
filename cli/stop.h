/*
 * How SIGINT, SIGTERM and SIGHUP end a program: by the signal, as its parent expects it, but
 * without a half line on the terminal, and where something would be left behind, not before it is
 * removed. A signal that is ignored, as under nohup(1), stays so; a second one ends at once.
 */
#pragma once

#include "base/error.h"

/* For work that leaves something behind: from here on a signal is only noted, and the work must ask
 * for it and undo itself. While it waits for others it does not ask; so where it waits for a pipe,
 * it polls what this returns, too: a descriptor, lent, that can be read from once a signal was
 * noted; -1 when there is none to be had. Not for work that waits for locks. */
int stop_note(void);
/* Fails, RKT_FAILED, once a signal was noted; else 0. In the shape of a callback. */
int stop_check(void *context, rkt_error **err);
/* Ends the process when a signal was noted: nothing is left to undo. What stop_note() returned is
 * closed. */
void stop_now(void);

/* Whether an unfinished line stands on the terminal, which a signal wipes. */
void stop_set_line(bool stands);

#define STOP_WIPE "\r\033[K"
