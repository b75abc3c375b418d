/* An image manifest made of what the command line says. */
#include "aci-tools/compose.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

#define AC_VERSION "0.8.11"

bool compose_is_used(const struct compose *c)
{
	return c->name || c->labels.count || c->annotations.count || c->exec.count || c->user ||
	       c->group || c->environment.count || c->working_directory || c->ports.count ||
	       c->mounts.count;
}

static bool has_app(const struct compose *c)
{
	return c->exec.count || c->user || c->group || c->environment.count ||
	       c->working_directory || c->ports.count || c->mounts.count;
}

void compose_free(struct compose *c)
{
	free(c->labels.items);
	free(c->annotations.items);
	free(c->exec.items);
	free(c->environment.items);
	free(c->ports.items);
	free(c->mounts.items);
}

/* Cuts TEXT at the first SEPARATOR: returns what is after it and gives what is before it, which the
 * caller frees. NULL when it is not of the FORM. */
static const char *split(
	const char *text, char separator, const char *form, char **ret_name, rkt_error **err)
{
	const char *at = strchr(text, separator);

	if (!at || at == text) {
		rkt_fail(err, RKT_USAGE, "'%s' is not of the form %s", text, form);
		return NULL;
	}
	*ret_name = xmemdup(text, (size_t)(at - text));
	return at + 1;
}

/* Sets KEY of OBJECT to an array of objects with name and value, if there are any. */
static int set_pairs(json *object, const char *key, const struct opts_list *list, rkt_error **err)
{
	json *array;

	if (!list->count)
		return 0;
	array = json_new_array();
	json_set(object, key, array);
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = NULL;
		const char *value;
		json *pair;

		value = split(list->items[i], '=', "NAME=VALUE", &name, err);
		if (!value)
			return -1;
		pair = json_new_object();
		json_set(pair, "name", json_new_string(name));
		json_set(pair, "value", json_new_string(value));
		json_append(array, pair);
	}
	return 0;
}

static int set_ports(json *app, const struct opts_list *list, rkt_error **err)
{
	json *array = json_new_array();

	json_set(app, "ports", array);
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = NULL, *number = NULL;
		const char *value, *slash;
		uint64_t port;
		json *object;

		value = split(list->items[i], ':', "NAME:PORT[/PROTOCOL]", &name, err);
		if (!value)
			return -1;
		slash = strchr(value, '/');
		number = xmemdup(value, slash ? (size_t)(slash - value) : strlen(value));
		if (str_parse_u64(number, 65535, "port", &port, err) < 0)
			return -1;
		object = json_new_object();
		json_set(object, "name", json_new_string(name));
		json_set(object, "port", json_new_integer((int64_t)port));
		json_set(object, "protocol", json_new_string(slash ? slash + 1 : "tcp"));
		json_append(array, object);
	}
	return 0;
}

static int set_mounts(json *app, const struct opts_list *list, rkt_error **err)
{
	json *array = json_new_array();

	json_set(app, "mountPoints", array);
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = NULL, *path = NULL;
		const char *value;
		bool read_only;
		json *object;

		value = split(list->items[i], ':', "NAME:PATH[:ro]", &name, err);
		if (!value)
			return -1;
		read_only = str_has_suffix(value, ":ro");
		path = xmemdup(value, strlen(value) - (read_only ? strlen(":ro") : 0));
		object = json_new_object();
		json_set(object, "name", json_new_string(name));
		json_set(object, "path", json_new_string(path));
		if (read_only)
			json_set(object, "readOnly", json_new_bool(true));
		json_append(array, object);
	}
	return 0;
}

static int set_app(json *root, const struct compose *c, rkt_error **err)
{
	json *app = json_new_object(), *exec;

	json_set(root, "app", app);
	if (c->exec.count) {
		exec = json_new_array();
		json_set(app, "exec", exec);
		for (size_t i = 0; i < c->exec.count; i++)
			json_append(exec, json_new_string(c->exec.items[i]));
	}
	json_set(app, "user", json_new_string(c->user ?: "0"));
	json_set(app, "group", json_new_string(c->group ?: "0"));
	if (c->working_directory)
		json_set(app, "workingDirectory", json_new_string(c->working_directory));
	if (set_pairs(app, "environment", &c->environment, err) < 0)
		return -1;
	if (c->ports.count && set_ports(app, &c->ports, err) < 0)
		return -1;
	return c->mounts.count ? set_mounts(app, &c->mounts, err) : 0;
}

int compose_manifest(const struct compose *c, struct buf *ret, rkt_error **err)
{
	auto_json json *root = json_new_object();

	if (!c->name)
		return rkt_fail(err, RKT_USAGE, "give the image a name with --name, or --manifest");
	json_set(root, "acKind", json_new_string("ImageManifest"));
	json_set(root, "acVersion", json_new_string(AC_VERSION));
	json_set(root, "name", json_new_string(c->name));
	if (set_pairs(root, "labels", &c->labels, err) < 0)
		return -1;
	if (has_app(c) && set_app(root, c, err) < 0)
		return -1;
	if (set_pairs(root, "annotations", &c->annotations, err) < 0)
		return -1;
	json_write(root, JSON_PRETTY, ret);
	buf_append_text(ret, "\n");
	return 0;
}
