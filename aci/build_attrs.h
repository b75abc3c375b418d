/* The extended attributes and ACLs of a file on this host, as an image may carry them. */
#pragma once

#include "aci/tar.h"

struct build_attrs {
	struct tar_xattr *items; /* owned, with names and values; sorted by name */
	size_t count;
};

/* Reads the attributes of the file FD, which may be open by O_PATH only (a symbolic link, a device:
 * this needs /proc), into ATTRS, empty before. Left out are those that belong to the host
 * (xattr_is_portable()). POSIX ACLs become "SCHILY.acl.access" and "SCHILY.acl.default" with the
 * text star writes, ids only. A file system without attributes has none. */
int build_attrs_read(int fd, struct build_attrs *attrs, rkt_error **err);
void build_attrs_free(struct build_attrs *attrs);
