/*
 * Unpacking an image into a directory, whole or not at all (S-001, S-002, S-003).
 *
 * Everything is written into a fresh directory beside the destination and renamed at the end.
 * Missing parents become 0755 root. A symlink in the way of a later entry is replaced, not followed.
 */
#pragma once

#include "aci/image.h"

enum extract_what {
	EXTRACT_IMAGE,	/* DIR/manifest and DIR/rootfs/... */
	EXTRACT_ROOTFS, /* the content of rootfs directly in DIR */
};

enum extract_owner {
	EXTRACT_OWNER_KEEP,   /* chown to the ids in the archive (needs root) */
	EXTRACT_OWNER_CALLER, /* everything belongs to the caller; setuid and setgid bits are dropped */
};

enum extract_devices {
	EXTRACT_DEVICES_REFUSE, /* RKT_INVALID at the first device node (S-009) */
	EXTRACT_DEVICES_MAKE,	/* mknod (needs root) */
};

struct extract_options {
	enum extract_what what;
	enum extract_owner owner;
	enum extract_devices devices;
};

/* What could not be kept, for a word to the user. */
struct extract_report {
	uint64_t entries;
	uint64_t xattrs_lost; /* namespaces the caller may not write, or the file system lacks */
	uint64_t owners_lost;
};

/* Extracts IMAGE (just opened) to NAME below the directory DIR. NAME must not exist, or be an empty
 * directory. RET_REPORT may be NULL. On error nothing is left at NAME and beside it. */
int extract_image(image_reader *image, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err);

/* The same into the existing empty directory ROOT, entry by entry; what is there after an error is
 * the caller's to remove. For the store, which has its own way of making things appear whole. */
int extract_into(image_reader *image, int root, const struct extract_options *options,
	struct extract_report *ret_report, rkt_error **err);
