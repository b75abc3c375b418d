/* rkt-store extract: an image from the store into a directory. */
#include "store/cmd.h"

#include <fcntl.h>
#include <string.h>

#include "aci/extract.h"
#include "base/alloc.h"
#include "cli/out.h"
#include "store/blob.h"

struct extract_settings {
	const char *dir;
	bool rootfs_only, devices;
};

/* Splits PATH, without slashes at its end, into an open folder and a name in there. */
static int open_parent(char *path, const char **ret_name, rkt_error **err)
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
	if (slash)
		*slash = '\0';
	fd = open(slash ? (*path ? path : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such directory: %s", path);
	return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
}

static void tell_losses(const struct extract_report *report)
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

static int extract(const struct extract_settings *settings, const char *reference, const char *to,
	rkt_error **err)
{
	ERROR_SCOPE(err, "extracting", reference);
	const struct extract_options options = { .what = settings->rootfs_only ? EXTRACT_ROOTFS
									       : EXTRACT_IMAGE,
		.owner = geteuid() == 0 ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
		.devices = settings->devices ? EXTRACT_DEVICES_MAKE : EXTRACT_DEVICES_REFUSE };
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *record = NULL;
	auto_image image_reader *image = NULL;
	auto_free char *path = xstrdup(to);
	struct extract_report report = { 0 };
	const char *name;
	auto_fd int parent = -1;
	int blob;

	if (cmd_find(settings->dir, reference, &store, &record, err) < 0)
		return -1;
	parent = open_parent(path, &name, err);
	blob = parent < 0 ? -1 : rkt_store_open_blob(store, &record->id, err);
	if (blob < 0)
		return -1;
	/* a damaged blob fails at its last byte, when nothing has its name yet */
	image = image_open(source_verified(source_from_fd(blob), &record->id), NULL);
	if (extract_image(image, parent, name, &options, &report, err) < 0)
		return -1;
	tell_losses(&report);
	return 0;
}

int cmd_extract(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE DIR", NULL };
	struct extract_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "rootfs-only",
			.kind = OPT_FLAG,
			.into = &settings.rootfs_only,
			.help = "Put the content of the root file system directly into DIR, without "
				"the manifest." },
		{ .name = "devices",
			.kind = OPT_FLAG,
			.into = &settings.devices,
			.help = "Make device nodes (needs root); without it an image that has some is "
				"refused." },
		CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store extract",
		.usage = usage,
		.summary = "unpack an image into a directory",
		.description =
			"Unpacks the image into DIR, which must not exist or be empty: DIR/manifest and "
			"DIR/rootfs. The bytes are verified on the way; on any error DIR stays as it "
			"was. Owners are kept when root does it.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.operands_min = 2,
		.operands_max = 2 };
	struct operands operands;
	enum opts_result got = opts_parse(&command, argc, argv, &operands, err);
	int result;

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	result = extract(&settings, operands.items[0], operands.items[1], err);
	free(operands.items);
	return result;
}
