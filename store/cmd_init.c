/* rkt-store init: makes the store, and says who may use it. */
#include "store/cmd.h"

#include <grp.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"
#include "store/share.h"

#define GROUP_BUFFER_SIZE 65536 /* of one line of the group file, all members in it */

struct init_settings {
	const char *dir, *group;
	bool private;
};

/* NAME is a group's name, or its number. */
static int find_group(const char *name, gid_t *ret, rkt_error **err)
{
	auto_free char *room = xmalloc(GROUP_BUFFER_SIZE);
	struct group group, *found;
	uint64_t number;
	int code = getgrnam_r(name, &group, room, GROUP_BUFFER_SIZE, &found);

	if (code) {
		errno = code;
		return rkt_fail_errno(err, "look for group %s", name);
	}
	if (found) {
		*ret = found->gr_gid;
		return 0;
	}
	if (str_parse_u64(name, UINT32_MAX - 1, "group", &number, NULL) < 0)
		return rkt_fail(err, RKT_MISSING,
			"no group %s on this system: make it with groupadd --system %s", name,
			name);
	*ret = (gid_t)number;
	return 0;
}

static int init(const struct init_settings *settings, rkt_error **err)
{
	auto_store rkt_store *store = NULL;
	gid_t group = 0;

	if (settings->group && settings->private)
		return rkt_fail(err, RKT_USAGE, "--group and --private exclude each other");
	if (settings->group && geteuid() != 0)
		return rkt_fail(err, RKT_FAILED, "--group: only root shares a store");
	if (settings->group && find_group(settings->group, &group, err) < 0)
		return -1;
	store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	if (!store)
		return -1;
	if (settings->group && share_with(&store->layout, group, err) < 0)
		return -1;
	if (settings->private && share_end(&store->layout, err) < 0)
		return -1;
	printf("%s\n", rkt_store_path(store));
	if (settings->group)
		out_note("members of group %s may list, import and read images here by --dir %s",
			settings->group, rkt_store_path(store));
	return 0;
}

int cmd_init(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS]", NULL };
	static const struct command_example examples[] = {
		{ "groupadd --system rkt; rkt-store init --group rkt",
			"Members of the group rkt may fill the store of this system." },
		{ NULL, NULL },
	};
	struct init_settings settings = { NULL };
	const struct opt options[] = {
		CMD_OPTION_DIR(&settings.dir),
		{ .name = "group",
			.kind = OPT_TEXT,
			.into = &settings.group,
			.argument = "GROUP",
			.help = "Share root's store with the members of GROUP, a name or a number." },
		{ .name = "private",
			.kind = OPT_FLAG,
			.into = &settings.private,
			.help = "Share it with nobody any more." },
		CMD_OPTIONS_END,
	};
	const struct command command = { .program = "rkt-store init",
		.usage = usage,
		.summary = "make a store, or share it with a group",
		.description =
			"Makes the data directory, with an empty store in it, and prints its path. A "
			"store that is there already stays as it is. No other command needs this: "
			"those that write make the store they need.\n\n"
			"With --group the members of GROUP may list, fetch, import, verify, export "
			"and extract the images of root's store, and not remove or collect them, nor "
			"run pods. They write the files that root's pods are made of: take nobody "
			"into the group whom you would not trust as root.",
		.options = options,
		.examples = examples,
		.see_also = cmd_see_also };
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? init(&settings, err) : got;
}
