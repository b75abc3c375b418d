/* Files that appear whole or not at all, on every file system. */
#include "base/draft.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"

static int fail_existing(rkt_error **err)
{
	return rkt_fail(err, RKT_FAILED, "it exists; --overwrite replaces it");
}

static int refuse_existing(const struct draft *d, rkt_error **err)
{
	const char *other = fd_not_replaced(d->place.dir, d->place.name);
	struct stat st;

	if (other)
		return rkt_fail(
			err, RKT_FAILED, "it is %s, not a file; - is standard output", other);
	if (fstatat(d->place.dir, d->place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "stat");
	if (d->over == DRAFT_KEEP)
		return fail_existing(err);
	return 0;
}

/* A name beside the one the file will have; the caller frees it. NULL on error. */
static char *meanwhile_name(const struct draft *d, rkt_error **err)
{
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random) {
		rkt_fail_errno(err, "getrandom");
		return NULL;
	}
	return xasprintf(".%.*s.%08x", 240, d->place.name, random);
}

static int open_named(struct draft *d, rkt_error **err)
{
	auto_free char *name = meanwhile_name(d, err);

	if (!name)
		return -1;
	d->fd = openat(
		d->place.dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->fd < 0)
		return rkt_fail_errno(err, "create");
	d->name = pass_ptr(name);
	return 0;
}

static int open_any(struct draft *d, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	d->fd = fd_tmpfile(d->place.dir, &why);
	if (d->fd >= 0)
		return 0;
	return fd_needs_name(rkt_error_errno(why)) ? open_named(d, err)
						   : rkt_fail_with(err, pass_ptr(why));
}

int draft_open(struct draft *d, const char *path, enum draft_over over, rkt_error **err)
{
	d->over = over;
	if (place_find(&d->place, path, err) < 0 || refuse_existing(d, err) < 0)
		return -1;
	return open_any(d, err);
}

/* Where the file system cannot rename without replacing, a second name will do. */
static int rename_to_new(const struct draft *d)
{
	if (renameat2(d->place.dir, d->name, d->place.dir, d->place.name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(d->place.dir, d->name, d->place.dir, d->place.name, 0) < 0)
		return -1;
	return unlinkat(d->place.dir, d->name, 0);
}

/* From a name of its own to the one it is to have: 0, 1 when that exists, or -1. */
static int rename_draft(struct draft *d, rkt_error **err)
{
	int done = d->over == DRAFT_REPLACE
			   ? renameat(d->place.dir, d->name, d->place.dir, d->place.name)
			   : rename_to_new(d);

	if (done < 0)
		return errno == EEXIST ? 1 : rkt_fail_errno(err, "rename");
	scope_free(&d->name);
	d->name = NULL;
	return 0;
}

/* The same from no name; to replace a file, over a second one. */
static int link_draft(struct draft *d, rkt_error **err)
{
	auto_free char *name = NULL;
	int linked;

	if (d->over == DRAFT_KEEP)
		return fd_link(d->fd, d->place.dir, d->place.name, err);
	name = meanwhile_name(d, err);
	if (!name)
		return -1;
	linked = fd_link(d->fd, d->place.dir, name, err);
	if (linked)
		return linked > 0 ? rkt_fail(err, RKT_FAILED, "link %s: it exists", name) : -1;
	d->name = pass_ptr(name);
	return rename_draft(d, err);
}

/* As creat(2) would have made it. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(022);

	umask(mask);
	return 0666 & ~mask;
}

static int appear(struct draft *d, rkt_error **err)
{
	if (fchmod(d->fd, d->mode ? d->mode : usual_mode()) < 0)
		return rkt_fail_errno(err, "chmod");
	return d->name ? rename_draft(d, err) : link_draft(d, err);
}

int draft_sync(const struct draft *d, rkt_error **err)
{
	return fdatasync(d->fd) < 0 ? rkt_fail_errno(err, "sync") : 0;
}

int draft_appear(struct draft *d, rkt_error **err)
{
	int there = appear(d, err);

	return there > 0 ? fail_existing(err) : there;
}

void draft_withdraw(struct draft *d)
{
	unlinkat(d->place.dir, d->place.name, 0);
}

static void give_up(struct draft *d)
{
	if (d->name)
		unlinkat(d->place.dir, d->name, 0);
	scope_free(&d->name);
	scope_close(&d->fd);
}

void draft_free(struct draft *d)
{
	give_up(d);
	place_free(&d->place);
}

static int write_new(struct draft *d, struct slice bytes, rkt_error **err)
{
	int there;

	if (open_any(d, err) < 0 || fd_write_all(d->fd, bytes.data, bytes.len, err) < 0)
		return -1;
	there = appear(d, err);
	if (there <= 0)
		return there;
	errno = EEXIST;
	return rkt_fail_errno(err, "link");
}

int draft_write(int dir, const char *name, struct slice bytes, mode_t mode, rkt_error **err)
{
	ERROR_SCOPE(err, "writing", name);
	auto_free char *own = xstrdup(name);
	struct draft d = { .fd = -1, .over = DRAFT_KEEP, .mode = mode, .place = { dir, own } };
	int result = write_new(&d, bytes, err);

	give_up(&d);
	return result;
}
