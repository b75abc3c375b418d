/* An image manifest made of what the command line says, or changed by it. */
#include "aci-tools/compose.h"

#include <string.h>

#include "aci/manifest_edit.h"
#include "base/alloc.h"
#include "base/str.h"

#define AC_VERSION "0.8.11"

/* What a field that was not given becomes. */
enum defaults { DEFAULTS_SET, DEFAULTS_ABSENT };

static bool has_app(const struct compose *c)
{
	return c->exec.count || c->user || c->group || c->environment.count ||
	       c->working_directory || c->ports.count || c->mounts.count || c->isolators.count;
}

bool compose_is_used(const struct compose *c)
{
	return c->name || c->labels.count || c->annotations.count || c->dependencies.count ||
	       has_app(c);
}

void compose_free(struct compose *c)
{
	free(c->labels.items);
	free(c->annotations.items);
	free(c->exec.items);
	free(c->environment.items);
	free(c->ports.items);
	free(c->mounts.items);
	free(c->isolators.items);
	free(c->dependencies.items);
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

static int set_mounts(
	json *app, const struct opts_list *list, enum defaults defaults, rkt_error **err)
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
		if (read_only || defaults == DEFAULTS_ABSENT) /* there may be another to change */
			json_set(object, "readOnly", json_new_bool(read_only));
		json_append(array, object);
	}
	return 0;
}

static int set_isolators(json *app, const struct opts_list *list, rkt_error **err)
{
	json *array = json_new_array();

	json_set(app, "isolators", array);
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = NULL;
		const char *text;
		json *object, *value;

		text = split(list->items[i], '=', "NAME=JSON", &name, err);
		if (!text)
			return -1;
		value = json_parse(slice_of_text(text), err);
		if (!value)
			return rkt_fail_outer(err, "the isolator %s", name);
		object = json_new_object();
		json_set(object, "name", json_new_string(name));
		json_set(object, "value", value);
		json_append(array, object);
	}
	return 0;
}

/* The labels in TEXT, "VERSION,LABEL=VALUE,..." of which all is optional, but not that something
 * follows a comma. TEXT is cut up. */
static int set_dependency_labels(json *dependency, char *version, char *rest, rkt_error **err)
{
	struct opts_list labels = { 0 };
	auto_free char *first = version ? xasprintf("version=%s", version) : NULL;
	int done;

	if (first)
		opts_list_add(&labels, first);
	while (rest) {
		char *comma = strchr(rest, ',');

		if (comma)
			*comma++ = '\0';
		opts_list_add(&labels, rest);
		rest = comma;
	}
	done = set_pairs(dependency, "labels", &labels, err);
	free(labels.items);
	return done;
}

static char *cut(char *text, char separator)
{
	char *at = text ? strrchr(text, separator) : NULL;

	if (at)
		*at++ = '\0';
	return at;
}

static int set_dependencies(json *root, const struct opts_list *list, rkt_error **err)
{
	json *array = json_new_array();

	json_set(root, "dependencies", array);
	for (size_t i = 0; i < list->count; i++) {
		auto_free char *name = xstrdup(list->items[i]);
		char *id = cut(name, '@'), *labels = strchr(name, ','), *version;
		json *object = json_new_object();

		json_append(array, object);
		if (labels)
			*labels++ = '\0';
		version = cut(name, ':');
		json_set(object, "imageName", json_new_string(name));
		if (id)
			json_set(object, "imageID", json_new_string(id));
		if (set_dependency_labels(object, version, labels, err) < 0)
			return rkt_fail_outer(err, "the dependency %s", list->items[i]);
	}
	return 0;
}

static void set_user(json *app, const char *key, const char *name, enum defaults defaults)
{
	if (name || defaults == DEFAULTS_SET)
		json_set(app, key, json_new_string(name ?: "0"));
}

static int set_app(json *root, const struct compose *c, enum defaults defaults, rkt_error **err)
{
	json *app = json_new_object(), *exec;

	json_set(root, "app", app);
	if (c->exec.count) {
		exec = json_new_array();
		json_set(app, "exec", exec);
		for (size_t i = 0; i < c->exec.count; i++)
			json_append(exec, json_new_string(c->exec.items[i]));
	}
	set_user(app, "user", c->user, defaults);
	set_user(app, "group", c->group, defaults);
	if (c->working_directory)
		json_set(app, "workingDirectory", json_new_string(c->working_directory));
	if (set_pairs(app, "environment", &c->environment, err) < 0)
		return -1;
	if (c->ports.count && set_ports(app, &c->ports, err) < 0)
		return -1;
	if (c->mounts.count && set_mounts(app, &c->mounts, defaults, err) < 0)
		return -1;
	return c->isolators.count ? set_isolators(app, &c->isolators, err) : 0;
}

static int check_list(const struct opts_list *list, rkt_error **err)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_check_utf8(list->items[i], err) < 0)
			return -1;
	return 0;
}

/* Isolators are JSON, and their reader says where in it. */
static int check_texts(const struct compose *c, rkt_error **err)
{
	const struct opts_list *const lists[] = { &c->labels, &c->annotations, &c->exec,
		&c->environment, &c->ports, &c->mounts, &c->dependencies };
	const char *const texts[] = { c->name, c->user, c->group, c->working_directory };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i] && str_check_utf8(texts[i], err) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (check_list(lists[i], err) < 0)
			return -1;
	return 0;
}

/* Everything but what every manifest begins with. */
static int set_fields(json *root, const struct compose *c, enum defaults defaults, rkt_error **err)
{
	if (check_texts(c, err) < 0)
		return -1;
	if (c->name)
		json_set(root, "name", json_new_string(c->name));
	if (set_pairs(root, "labels", &c->labels, err) < 0)
		return -1;
	if (has_app(c) && set_app(root, c, defaults, err) < 0)
		return -1;
	if (c->dependencies.count && set_dependencies(root, &c->dependencies, err) < 0)
		return -1;
	return set_pairs(root, "annotations", &c->annotations, err);
}

int compose_manifest(const struct compose *c, struct buf *ret, rkt_error **err)
{
	auto_json json *root = json_new_object();

	if (!c->name)
		return rkt_fail(err, RKT_USAGE, "give the image a name with --name, or --manifest");
	json_set(root, "acKind", json_new_string("ImageManifest"));
	json_set(root, "acVersion", json_new_string(AC_VERSION));
	if (set_fields(root, c, DEFAULTS_SET, err) < 0)
		return -1;
	json_write(root, JSON_PRETTY, ret);
	buf_append_text(ret, "\n");
	return 0;
}

int compose_change(const struct compose *c, struct slice old, struct buf *ret, rkt_error **err)
{
	auto_json json *before = json_parse(old, err), *changes = json_new_object();

	if (!before)
		return -1;
	if (set_fields(changes, c, json_get(before, "app") ? DEFAULTS_ABSENT : DEFAULTS_SET, err) <
		0)
		return -1;
	return manifest_edit(old, changes, ret, err);
}
