/*
 * How far long work has come, on one line of a terminal's stderr: what, bytes, share, rate, time
 * left. Silent when stderr is no terminal, with --quiet, and in the first half second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* TOTAL 0: unknown. WHAT is shown escaped. Never NULL. */
struct progress *progress_start(const char *what, uint64_t total);
/* Whether anybody will see it. */
bool progress_is_shown(const struct progress *self);
/* Corrects the total. */
void progress_total(struct progress *self, uint64_t total);
/* DONE is absolute. Cheap: looks at the clock every so many calls. */
void progress_at(struct progress *self, uint64_t done);
/* The same for who calls seldom: looks at the clock each time. */
void progress_now(struct progress *self, uint64_t done);
/* progress_at() in the shape of a callback. */
void progress_callback(void *self, uint64_t done);
/* Wipes the line and frees. NULL is allowed. */
void progress_end(struct progress *self);
