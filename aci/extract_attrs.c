/* Owner, extended attributes, ACLs, mode and times, in the one order that keeps them all. */
#include "aci/extract_attrs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>

#include "aci/entry_acls.h"
#include "aci/xattr_rules.h"
#include "base/alloc.h"
#include "base/str.h"

#define FAT_FIRST_SEC 315532800

/* A file by its descriptor, or, where that would open it, by a path whose directory is fixed. */
struct target {
	int fd;           /* with PATH that of the directory */
	const char *path; /* NULL: FD says it */
};

int attrs_of(const struct tar_entry *entry, struct extract_attrs *ret,
	struct extract_report *report, rkt_error **err)
{
	auto_entry_acls struct entry_acls acls = { 0 };

	if (entry_acls_read(entry, &acls, err) < 0)
		return -1;
	*ret = (struct extract_attrs){
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = acls.mode,
		.mtime = { .tv_sec = entry->mtime_sec, .tv_nsec = entry->mtime_nsec },
		.access = acls.access,
		.by_default = acls.by_default,
	};
	acls.access = acls.by_default = (struct buf){ 0 }; /* handed on */
	report->xattrs_lost += acls.misplaced;
	report->acl_names_lost += acls.names_dropped;
	return 0;
}

void attrs_free(struct extract_attrs *attrs)
{
	buf_free(&attrs->access);
	buf_free(&attrs->by_default);
}

/* ---- extended attributes and ACLs ------------------------------------------------------------ */

/* A file capability is a kind of setuid: what EXTRACT_OWNER_CALLER drops. */
static bool xattr_is_wanted(const char *name, const struct extract_options *options)
{
	if (options->owner == EXTRACT_OWNER_CALLER && str_has_prefix(name, "security."))
		return false;
	return xattr_is_portable(name);
}

/* The last call failed. ext4 has one block for all attributes of a file and says ENOSPC of more, on
 * which nobody finds what is full. */
static int fail_xattr(
	const struct target *to, const char *name, struct slice value, rkt_error **err)
{
	int error = errno;
	struct statfs room;
	bool has_room = error == ENOSPC && fstatfs(to->fd, &room) == 0 && room.f_bavail;

	errno = error;
	if (has_room)
		return rkt_fail_errno(err,
			"set attribute %s of %zu bytes, more than this file system keeps with a file",
			name, value.len);
	return rkt_fail_errno(err, "set attribute %s", name);
}

/* What the file system or the kernel does not take here is counted, not an error. */
static int set_xattr(const struct target *to, const char *name, struct slice value,
	struct extract_report *report, rkt_error **err)
{
	int done = to->path ? lsetxattr(to->path, name, value.data, value.len, 0)
			    : fsetxattr(to->fd, name, value.data, value.len, 0);

	if (done == 0)
		return 0;
	/* ENOENT: /proc, which the path leads through, is not there */
	if (errno != EPERM && errno != EACCES && errno != ENOTSUP && errno != EINVAL &&
		!(to->path && errno == ENOENT))
		return fail_xattr(to, name, value, err);
	report->xattrs_lost++;
	return 0;
}

static int set_xattrs(const struct target *to, const struct tar_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *x = &entry->xattrs[i];

		if (entry_acls_has(x->name))
			continue;
		if (!xattr_is_wanted(x->name, options))
			report->xattrs_lost++;
		else if (set_xattr(to, x->name, x->value, report, err) < 0)
			return -1;
	}
	return 0;
}

int attrs_set_xattrs(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	return set_xattrs(&(struct target){ fd, NULL }, entry, options, report, err);
}

int attrs_clear_xattrs(int fd, rkt_error **err)
{
	auto_free char *names = NULL;
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len > 0) {
		names = xcalloc(1, (size_t)len);
		len = flistxattr(fd, names, (size_t)len);
	}
	if (len < 0 && errno != ENOTSUP)
		return rkt_fail_errno(err, "list attributes");
	for (const char *name = names; name && name < names + len; name += strlen(name) + 1)
		if (xattr_is_portable(name) && fremovexattr(fd, name) < 0 && errno != ENODATA)
			return rkt_fail_errno(err, "remove attribute %s", name);
	return 0;
}

static int set_acls(const struct target *to, const struct extract_attrs *attrs,
	struct extract_report *report, rkt_error **err)
{
	if (attrs->access.len &&
		set_xattr(to, ACL_ACCESS_XATTR, buf_slice(&attrs->access), report, err) < 0)
		return -1;
	if (!attrs->by_default.len)
		return 0;
	return set_xattr(to, ACL_DEFAULT_XATTR, buf_slice(&attrs->by_default), report, err);
}

int attrs_shed_acls(int fd, rkt_error **err)
{
	static const char *const names[] = { ACL_DEFAULT_XATTR, ACL_ACCESS_XATTR };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fremovexattr(fd, names[i]) < 0 && errno != ENODATA && errno != ENOTSUP)
			return rkt_fail_errno(err, "remove %s", names[i]);
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void count_owner(const struct extract_attrs *attrs, struct extract_report *report)
{
	if (attrs->uid != geteuid() || attrs->gid != getegid())
		report->owners_lost++;
}

static mode_t mode_to_set(mode_t mode, const struct extract_options *options)
{
	return options->owner == EXTRACT_OWNER_KEEP ? mode : mode & (mode_t) ~(S_ISUID | S_ISGID);
}

static int set_owner(int fd, const struct extract_attrs *attrs,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	if (options->owner == EXTRACT_OWNER_CALLER) {
		count_owner(attrs, report);
		return 0;
	}
	if (fchown(fd, attrs->uid, attrs->gid) < 0)
		return rkt_fail_errno(err, "chown to %u:%u", attrs->uid, attrs->gid);
	return 0;
}

/* File systems put what they have no number for at the end of what they have, without a word; all
 * have those from 1980, when FAT begins, to 2038. NAME is below DIR; "": DIR itself. */
static void count_time(
	int dir, const char *name, const struct extract_attrs *attrs, struct extract_report *report)
{
	int64_t sec = attrs->mtime.tv_sec;
	struct stat st;

	if (sec >= FAT_FIRST_SEC && sec <= INT32_MAX)
		return;
	if (fstatat(dir, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0)
		report->times_lost += st.st_mtim.tv_sec != sec;
}

static int set_mode_and_time(int fd, const struct extract_attrs *attrs,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	const struct timespec times[2] = { attrs->mtime, attrs->mtime };

	if (fchmod(fd, mode_to_set(attrs->mode, options)) < 0)
		return rkt_fail_errno(err, "chmod");
	if (futimens(fd, times) < 0)
		return rkt_fail_errno(err, "set times");
	count_time(fd, "", attrs, report);
	return 0;
}

int attrs_set_dir(int fd, const struct extract_attrs *attrs, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	if (set_owner(fd, attrs, options, report, err) < 0)
		return -1;
	if (set_acls(&(struct target){ fd, NULL }, attrs, report, err) < 0)
		return -1;
	return set_mode_and_time(fd, attrs, options, report, err);
}

int attrs_set_file(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	__attribute__((cleanup(attrs_free))) struct extract_attrs attrs = { 0 };

	if (attrs_of(entry, &attrs, report, err) < 0)
		return -1;
	if (set_owner(fd, &attrs, options, report, err) < 0)
		return -1;
	if (attrs_set_xattrs(fd, entry, options, report, err) < 0)
		return -1;
	if (set_acls(&(struct target){ fd, NULL }, &attrs, report, err) < 0)
		return -1;
	return set_mode_and_time(fd, &attrs, options, report, err);
}

static int set_xattrs_at(int dir, const char *name, const struct tar_entry *entry,
	const struct extract_attrs *attrs, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	auto_free char *path = xasprintf("/proc/self/fd/%d/%s", dir, name);
	const struct target to = { dir, path };

	if (set_xattrs(&to, entry, options, report, err) < 0)
		return -1;
	return set_acls(&to, attrs, report, err);
}

int attrs_set_at(int dir, const char *name, const struct tar_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	__attribute__((cleanup(attrs_free))) struct extract_attrs attrs = { 0 };
	struct timespec times[2];

	if (attrs_of(entry, &attrs, report, err) < 0)
		return -1;
	if (options->owner == EXTRACT_OWNER_CALLER)
		count_owner(&attrs, report);
	else if (fchownat(dir, name, attrs.uid, attrs.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "chown to %u:%u", attrs.uid, attrs.gid);
	if (entry->xattr_count && set_xattrs_at(dir, name, entry, &attrs, options, report, err) < 0)
		return -1;
	if (entry->type != TAR_SYMLINK &&
		fchmodat(dir, name, mode_to_set(attrs.mode, options), AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "chmod");
	times[0] = times[1] = attrs.mtime;
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "set times");
	count_time(dir, name, &attrs, report);
	return 0;
}
