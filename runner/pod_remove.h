/*
 * Removing a pod, so that a crash between any two steps leaves what the next `rkt-pod gc` finishes:
 *
 *	1. the lock, exclusively: nobody is alive in there, and no second remover
 *	2. rename to .garbage-<uuid>: from here on there is no such pod, for nobody
 *	3. the lease is dropped (after a crash before this: gc finds the garbage and drops it; the
 *	   store's own gc drops leases of pods that are gone as well)
 *	4. the files go, the renamed directory last
 *
 * A lease is never dropped while its pod could still be used, and files never go before the name.
 */
#pragma once

#include "rkt/store.h"
#include "runner/pod_dir.h"

/* Steps 2 to 4 for SELF, whose lock the caller holds; ENTRY is what it was opened by. */
int pod_remove(rkt_store *store, const struct pod_dir *self, const struct pod_dir_entry *entry,
	rkt_error **err);
