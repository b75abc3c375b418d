/*
 * The mount calls by descriptor (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)), each
 * with errors in words. A detached mount is a descriptor: closing it without attaching it unmounts
 * it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* One parameter of a file system: a flag (both NULL / -1), a string, or a descriptor (FD >= 0). */
struct mount_option {
	const char *key;
	const char *value;
	int fd; /* used when VALUE is NULL and KEY takes a descriptor; else -1 */
};

/* Makes a detached mount of file system TYPE. OPTIONS ends with an entry without a key. ATTRIBUTES
 * are MOUNT_ATTR_*. The kernel's own words (read from the context) are in the error. */
int mount_new(
	const char *type, const struct mount_option *options, uint64_t attributes, rkt_error **err);

/* A detached copy of the mount at DIR/PATH (PATH "" means DIR itself). RECURSIVE takes what is
 * mounted below it along. */
enum mount_depth { MOUNT_ALONE, MOUNT_RECURSIVE };
int mount_clone(int dir, const char *path, enum mount_depth depth, rkt_error **err);

/* Sets ATTRIBUTES (MOUNT_ATTR_RDONLY, ...) on the mount MNT, and below it when asked. */
int mount_set(int mnt, uint64_t attributes, enum mount_depth depth, rkt_error **err);

/* Attaches the detached mount MNT on the directory or file TARGET (a descriptor, O_PATH will
 * do). */
int mount_attach(int mnt, int target, rkt_error **err);

/* Makes every mount of the calling process's namespace private, so that nothing done from here on
 * is seen outside and nothing from outside comes in (S-065). Call after unshare(CLONE_NEWNS). */
int mount_make_private(rkt_error **err);
