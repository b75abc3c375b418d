/*
 * Filling a pod directory and mounting the pod: everything between "the pod exists" and "stage1 can
 * be executed". What stage1 finds is written in stage1/contract.h; besides it there are
 *
 *	overlay/stage1/{upper,work}	what the pod changes in the stage1 tree
 *	overlay/<DIR>/{upper,work}	what the app in stage1/opt/stage2/<DIR> changes
 *
 * Steps and a crash in the middle: files first, the pod manifest last of them, then the mounts, all
 * in a mount namespace of this process. Until stage1 writes `pid`, what is left is garbage to
 * pod_state.h.
 */
#pragma once

#include "base/buf.h"
#include "runner/overlay.h"
#include "runner/pod_dir.h"

struct prepare_app {
	char *dir; /* its name below stage1/opt/stage2; owned */
	const rkt_image_record *image;
	struct overlay overlay; /* .lower filled by the caller */
};

struct prepare {
	const struct pod_dir *pod;
	struct slice pod_manifest;
	struct overlay stage1; /* .lower filled by the caller */
	struct prepare_app *apps;
	size_t app_count;
};

/* Names the directories of APPS (ID, ID.2, ...) in the order given. */
void prepare_name_apps(struct prepare_app *apps, size_t count);

/* Where the upper layers went. */
enum prepare_room {
	PREPARE_ON_DISK,   /* in the pod directory: they stay when the pod has ended */
	PREPARE_IN_MEMORY, /* in a tmpfs, because the pod directory's file system takes none */
};

/* Leaves the mount namespace of the caller for a private one, so call it once all trees are open,
 * and makes the pod there; the working directory is the pod directory then, seen with its mounts.
 * Trees and overlays in SELF are closed by the caller, whatever happens. */
int prepare_pod(struct prepare *self, enum prepare_room *ret_room, rkt_error **err);
