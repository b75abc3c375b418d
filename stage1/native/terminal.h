/*
 * The caller's terminal: raw while the pod has it, bytes copied to and from the apps' ptys, and
 * back as it was on every way out.
 *
 * What is typed reaches the app only when there is one; ^] typed three times within a second asks
 * for the end of the pod. Output of all apps appears on the terminal. The caller's terminal is used
 * by a description of its own (non-blocking), so neither a slow terminal nor the modes of those who
 * share it come into play.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct terminal terminal;

/* Which of the descriptors 0, 1, 2 are terminals: bit N for descriptor N. */
unsigned terminal_find(void);

/* TERMINALS as found, not 0; APP_COUNT apps will come. The terminal is not touched yet. */
terminal *terminal_open(unsigned terminals, size_t app_count, rkt_error **err);
/* Gives the caller's terminal back as it was. NULL is allowed. */
void terminal_close(terminal *self);

/* Takes over MASTER, the pty of one app. With the first one the caller's terminal becomes raw, and
 * says how to get out. */
int terminal_add(terminal *self, int master, rkt_error **err);

/* After SIGCONT: raw again, where the terminal is ours again. After SIGWINCH: passes the size
 * on. */
void terminal_continued(terminal *self);
void terminal_resized(terminal *self);

/* How many entries terminal_poll() fills at most. */
size_t terminal_poll_count(const terminal *self);
/* Fills FDS with what to wait for and returns the number of entries. */
size_t terminal_poll(const terminal *self, struct pollfd *fds);
/* Copies what can be copied now. Returns whether the end of the pod was asked for. */
bool terminal_copy(terminal *self);

/* Writes out what the apps, all gone now, have left behind; gives up where nobody takes it. */
void terminal_drain(terminal *self);

SCOPE_DEFINE(terminal, terminal *, terminal_close)
#define auto_terminal __attribute__((cleanup(scope_terminal)))
