/* Directories being extracted: their owners, modes and times are set at the end, because writing
 * below a directory changes its times, and its mode may forbid writing. */
#pragma once

#include "aci/extract_attrs.h"

struct extract_dirs {
	struct later *items; /* owned */
	size_t count, capacity;
	size_t acl_bytes; /* of all of these */
};

/* Takes note of the directory ENTRY. RKT_INVALID when the ACLs of all are too many (S-012). */
int extract_dirs_note(struct extract_dirs *self, const struct image_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err);

/* Takes note that the directory PATH was made although no entry spoke of it: it will be 0755, 0:0,
 * of time 0, as in an index, unless an entry comes still. */
void extract_dirs_invent(struct extract_dirs *self, const char *path);

/* Takes note that the directory PATH was removed with all below it: what was noted of these so far
 * is void. */
void extract_dirs_removed(struct extract_dirs *self, const char *path);

/* Gives all directories below ROOT what the last entry of each says; those that turned
 * out to lead to nothing that was chosen are removed. */
int extract_dirs_finish(struct extract_dirs *self, int root, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* Gives every directory back to its owner, so that tree_remove() works for ordinary users too. */
void extract_dirs_unlock(const struct extract_dirs *self, int root);

void extract_dirs_free(struct extract_dirs *self);

/* The last part of PATH. */
const char *extract_base(const char *path);
