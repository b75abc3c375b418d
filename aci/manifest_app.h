/* The app section: what to execute and how (appc aci.md "app"; also in a pod manifest's apps). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aci/check.h"
#include "base/json.h"

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

struct app_isolator {
	const char *name;
	const json *value; /* NULL when absent; isolator.h reads it by name */
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
	const struct app_isolator *isolators;
	size_t isolator_count;
};

/* Reads the JSON object VALUE found at POINTER ("/app"). Breaches go through CHECK; returns NULL with
 * *err set when the app cannot be used. Strings are lent by VALUE's document. */
struct app *app_parse(const json *value, const char *pointer, check *check, rkt_error **err);
void app_free(struct app *app);
