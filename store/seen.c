/* The mark of a file as it lies there. */
#include "store/seen.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "aci/siphash.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/proc.h"

#define XFS_MAGIC   0x58465342 /* not in linux/magic.h */
#define SETTLED_SEC 2
#define SAMPLES     32
#define SAMPLE      4096

/* Those that note the time of writes through memory maps too, to less than SETTLED_SEC. tmpfs does
 * not; what lies on other machines or behind FUSE is up to others. */
static bool keeps_times(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case XFS_MAGIC:
		return true;
	default:
		return false;
	}
}

static bool is_settled(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return st->st_ctim.tv_sec + SETTLED_SEC < now.tv_sec;
}

/* Adds bytes from all over the file: not a proof, but a clock that was set back, or a disk changed
 * behind the kernel's back, hardly gets past them. */
static int add_samples(int fd, uint64_t size, struct buf *to, rkt_error **err)
{
	uint64_t step = size > SAMPLE ? (size - SAMPLE) / (SAMPLES - 1) : 0;

	for (uint64_t i = 0; i < SAMPLES; i++) {
		ssize_t got = fd_pread_full(fd, buf_reserve(to, SAMPLE), SAMPLE, step * i, err);

		if (got < 0)
			return -1;
		to->len += (size_t)got;
	}
	return 0;
}

/* Of the running boot, because in another one the device may have the number of another, and of the
 * samples. The key is no secret: all else in the mark is compared as it is. */
static int sum_samples(int fd, uint64_t size, struct siphash *ret, rkt_error **err)
{
	static const struct siphash_key key;
	auto_buf struct buf bytes = { 0 };
	auto_free char *boot = proc_boot_id(err);

	if (!boot)
		return -1;
	buf_append_text(&bytes, boot);
	if (add_samples(fd, size, &bytes, err) < 0)
		return -1;
	*ret = siphash(&key, bytes.data, bytes.len);
	return 0;
}

static uint64_t ns_of(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int make_mark(
	const struct seen *self, const struct stat *st, struct alias *ret, rkt_error **err)
{
	struct siphash samples;

	if (sum_samples(self->fd, (uint64_t)st->st_size, &samples, err) < 0)
		return -1;

	const uint64_t facts[] = { st->st_dev, st->st_ino, (uint64_t)st->st_size, self->at,
		ns_of(st->st_mtim), ns_of(st->st_ctim), samples.words[0], samples.words[1] };

	*ret = (struct alias){ .kind = ALIAS_SEEN, .len = sizeof facts };
	static_assert(sizeof facts <= sizeof ret->digest, "a mark fits an alias");
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		uint64_t fact = htole64(facts[i]);

		memcpy(ret->digest + i * sizeof fact, &fact, sizeof fact);
	}
	return 0;
}

/* Empty where there is none. */
static int mark(const struct seen *self, struct alias *ret, rkt_error **err)
{
	struct stat st;

	*ret = (struct alias){ 0 };
	if (fstat(self->fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	return is_settled(&st) ? make_mark(self, &st, ret, err) : 0;
}

int seen_begin(struct seen *self, int fd, uint64_t at, rkt_error **err)
{
	*self = (struct seen){ .fd = fd, .at = at };
	if (!keeps_times(fd) || sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) < 0)
		return 0;
	return mark(self, &self->mark, err);
}

int seen_confirm(struct seen *self, rkt_error **err)
{
	struct alias now;

	if (!self->mark.len)
		return 0;
	if (mark(self, &now, err) < 0)
		return -1;
	if (now.len != self->mark.len || memcmp(now.digest, self->mark.digest, now.len) != 0)
		self->mark = (struct alias){ 0 };
	return 0;
}
