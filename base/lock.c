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

static struct flock byte_of(uint64_t at, short type)
{
	return (struct flock){ .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(at & (INT64_MAX - 1)),
		.l_len = 1 };
}

static int lock_byte(int fd, int command, uint64_t at, short type, rkt_error **err)
{
	struct flock byte = byte_of(at, type);

	while (fcntl(fd, command, &byte) < 0) {
		if (command == F_OFD_SETLK && (errno == EAGAIN || errno == EACCES))
			return 0;
		if (errno != EINTR)
			return rkt_fail_errno(err, "lock");
	}
	return 1;
}

static short byte_type(enum lock_mode mode)
{
	return mode == LOCK_SHARED ? F_RDLCK : F_WRLCK;
}

int lock_byte_wait(int fd, uint64_t at, enum lock_mode mode, rkt_error **err)
{
	return lock_byte(fd, F_OFD_SETLKW, at, byte_type(mode), err) < 0 ? -1 : 0;
}

int lock_byte_try(int fd, uint64_t at, enum lock_mode mode, rkt_error **err)
{
	return lock_byte(fd, F_OFD_SETLK, at, byte_type(mode), err);
}

int lock_byte_drop(int fd, uint64_t at, rkt_error **err)
{
	return lock_byte(fd, F_OFD_SETLKW, at, F_UNLCK, err) < 0 ? -1 : 0;
}

int lock_byte_look(int fd, uint64_t at, enum lock_mode mode, rkt_error **err)
{
	struct flock byte = byte_of(at, byte_type(mode));

	if (fcntl(fd, F_OFD_GETLK, &byte) < 0)
		return rkt_fail_errno(err, "look at lock");
	return byte.l_type == F_UNLCK;
}
