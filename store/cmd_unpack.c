/* What extract and render have in common: writing images into directories. */
#include "store/cmd.h"

#include <unistd.h>

#include "base/str.h"
#include "cli/out.h"
#include "cli/stop.h"

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
		out_warning("%llu extended attribute%s could not be kept",
			(unsigned long long)report->xattrs_lost, str_plural(report->xattrs_lost));
	if (report->acl_names_lost)
		out_warning("%llu entries of ACLs name a user or group without a number and could "
			    "not be kept",
			(unsigned long long)report->acl_names_lost);
	if (report->times_lost)
		out_warning(
			"this file system has no number for the times of %llu file%s, which got "
			"others",
			(unsigned long long)report->times_lost, str_plural(report->times_lost));
	if (report->owners_lost)
		out_warning("the owners of %llu entries could not be kept: that needs root",
			(unsigned long long)report->owners_lost);
}
