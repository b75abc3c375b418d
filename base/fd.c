/* Whole reads and writes on file descriptors. */
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/uuid.h"

#define PIECE 65536u

#ifndef MFD_NOEXEC_SEAL /* not in the headers of Debian 12 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int fd_write_all(int fd, const void *bytes, size_t len, rkt_error **err)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return rkt_fail_errno(err, "write");
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *bytes, size_t len, uint64_t offset, rkt_error **err)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t put = pwrite(fd, at, len, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return rkt_fail_errno(err, "write");
		at += put;
		offset += (uint64_t)put;
		len -= (size_t)put;
	}
	return 0;
}

ssize_t fd_read_full(int fd, void *bytes, size_t len, rkt_error **err)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got = read(fd, (uint8_t *)bytes + have, len - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rkt_fail_errno(err, "read");
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

ssize_t fd_pread_full(int fd, void *bytes, size_t len, uint64_t offset, rkt_error **err)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got =
			pread(fd, (uint8_t *)bytes + have, len - have, (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rkt_fail_errno(err, "read");
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int fd_same(int one, int other, uint64_t *ret_at, rkt_error **err)
{
	auto_free uint8_t *bytes = xmalloc(2 * PIECE);
	ssize_t len;

	*ret_at = 0;
	do {
		ssize_t other_len = fd_pread_full(other, bytes + PIECE, PIECE, *ret_at, err);

		len = other_len < 0 ? -1 : fd_pread_full(one, bytes, PIECE, *ret_at, err);
		if (len < 0)
			return -1;
		if (len != other_len || memcmp(bytes, bytes + PIECE, (size_t)len) != 0)
			return 0;
		*ret_at += (uint64_t)len;
	} while (len);
	return 1;
}

int fd_copy(int from, int to, rkt_error **err)
{
	auto_free uint8_t *bytes = xmalloc(PIECE);
	ssize_t len;

	while ((len = fd_read_full(from, bytes, PIECE, err)) > 0)
		if (fd_write_all(to, bytes, (size_t)len, err) < 0)
			return -1;
	return (int)len;
}

static int copy_range(int from, int to, uint64_t at, uint64_t end, rkt_error **err)
{
	auto_free uint8_t *bytes = xmalloc(PIECE);

	while (at < end) {
		size_t wanted = end - at < PIECE ? (size_t)(end - at) : PIECE;
		ssize_t len = fd_pread_full(from, bytes, wanted, at, err);

		if (len < 0 || fd_pwrite_all(to, bytes, (size_t)len, at, err) < 0)
			return -1;
		if (!len)
			break; /* somebody cut it */
		at += (uint64_t)len;
	}
	return 0;
}

int fd_copy_sparse(int from, int to, rkt_error **err)
{
	off_t at = 0, size = lseek(from, 0, SEEK_END);

	while (size >= 0 && (at = lseek(from, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, at, SEEK_HOLE);

		if (end < 0)
			return rkt_fail_errno(err, "seek");
		if (copy_range(from, to, (uint64_t)at, (uint64_t)end, err) < 0)
			return -1;
		at = end;
	}
	if (errno != ENXIO) /* no more data */
		return rkt_fail_errno(err, "seek");
	return ftruncate(to, size) < 0 ? rkt_fail_errno(err, "set the size") : 0;
}

int fd_read_rest(int fd, size_t max, struct buf *buf, rkt_error **err)
{
	size_t before = buf->len;

	for (;;) {
		size_t left = max - (buf->len - before);
		size_t step = left < PIECE ? left + 1 : PIECE; /* one more, to see that it ends */
		ssize_t got = fd_read_full(fd, buf_reserve(buf, step), step, err);

		if (got < 0)
			return -1;
		buf->len += (size_t)got;
		if (buf->len - before > max)
			return rkt_fail(
				err, RKT_INVALID, "longer than the limit of %zu bytes", max);
		if ((size_t)got < step)
			return 0;
	}
}

int fd_read_file(int dir, const char *name, size_t max, struct buf *buf, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", name);
	auto_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	if (!S_ISREG(st.st_mode))
		return rkt_fail(err, RKT_INVALID, "not a regular file");
	return fd_read_rest(fd, max, buf, err);
}

/* The sysctl vm.memfd_noexec=2 refuses files in memory that could be run, and Linux 6.3 to 6.5
 * those that do not say whether they could; older kernels do not know the flag. */
int fd_in_memory(const char *name, rkt_error **err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return fd < 0 ? rkt_fail_errno(err, "memfd_create") : fd;
}

int fd_of_bytes(struct slice bytes, rkt_error **err)
{
	auto_fd int fd = fd_in_memory("bytes", err);

	if (fd < 0)
		return -1;
	if (fd_pwrite_all(fd, bytes.data, bytes.len, 0, err) < 0)
		return -1;
	return pass_fd(fd);
}

int fd_tmpfile(int dir, rkt_error **err)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? rkt_fail_errno(err, "create unnamed file") : fd;
}

bool fd_needs_name(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

/* A file whose name is gone at once. In cas/tmp gc may be faster. */
static int make_and_unlink(int dir, rkt_error **err)
{
	char name[sizeof ".scratch-" + UUID_TEXT_LEN] = ".scratch-";
	auto_fd int fd = -1;

	if (uuid_make(name + strlen(name), err) < 0)
		return -1;
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return rkt_fail_errno(err, "create a scratch file");
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove a scratch file's name");
	return pass_fd(fd);
}

int fd_scratch(int dir, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	int fd = fd_tmpfile(dir, &why);

	if (fd >= 0)
		return fd;
	return fd_needs_name(rkt_error_errno(why)) ? make_and_unlink(dir, err)
						   : rkt_fail_with(err, pass_ptr(why));
}

int fd_link(int fd, int dir, const char *name, rkt_error **err)
{
	char self[32];

	/* AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH; open(2) documents this way */
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno == ENOENT && access(self, F_OK) < 0)
		return rkt_fail(err, RKT_FAILED, "link %s: /proc is not mounted", name);
	return errno == EEXIST ? 1 : rkt_fail_errno(err, "link %s", name);
}

int fd_open_dir(int dir, const char *name, rkt_error **err)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "open %s: no such directory", name);
	return fd < 0 ? rkt_fail_errno(err, "open %s", name) : fd;
}

int fd_make_dir(int dir, const char *name, mode_t mode, bool *ret_made, rkt_error **err)
{
	bool made = mkdirat(dir, name, mode) == 0;
	auto_fd int fd = -1;

	if (!made && errno != EEXIST)
		return rkt_fail_errno(err, "mkdir %s", name);
	fd = fd_open_dir(dir, name, err);
	if (fd < 0)
		return -1;
	if (made && fchmod(fd, mode) < 0) /* mkdir subtracts the umask */
		return rkt_fail_errno(err, "chmod %s", name);
	if (ret_made)
		*ret_made = made;
	return pass_fd(fd);
}

const char *fd_not_replaced(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, 0) < 0)
		return NULL;
	switch (st.st_mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return NULL;
	}
}
