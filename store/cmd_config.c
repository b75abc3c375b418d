/* rkt-store config: what all configuration files together say, in the form of one. */
#include "store/cmd.h"

#include "cli/out.h"
#include "config/auth.h"
#include "config/paths.h"

/* In the place of what nobody else is to see (S-029). */
#define HIDDEN "***"

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

static json *credentials(const struct auth_entry *entry)
{
	static const struct {
		const char *user, *secret;
	} keys[] = {
		[AUTH_BASIC] = { "user", "password" },
		[AUTH_OAUTH] = { NULL, "token" },
		[AUTH_AWS] = { "accessKeyID", "secretAccessKey" },
	};
	json *object = json_new_object();

	if (entry->user)
		json_set(object, keys[entry->type].user, json_new_string(entry->user));
	json_set(object, keys[entry->type].secret, json_new_string(HIDDEN));
	if (entry->region)
		json_set(object, "awsRegion", json_new_string(entry->region));
	return object;
}

/* One object a host, as rkt prints them. */
static json *auth_entry(const struct auth_entry *entry)
{
	static const char *const types[] = {
		[AUTH_BASIC] = "basic", [AUTH_OAUTH] = "oauth", [AUTH_AWS] = "aws"
	};
	json *object = file_of_kind(entry->is_docker ? "dockerAuth" : "auth");
	json *hosts = json_new_array();

	json_append(hosts, json_new_string(entry->host));
	json_set(object, entry->is_docker ? "registries" : "domains", hosts);
	if (!entry->is_docker)
		json_set(object, "type", json_new_string(types[entry->type]));
	json_set(object, "credentials", credentials(entry));
	return object;
}

static int auth(json *files, rkt_error **err)
{
	auto_config_auth struct config_auth auth = { 0 };

	if (config_auth_read(&auth, err) < 0)
		return -1;
	for (size_t i = 0; i < auth.count; i++)
		json_append(files, auth_entry(&auth.entries[i]));
	if (auth.open_file)
		out_warning(
			"%s has secrets, and every user may read it (chmod o-r)", auth.open_file);
	return 0;
}

static int config(const char *dir, rkt_error **err)
{
	auto_json json *object = NULL, *files = json_new_array();
	json *one;

	if (auth(files, err) < 0 || paths(dir, &one, err) < 0)
		return -1;
	json_append(files, one);
	object = json_new_object();
	json_set(object, "stage0", pass_ptr(files));
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
			"rkt config: an array \"stage0\" with an object for each host that gets "
			"credentials, and one for the paths. Instead of passwords, tokens and keys "
			"it has \"***\".\n\n"
			"Files are *.json in the folders paths.d and auth.d of /usr/lib/rkt (or "
			"$RKT_SYSTEM_CONFIG), then of /etc/rkt (or $RKT_LOCAL_CONFIG), then of "
			"$RKT_USER_CONFIG, which for ordinary users is $XDG_CONFIG_HOME/rkt, else "
			"~/.config/rkt. What a later directory says wins; --dir and $RKT_DIR win over "
			"all. Each file is an object with \"rktVersion\": \"v1\" and \"rktKind\".\n\n"
			"In paths.d: \"rktKind\": \"paths\", and \"data\" (the data directory), "
			"\"stage1-images\" (where stage1 images are looked for), or both.\n\n"
			"In auth.d: \"rktKind\": \"auth\", \"domains\" (an array of hosts, or "
			"host:port where it is not the usual port), \"type\" and \"credentials\", an "
			"object: for \"basic\" of \"user\" and \"password\", for \"oauth\" of "
			"\"token\", for \"aws\" of \"accessKeyID\", \"secretAccessKey\" and, where "
			"the host's name does not say it, \"awsRegion\". Or \"rktKind\": "
			"\"dockerAuth\", \"registries\" and \"credentials\" of \"user\" and "
			"\"password\", which are kept for later. No host twice in one directory. A file "
			"that every user may read is warned of.",
		.options = options,
		.see_also = cmd_see_also };
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? config(dir, err) : got;
}
