/* Owner, extended attributes, mode and times of what was extracted: which are set, in which
 * order. */
#pragma once

#include "aci/extract.h"

struct extract_attrs {
	uint32_t uid, gid;
	mode_t mode;
	struct timespec mtime;
};

struct extract_attrs attrs_of(const struct tar_entry *entry);

/* Sets owner, then XATTRS of ENTRY, then mode, then times of the open file FD: chown drops setuid
 * bits and capabilities, so it goes first; a mode without write permission would stop the rest;
 * times are changed by all of it. What could not be kept is counted in REPORT. */
int attrs_set_file(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* The same for directories, in two steps: attributes at once, the rest when nothing is written
 * below any more. */
int attrs_set_xattrs(int fd, const struct tar_entry *entry, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);
int attrs_set_dir(int fd, const struct extract_attrs *attrs, const struct extract_options *options,
	struct extract_report *report, rkt_error **err);

/* For what cannot be opened without a meaning of its own: NAME below DIR, a symlink, device or
 * FIFO. */
int attrs_set_at(int dir, const char *name, const struct tar_entry *entry,
	const struct extract_options *options, struct extract_report *report, rkt_error **err);
