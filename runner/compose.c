/* The pod manifest: what the user asked for, put over what the images say. */
#include "runner/compose.h"

#include <string.h>

#include "aci/manifest.h"
#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"
#include "stage1/contract.h"

#define POD_AC_VERSION "0.8.11"

/* Who runs an app that says nothing about it. */
#define DEFAULT_ID "0"

int compose_check_environment(const char *pair, rkt_error **err)
{
	const char *equals = strchr(pair, '='), *why = NULL;
	auto_free char *name = NULL;

	if (!equals)
		return rkt_fail(err, RKT_USAGE, "environment \"%s\": must be NAME=VALUE", pair);
	name = xmemdup(pair, (size_t)(equals - pair));
	if (!env_name_is(name, &why))
		return rkt_fail(err, RKT_USAGE, "environment \"%s\": %s", pair, why);
	return str_check_utf8(pair, err);
}

/* ---- the app section ------------------------------------------------------------------------ */

static json *compose_exec(const struct app_request *request, const struct app *app)
{
	json *exec = json_new_array();

	if (request->exec)
		json_append(exec, json_new_string(request->exec));
	else
		for (const char *const *word = app->exec; *word; word++)
			json_append(exec, json_new_string(*word));
	for (size_t i = 0; i < request->arg_count; i++)
		json_append(exec, json_new_string(request->args[i]));
	return exec;
}

static size_t name_len(const char *pair)
{
	return strcspn(pair, "=");
}

/* Whether a pair from number FROM on sets the variable of LEN bytes at NAME. */
static bool sets(const struct app_request *request, size_t from, const char *name, size_t len)
{
	for (size_t i = from; i < request->environment_count; i++)
		if (name_len(request->environment[i]) == len &&
			memcmp(request->environment[i], name, len) == 0)
			return true;
	return false;
}

static void add_variable(json *list, const char *name, const char *value)
{
	json *variable = json_new_object();

	json_set(variable, "name", json_new_string(name));
	json_set(variable, "value", json_new_string(value));
	json_append(list, variable);
}

static json *compose_environment(const struct app_request *request, const struct app *app)
{
	json *list = json_new_array();

	for (size_t i = 0; app && i < app->environment_count; i++) {
		const struct app_env *env = &app->environment[i];

		if (!sets(request, 0, env->name, strlen(env->name)))
			add_variable(list, env->name, env->value);
	}
	for (size_t i = 0; i < request->environment_count; i++) {
		const char *pair = request->environment[i];
		size_t len = name_len(pair);
		auto_free char *name = xmemdup(pair, len);

		if (!sets(request, i + 1, pair, len))
			add_variable(list, name, pair + len + 1);
	}
	return list;
}

static bool overrides(const struct app_request *request)
{
	return request->exec || request->user || request->group || request->working_dir ||
	       request->arg_count || request->environment_count;
}

/* The members a request may replace, in the order of the specification. */
struct override {
	const char *key;
	json *value; /* NULL: keep the image's */
};

/* What was asked for, else FALLBACK, else nothing. */
static json *text_or(const char *asked, const char *fallback)
{
	const char *text = asked ?: fallback;

	return text ? json_new_string(text) : NULL;
}

/*
 * The whole app section, with what was asked for in place of what the image says: the pod's
 * replaces the image's, it is not merged with it (pods.md). Members nobody here knows are kept.
 */
static json *compose_app_section(
	const struct app_request *request, const struct image_manifest *manifest)
{
	const struct app *app = manifest->app;
	const char *id = app ? NULL : DEFAULT_ID;
	struct override table[] = {
		{ "exec", compose_exec(request, app) },
		{ "user", text_or(request->user, id) },
		{ "group", text_or(request->group, id) },
		{ "workingDirectory", text_or(request->working_dir, NULL) },
		{ "environment",
			request->environment_count ? compose_environment(request, app) : NULL },
	};
	json *section = json_new_object();
	struct json_iter it = json_iter_start(json_get(manifest->document, "app"));

	while (app && json_iter_next(&it)) {
		json *value = NULL;

		for (size_t i = 0; i < ARRAY_LEN(table) && !value; i++)
			if (strcmp(table[i].key, it.key) == 0)
				value = pass_ptr(table[i].value);
		json_set(section, it.key, value ?: json_copy(it.value));
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].value)
			json_set(section, table[i].key, table[i].value);
	return section;
}

/* ---- an app of the pod ---------------------------------------------------------------------- */

static json *compose_image(const rkt_image_record *record, const struct image_manifest *manifest)
{
	json *image = json_new_object();
	const json *labels = json_get(manifest->document, "labels");

	json_set(image, "name", json_new_string(manifest->name));
	json_set(image, "id", json_new_string(record->id.text));
	if (labels)
		json_set(image, "labels", json_copy(labels));
	return image;
}

/* What each mount point of the image is given. One that no volume was given for stays open: stage1
 * puts an empty directory of the app's own there, as rkt did. */
static json *compose_mounts(
	const struct pod_request *request, const struct app *app, const char *name)
{
	json *mounts = json_new_array();

	for (size_t i = 0; app && i < app->mount_point_count; i++) {
		const struct app_mount_point *point = &app->mount_points[i];
		json *mount;

		if (!volumes_find(&request->volumes, point->name)) {
			if (request->open_mount)
				request->open_mount(name, point->name, point->path);
			continue;
		}
		mount = json_new_object();
		json_set(mount, "volume", json_new_string(point->name));
		json_set(mount, "path", json_new_string(point->path));
		json_append(mounts, mount);
	}
	return mounts;
}

/* The name of the app, which the caller frees: what was asked for, else one made from the image's.
 * An image's may be longer than an app's. */
static char *app_name(
	const struct app_request *asked, const struct image_manifest *manifest, rkt_error **err)
{
	auto_free char *name =
		asked->name ? xstrdup(asked->name) : ac_name_from_identifier(manifest->name);

	if (strlen(name) <= STAGE1_APP_NAME_MAX)
		return pass_ptr(name);
	rkt_fail(err, RKT_USAGE,
		"app name \"%s\": has more than %d characters; give another with --name", name,
		STAGE1_APP_NAME_MAX);
	return NULL;
}

static json *compose_app(const struct pod_request *request, size_t index, rkt_error **err)
{
	const struct app_request *asked = &request->apps[index];
	const rkt_image_record *record = request->images[index];
	ERROR_SCOPE(err, "image", record->name);
	const struct slice bytes = { (const uint8_t *)record->manifest, record->manifest_len };
	auto_image_manifest struct image_manifest *manifest =
		image_manifest_parse(bytes, NULL, err);
	auto_free char *name = NULL;
	auto_json json *mounts = NULL;
	json *app;

	if (!manifest)
		return NULL;
	if (!asked->exec && !(manifest->app && manifest->app->exec && manifest->app->exec[0])) {
		rkt_fail(err, RKT_INVALID, "says nothing to execute; give --exec PATH");
		return NULL;
	}
	name = app_name(asked, manifest, err);
	if (!name)
		return NULL;
	mounts = compose_mounts(request, manifest->app, name);
	app = json_new_object();
	json_set(app, "name", json_new_string(name));
	json_set(app, "image", compose_image(record, manifest));
	if (overrides(asked))
		json_set(app, "app", compose_app_section(asked, manifest));
	if (json_count(mounts))
		json_set(app, "mounts", pass_ptr(mounts));
	return app;
}

/* ---- the pod -------------------------------------------------------------------------------- */

static bool has_app(const json *apps, const char *name)
{
	for (size_t i = 0; i < json_count(apps); i++)
		if (strcmp(json_string(json_get(json_at(apps, i), "name")), name) == 0)
			return true;
	return false;
}

/* Stage1, and whoever looks at the pod later, would not read a larger one. */
static int check_size(const struct buf *manifest, rkt_error **err)
{
	if (manifest->len <= MANIFEST_SIZE_MAX)
		return 0;
	return rkt_fail(err, RKT_INVALID,
		"the pod manifest would have %zu bytes, and may have %d: give fewer or shorter "
		"arguments and variables, or fewer apps",
		manifest->len, MANIFEST_SIZE_MAX);
}

int compose_pod(const struct pod_request *request, struct buf *out, rkt_error **err)
{
	auto_json json *pod = json_new_object();
	json *apps = json_new_array(), *volumes = json_new_array();

	json_set(pod, "acVersion", json_new_string(POD_AC_VERSION));
	json_set(pod, "acKind", json_new_string("PodManifest"));
	json_set(pod, "apps", apps);
	json_set(pod, "volumes", volumes);
	for (size_t i = 0; i < request->app_count; i++) {
		json *app = compose_app(request, i, err);
		const char *name;

		if (!app)
			return -1;
		name = json_string(json_get(app, "name"));
		if (has_app(apps, name)) {
			rkt_fail(err, RKT_USAGE,
				"multiple apps with name \"%s\"; tell them apart with --name",
				name);
			json_free(app);
			return -1;
		}
		json_append(apps, app);
	}
	for (size_t i = 0; i < request->volumes.count; i++)
		json_append(volumes, volume_to_json(&request->volumes.items[i]));
	json_write(pod, JSON_COMPACT, out);
	return check_size(out, err);
}
