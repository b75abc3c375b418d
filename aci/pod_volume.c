/* Volumes by kind, in the form of 0.8 and of 0.1, and mounts. */
#include "aci/pod_volume.h"

#include <stdlib.h>
#include <string.h>

#include "aci/name.h"

#define MODE_DEFAULT 0755
/* (uid_t)-1 means "leave it" to the kernel */
#define ID_MAX 4294967294

/* ---- volumes --------------------------------------------------------------------------------- */

static void read_kind(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	struct spot kind = spot_get(at, "kind");
	const char *text = schema_required(schema, &kind, "volume-kind");

	if (text && strcmp(text, "empty") == 0)
		ret->kind = POD_VOLUME_EMPTY;
	else if (text && strcmp(text, "host") != 0)
		schema_breach(
			schema, &kind, "volume-kind", "'%.100s' is neither host nor empty", text);
}

static void read_source(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	struct spot source = spot_get(at, "source");

	if (ret->kind == POD_VOLUME_EMPTY) {
		const char *text = schema_string(schema, &source);

		if (text && *text)
			schema_breach(
				schema, &source, "volume-source", "an empty volume has no source");
		return;
	}
	ret->source = schema_required(schema, &source, "volume-source");
	if (ret->source && ret->source[0] != '/')
		schema_breach(schema, &source, "volume-source", "'%.100s' is not an absolute path",
			ret->source);
}

static uint32_t read_mode(struct schema *schema, const struct spot *at)
{
	const char *text = schema_string(schema, at);

	if (!text)
		return MODE_DEFAULT;
	if (*text && strspn(text, "01234567") == strlen(text) && strlen(text) <= 5) {
		unsigned long mode = strtoul(text, NULL, 8);

		if (mode <= 07777)
			return (uint32_t)mode;
	}
	schema_breach(schema, at, "volume-mode", "'%.100s' is not an octal mode like 0755", text);
	return MODE_DEFAULT;
}

/* mode, uid and gid: of empty volumes only, as the reference tool has it. */
static void read_ownership(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	static const struct schema_range range = { 0, ID_MAX, 0, "volume-mode" };
	struct spot mode = spot_get(at, "mode"), uid = spot_get(at, "uid"),
		    gid = spot_get(at, "gid");
	const struct spot *given = mode.value ? &mode : uid.value ? &uid : gid.value ? &gid : NULL;

	if (given && ret->kind != POD_VOLUME_EMPTY)
		schema_breach(schema, given, "volume-mode", "has no meaning for a host volume");
	ret->mode = read_mode(schema, &mode);
	ret->uid = (uint32_t)schema_integer(schema, &uid, &range);
	ret->gid = (uint32_t)schema_integer(schema, &gid, &range);
}

/* All but the name. */
static void read_body(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	struct spot read_only = spot_get(at, "readOnly"), recursive = spot_get(at, "recursive");

	read_kind(schema, at, ret);
	read_source(schema, at, ret);
	read_ownership(schema, at, ret);
	ret->read_only = schema_boolean(schema, &read_only, false);
	ret->recursive = schema_boolean(schema, &recursive, true);
}

static void read_volume(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	static const char *const fields[] = { "name", "kind", "source", "readOnly", "recursive",
		"mode", "uid", "gid", NULL };
	struct spot name = spot_get(at, "name");

	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_name_is);
	read_body(schema, at, ret);
}

const struct pod_volume *pod_volumes_read(
	struct schema *schema, const struct spot *at, size_t *ret_count)
{
	size_t count = schema_count(schema, at);
	struct pod_volume *volumes = schema_new(schema, count, sizeof *volumes);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (schema_is_item(schema, &item, JSON_OBJECT))
			read_volume(schema, &item, &volumes[i]);
	}
	schema_unique(schema, at, &(struct schema_items){ volumes, count, sizeof *volumes },
		"volume-duplicate");
	*ret_count = count;
	return volumes;
}

/* ---- volumes of 0.1 -------------------------------------------------------------------------- */

static size_t count_fulfilled(struct schema *schema, const struct spot *at)
{
	size_t total = 0;

	for (size_t i = 0; i < schema_count(schema, at); i++) {
		struct spot item = spot_at(at, i), fulfills = spot_get(&item, "fulfills");

		total +=
			json_kind_of(fulfills.value) == JSON_ARRAY ? json_count(fulfills.value) : 0;
	}
	return total;
}

/* Puts one volume for each name into RET; returns how many. */
static size_t read_fulfilling(struct schema *schema, const struct spot *at, struct pod_volume *ret)
{
	static const char *const fields[] = { "kind", "source", "readOnly", "fulfills", NULL };
	struct spot fulfills = spot_get(at, "fulfills");
	struct pod_volume body = { 0 };
	size_t count;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return 0;
	schema_known(schema, at, fields);
	read_body(schema, at, &body);
	count = schema_count(schema, &fulfills);
	for (size_t i = 0; i < count; i++) {
		struct spot name = spot_at(&fulfills, i);

		ret[i] = body;
		ret[i].name = schema_name(schema, &name, ac_name_is);
	}
	return count;
}

const struct pod_volume *pod_volumes_read_old(
	struct schema *schema, const struct spot *at, size_t *ret_count)
{
	size_t total = count_fulfilled(schema, at), done = 0;
	struct pod_volume *volumes = schema_new(schema, total, sizeof *volumes);
	struct name_set names;

	for (size_t i = 0; i < schema_count(schema, at); i++) {
		struct spot item = spot_at(at, i);

		done += read_fulfilling(schema, &item, volumes ? volumes + done : NULL);
	}
	names = pod_volume_names(schema, volumes, done);
	for (size_t i = 1; i < names.count; i++) {
		if (strcmp(names.names[i - 1], names.names[i]) == 0)
			schema_breach(schema, at, "volume-duplicate",
				"two volumes fulfill '%.100s'", names.names[i]);
	}
	*ret_count = done;
	return volumes;
}

/* ---- mounts ---------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

struct name_set pod_volume_names(
	struct schema *schema, const struct pod_volume *volumes, size_t count)
{
	struct name_set set = { schema_new(schema, count, sizeof *set.names), 0 };

	for (size_t i = 0; i < count; i++) {
		if (volumes[i].name)
			set.names[set.count++] = volumes[i].name;
	}
	if (set.count)
		qsort(set.names, set.count, sizeof *set.names, compare_names);
	return set;
}

static bool has_name(const struct name_set *set, const char *name)
{
	return set->count &&
	       bsearch(&name, set->names, set->count, sizeof *set->names, compare_names);
}

static void read_mount(struct schema *schema, const struct spot *at, const struct name_set *volumes,
	struct pod_mount *ret)
{
	static const char *const fields[] = { "volume", "path", "appVolume", NULL };
	struct spot volume = spot_get(at, "volume"), path = spot_get(at, "path");
	struct spot own = spot_get(at, "appVolume");

	schema_known(schema, at, fields);
	ret->volume = schema_name(schema, &volume, ac_name_is);
	ret->path = app_mount_path_read(schema, &path);
	if (schema_is(schema, &own, JSON_OBJECT)) {
		struct pod_volume *app_volume = schema_new(schema, 1, sizeof *app_volume);

		read_volume(schema, &own, app_volume);
		ret->app_volume = app_volume;
	} else if (ret->volume && !has_name(volumes, ret->volume)) {
		schema_breach(schema, &volume, "mount-volume", "the pod has no volume '%.100s'",
			ret->volume);
	}
}

const struct pod_mount *pod_mounts_read(struct schema *schema, const struct spot *at,
	const struct name_set *volumes, size_t *ret_count)
{
	size_t count = schema_count(schema, at);
	struct pod_mount *mounts = schema_new(schema, count, sizeof *mounts);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (schema_is_item(schema, &item, JSON_OBJECT))
			read_mount(schema, &item, volumes, &mounts[i]);
	}
	*ret_count = count;
	return mounts;
}
