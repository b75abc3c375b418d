/* A writable tree over a read-only one: overlayfs put together from descriptors. */
#pragma once

#include "rkt/store.h"

/* What an overlay is made of. All descriptors are owned. */
struct overlay {
	int lower; /* the read-only tree: a detached mount, so that it is of no namespace */
	int home;  /* a folder of its own, with upper/ and work/ */
	int upper, work;
};

#define OVERLAY_NONE                                             \
	(struct overlay)                                         \
	{                                                        \
		.lower = -1, .home = -1, .upper = -1, .work = -1 \
	}

/* Opens the tree of image ID, as the pod UUID leased it, in the form WANTED as SELF->lower. */
int overlay_open_lower(struct overlay *self, rkt_store *store, const char *uuid,
	const rkt_image_id *id, enum rkt_tree_form wanted, rkt_error **err);

/* Makes the folder NAME below ROOM with an empty upper and work folder for SELF->lower; the upper
 * one has owner and mode of the lower tree's root, because the merged root takes them from there.
 */
int overlay_make(struct overlay *self, int room, const char *name, rkt_error **err);

/* A detached mount (nodev, but not nosuid: setuid programs of an image work in its pod) of SELF.
 * The caller closes it. *RET_FAULT (set on failure only) tells what is missing. */
enum overlay_fault {
	OVERLAY_FAILED,
	OVERLAY_NO_UPPER, /* the file system of the folder cannot hold an upper layer */
};
int overlay_mount(const struct overlay *self, enum overlay_fault *ret_fault, rkt_error **err);

/* Closes home, upper and work; the lower tree stays open. */
void overlay_leave(struct overlay *self);
/* Closes everything. */
void overlay_close(struct overlay *self);
