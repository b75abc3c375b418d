/*
 * Unpacking an image into a directory, whole or not at all (S-001, S-002, S-003).
 *
 * Everything is written into a fresh directory beside the destination and renamed at the end.
 * Missing parents become 0755 root. A symlink in the way of a later entry is replaced, not
 * followed.
 */
#pragma once

#include "aci/image.h"
#include "aci/path_filter.h"

enum extract_what {
	EXTRACT_IMAGE,  /* DIR/manifest and DIR/rootfs/... */
	EXTRACT_ROOTFS, /* the content of rootfs directly in DIR */
};

enum extract_owner {
	EXTRACT_OWNER_KEEP, /* chown to the ids in the archive (needs root) */
	/* Everything belongs to the caller; setuid and setgid bits and file capabilities are
	   dropped. */
	EXTRACT_OWNER_CALLER,
};

enum extract_devices {
	EXTRACT_DEVICES_REFUSE, /* RKT_INVALID at the first device node or FIFO (S-009) */
	EXTRACT_DEVICES_MAKE,   /* mknod (device nodes need root) */
};

struct extract_options {
	enum extract_what what;
	enum extract_owner owner;
	enum extract_devices devices;
	/* Patterns (globs.h), NULL-terminated. Where there are INCLUDES, only what matches one of
	 * them is extracted, with all below it and the directories on the way; and never what
	 * matches one of EXCLUDES, with all below it. The rest is walked over and checked like
	 * everything. A hard link to a file that is left out is RKT_FAILED: its data are gone. */
	const char *const *includes, *const *excludes;
	/* Asked when all is written and nothing has appeared at the destination yet: the last word,
	 * for digests that are known only at the end of the stream. Returns 0, or -1 with *err set,
	 * which undoes everything. NULL: no objection. Not asked by extract_into(). */
	int (*approve)(void *context, rkt_error **err);
	void *context;
	/* Asked with GO_ON_CONTEXT again and again while entries are written; -1 undoes everything,
	 * too. NULL: to the end. */
	int (*go_on)(void *go_on_context, rkt_error **err);
	void *go_on_context;
};

/* What could not be kept, for a word to the user. */
struct extract_report {
	uint64_t entries;
	/* Extended attributes and ACLs not set: namespaces the caller may not write, what the file
	 * system or the type of the file lacks, and what must not act on this host (S-011:
	 * security.selinux, the overlay attributes, system.* but ACLs). */
	uint64_t xattrs_lost;
	/* Entries of ACLs for users and groups that the image has by name only. */
	uint64_t acl_names_lost;
	uint64_t owners_lost;
	/* Times that the file system has no number for, such as 2500 on ext4. */
	uint64_t times_lost;
};

/* Whether includes and excludes choose PATH, which is below the root ("": always). */
bool extract_chooses(const struct extract_options *options, const char *path);

/* Extracts IMAGE (just opened) to NAME below the directory DIR. NAME must not exist, or be an empty
 * directory, which is replaced by a new one. RET_REPORT may be NULL. On error nothing is left at
 * NAME and beside it. Nothing is synced. */
int extract_image(image_reader *image, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err);

/* The same into the existing empty directory ROOT, entry by entry, the content of rootfs only; what
 * is there after an error is the caller's to remove. For the store, which has its own way of making
 * things appear whole. */
int extract_into(image_reader *image, int root, const struct extract_options *options,
	struct extract_report *ret_report, rkt_error **err);

/* Images layered one over the other, the lowest first. */
struct extract_layers {
	size_t count;
	const struct path_filter *filters; /* one for each: what it leaves out is not made */
	/* Opens layer NUMBER, for a layer with a whitelist twice; NULL with *err set. */
	image_reader *(*open)(void *context, size_t number, rkt_error **err);
	void *context;
};

/* Extracts LAYERS into ROOT as extract_into() does. What a later layer says replaces what stands
 * there: anything but a directory over a directory takes the place of what there was, with all
 * below it; a directory over a directory gives it new attributes. ASIDE is an empty directory of
 * the same file system, empty again afterwards. Includes and excludes are for one image only: none
 * here. */
int extract_layers(const struct extract_layers *layers, int root, int aside,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err);

/* The two together: LAYERS as one image to NAME below DIR, whole or not at all, as extract_image()
 * does it. The manifest is that of the last layer. */
int extract_layered_image(const struct extract_layers *layers, int dir, const char *name,
	const struct extract_options *options, struct extract_report *ret_report, rkt_error **err);
