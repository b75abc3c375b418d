/* The index file as it lies there, looked at before LMDB maps it. */
#include "store/db.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

#define DATA_FILE "data.mdb"

/* What data.mdb looks like to LMDB 0.9 on this machine (mdb.c, MDB_page and MDB_meta;
 * MDB_DATA_VERSION 1): two meta pages, each with a 16-byte page header before it. Only what decides
 * whether mapping the file is safe is read; numbers are in the machine's byte order. */
#define META_MAGIC     0xBEEFC0DEu
#define META_VERSION   1u
#define META_AT_MAGIC  16
#define META_AT_PAGE   40
#define META_AT_LAST   136
#define META_AT_TXN    144
#define META_SIZE      152
#define META_FORMAT_64 8 /* sizeof(size_t): the layout above holds for 64 bits only */

static uint32_t field32(const uint8_t *page, size_t at)
{
	uint32_t value;

	memcpy(&value, page + at, sizeof value);
	return value;
}

static uint64_t field64(const uint8_t *page, size_t at)
{
	uint64_t value;

	memcpy(&value, page + at, sizeof value);
	return value;
}

static int damaged(rkt_error **err, const char *how)
{
	return rkt_fail(err, RKT_INVALID, "the index is damaged: cas/index/%s %s", DATA_FILE, how);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Reads the meta page at OFFSET: its transaction and the file size it speaks of. */
static int read_meta(
	int fd, uint64_t offset, uint64_t *ret_txn, uint64_t *ret_size, rkt_error **err)
{
	uint8_t page[META_SIZE];
	ssize_t got = fd_pread_full(fd, page, sizeof page, offset, err);
	uint64_t last;

	if (got < 0)
		return -1;
	if ((size_t)got < sizeof page)
		return damaged(err, "is truncated");
	if (field32(page, META_AT_MAGIC) != META_MAGIC)
		return damaged(err, "is no LMDB file");
	if (field32(page, META_AT_MAGIC + 4) != META_VERSION)
		return damaged(err, "has an unknown LMDB version");
	last = field64(page, META_AT_LAST);
	*ret_txn = field64(page, META_AT_TXN);
	if (__builtin_mul_overflow(last + 1, (uint64_t)field32(page, META_AT_PAGE), ret_size))
		return damaged(err, "has a number out of range");
	return 0;
}

/* The size is asked for last: a commit grows the file before it writes the meta that speaks of it,
 * and may do both meanwhile. */
static int check_metas(int fd, rkt_error **err)
{
	uint8_t first[META_SIZE];
	uint64_t txn[2], need[2], page;
	struct stat st;

	_Static_assert(
		sizeof(size_t) == META_FORMAT_64, "the index format is that of 64-bit machines");
	if (fd_pread_full(fd, first, sizeof first, 0, err) < 0)
		return -1;
	page = field32(first, META_AT_PAGE);
	if (read_meta(fd, 0, &txn[0], &need[0], err) < 0)
		return -1;
	if (page < 512 || page > 65536 || (page & (page - 1)))
		return damaged(err, "has a page size out of range");
	if (read_meta(fd, page, &txn[1], &need[1], err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat cas/index/%s", DATA_FILE);
	if ((uint64_t)st.st_size < need[txn[1] > txn[0]])
		return damaged(err, "is truncated");
	return 0;
}

int db_look(int dir, enum db_file *ret, rkt_error **err)
{
	auto_fd int fd = openat(dir, DATA_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	uint8_t first[META_SIZE] = { 0 };
	struct stat st;

	*ret = DB_FILE_ABSENT;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return rkt_fail_errno(err, "open cas/index/%s", DATA_FILE);
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat cas/index/%s", DATA_FILE);
	if (!S_ISREG(st.st_mode))
		return damaged(err, "is not a regular file");
	if (fd_pread_full(fd, first, sizeof first, 0, err) < 0)
		return -1;
	if (all_zero(first, sizeof first))
		return 0;
	if (check_metas(fd, err) < 0)
		return -1;
	*ret = DB_FILE_GOOD;
	return 0;
}

int db_forget(int dir, rkt_error **err)
{
	if (unlinkat(dir, DATA_FILE, 0) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove cas/index/%s", DATA_FILE);
	return 0;
}
