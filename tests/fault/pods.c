/*
 * What pods do to a store, without pods: leases, and trees in use.
 *
 *	pods lease UUID IMAGE…
 *		makes the pod's folder, takes leases for it, and leaves them
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/store.h"

static int make_pod(const rkt_store *store, const char *uuid, rkt_error **err)
{
	return mkdirat(store->layout.containers, uuid, 0700) < 0 && errno != EEXIST
		       ? rkt_fail_errno(err, "mkdir containers/%s", uuid)
		       : 0;
}

static int lease(rkt_store *store, const char *uuid, char **images, rkt_error **err)
{
	for (; *images; images++) {
		rkt_image_id id;

		if (rkt_image_id_parse(*images, &id, err) < 0 ||
			rkt_store_lease(store, uuid, &id, 1, err) < 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	auto_error rkt_error *err = NULL;
	auto_store rkt_store *store = NULL;

	if (argc < 4 || strcmp(argv[1], "lease") != 0) {
		fputs("usage: pods lease UUID IMAGE…\n", stderr);
		return 2;
	}
	store = rkt_store_open(NULL, RKT_STORE_WRITE, &err);
	if (!store || make_pod(store, argv[2], &err) < 0 ||
		lease(store, argv[2], argv + 3, &err) < 0) {
		fprintf(stderr, "pods: %s\n", rkt_error_message(err));
		return 1;
	}
	return 0;
}
