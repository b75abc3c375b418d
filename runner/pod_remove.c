/* Removing a pod in an order a crash cannot spoil. */
#include "runner/pod_remove.h"

int pod_remove(rkt_store *store, const struct pod_dir *self, const struct pod_dir_entry *entry,
	rkt_error **err)
{
	struct pod_dir_entry now = *entry;
	ERROR_SCOPE(err, "removing pod", self->uuid);

	if (now.kind == POD_DIR_POD && pod_dir_retire(self, &now, err) < 0)
		return -1;
	if (now.kind == POD_DIR_GARBAGE && rkt_store_lease_drop(store, self->uuid, err) < 0)
		return -1;
	return pod_dir_erase(self, &now, err);
}
