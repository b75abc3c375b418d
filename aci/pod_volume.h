/* Volumes of a pod, and the mounts that use them (appc pods.md). */
#pragma once

#include "aci/pod.h"

/* The list of volumes of a PodManifest at AT. */
const struct pod_volume *pod_volumes_read(
	struct schema *schema, const struct spot *at, size_t *ret_count);

/* The same of a ContainerRuntimeManifest: one volume for each name in `fulfills`. */
const struct pod_volume *pod_volumes_read_old(
	struct schema *schema, const struct spot *at, size_t *ret_count);

/* Names in order, to find one among many. */
struct name_set {
	const char **names;
	size_t count;
};
struct name_set pod_volume_names(
	struct schema *schema, const struct pod_volume *volumes, size_t count);

/* The mounts of an app at AT, each of a volume in VOLUMES or of its own. */
const struct pod_mount *pod_mounts_read(struct schema *schema, const struct spot *at,
	const struct name_set *volumes, size_t *ret_count);
