/*
 * Opening paths that come from outside without ever leaving a directory (S-001, S-066).
 *
 * Both functions use openat2(2). Where that is missing (ENOSYS: kernels before 5.6; EPERM: a
 * seccomp filter) they walk the components themselves with O_NOFOLLOW, with the same results. PATH
 * is relative to the directory descriptor ROOT; leading slashes are ignored; "" means ROOT.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Opens PATH and follows no symbolic link at all, not even the last component. A symlink on the way
 * fails with ELOOP, ".." with EXDEV. O_CLOEXEC is added to FLAGS.
 * Returns the descriptor, or -1 with errno set. */
int path_open_beneath(int root, const char *path, int flags, mode_t mode);

/* Opens PATH as a process whose root directory is ROOT would: absolute symlinks start at ROOT and
 * ".." stops there; magic links (/proc/PID/exe, ...) are refused. FLAGS with O_CREAT: not
 * supported. Returns the descriptor, or -1 with errno set. */
int path_open_in_root(int root, const char *path, int flags);

/* Makes the directories of PATH that are missing (0755 and ownership of the caller), following no
 * symlink, and returns a descriptor of the last, or -1 with errno set. */
int path_make_dirs(int root, const char *path);
