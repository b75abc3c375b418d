/*
 * A store that root shares with the members of a group: they may list, import and read images, and
 * nothing else (doc/design.md, "Who may use a store").
 *
 *	top, cas, cas/blob, cas/erofs and sha256 in these	2750	members look
 *	cas/tmp, cas/partial, cas/index, the 256 folders of each shelf	2770	members write
 *	files in cas/index					0660
 *	all others						0700	as in any store
 *
 * The folders of the shelves are all made beforehand, so that members never make one: what root
 * uses belongs to root (S-046).
 */
#pragma once

#include <sys/types.h>

#include "store/layout.h"

/* Shares SELF, which root has open for writing, with GROUP. May be done again, after it was
 * interrupted too: the top folder is opened last. */
int share_with(const struct layout *self, gid_t group, rkt_error **err);
/* Takes it back: the top folder is closed first. Who has a store open keeps it. */
int share_end(const struct layout *self, rkt_error **err);
