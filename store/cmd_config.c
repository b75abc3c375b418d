/* rkt-store config: what all configuration files together say, in the form of one. */
#include "store/cmd.h"

#include "cli/out.h"
#include "config/paths.h"

static json *file_of_kind(const char *kind)
{
	json *object = json_new_object();

	json_set(object, "rktVersion", json_new_string("v1"));
	json_set(object, "rktKind", json_new_string(kind));
	return object;
}

static int paths(const char *dir, json **ret, rkt_error **err)
{
	auto_config_paths struct config_paths paths = { 0 };
	auto_free char *usual = NULL;

	if (config_paths_read(&paths, err) < 0)
		return -1;
	if (!dir)
		dir = usual = layout_default_path(err);
	if (!dir)
		return -1;
	*ret = file_of_kind("paths");
	json_set(*ret, "data", json_new_string(dir));
	if (paths.stage1_images.path)
		json_set(*ret, "stage1-images", json_new_string(paths.stage1_images.path));
	return 0;
}

static int config(const char *dir, rkt_error **err)
{
	auto_json json *object = NULL;
	json *files, *one;

	if (paths(dir, &one, err) < 0)
		return -1;
	files = json_new_array();
	json_append(files, one);
	object = json_new_object();
	json_set(object, "stage0", files);
	out_json(object);
	return 0;
}

int cmd_config(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS]", NULL };
	const char *dir = NULL;
	const struct opt options[] = { CMD_OPTION_DIR(&dir), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store config",
		.usage = usage,
		.summary = "print the configuration in effect",
		.description =
			"Prints what all configuration files together say, as JSON in the form of "
			"rkt config: an array \"stage0\" with one object a kind.\n\n"
			"Files are *.json in the folder paths.d of /usr/lib/rkt (or "
			"$RKT_SYSTEM_CONFIG), then of /etc/rkt (or $RKT_LOCAL_CONFIG), then of "
			"$RKT_USER_CONFIG, which for ordinary users is $XDG_CONFIG_HOME/rkt, else "
			"~/.config/rkt. What a later directory says wins; --dir and $RKT_DIR win over "
			"all. Each file is an object with \"rktKind\": \"paths\", \"rktVersion\": \"v1\", "
			"and \"data\" (the data directory), \"stage1-images\" (where stage1 images are "
			"looked for), or both.",
		.options = options,
		.see_also = cmd_see_also };
	struct operands none;
	enum opts_result got = opts_parse(&command, argc, argv, &none, err);

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	free(none.items);
	return config(dir, err);
}
