/*
 * The root of an app's mount namespace: the app's tree, its kernel file systems, and nothing of the
 * host behind it (S-060, S-061).
 */
#pragma once

#include "base/error.h"

/* Makes DIR (the app's directory, relative to the working directory) /rootfs the root directory of
 * the calling process, which is in a mount namespace of its own whose mounts are private. The old
 * root is detached: afterwards no path leads to the host. The working directory is "/". */
int root_enter(const char *app_dir, rkt_error **err);

/* Mounts /proc (of the present pid namespace), /sys and /dev in the root just entered; their
 * directories are made where the image lacks them. */
int root_furnish(rkt_error **err);

/* Makes the root itself, not what is mounted below it, read-only. */
int root_make_read_only(rkt_error **err);

/* Writes /etc/hosts with the loopback names and HOSTNAME where the image has none (appc OS-SPEC.md,
 * Common Files); a file that is there stays as it is. */
int root_write_hosts(const char *hostname, rkt_error **err);

/* Gives the calling process an empty, read-only root, for one that needs no files any more. */
int root_enter_empty(rkt_error **err);
