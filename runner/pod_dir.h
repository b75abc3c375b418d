/*
 * The directory of a pod below <data>/containers, its lock and its names.
 *
 * Names and their story. Every step is one rename(2), so a crash leaves one of these and nothing
 * else:
 *
 *	.new-<uuid>	embryo: being made, not locked yet or not yet given its name
 *	<uuid>		a pod; its maker held the lock before the name appeared
 *	.garbage-<uuid>	being removed: the pod is gone for everybody, its files are not
 *
 * The lock is flock(2) on the directory itself. Its holder (stage0, then stage1, by one inherited
 * descriptor) is what "alive" means; it goes away with the last process that has the descriptor.
 * Lookers take it shared, for as long as they look; only who removes takes it exclusively. The
 * maker of a pod who meets gc at his embryo starts again under another name.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/uuid.h"

/* Below the data directory, mode 0700: images with setuid programs are mounted in there. */
#define PODS_DIR "containers"

/* In a pod directory, besides the names of stage1/contract.h: the mount point of the stage1 image,
 * and a folder with "upper" and "work" for it ("stage1") and for each app (by its stage2 name). */
#define POD_STAGE1  "stage1"
#define POD_OVERLAY "overlay"

struct pod_dir {
	int pods; /* containers/; lent by the caller of the function that filled this */
	int fd;   /* the pod's directory, owned; carries the lock */
	char uuid[UUID_TEXT_LEN + 1];
};

enum pod_dir_kind { POD_DIR_POD, POD_DIR_EMBRYO, POD_DIR_GARBAGE };

struct pod_dir_entry {
	enum pod_dir_kind kind;
	char uuid[UUID_TEXT_LEN + 1];
};

/* Opens <data>/containers. pods_make() makes it when it is missing; pods_open() says RKT_MISSING.
 * The caller closes the descriptor. */
int pods_make(const char *data_dir, rkt_error **err);
int pods_open(const char *data_dir, rkt_error **err);

/* A new, empty, locked pod directory (mode 0700) with a new UUID. */
int pod_dir_make(int pods, struct pod_dir *ret, rkt_error **err);
/* Opens entry ENTRY, not locked. RKT_MISSING when it is gone. */
int pod_dir_open(int pods, const struct pod_dir_entry *entry, struct pod_dir *ret, rkt_error **err);
/* Closes the descriptor, and with it gives the lock up. */
void pod_dir_close(struct pod_dir *self);

/* Takes the lock for removal: 1 when taken, 0 when the pod is alive (or somebody else removes it),
 * -1 on error. Waits for those who only look. */
int pod_dir_lock(const struct pod_dir *self, rkt_error **err);

/* All entries, ordered by UUID; what is not named like one of ours is left out. *RET is freed by
 * the caller with free(). */
int pod_dir_list(int pods, struct pod_dir_entry **ret, size_t *ret_count, rkt_error **err);

/* Characters of a UUID that are enough to name a pod. */
#define POD_UUID_PREFIX_MIN 8

/* Finds the pod TEXT names: a UUID or a prefix of POD_UUID_PREFIX_MIN characters or more.
 * RKT_MISSING when there is none; RKT_USAGE when TEXT is too short, no UUID, or ambiguous. */
int pod_dir_resolve(int pods, const char *text, struct pod_dir_entry *ret, rkt_error **err);

/* Turns the pod SELF, whose lock the caller holds, into garbage: one rename. ENTRY is updated. */
int pod_dir_retire(const struct pod_dir *self, struct pod_dir_entry *entry, rkt_error **err);
/* Removes the files of an embryo or of garbage, whose lock the caller holds. */
int pod_dir_erase(const struct pod_dir *self, const struct pod_dir_entry *entry, rkt_error **err);

#define auto_pod_dir __attribute__((cleanup(pod_dir_close)))
