/*
 * Volumes: host directories (or files) and fresh empty directories, mounted into the apps' roots.
 *
 * The supervisor resolves every source once, before any namespace exists, to a detached clone; the
 * app's launcher attaches it inside the finished root, by descriptor (S-066: whatever is renamed or
 * linked in between changes nothing).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "stage1/common/apps.h"

struct app_volume {
	const char *name;   /* of the volume, or of the mount point that has none */
	const char *target; /* absolute path in the app's root; lent by the manifests */
	int mnt;            /* the detached mount, with its flags set */
	bool is_dir;
};

struct app_volumes {
	struct app_volume *list;
	size_t count;
};

/* Opens what APP wants mounted into the all-zero *RET: the mounts of the pod manifest, then the
 * mount points of the image they leave open, filled by the pod's volume of the same name, else by
 * an empty directory of the app's own. Empty volumes are made below POD (STAGE1_VOLUMES).
 * RKT_INVALID for a volume nobody defines and for targets that overlap. */
int volumes_open(int pod, const struct app_list *list, const struct ready_app *app,
	struct app_volumes *ret, rkt_error **err);

/* Attaches them in the calling process's root directory; a missing target is made (0755, root).
 * What a volume hides is said on standard error, as appc ace.md wants. */
int volumes_attach(const struct app_volumes *volumes, const char *app, rkt_error **err);

void volumes_free(struct app_volumes *volumes);
