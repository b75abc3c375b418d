/*
 * PodManifest (appc pods.md 0.8.11), and ContainerRuntimeManifest of the 0.1 era, read as a pod.
 * It is what stage0 writes to <pod>/container and stage1 reads.
 */
#pragma once

#include "aci/manifest.h"

enum pod_volume_kind { POD_VOLUME_HOST, POD_VOLUME_EMPTY };

struct pod_volume {
	const char *name;
	enum pod_volume_kind kind;
	const char *source; /* host: absolute path */
	bool read_only;
	bool recursive;          /* host: with the mounts below it; the default */
	uint32_t mode, uid, gid; /* empty: 0755, 0, 0 by default */
};

struct pod_mount {
	const char *volume, *path;
	const struct pod_volume *app_volume; /* NULL: VOLUME names one of the pod's */
};

struct pod_app {
	const char *name;             /* unique; in 0.1 made of the image's name */
	const char *image_id;         /* as written */
	const char *image_name;       /* NULL when absent */
	const struct ac_pair *labels; /* of the image */
	size_t label_count;
	const struct app *app; /* NULL: the image's own app section holds */
	const struct pod_mount *mounts;
	size_t mount_count;
	bool read_only_rootfs;
	const struct ac_pair *annotations;
	size_t annotation_count;
	const struct isolation *isolation; /* 0.1: holds instead of the image's; NULL: not given */
};

struct pod_port {
	const char *name;
	uint32_t host_port;
	const char *host_ip;             /* NULL: all */
	const struct app_port *pod_port; /* NULL: NAME is the name of an app's port */
};

struct pod_manifest {
	const char *ac_version;
	const char *uuid; /* 0.1 only; else NULL */
	const struct pod_app *apps;
	size_t app_count;
	const struct pod_volume *volumes;
	size_t volume_count;
	const struct pod_port *ports;
	size_t port_count;
	const struct app_isolator *isolators;
	size_t isolator_count;
	struct isolation isolation; /* what the known isolators say */
	const struct ac_pair *annotations;
	size_t annotation_count;
	const json *document;
};

/* As image_manifest_parse(). In a ContainerRuntimeManifest a volume that fulfills several mount
 * points becomes a volume of each name; mounts it has none, as mount points were met by name. */
struct pod_manifest *pod_manifest_parse(struct slice bytes, check *check, rkt_error **err);
void pod_manifest_free(struct pod_manifest *manifest);

SCOPE_DEFINE(pod_manifest, struct pod_manifest *, pod_manifest_free)
#define auto_pod_manifest __attribute__((cleanup(scope_pod_manifest)))
