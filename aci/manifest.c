/* The image manifest: its own fields here, its lists in the files of their types. */
#include "aci/manifest.h"

#include <string.h>

#include "aci/manifest_head.h"
#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"

/* What image_manifest_parse() hands out, and what its strings and lists live in. */
struct image_manifest_owner {
	struct image_manifest manifest;
	json *document;
	struct schema_block *memory;
};

/* ---- dependencies ---------------------------------------------------------------------------- */

/* The name's field was `name` in 0.1 and `app` until 0.6. */
static const char *read_dependency_name(struct schema *schema, const struct spot *at)
{
	struct spot name = schema_field(schema, at, "imageName", "app");
	const char *text, *why = NULL;

	if (!name.value)
		name = schema_field(schema, at, "imageName", "name");
	if (strcmp(name.key, "imageName") != 0)
		schema_old(schema, &name, "is the name texts before 0.6 had for 'imageName'");
	text = schema_required(schema, &name, "dependency-name");
	if (text && !ac_identifier_is(text, &why))
		schema_breach(schema, &name, "name-syntax", "'%.100s' %s", text, why);
	return text;
}

static void read_dependency(struct schema *schema, const struct spot *at, struct ac_dependency *ret)
{
	static const char *const fields[] = { "imageName", "imageID", "labels", "size", "app",
		"name", "hash", "root", NULL };
	static const struct schema_range range = { 0, INT64_MAX, 0, "json-type" };
	struct spot id, labels = spot_get(at, "labels"), size = spot_get(at, "size");
	struct ac_pairs pairs;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	schema_known(schema, at, fields);
	ret->image_name = read_dependency_name(schema, at);
	id = schema_field(schema, at, "imageID", "hash");
	if (strcmp(id.key, "hash") == 0)
		schema_old(schema, &id, "is the name texts before 0.2 had for 'imageID'");
	ret->image_id = manifest_image_id_read(schema, &id);
	pairs = labels_read(schema, &labels);
	ret->labels = pairs.items;
	ret->label_count = pairs.count;
	ret->size = (uint64_t)schema_integer(schema, &size, &range);
}

static void read_dependencies(
	struct schema *schema, const struct spot *at, struct image_manifest *manifest)
{
	size_t count = schema_count(schema, at);
	struct ac_dependency *dependencies = schema_new(schema, count, sizeof *dependencies);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		read_dependency(schema, &item, &dependencies[i]);
	}
	manifest->dependencies = dependencies;
	manifest->dependency_count = count;
}

/* ---- pathWhitelist --------------------------------------------------------------------------- */

/* Absolute, without empty, "." and ".." parts; one slash at the end is a directory. */
static bool is_clean_path(const char *path)
{
	if (*path++ != '/')
		return false;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (!len || (len == 1 && path[0] == '.') ||
			(len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len;
		if (*path)
			path++;
	}
	return true;
}

static void read_whitelist(
	struct schema *schema, const struct spot *at, struct image_manifest *manifest)
{
	manifest->path_whitelist = schema_strings(schema, at, &manifest->path_whitelist_count);
	for (size_t i = 0; i < manifest->path_whitelist_count; i++) {
		struct spot item = spot_at(at, i);

		if (json_string(item.value) && !is_clean_path(manifest->path_whitelist[i]))
			schema_breach(schema, &item, "whitelist-path",
				"'%.100s' is not a clean absolute path",
				manifest->path_whitelist[i]);
	}
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void read_manifest(
	struct schema *schema, const struct spot *at, struct image_manifest *manifest)
{
	static const char *const kinds[] = { "ImageManifest", NULL };
	static const char *const fields[] = { "acKind", "acVersion", "name", "labels", "app",
		"dependencies", "pathWhitelist", "annotations", NULL };
	struct spot name = spot_get(at, "name"), labels = spot_get(at, "labels");
	struct spot app = spot_get(at, "app"), dependencies = spot_get(at, "dependencies");
	struct spot whitelist = spot_get(at, "pathWhitelist");
	struct spot annotations = spot_get(at, "annotations");
	struct ac_pairs pairs;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	manifest->ac_version = manifest_head_read(schema, at, kinds, NULL);
	schema_known(schema, at, fields);
	manifest->name = schema_name(schema, &name, ac_identifier_is);
	pairs = labels_read(schema, &labels);
	manifest->labels = pairs.items;
	manifest->label_count = pairs.count;
	manifest->app = app_read(schema, &app);
	read_dependencies(schema, &dependencies, manifest);
	read_whitelist(schema, &whitelist, manifest);
	pairs = annotations_read(schema, &annotations);
	manifest->annotations = pairs.items;
	manifest->annotation_count = pairs.count;
}

struct image_manifest *image_manifest_parse(struct slice bytes, check *findings, rkt_error **err)
{
	ERROR_SCOPE(err, "manifest", NULL);
	struct schema schema = { .check = findings, .text = bytes };
	json *document = schema_document(&schema, bytes);
	struct spot at = spot_root(document, "");
	struct image_manifest_owner *owner = xcalloc(1, sizeof *owner);

	owner->document = document;
	owner->manifest.document = document;
	if (document)
		read_manifest(&schema, &at, &owner->manifest);
	owner->memory = schema_take(&schema);
	if (schema_end(&schema, err) == 0)
		return &owner->manifest;
	image_manifest_free(&owner->manifest);
	return NULL;
}

void image_manifest_free(struct image_manifest *manifest)
{
	struct image_manifest_owner *owner = (struct image_manifest_owner *)manifest;

	if (!owner)
		return;
	json_free(owner->document);
	schema_free(owner->memory);
	free(owner);
}

const char *image_manifest_label(const struct image_manifest *manifest, const char *name)
{
	return ac_pairs_get(manifest->labels, manifest->label_count, name);
}

const char *image_manifest_annotation(const struct image_manifest *manifest, const char *name)
{
	return ac_pairs_get(manifest->annotations, manifest->annotation_count, name);
}
