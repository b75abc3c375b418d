/* Running erofsfuse over an index and its tars. */
#include "store/fuse.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "store/blob.h"
#include "store/layered.h"
#include "store/tree.h"

#define PROGRAM    "erofsfuse"
#define OUTPUT_MAX 65536 /* what it may say; nobody reads it */

bool fuse_is_there(void)
{
	const char *search = getenv("PATH");
	auto_free char *path = xstrdup(search ? search : "");
	char *rest = path, *dir;

	while ((dir = strsep(&rest, ":"))) {
		auto_free char *program = xasprintf("%s/" PROGRAM, *dir ? dir : ".");

		if (access(program, X_OK) == 0)
			return true;
	}
	return false;
}

struct question {
	const rkt_layers *layers;
	bool has_index;
	uint64_t size; /* of the index */
	char *fault;   /* why there is none */
};

static int ask(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	const rkt_image_id *tree = &self->layers->tree;
	struct tree_row index = { 0 };
	struct image_row image = { 0 };
	int got = store_get_tree(txn, RECORD_EROFS, tree, &index, err);

	if (got < 0 || store_get_image(txn, tree, &image, err) < 0)
		return -1;
	self->has_index = got;
	self->size = index.size;
	free(self->fault);
	self->fault = xstrdup_if(image.index_fault);
	return 0;
}

/* Finds the index of the tree, or makes that of several layers: 0, or -1. */
static int find_index(
	rkt_store *store, const rkt_layers *layers, uint64_t *ret_size, rkt_error **err)
{
	struct question question = { .layers = layers };
	auto_free char *fault = NULL;

	if (db_read(store->db, ask, &question, err) < 0)
		return -1;
	fault = question.fault;
	*ret_size = question.size;
	if (question.has_index)
		return 0;
	if (!deps_is_plain(layers))
		return layered_make_index(store, layers, ret_size, err);
	return rkt_fail(err, RKT_FAILED, "there is no EROFS index of this image%s%s",
		fault ? ": " : "", fault ? fault : "");
}

/* Whether the files are there and as long as recorded; erofsfuse opens them by their paths. */
static int check_files(const rkt_store *store, const struct layered_tars *tars,
	const rkt_image_id *tree, uint64_t index_size, rkt_error **err)
{
	auto_fd int index = tree_open_index(&store->layout, tree, index_size, err);

	if (index < 0)
		return -1;
	for (size_t i = 0; i < tars->count; i++) {
		auto_fd int tar =
			blob_open(&store->layout, &tars->items[i]->id, tars->items[i]->size, err);

		if (tar < 0)
			return -1;
	}
	return 0;
}

/* ARGS has room for the program, the tars, index, target and NULL. */
static int run_over(char **args, rkt_error **err)
{
	auto_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_buf struct buf output = { 0 };
	int status;

	if (nothing < 0)
		return rkt_fail_errno(err, "open /dev/null");
	status = proc_capture(args, nothing, OUTPUT_MAX, &output, err);
	if (status > 0)
		return rkt_fail(err, RKT_FAILED, PROGRAM " ended with status %d", status);
	return status;
}

static int run(const rkt_store *store, const struct layered_tars *tars, const rkt_image_id *tree,
	const char *target, rkt_error **err)
{
	auto_free char **args = xcalloc(tars->count + 4, sizeof *args);
	size_t count = 0;
	int result;

	args[count++] = xstrdup(PROGRAM);
	for (size_t i = 0; i < tars->count; i++) {
		auto_free char *path =
			layout_file_path(&store->layout, "blob", &tars->items[i]->id);

		args[count++] = xasprintf("--device=%s", path);
	}
	args[count++] = layout_file_path(&store->layout, "erofs", tree);
	args[count++] = xstrdup(target);
	result = run_over(args, err);
	while (count)
		free(args[--count]);
	return result;
}

int fuse_mount(rkt_store *store, const rkt_image_id *image, const char *target, rkt_error **err)
{
	ERROR_SCOPE(err, "rendering", image->text);
	auto_layers rkt_layers *layers = NULL;
	struct layered_tars tars;
	uint64_t index_size;
	int result;

	if (rkt_store_layers(store, image, &layers, err) < 0 ||
		find_index(store, layers, &index_size, err) < 0)
		return -1;
	tars = layered_tars(layers);
	result = check_files(store, &tars, &layers->tree, index_size, err);
	if (result == 0)
		result = run(store, &tars, &layers->tree, target, err);
	layered_tars_free(&tars);
	return result;
}
