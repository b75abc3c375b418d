/* Owner, extended attributes, mode and times of what was extracted: which are set, in which
 * order. */
#pragma once

#include "aci/extract.h"

/* What is known of an entry when the entry itself is gone. */
struct extract_attrs {
	uint32_t uid, gid;
	mode_t mode; /* with what an access ACL makes of it */
	struct timespec mtime;
	struct buf access, by_default; /* ACLs in the kernel's form; empty: none */
};

/* Reads what ENTRY says into RET, all zero before; what its ACLs lose is counted in REPORT.
 * RKT_INVALID when an ACL is damaged. The caller frees RET either way. */
int attrs_of(const struct tar_entry *entry, struct extract_attrs *ret,
	struct extract_report *report, rkt_error **err);
void attrs_free(struct extract_attrs *attrs);

/* Sets owner, then XATTRS of ENTRY, then ACLs, then mode, then times of the open file FD: chown
 * drops setuid bits and capabilities, so it goes first; a mode without write permission would stop
 * the rest; times are changed by all of it. What could not be kept is counted in REPORT. */
int attrs_set_file(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* The same for directories, in two steps: attributes at once, the rest when nothing is written
 * below any more. A default ACL set earlier would be given to everything below. */
int attrs_set_xattrs(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);
int attrs_set_dir(int fd, const struct extract_attrs *attrs, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* For what cannot be opened without a meaning of its own: NAME below DIR, a symlink, device or
 * FIFO. */
int attrs_set_at(int dir, const char *name, const struct tar_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err);

/* Removes all attributes that attrs_set_xattrs() could have set on the directory FD for an earlier
 * layer. */
int attrs_clear_xattrs(int fd, rkt_error **err);

/* Takes from the directory FD, just made, the ACLs it got from the one above: else everything below
 * would have them too. */
int attrs_shed_acls(int fd, rkt_error **err);
