/* The pod manifest: apps and ports here, volumes and mounts in pod_volume.c. */
#include "aci/pod.h"

#include <arpa/inet.h>
#include <string.h>

#include "aci/manifest_head.h"
#include "aci/name.h"
#include "aci/pod_volume.h"
#include "base/alloc.h"
#include "base/uuid.h"

#define KIND_POD     "PodManifest"
#define KIND_RUNTIME "ContainerRuntimeManifest" /* to 0.4 */

/* What pod_manifest_parse() hands out, and what its strings and lists live in. */
struct pod_manifest_owner {
	struct pod_manifest manifest;
	json *document;
	struct schema_block *memory;
};

/* ---- apps ------------------------------------------------------------------------------------ */

static void read_image(struct schema *schema, const struct spot *at, struct pod_app *ret)
{
	static const char *const fields[] = { "id", "name", "labels", NULL };
	struct spot id = spot_get(at, "id"), name = spot_get(at, "name");
	struct spot labels = spot_get(at, "labels");
	struct ac_pairs pairs;

	if (!at->value)
		schema_breach(schema, at, "field-missing", "is required");
	if (!schema_is(schema, at, JSON_OBJECT))
		return;
	schema_known(schema, at, fields);
	ret->image_id = manifest_image_id_read(schema, &id);
	if (!id.value)
		schema_breach(schema, &id, "field-missing", "is required");
	if (name.value)
		ret->image_name = schema_name(schema, &name, ac_identifier_is);
	pairs = labels_read(schema, &labels);
	ret->labels = pairs.items;
	ret->label_count = pairs.count;
}

static void read_annotations(struct schema *schema, const struct spot *at, struct pod_app *ret)
{
	struct spot list = spot_get(at, "annotations");
	struct ac_pairs pairs = annotations_read(schema, &list);

	ret->annotations = pairs.items;
	ret->annotation_count = pairs.count;
}

static void read_app(struct schema *schema, const struct spot *at, const struct name_set *volumes,
	struct pod_app *ret)
{
	static const char *const fields[] = { "name", "image", "app", "readOnlyRootFS", "mounts",
		"annotations", NULL };
	struct spot name = spot_get(at, "name"), image = spot_get(at, "image");
	struct spot app = spot_get(at, "app"), read_only = spot_get(at, "readOnlyRootFS");
	struct spot mounts = spot_get(at, "mounts");

	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_name_is);
	read_image(schema, &image, ret);
	ret->app = app_read(schema, &app);
	ret->read_only_rootfs = schema_boolean(schema, &read_only, false);
	ret->mounts = pod_mounts_read(schema, &mounts, volumes, &ret->mount_count);
	read_annotations(schema, at, ret);
}

/* The text of 0.1 called the name's field `app`, Rocket wrote `name`; both held an image's name. An
 * app's name is made of it, as rkt did later. */
static void read_app_old(struct schema *schema, const struct spot *at, struct pod_app *ret)
{
	static const char *const fields[] = { "app", "name", "imageID", "isolators", "annotations",
		NULL };
	struct spot name = schema_field(schema, at, "name", "app"), id = spot_get(at, "imageID");
	struct spot list = spot_get(at, "isolators");

	schema_known(schema, at, fields);
	ret->image_name = schema_name(schema, &name, ac_identifier_is);
	if (ret->image_name) {
		auto_free char *made = ac_name_from_identifier(ret->image_name);
		char *kept = schema_new(schema, strlen(made) + 1, 1);

		ret->name = strcpy(kept, made);
	}
	ret->image_id = manifest_image_id_read(schema, &id);
	if (!id.value)
		schema_breach(schema, &id, "field-missing", "is required");
	if (schema_is(schema, &list, JSON_ARRAY)) {
		struct isolators isolators = isolators_read(schema, &list, ISOLATOR_OF_APP);
		struct isolation *isolation = schema_new(schema, 1, sizeof *isolation);

		*isolation = isolators.isolation;
		ret->isolation = isolation;
	}
	read_annotations(schema, at, ret);
}

/* VOLUMES NULL: the form of 0.1. */
static void read_apps(struct schema *schema, const struct spot *at, const struct name_set *volumes,
	struct pod_manifest *manifest)
{
	size_t count = schema_count(schema, at);
	struct pod_app *apps = schema_new(schema, count, sizeof *apps);

	if (!count && (!at->value || json_kind_of(at->value) == JSON_ARRAY))
		schema_breach(schema, at, "pod-apps", "a pod needs at least one app");
	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (!schema_is_item(schema, &item, JSON_OBJECT))
			continue;
		if (volumes)
			read_app(schema, &item, volumes, &apps[i]);
		else
			read_app_old(schema, &item, &apps[i]);
	}
	schema_unique(schema, at, &(struct schema_items){ apps, count, sizeof *apps },
		"pod-app-duplicate");
	manifest->apps = apps;
	manifest->app_count = count;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static void read_port(struct schema *schema, const struct spot *at, struct pod_port *ret)
{
	static const char *const fields[] = { "name", "hostPort", "hostIP", "podPort", NULL };
	static const struct schema_range range = { 1, 65535, 1, "port-range" };
	struct spot name = spot_get(at, "name"), host_port = spot_get(at, "hostPort");
	struct spot host_ip = spot_get(at, "hostIP"), pod_port = spot_get(at, "podPort");
	struct in_addr address;

	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_name_is);
	if (!host_port.value)
		schema_breach(schema, &host_port, "field-missing", "is required");
	ret->host_port = (uint32_t)schema_integer(schema, &host_port, &range);
	ret->host_ip = schema_string(schema, &host_ip);
	if (ret->host_ip && inet_pton(AF_INET, ret->host_ip, &address) != 1)
		schema_breach(schema, &host_ip, "port-host-ip",
			"'%.100s' is not an IPv4 address like 203.0.113.23", ret->host_ip);
	if (schema_is(schema, &pod_port, JSON_OBJECT)) {
		struct app_port *port = schema_new(schema, 1, sizeof *port);

		app_port_read(schema, &pod_port, port);
		ret->pod_port = port;
	}
}

static void read_ports(struct schema *schema, const struct spot *at, struct pod_manifest *manifest)
{
	size_t count = schema_count(schema, at);
	struct pod_port *ports = schema_new(schema, count, sizeof *ports);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (schema_is_item(schema, &item, JSON_OBJECT))
			read_port(schema, &item, &ports[i]);
	}
	manifest->ports = ports;
	manifest->port_count = count;
}

struct app_port_place {
	const char *name;
	size_t app, port;
};

static int compare_places(const void *left, const void *right)
{
	const struct app_port_place *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->app < b->app ? -1 : a->app > b->app;
}

static size_t collect_ports(const struct pod_manifest *manifest, struct app_port_place *places)
{
	size_t count = 0;

	for (size_t i = 0; i < manifest->app_count; i++) {
		const struct app *app = manifest->apps[i].app;

		for (size_t k = 0; app && k < app->port_count; k++) {
			if (app->ports[k].name && places)
				places[count] = (struct app_port_place){ app->ports[k].name, i, k };
			count += app->ports[k].name != NULL;
		}
	}
	return count;
}

/* A port of the pod is found by its name alone, so two apps must not use the same. */
static void check_app_ports(
	struct schema *schema, const struct spot *apps, const struct pod_manifest *manifest)
{
	size_t count = collect_ports(manifest, NULL);
	struct app_port_place *places = schema_new(schema, count, sizeof *places);

	if (!count)
		return;
	collect_ports(manifest, places);
	qsort(places, count, sizeof *places, compare_places);
	for (size_t i = 1; i < count; i++) {
		struct spot app = spot_at(apps, places[i].app), section = spot_get(&app, "app");
		struct spot ports = spot_get(&section, "ports");
		struct spot port = spot_at(&ports, places[i].port);

		if (places[i - 1].app != places[i].app &&
			strcmp(places[i - 1].name, places[i].name) == 0)
			schema_breach(schema, &port, "port-duplicate",
				"another app of the pod has a port '%.100s' too", places[i].name);
	}
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void read_common(struct schema *schema, const struct spot *at, struct pod_manifest *manifest)
{
	struct spot isolators = spot_get(at, "isolators"), list = spot_get(at, "annotations");
	struct isolators read = isolators_read(schema, &isolators, ISOLATOR_OF_POD);
	struct ac_pairs pairs = annotations_read(schema, &list);

	manifest->isolators = read.items;
	manifest->isolator_count = read.count;
	manifest->isolation = read.isolation;
	manifest->annotations = pairs.items;
	manifest->annotation_count = pairs.count;
}

static void read_pod(struct schema *schema, const struct spot *at, struct pod_manifest *manifest)
{
	static const char *const fields[] = { "acKind", "acVersion", "apps", "volumes", "isolators",
		"annotations", "ports", "userAnnotations", "userLabels", NULL };
	struct spot apps = spot_get(at, "apps"), volumes = spot_get(at, "volumes");
	struct spot ports = spot_get(at, "ports");
	struct spot user_annotations = spot_get(at, "userAnnotations");
	struct spot user_labels = spot_get(at, "userLabels");
	struct name_set names;

	schema_known(schema, at, fields);
	manifest->volumes = pod_volumes_read(schema, &volumes, &manifest->volume_count);
	names = pod_volume_names(schema, manifest->volumes, manifest->volume_count);
	read_apps(schema, &apps, &names, manifest);
	read_common(schema, at, manifest);
	read_ports(schema, &ports, manifest);
	check_app_ports(schema, &apps, manifest);
	schema_string_map(schema, &user_annotations);
	schema_string_map(schema, &user_labels);
}

static bool is_uuid(const char *text)
{
	char lower[UUID_TEXT_LEN + 1] = { 0 };

	if (strlen(text) != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < UUID_TEXT_LEN; i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 : text[i]);
	return uuid_is(lower);
}

static void read_runtime(
	struct schema *schema, const struct spot *at, struct pod_manifest *manifest)
{
	static const char *const fields[] = { "acKind", "acVersion", "uuid", "apps", "volumes",
		"isolators", "annotations", NULL };
	struct spot uuid = spot_get(at, "uuid"), apps = spot_get(at, "apps");
	struct spot volumes = spot_get(at, "volumes"), kind = spot_get(at, "acKind");

	schema_old(schema, &kind, "is the kind texts before 0.5 had for a PodManifest");
	schema_known(schema, at, fields);
	manifest->uuid = schema_required(schema, &uuid, "pod-uuid");
	if (manifest->uuid && !is_uuid(manifest->uuid))
		schema_breach(schema, &uuid, "pod-uuid", "'%.100s' is not a UUID", manifest->uuid);
	manifest->volumes = pod_volumes_read_old(schema, &volumes, &manifest->volume_count);
	read_apps(schema, &apps, NULL, manifest);
	read_common(schema, at, manifest);
}

static void read_manifest(
	struct schema *schema, const struct spot *at, struct pod_manifest *manifest)
{
	static const char *const kinds[] = { KIND_POD, KIND_RUNTIME, NULL };
	const char *kind = NULL;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	manifest->ac_version = manifest_head_read(schema, at, kinds, &kind);
	if (kind && strcmp(kind, KIND_RUNTIME) == 0)
		read_runtime(schema, at, manifest);
	else if (kind)
		read_pod(schema, at, manifest);
}

struct pod_manifest *pod_manifest_parse(struct slice bytes, check *findings, rkt_error **err)
{
	ERROR_SCOPE(err, "pod manifest", NULL);
	struct schema schema = { .check = findings, .text = bytes };
	json *document = schema_document(&schema, bytes);
	struct spot at = spot_root(document, "");
	struct pod_manifest_owner *owner = xcalloc(1, sizeof *owner);

	owner->document = document;
	owner->manifest.document = document;
	if (document)
		read_manifest(&schema, &at, &owner->manifest);
	owner->memory = schema_take(&schema);
	if (schema_end(&schema, err) == 0)
		return &owner->manifest;
	pod_manifest_free(&owner->manifest);
	return NULL;
}

void pod_manifest_free(struct pod_manifest *manifest)
{
	struct pod_manifest_owner *owner = (struct pod_manifest_owner *)manifest;

	if (!owner)
		return;
	json_free(owner->document);
	schema_free(owner->memory);
	free(owner);
}
