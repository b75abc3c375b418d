/* What most commands begin with: the store opened, and the image they are about found in it. */
#include "store/cmd.h"

#include "cli/progress.h"
#include "store/deps.h"
#include "store/sha512.h"

const char *const cmd_see_also[] = { "rkt-store(1)", "rkt-run(1)", "aci-hash(1)", NULL };

rkt_store *cmd_open_existing(const char *dir, rkt_error **err)
{
	rkt_store *store = rkt_store_open(dir, RKT_STORE_READ, err);

	if (!store)
		return NULL;
	rkt_store_close(store);
	return rkt_store_open(dir, RKT_STORE_WRITE, err);
}

static void show_learning(void *context, uint64_t bytes, uint64_t of)
{
	struct progress **progress = context;

	if (!*progress)
		*progress = progress_start("SHA-512 of the images", of);
	progress_at(*progress, bytes);
}

int cmd_find_in(rkt_store *store, const char *reference, rkt_image_record **ret, rkt_error **err)
{
	struct progress *progress = NULL;
	int result = sha512_find(store, reference, show_learning, &progress, ret, err);

	progress_end(progress);
	return result;
}

int cmd_find(const char *dir, const char *reference, rkt_store **ret_store, rkt_image_record **ret,
	rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	*ret_store = rkt_store_open(dir, RKT_STORE_READ, err);
	if (!*ret_store)
		return -1;
	if (rkt_store_find(*ret_store, reference, ret, &why) == 0)
		return 0;
	if (!sha512_may_help(reference, why))
		return rkt_fail_with(err, pass_ptr(why));
	rkt_store_close(*ret_store); /* a process opens a store once */
	*ret_store = rkt_store_open(dir, RKT_STORE_WRITE, err);
	return *ret_store ? cmd_find_in(*ret_store, reference, ret, err) : -1;
}

struct wanting {
	const rkt_image_id *id;
	struct buf unlearnt;
};

static int look_for_unlearnt(db_txn *txn, void *context, rkt_error **err)
{
	struct wanting *self = context;
	auto_layers rkt_layers *layers = NULL;

	(void)err; /* who wants the layers will hear what is wrong with them */
	self->unlearnt.len = 0;
	(void)deps_resolve(txn, self->id, &self->unlearnt, &layers, NULL);
	return 0;
}

/* Whether a dependency of the image ID may be in the store, but for a SHA-512 nobody made yet. */
static bool wants_sha512(rkt_store *store, const rkt_image_id *id)
{
	struct wanting wanting = { .id = id };
	bool wants =
		db_read(store->db, look_for_unlearnt, &wanting, NULL) == 0 && wanting.unlearnt.len;

	buf_free(&wanting.unlearnt);
	return wants;
}

int cmd_find_layered(const char *dir, const char *reference, rkt_store **ret_store,
	rkt_image_record **ret, rkt_error **err)
{
	auto_layers rkt_layers *layers = NULL;

	if (cmd_find(dir, reference, ret_store, ret, err) < 0)
		return -1;
	if ((*ret_store)->mode == RKT_STORE_WRITE || !wants_sha512(*ret_store, &(*ret)->id))
		return 0;
	rkt_store_close(*ret_store); /* a process opens a store once */
	*ret_store = rkt_store_open(dir, RKT_STORE_WRITE, NULL);
	if (*ret_store)
		(void)rkt_store_layers(*ret_store, &(*ret)->id, &layers, NULL);
	else /* on a read-only file system, or another user's */
		*ret_store = rkt_store_open(dir, RKT_STORE_READ, err);
	return *ret_store ? 0 : -1;
}
