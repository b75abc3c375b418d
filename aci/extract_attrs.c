/* Owner, extended attributes, mode and times, in the one order that keeps them all. */
#include "aci/extract_attrs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "aci/xattr_rules.h"
#include "base/str.h"

struct extract_attrs attrs_of(const struct tar_entry *entry)
{
	return (struct extract_attrs){
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = entry->mode,
		.mtime = { .tv_sec = entry->mtime_sec, .tv_nsec = entry->mtime_nsec },
	};
}

/* A file capability is a kind of setuid: what EXTRACT_OWNER_CALLER drops. */
static bool xattr_is_wanted(const char *name, const struct extract_options *options)
{
	if (options->owner == EXTRACT_OWNER_CALLER && str_has_prefix(name, "security."))
		return false;
	return xattr_is_portable(name);
}

int attrs_set_xattrs(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *x = &entry->xattrs[i];

		if (!xattr_is_wanted(x->name, options)) {
			report->xattrs_lost++;
			continue;
		}
		if (fsetxattr(fd, x->name, x->value.data, x->value.len, 0) == 0)
			continue;
		if (errno != EPERM && errno != EACCES && errno != ENOTSUP && errno != EINVAL)
			return rkt_fail_errno(err, "set attribute %s", x->name);
		report->xattrs_lost++;
	}
	return 0;
}

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

static int set_mode_and_time(int fd, const struct extract_attrs *attrs,
	const struct extract_options *options, rkt_error **err)
{
	const struct timespec times[2] = { attrs->mtime, attrs->mtime };

	if (fchmod(fd, mode_to_set(attrs->mode, options)) < 0)
		return rkt_fail_errno(err, "chmod");
	if (futimens(fd, times) < 0)
		return rkt_fail_errno(err, "set times");
	return 0;
}

int attrs_set_dir(int fd, const struct extract_attrs *attrs, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	if (set_owner(fd, attrs, options, report, err) < 0)
		return -1;
	return set_mode_and_time(fd, attrs, options, err);
}

int attrs_set_file(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err)
{
	struct extract_attrs attrs = attrs_of(entry);

	if (set_owner(fd, &attrs, options, report, err) < 0)
		return -1;
	if (attrs_set_xattrs(fd, entry, options, report, err) < 0)
		return -1;
	return set_mode_and_time(fd, &attrs, options, err);
}

int attrs_set_at(int dir, const char *name, const struct tar_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err)
{
	struct extract_attrs attrs = attrs_of(entry);
	const struct timespec times[2] = { attrs.mtime, attrs.mtime };

	report->xattrs_lost += entry->xattr_count;
	if (options->owner == EXTRACT_OWNER_CALLER)
		count_owner(&attrs, report);
	else if (fchownat(dir, name, attrs.uid, attrs.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "chown to %u:%u", attrs.uid, attrs.gid);
	if (entry->type != TAR_SYMLINK &&
		fchmodat(dir, name, mode_to_set(attrs.mode, options), AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "chmod");
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return rkt_fail_errno(err, "set times");
	return 0;
}
