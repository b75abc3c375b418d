/*
 * The data directory: where everything of a store lies, who may use it, and which directories we
 * refuse. doc/formats.md has the picture.
 *
 * Everything below the top is opened once, by descriptor, following no symlink; all later work is
 * relative to these descriptors (S-046). Folders are 0700: set-uid programs in a rendered tree mean
 * nothing on the host, because nobody else gets there (S-010). Root may open the folders of images,
 * and no others, to the members of a group (share.h).
 */
#pragma once

#include "rkt/store.h"
#include "base/error.h"

struct layout {
	char *path; /* absolute; for messages and rkt_store_path() */
	int top;
	int index;      /* cas/index: the LMDB environment */
	int blob;       /* cas/blob/sha256 */
	int erofs;      /* cas/erofs/sha256 */
	int tmp;        /* cas/tmp */
	int partial;    /* cas/partial: downloads under way; -1 with RKT_STORE_READ */
	int rootfs;     /* cas/rootfs/sha256 */
	int mnt;        /* cas/mnt */
	int containers; /* containers: one folder a pod */
	/* The user is no owner but a member of the group that root shares this store with: the last
	 * three of these folders are closed to him, and -1. */
	bool member;
};

#define LAYOUT_EMPTY                                            \
	{                                                       \
		NULL, -1, -1, -1, -1, -1, -1, -1, -1, -1, false \
	}

/* The data directory where nobody names one (store.h); the caller frees it. */
char *layout_default_path(rkt_error **err);

/* Opens the data directory PATH, or the default one (store.h) when PATH is NULL. RKT_STORE_WRITE
 * makes what is missing, durably; with RKT_STORE_READ a missing folder is RKT_MISSING. SELF is
 * LAYOUT_EMPTY before, and closed by the caller whatever comes out. */
int layout_open(struct layout *self, const char *path, enum rkt_store_mode mode, rkt_error **err);
void layout_close(struct layout *self);

/* Fails when the user is a member only: he may add images and read them, nothing else. */
int layout_check_owner(const struct layout *self, rkt_error **err);

/* Opens the folder of ID's first two digits below SHELF (one of blob, erofs, rootfs). RKT_MISSING
 * when it is not there. */
int layout_shard_open(int shelf, const rkt_image_id *id, rkt_error **err);
/* The same, made durably when it is missing. */
int layout_shard_make(int shelf, const rkt_image_id *id, rkt_error **err);

/* Opens for reading the file of ID below SHELF, which should have SIZE bytes: RKT_MISSING when it
 * is not there, RKT_INVALID when it is another, or no file at all. WHAT it is called in errors. */
int layout_open_file(
	int shelf, const rkt_image_id *id, uint64_t size, const char *what, rkt_error **err);

/* The paths of an image's files, absolute, for people: they are never opened by these. The caller
 * frees them. WHAT is "blob", "erofs" or "rootfs". */
char *layout_file_path(const struct layout *self, const char *what, const rkt_image_id *id);

/*
 * The naming lock. Whoever gives files in the store names and then records them holds it shared
 * from before the first name until after the commit; whoever removes records and then their files,
 * or files without a record, holds it exclusively. So nobody collects a file whose record is under
 * way (S-044), and no file is unlinked after somebody recorded it anew. The lock is on the folder
 * cas/tmp, and gone with the returned descriptor.
 */
enum layout_naming { LAYOUT_NAMING, LAYOUT_REMOVING /* owners only */ };
int layout_lock(const struct layout *self, enum layout_naming what, rkt_error **err);

/* Opens the file whose bytes are locked for files being imported (arrival.h): a descriptor of its
 * own for every holder. */
int layout_open_import_lock(const struct layout *self, rkt_error **err);

/* Whether the folder DIR has an entry besides "." and "..": 1, 0, or -1 on error. */
int layout_has_entries(int dir, rkt_error **err);
