/*
 * Which stores this process has open: each may be only once. LMDB's locks are the process's own
 * (fcntl(2), F_SETLK), so that closing a second handle would take away those of the first, and
 * others would begin anew under it.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct opened {
	dev_t dev;
	ino_t ino;
	pid_t pid; /* who entered it: a child that was forked has nothing open; 0: nobody */
	struct opened *next;
};

/* Enters the store whose index is in the folder DIR, or fails with RKT_USAGE when it is entered
 * already. SELF, all zero before, stays the caller's, and where it is, until opened_leave(). */
int opened_enter(struct opened *self, int dir, rkt_error **err);
/* Of one that was not entered, too. */
void opened_leave(struct opened *self);
