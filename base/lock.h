/* Advisory locks on directories and files: flock(2) and OFD locks (fcntl(2)), gone with the last
 * descriptor of the open file. */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/* Waits for the lock. */
int lock_wait(int fd, enum lock_mode mode, rkt_error **err);
/* Returns 1 when taken, 0 when somebody else holds it, -1 on error. */
int lock_try(int fd, enum lock_mode mode, rkt_error **err);

/* The same for the one byte AT (its highest and its lowest bit aside) of FD, a regular file open
 * for reading and writing. The byte need not exist. Who has the lock in one mode and asks for the
 * other changes it. Not seen by flock(2). */
int lock_byte_wait(int fd, uint64_t at, enum lock_mode mode, rkt_error **err);
int lock_byte_try(int fd, uint64_t at, enum lock_mode mode, rkt_error **err);
/* Whether the lock could be had now: 1, or 0 when somebody else holds it, -1 on error. Nothing is
 * locked, and locks by this descriptor do not count. */
int lock_byte_look(int fd, uint64_t at, enum lock_mode mode, rkt_error **err);
/* Gives the byte back. */
int lock_byte_drop(int fd, uint64_t at, rkt_error **err);
