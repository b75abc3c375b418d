/* The app section: what to execute and how (appc aci.md "app"; also in a pod manifest's apps). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aci/isolator.h"

struct app_env { /* an environment variable */
	const char *name, *value;
};

struct app_event { /* "pre-start" or "post-stop" */
	const char *name;
	const char *const *exec; /* NULL-terminated */
};

struct app_mount_point {
	const char *name, *path;
	bool read_only;
};

struct app_port {
	const char *name, *protocol;
	uint32_t port, count;
	bool socket_activated;
};

struct app {
	const char *const *exec; /* NULL-terminated; NULL when the manifest has none */
	const char *user, *group;
	const uint32_t *supplementary_gids;
	size_t supplementary_gid_count;
	const char *working_directory; /* NULL: "/" */
	const struct app_env *environment;
	size_t environment_count;
	const struct app_event *events;
	size_t event_count;
	const struct app_mount_point *mount_points;
	size_t mount_point_count;
	const struct app_port *ports;
	size_t port_count;
	const struct app_isolator *isolators; /* all, those we do not know too */
	size_t isolator_count;
	struct isolation isolation; /* what the known ones say */
};

/* Reads the JSON object VALUE found at POINTER ("/app"). Breaches go through CHECK; returns NULL
 * with *err set when there was an error among them. Strings are lent by VALUE's document. */
struct app *app_parse(const json *value, const char *pointer, check *check, rkt_error **err);
void app_free(struct app *app);

SCOPE_DEFINE(app, struct app *, app_free)
#define auto_app __attribute__((cleanup(scope_app)))

/* ---- for the readers of manifests, which have a schema already ------------------------------- */

/* The app section at AT, living as long as SCHEMA's memory; NULL when there is none. */
const struct app *app_read(struct schema *schema, const struct spot *at);
/* One port object, of an app's list or a pod's podPort. */
void app_port_read(struct schema *schema, const struct spot *at, struct app_port *ret);
/* The path at AT where something is mounted: required, absolute, without "..". */
const char *app_mount_path_read(struct schema *schema, const struct spot *at);
