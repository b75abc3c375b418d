/*
 * What a pod is doing, read from its directory and its lock and from nowhere else, so that nothing
 * goes stale when a process dies.
 *
 *	state		the directory has			what a crash leaves
 *	embryo		the name .new-<uuid>			garbage
 *	preparing	the lock held, no manifest		garbage
 *	prepared	the lock held, manifest, no pid		garbage: it never ran
 *	running		the lock held, manifest, pid		exited: its processes die with it
 *	exited		the lock free, manifest, pid		exited
 *	garbage		the lock free, and manifest or pid	garbage
 *			missing; or the name .garbage-<uuid>
 *
 * A pod only ever moves down this list. Facts are read lock first: a pod that moves on meanwhile
 * then looks as it was at some moment, never like two moments at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "aci/pod.h"
#include "runner/pod_dir.h"

enum pod_state {
	POD_EMBRYO,
	POD_PREPARING,
	POD_PREPARED,
	POD_RUNNING,
	POD_EXITED,
	POD_GARBAGE,
};

/* "running", ... */
const char *pod_state_name(enum pod_state state);

struct pod_facts {
	enum pod_dir_kind kind;
	bool locked, has_manifest, has_pid;
};

enum pod_state pod_state_of(const struct pod_facts *facts);

/* An app that has not ended, or whose end nobody lived to write down. */
#define POD_APP_NO_STATUS (-1)

struct pod_info {
	char uuid[UUID_TEXT_LEN + 1];
	enum pod_state state;
	int64_t created_sec; /* the manifest was written; 0: not yet */
	int64_t started_sec; /* the pod's first process was there; 0: not yet */
	int64_t ended_sec;   /* the last known sign of life of an exited pod; 0: not exited */
	pid_t pid;           /* as the host sees it; 0: none */
	struct pod_manifest *manifest; /* NULL: none, or one that cannot be read */
	int *statuses;                 /* one for each app of MANIFEST, or POD_APP_NO_STATUS */
};

/* Reads all there is to know of ENTRY; a broken file makes its facts unknown and is no error. The
 * pod cannot be removed while this looks. RKT_MISSING when it is gone. *RET is released with
 * pod_info_clear(). */
int pod_info_read(
	int pods, const struct pod_dir_entry *entry, struct pod_info *ret, rkt_error **err);
/* The same for SELF, whose lock the caller holds (so it does not count as held). */
int pod_info_read_locked(
	const struct pod_dir *self, enum pod_dir_kind kind, struct pod_info *ret, rkt_error **err);
void pod_info_clear(struct pod_info *info);

/* Waits until nobody holds the lock of the pod any more. */
int pod_wait(int pods, const struct pod_dir_entry *entry, rkt_error **err);

#define auto_pod_info __attribute__((cleanup(pod_info_clear)))
