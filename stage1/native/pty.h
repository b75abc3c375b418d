/* The app's end of a terminal: a pty of the app's own /dev/pts (S-071: no app ever holds a
 * descriptor of the caller's terminal). */
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct pty {
	int master, slave;
};

/* Opens a new pty in the calling process's /dev/pts, of the size of the terminal LIKE, owned by
 * UID. Where standard input is no terminal (TERMINALS as in struct plan) the caller's own terminal
 * goes on translating line ends, so this one does not. */
int pty_open(int like, unsigned terminals, uid_t uid, struct pty *ret, rkt_error **err);
