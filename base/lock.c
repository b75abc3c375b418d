/* flock(2) and fcntl(2) with errors in words. */
#include "base/lock.h"

#include <fcntl.h>
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

int lock_byte_wait(int fd, uint64_t at, rkt_error **err)
{
	struct flock byte = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(at & (INT64_MAX - 1)),
		.l_len = 1 };

	while (fcntl(fd, F_OFD_SETLKW, &byte) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "lock");
	return 0;
}
