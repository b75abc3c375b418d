/* What extract and render have in common: writing images into directories. */
#include "store/cmd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/stop.h"

int cmd_unpack_place(char *path, const char **ret_name, rkt_error **err)
{
	size_t len = strlen(path);
	char *slash;
	int fd;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name)
		return rkt_fail(err, RKT_USAGE, "%s is not the name of a directory", path);
	if (strcmp(*ret_name, ".") == 0 || strcmp(*ret_name, "..") == 0)
		return rkt_fail(
			err, RKT_USAGE, "'%s' does not say what to make: give a name", path);
	if (slash)
		*slash = '\0';
	fd = open(slash ? (*path ? path : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such directory: %s", path);
	return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
}

struct extract_options cmd_unpack_options(const struct cmd_unpack *self)
{
	return (struct extract_options){
		.what = self->rootfs_only ? EXTRACT_ROOTFS : EXTRACT_IMAGE,
		.owner = geteuid() == 0 ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
		.devices = self->devices ? EXTRACT_DEVICES_MAKE : EXTRACT_DEVICES_REFUSE,
		.go_on = stop_check,
	};
}

void cmd_unpack_tell(const struct extract_report *report)
{
	if (report->xattrs_lost)
		out_warning("%llu extended attributes could not be kept",
			(unsigned long long)report->xattrs_lost);
	if (report->acl_names_lost)
		out_warning("%llu entries of ACLs name a user or group without a number and could "
			    "not be kept",
			(unsigned long long)report->acl_names_lost);
	if (report->owners_lost)
		out_warning("the owners of %llu entries could not be kept: that needs root",
			(unsigned long long)report->owners_lost);
}
