/* The mark of a file as it lies there. */
#include "store/seen.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "aci/siphash.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/proc.h"

#define XFS_MAGIC   0x58465342 /* not in linux/magic.h */
#define SETTLED_SEC 2
#define SAMPLES     32
#define SAMPLE      4096

/* Those whose time of change is that of the last write to less than SETTLED_SEC, through memory
 * maps too. tmpfs does not know of these; what lies on other machines or behind FUSE is up to
 * others. */
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

/* Whether nobody but us and root may write. The bits of the group are also the most that any entry
 * of an ACL gives. */
static bool is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Whether nobody has the file open, or a map of it, for writing: only then the kernel gives a
 * lease. It is given back at once. Should somebody open the file just then, a signal says so, which
 * is not to be SIGIO: that one kills. */
static bool has_no_writers(int fd)
{
	auto_free char *path = xasprintf("/proc/self/fd/%d", fd);
	auto_fd int own = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return own >= 0 && fcntl(own, F_SETSIG, SIGURG) == 0 &&
	       fcntl(own, F_SETLEASE, F_RDLCK) == 0;
}

static bool is_settled(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return st->st_ctim.tv_sec + SETTLED_SEC < now.tv_sec;
}

/* Adds bytes from all over the file: not a proof, but a clock that was set back, or a disk changed
 * behind the kernel's back, hardly gets past them. */
static bool add_samples(int fd, uint64_t size, struct buf *to)
{
	uint64_t step = size > SAMPLE ? (size - SAMPLE) / (SAMPLES - 1) : 0;

	for (uint64_t i = 0; i < SAMPLES; i++) {
		ssize_t got = fd_pread_full(fd, buf_reserve(to, SAMPLE), SAMPLE, step * i, NULL);

		if (got < 0)
			return false;
		to->len += (size_t)got;
	}
	return true;
}

/* Of the running boot, because in another one the device may have the number of another, and of the
 * samples. The key is no secret: all else in the mark is compared as it is. */
static bool sum_samples(int fd, uint64_t size, struct siphash *ret)
{
	static const struct siphash_key key;
	auto_buf struct buf bytes = { 0 };
	auto_free char *boot = proc_boot_id(NULL);

	if (!boot)
		return false;
	buf_append_text(&bytes, boot);
	if (!add_samples(fd, size, &bytes))
		return false;
	*ret = siphash(&key, bytes.data, bytes.len);
	return true;
}

static uint64_t ns_of(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Empty where there is none. */
static struct alias mark_of(const struct seen *self)
{
	struct alias mark = { 0 };
	struct siphash samples;
	struct stat st;

	if (fstat(self->fd, &st) < 0 || !is_ours(&st) || !is_settled(&st) ||
		!sum_samples(self->fd, (uint64_t)st.st_size, &samples))
		return mark;

	const uint64_t facts[] = { st.st_dev, st.st_ino, (uint64_t)st.st_size, self->at,
		ns_of(st.st_mtim), ns_of(st.st_ctim), samples.words[0], samples.words[1] };

	static_assert(sizeof facts <= sizeof mark.digest, "a mark fits an alias");
	mark.kind = ALIAS_SEEN;
	mark.len = sizeof facts;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		uint64_t fact = htole64(facts[i]);

		memcpy(mark.digest + i * sizeof fact, &fact, sizeof fact);
	}
	return mark;
}

void seen_begin(struct seen *self, int fd, uint64_t at)
{
	*self = (struct seen){ .fd = fd, .at = at };
	if (keeps_times(fd))
		self->mark = mark_of(self);
}

void seen_check(struct seen *self)
{
	struct alias now;

	if (!self->mark.len)
		return;
	/* in this order: who opens the file after the first question changes what the second finds
	 * */
	now = has_no_writers(self->fd) ? mark_of(self) : (struct alias){ 0 };
	if (now.len != self->mark.len || memcmp(now.digest, self->mark.digest, now.len) != 0)
		self->mark = (struct alias){ 0 };
}
