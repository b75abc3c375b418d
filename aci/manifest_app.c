/* The app section, one function for each of its lists. */
#include "aci/manifest_app.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"

#define PORT_MAX 65535
/* (gid_t)-1 means "leave it" to the kernel */
#define GID_MAX 4294967294

/* What app_parse() hands out: the app and the memory of its lists. */
struct app_owner {
	struct app app;
	struct schema_block *memory;
};

/* ---- exec and events ------------------------------------------------------------------------- */

/* An empty list is as good as none (0.7.2 dropped the demand for one); an empty name is not. */
static const char *const *read_exec(struct schema *schema, const struct spot *at)
{
	const char *const *exec = schema_strings(schema, at, NULL);
	struct spot first = spot_at(at, 0);

	if (exec && !*exec[0])
		schema_breach(schema, &first, "exec-empty", "the program to execute has no name");
	return exec;
}

static void read_event(struct schema *schema, const struct spot *at, struct app_event *ret)
{
	static const char *const fields[] = { "name", "exec", NULL };
	struct spot name = spot_get(at, "name"), exec = spot_get(at, "exec");

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	schema_known(schema, at, fields);
	ret->name = schema_required(schema, &name, "event-name");
	if (ret->name && strcmp(ret->name, "pre-start") != 0 && strcmp(ret->name, "post-stop") != 0)
		schema_breach(schema, &name, "event-name",
			"'%.100s' is neither pre-start nor post-stop", ret->name);
	ret->exec = read_exec(schema, &exec);
	if (!ret->exec)
		schema_breach(schema, &exec, "exec-empty", "a handler needs a program to execute");
}

static void read_events(struct schema *schema, const struct spot *at, struct app *app)
{
	size_t count = schema_count(schema, at);
	struct app_event *events = schema_new(schema, count, sizeof *events);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		read_event(schema, &item, &events[i]);
	}
	schema_unique(schema, at, &(struct schema_items){ events, count, sizeof *events },
		"event-duplicate");
	app->events = events;
	app->event_count = count;
}

/* ---- environment ----------------------------------------------------------------------------- */

static void read_variable(struct schema *schema, const struct spot *at, struct app_env *ret)
{
	static const char *const fields[] = { "name", "value", NULL };
	struct spot name = spot_get(at, "name"), value = spot_get(at, "value");

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, env_name_is);
	ret->value = schema_string(schema, &value);
	if (!value.value)
		schema_breach(schema, &value, "field-missing", "is required");
}

/* { "NAME": "value", ... }, as texts before 0.3 had it. */
static void read_environment_map(struct schema *schema, const struct spot *at, struct app *app)
{
	size_t count = json_count(at->value), i = 0;
	struct app_env *variables = schema_new(schema, count, sizeof *variables);

	schema_old(schema, at, "is an object, as in early texts, where a list is expected");
	for (struct json_iter it = json_iter_start(at->value); json_iter_next(&it); i++) {
		struct spot item = { .parent = at, .key = it.key, .value = it.value };
		const char *why = NULL;

		if (!env_name_is(it.key, &why))
			schema_breach(schema, &item, "env-name", "'%.100s' %s", it.key, why);
		variables[i].name = it.key;
		if (schema_is_item(schema, &item, JSON_STRING))
			variables[i].value = json_string(item.value);
	}
	app->environment = variables;
	app->environment_count = count;
}

static void read_environment(struct schema *schema, const struct spot *at, struct app *app)
{
	size_t count;
	struct app_env *variables;

	if (json_kind_of(at->value) == JSON_OBJECT) {
		read_environment_map(schema, at, app);
		return;
	}
	count = schema_count(schema, at);
	variables = schema_new(schema, count, sizeof *variables);
	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		read_variable(schema, &item, &variables[i]);
	}
	schema_unique(schema, at, &(struct schema_items){ variables, count, sizeof *variables },
		"env-duplicate");
	app->environment = variables;
	app->environment_count = count;
}

/* ---- mount points and ports ------------------------------------------------------------------ */

static bool has_dotdot(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2) {
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	}
	return false;
}

const char *app_mount_path_read(struct schema *schema, const struct spot *at)
{
	const char *path = schema_required(schema, at, "mount-path");

	if (path && path[0] != '/')
		schema_breach(schema, at, "mount-path", "'%.100s' is not an absolute path", path);
	else if (path && has_dotdot(path))
		schema_breach(schema, at, "mount-path", "'%.100s' has a '..' part", path);
	return path;
}

static void read_mount_points(struct schema *schema, const struct spot *at, struct app *app)
{
	static const char *const fields[] = { "name", "path", "readOnly", NULL };
	size_t count = schema_count(schema, at);
	struct app_mount_point *points = schema_new(schema, count, sizeof *points);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i), name = spot_get(&item, "name");
		struct spot path = spot_get(&item, "path");
		struct spot read_only = spot_get(&item, "readOnly");

		if (!schema_is_item(schema, &item, JSON_OBJECT))
			continue;
		schema_known(schema, &item, fields);
		points[i].name = schema_name(schema, &name, ac_name_is);
		points[i].path = app_mount_path_read(schema, &path);
		points[i].read_only = schema_boolean(schema, &read_only, false);
	}
	schema_unique(schema, at, &(struct schema_items){ points, count, sizeof *points },
		"mount-point-duplicate");
	app->mount_points = points;
	app->mount_point_count = count;
}

void app_port_read(struct schema *schema, const struct spot *at, struct app_port *ret)
{
	static const char *const fields[] = { "name", "protocol", "port", "count",
		"socketActivated", NULL };
	static const struct schema_range range = { 1, PORT_MAX, 1, "port-range" };
	struct spot name = spot_get(at, "name"), protocol = spot_get(at, "protocol");
	struct spot port = spot_get(at, "port"), count = spot_get(at, "count");
	struct spot activated = spot_get(at, "socketActivated");

	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_name_is);
	ret->protocol = schema_required(schema, &protocol, "field-missing");
	if (ret->protocol && strcmp(ret->protocol, "tcp") != 0 && strcmp(ret->protocol, "udp") != 0)
		schema_breach(schema, &protocol, "port-protocol", "'%.100s' is neither tcp nor udp",
			ret->protocol);
	if (!port.value)
		schema_breach(schema, &port, "field-missing", "is required");
	ret->port = (uint32_t)schema_integer(schema, &port, &range);
	ret->count = (uint32_t)schema_integer(schema, &count, &range);
	if (ret->port + ret->count - 1 > PORT_MAX)
		schema_breach(schema, at, "port-range", "the range ends at %u, above %u",
			ret->port + ret->count - 1, PORT_MAX);
	ret->socket_activated = schema_boolean(schema, &activated, false);
}

static void read_ports(struct schema *schema, const struct spot *at, struct app *app)
{
	size_t count = schema_count(schema, at);
	struct app_port *ports = schema_new(schema, count, sizeof *ports);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (schema_is_item(schema, &item, JSON_OBJECT))
			app_port_read(schema, &item, &ports[i]);
	}
	schema_unique(schema, at, &(struct schema_items){ ports, count, sizeof *ports },
		"port-duplicate");
	app->ports = ports;
	app->port_count = count;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The text writes supplementaryGIDs in one place and supplementaryGids in another; the schema of
 * 0.7.0 had supplementaryGroups. */
static void read_gids(struct schema *schema, const struct spot *at, struct app *app)
{
	static const struct schema_range range = { 0, GID_MAX, 0, "app-gids" };
	struct spot list = schema_field(schema, at, "supplementaryGIDs", "supplementaryGids");
	size_t count;
	uint32_t *gids;

	if (!list.value)
		list = schema_field(schema, at, "supplementaryGIDs", "supplementaryGroups");
	count = schema_count(schema, &list);
	gids = schema_new(schema, count, sizeof *gids);
	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(&list, i);

		if (schema_is_item(schema, &item, JSON_INTEGER))
			gids[i] = (uint32_t)schema_integer(schema, &item, &range);
	}
	app->supplementary_gids = gids;
	app->supplementary_gid_count = count;
}

static void read_identity(struct schema *schema, const struct spot *at, struct app *app)
{
	struct spot user = spot_get(at, "user"), group = spot_get(at, "group");
	struct spot directory = spot_get(at, "workingDirectory");

	app->user = schema_required(schema, &user, "app-user");
	app->group = schema_required(schema, &group, "app-group");
	read_gids(schema, at, app);
	app->working_directory = schema_string(schema, &directory);
	if (app->working_directory && !*app->working_directory)
		app->working_directory = NULL; /* the reference tool writes "" for absent */
	if (app->working_directory && app->working_directory[0] != '/')
		schema_breach(schema, &directory, "app-directory",
			"'%.100s' is not an absolute path", app->working_directory);
}

static void read_isolators(struct schema *schema, const struct spot *at, struct app *app)
{
	struct spot list = spot_get(at, "isolators");
	struct isolators isolators = isolators_read(schema, &list, ISOLATOR_OF_APP);

	app->isolators = isolators.items;
	app->isolator_count = isolators.count;
	app->isolation = isolators.isolation;
}

static void fill_app(struct schema *schema, const struct spot *at, struct app *app)
{
	static const char *const fields[] = { "exec", "user", "group", "supplementaryGIDs",
		"supplementaryGids", "supplementaryGroups", "eventHandlers", "workingDirectory",
		"environment", "isolators", "mountPoints", "ports", "userAnnotations", "userLabels",
		NULL };
	struct spot exec = spot_get(at, "exec"), events = spot_get(at, "eventHandlers");
	struct spot environment = spot_get(at, "environment");
	struct spot mount_points = spot_get(at, "mountPoints"), ports = spot_get(at, "ports");
	struct spot annotations = spot_get(at, "userAnnotations");
	struct spot labels = spot_get(at, "userLabels");

	schema_known(schema, at, fields);
	app->exec = read_exec(schema, &exec);
	read_identity(schema, at, app);
	read_events(schema, &events, app);
	read_environment(schema, &environment, app);
	read_isolators(schema, at, app);
	read_mount_points(schema, &mount_points, app);
	read_ports(schema, &ports, app);
	schema_string_map(schema, &annotations);
	schema_string_map(schema, &labels);
}

const struct app *app_read(struct schema *schema, const struct spot *at)
{
	struct app *app;

	if (!schema_is(schema, at, JSON_OBJECT))
		return NULL;
	app = schema_new(schema, 1, sizeof *app);
	fill_app(schema, at, app);
	return app;
}

struct app *app_parse(const json *value, const char *pointer, check *findings, rkt_error **err)
{
	struct schema schema = { .check = findings };
	struct spot at = spot_root(value, pointer);
	struct app_owner *owner = xcalloc(1, sizeof *owner);

	if (schema_is_item(&schema, &at, JSON_OBJECT))
		fill_app(&schema, &at, &owner->app);
	owner->memory = schema_take(&schema);
	if (schema_end(&schema, err) == 0)
		return &owner->app;
	app_free(&owner->app);
	return NULL;
}

void app_free(struct app *app)
{
	struct app_owner *owner = (struct app_owner *)app; /* APP is its first member */

	if (!owner)
		return;
	schema_free(owner->memory);
	free(owner);
}
