/* flock(2) with errors in words. */
#include "base/lock.h"

#include <sys/file.h>

static int flag(enum lock_mode mode)
{
	return mode == LOCK_SHARED ? LOCK_SH : LOCK_EX;
}

int lock_wait(int fd, enum lock_mode mode, rkt_error **err)
{
	while (flock(fd, flag(mode)) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "lock");
	return 0;
}

int lock_try(int fd, enum lock_mode mode, rkt_error **err)
{
	while (flock(fd, flag(mode) | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		if (errno != EINTR)
			return rkt_fail_errno(err, "lock");
	}
	return 1;
}
