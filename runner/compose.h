/*
 * The pod manifest: what the user asked for, put over what the images say.
 */
#pragma once

#include "base/buf.h"
#include "rkt/store.h"
#include "runner/volumes.h"

/* One app of the command line. Strings are lent by argv; NULL: not said. */
struct app_request {
	const char *image; /* as typed */
	const char *name;
	const char *exec; /* replaces the image's whole exec, arguments included */
	const char *user, *group, *working_dir;
	const char **args; /* added behind exec, as rkt did */
	size_t arg_count;
	const char **environment; /* "K=V"; the last of one name counts */
	size_t environment_count;
};

struct pod_request {
	const struct app_request *apps;
	rkt_image_record *const *images; /* one for each app */
	size_t app_count;
	struct volumes volumes;
	/* Told about every mount point no volume was given for; or NULL. */
	void (*open_mount)(const char *app, const char *name, const char *path);
};

/* Checks "K=V". RKT_USAGE. */
int compose_check_environment(const char *pair, rkt_error **err);

/* Appends the pod manifest (appc 0.8.11, fields in the order of the specification) to OUT, one
 * line.
 *
 * App names come from the image names. RKT_USAGE: two apps of one name, or one that is too long;
 * RKT_INVALID: an image with nothing to execute, or a manifest of more than MANIFEST_SIZE_MAX. */
int compose_pod(const struct pod_request *request, struct buf *out, rkt_error **err);
