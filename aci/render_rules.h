/*
 * Whether what an image holds can be shown as a tree: the rules of the EROFS index and of overlayfs
 * on top of those of the image (doc/formats.md, "EROFS index"). They stand here, below the store,
 * so that whoever makes an image can ask before anybody imports it; a test holds them against what
 * the index itself refuses. Not looked at is how much an index holds in all.
 */
#pragma once

#include "aci/image.h"

/* What is looked through, entry by entry: set FOUND, the rest is zero before the first. */
struct render_rules {
	check *found;           /* as in check_report() */
	uint64_t sparse_chunks; /* private: how many pieces all sparse files have */
};

/* Reports what cannot be shown of ENTRY, and, as warnings, what will be left out. Returns 0, or -1
 * when FOUND wants no more. Rules of the layout are not looked at again. */
int render_rules_entry(struct render_rules *self, const struct image_entry *entry, rkt_error **err);
