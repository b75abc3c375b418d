/* Advisory locks on directories and files: flock(2), gone with the last descriptor of the open
 * file. */
#pragma once

#include "base/error.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/* Waits for the lock. */
int lock_wait(int fd, enum lock_mode mode, rkt_error **err);
/* Returns 1 when taken, 0 when somebody else holds it, -1 on error. */
int lock_try(int fd, enum lock_mode mode, rkt_error **err);
