/*
 * ImageManifest (appc aci.md, Image Manifest Schema 0.8.11, and the 0.1 era forms).
 *
 * A manifest is read into plain structs; the JSON document stays beside them, so fields nobody
 * knows survive a read and a write. All strings are owned by the manifest.
 */
#pragma once

#include "aci/label.h"
#include "aci/manifest_app.h"

/* S-012 */
#define MANIFEST_SIZE_MAX (1024 * 1024)

struct ac_dependency {
	const char *image_name;
	const char *image_id; /* NULL: by name only */
	const struct ac_pair *labels;
	size_t label_count;
	uint64_t size; /* 0: not given */
};

struct image_manifest {
	const char *ac_version;
	const char *name;
	const struct ac_pair *labels;
	size_t label_count;
	const struct app *app; /* NULL: nothing to run */
	const struct ac_dependency *dependencies;
	size_t dependency_count;
	const char *const *path_whitelist;
	size_t path_whitelist_count;
	const struct ac_pair *annotations;
	size_t annotation_count;
	const json *document;
};

/* Reads and checks the bytes of an image manifest. Every breach goes through CHECK (NULL: the first
 * one fails). Returns NULL with *err set when there was an error among them: the first, which is
 * also among the findings of CHECK. The caller frees the manifest; BYTES are not needed any more.
 */
struct image_manifest *image_manifest_parse(struct slice bytes, check *check, rkt_error **err);
void image_manifest_free(struct image_manifest *manifest);

/* The value of the label NAME ("version", "os", "arch", ...), or NULL. */
const char *image_manifest_label(const struct image_manifest *manifest, const char *name);
const char *image_manifest_annotation(const struct image_manifest *manifest, const char *name);

SCOPE_DEFINE(image_manifest, struct image_manifest *, image_manifest_free)
#define auto_image_manifest __attribute__((cleanup(scope_image_manifest)))
