/* Directories being extracted: their owners, modes and times are set at the end, because writing
 * below a directory changes its times, and its mode may forbid writing. */
#pragma once

#include "aci/later.h"

struct extract_dirs {
	struct later later;
	bool layered;       /* what was noted may be gone, or noted again */
	rkt_error *failure; /* of keeping a note; told at the end */
};
#define EXTRACT_DIRS_NONE           \
	{                           \
		.later = LATER_NONE \
	}

/* Takes note of the directory ENTRY below ROOT. RKT_INVALID when its ACLs are damaged. */
int extract_dirs_note(struct extract_dirs *self, int root, const struct image_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err);

/* Takes note that the directory PATH was made although no entry spoke of it: it will be 0755, 0:0,
 * of time 0, as in an index, unless an entry comes still. */
void extract_dirs_invent(struct extract_dirs *self, int root, const char *path);

/* Says that from now on directories may be noted again, and be removed: of several notes of one
 * that is there in the end, the last holds. */
void extract_dirs_layered(struct extract_dirs *self);

/* Gives all directories below ROOT what the last entry of each says; those that turned
 * out to lead to nothing that was chosen are removed. */
int extract_dirs_finish(struct extract_dirs *self, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* Gives every directory back to its owner, so that tree_remove() works for ordinary users too. */
void extract_dirs_unlock(struct extract_dirs *self, int root);

void extract_dirs_free(struct extract_dirs *self);

/* The last part of PATH. */
const char *extract_base(const char *path);
