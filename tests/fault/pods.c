/*
 * What pods do to a store, without pods: leases, and trees in use.
 *
 *	pods lease UUID IMAGE…
 *		makes the pod's folder, takes leases for it, and leaves them
 *	pods race SECONDS SEED IMAGE…
 *		takes a lease on one of IMAGE for a pod of its own, uses its tree and its blob, and
 *		ends the pod, again and again; prints how often it had one, and how often the image
 *		was not there. A leased image that is lost, in part or wholly, is an error.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/uuid.h"
#include "store/store.h"

/* rootfs/content begins so in every image of these tests. */
#define CONTENT "content"

struct race {
	char **images;
	unsigned image_count, seed;
	time_t until;
	unsigned long had, missed;
};

static int make_pod(const rkt_store *store, const char *uuid, rkt_error **err)
{
	return mkdirat(store->layout.containers, uuid, 0700) < 0 && errno != EEXIST
		       ? rkt_fail_errno(err, "mkdir containers/%s", uuid)
		       : 0;
}

static int end_pod(const rkt_store *store, const char *uuid, rkt_error **err)
{
	return unlinkat(store->layout.containers, uuid, AT_REMOVEDIR) < 0
		       ? rkt_fail_errno(err, "rmdir containers/%s", uuid)
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

/* The image is there as a pod sees it. */
static int use(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	auto_fd int tree = rkt_store_open_tree(store, id, RKT_TREE_AUTO, NULL, err), blob = -1;
	auto_buf struct buf content = { 0 };

	if (tree < 0 || fd_read_file(tree, "content", 65536, &content, err) < 0)
		return -1;
	if (content.len < strlen(CONTENT) || memcmp(content.data, CONTENT, strlen(CONTENT)) != 0)
		return rkt_fail(err, RKT_INVALID, "the tree has another content");
	blob = rkt_store_open_blob(store, id, err);
	return blob < 0 ? -1 : 0;
}

static void wait_a_little(struct race *self)
{
	struct timespec pause = { 0, rand_r(&self->seed) % 30000000 };

	nanosleep(&pause, NULL);
}

/* Some pods are removed by somebody who does not drop their leases: gc does that. */
static int leave(struct race *self, rkt_store *store, const char *uuid, rkt_error **err)
{
	if (rand_r(&self->seed) % 4 && rkt_store_lease_drop(store, uuid, err) < 0)
		return -1;
	return end_pod(store, uuid, err);
}

static int run_pod(struct race *self, rkt_store *store, rkt_error **err)
{
	const char *image = self->images[(unsigned)rand_r(&self->seed) % self->image_count];
	ERROR_SCOPE(err, "using", image);
	auto_error rkt_error *why = NULL;
	char uuid[UUID_TEXT_LEN + 1];
	rkt_image_id id;

	if (rkt_image_id_parse(image, &id, err) < 0 || uuid_make(uuid, err) < 0 ||
		make_pod(store, uuid, err) < 0)
		return -1;
	if (rkt_store_lease(store, uuid, &id, 1, &why) < 0) {
		if (rkt_error_kind(why) != RKT_MISSING)
			return rkt_fail_with(err, pass_ptr(why));
		self->missed++;
		return end_pod(store, uuid, err);
	}
	for (int i = 0; i < 3; i++) {
		if (use(store, &id, err) < 0)
			return -1;
		wait_a_little(self);
	}
	self->had++;
	return leave(self, store, uuid, err);
}

static int race(struct race *self, rkt_error **err)
{
	while (time(NULL) < self->until) {
		auto_store rkt_store *store = rkt_store_open(NULL, RKT_STORE_WRITE, err);

		for (int i = 0; i < 5; i++)
			if (!store || run_pod(self, store, err) < 0)
				return -1;
	}
	printf("%lu %lu\n", self->had, self->missed);
	return 0;
}

static int take_lease(const char *uuid, char **images, rkt_error **err)
{
	auto_store rkt_store *store = rkt_store_open(NULL, RKT_STORE_WRITE, err);

	if (!store || make_pod(store, uuid, err) < 0)
		return -1;
	return lease(store, uuid, images, err);
}

int main(int argc, char **argv)
{
	auto_error rkt_error *err = NULL;
	int result;

	if (argc >= 4 && strcmp(argv[1], "lease") == 0) {
		result = take_lease(argv[2], argv + 3, &err);
	} else if (argc >= 5 && strcmp(argv[1], "race") == 0) {
		struct race self = { .images = argv + 4,
			.image_count = (unsigned)argc - 4,
			.seed = (unsigned)atoi(argv[3]),
			.until = time(NULL) + atoi(argv[2]) };

		result = race(&self, &err);
	} else {
		fputs("usage: pods lease UUID IMAGE…\n"
		      "       pods race SECONDS SEED IMAGE…\n",
			stderr);
		return 2;
	}
	if (result < 0)
		fprintf(stderr, "pods: %s\n", rkt_error_message(err));
	return result < 0;
}
