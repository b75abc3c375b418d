/*
 * The extended attributes of a file as they stand behind its inode.
 *
 * Shown are user.*, trusted.*, security.* and POSIX ACLs. Left out, and counted, is what could not
 * be read back or must not have an effect: overlayfs's own (trusted.overlay.*, user.overlay.*) and
 * security.selinux, which would change what our overlay mounts mean (S-011); user.* on anything but
 * files and directories; default ACLs on anything but directories; unknown namespaces.
 */
#pragma once

#include "aci/tar.h"

struct xattr_body {
	struct buf bytes;           /* as on disk, without the padding that may follow */
	uint16_t icount;            /* as on disk; 0 and no bytes when there are none */
	mode_t mode;                /* the entry's, with the permissions that an access ACL gives */
	uint64_t dropped;           /* attributes left out, over all calls */
	uint64_t acl_names_dropped; /* ACL entries of unknown users and groups, over all calls */
};

/* Makes the body for ENTRY; what BODY held before is overwritten, the counts go on. RKT_INVALID
 * when the attributes are more than EROFS can show, or an ACL is damaged. */
int xattr_body_make(struct xattr_body *body, const struct tar_entry *entry, rkt_error **err);
void xattr_body_free(struct xattr_body *body);
