/*
 * The place where an image is put together before it appears: a directory of our own beside the
 * destination, renamed at the end (S-003).
 */
#pragma once

#include "aci/extract.h"

struct workshop {
	int dir;     /* lent */
	char *name;  /* below DIR; NULL: there is nothing to remove */
	int fd;      /* the directory NAME */
	int root_fd; /* where the rootfs goes: NAME itself, or NAME/rootfs */
};

#define WORKSHOP_IN(dir_)            \
	{                            \
		(dir_), NULL, -1, -1 \
	}

/* Fails, RKT_FAILED, when NAME in DIR is anything but an empty directory. */
int workshop_refuse_existing(int dir, const char *name, rkt_error **err);

/* Makes the directory for what is to be NAME. */
int workshop_open(struct workshop *self, const char *name, enum extract_what what, rkt_error **err);
/* Writes the manifest into a workshop for EXTRACT_IMAGE. */
int workshop_write_manifest(const struct workshop *self, struct slice bytes, rkt_error **err);
/* Lets it appear as NAME. */
int workshop_rename(const struct workshop *self, const char *name, rkt_error **err);

/* Removes it with all that is in it; its descriptors are closed. Removed already is success. */
int workshop_remove(struct workshop *self, rkt_error **err);
void workshop_free(struct workshop *self);

#define auto_workshop __attribute__((cleanup(workshop_free)))
