/*
 * The pod as any stage1 flavour meets it: ./container and the image manifests beside the apps'
 * roots, read into a list of apps ready to run. Names and places are those of stage1/contract.h.
 */
#pragma once

#include "aci/pod.h"

/* One app of the pod. Everything is lent by its list. */
struct ready_app {
	const char *name;
	const struct pod_app *entry;  /* what the pod manifest says */
	struct image_manifest *image; /* what its image says */
	const struct app *app; /* what holds: ENTRY's app section, else IMAGE's; EXEC is set */
	char *dir;             /* stage1/opt/stage2/<DIR>, relative to the pod directory */
};

struct app_list {
	struct pod_manifest *pod;
	struct ready_app *apps; /* in the order of the pod manifest; at least one */
	size_t count;
};

/* Reads the pod whose directory is POD into the all-zero *RET, which is freed with app_list_free()
 * whether this succeeds or not. */
int app_list_read(int pod, struct app_list *ret, rkt_error **err);
void app_list_free(struct app_list *list);

/* Whether the image was made for the 0.1 era of the specification. */
bool ready_app_is_early(const struct ready_app *app);

#define auto_app_list __attribute__((cleanup(app_list_free)))
