/* Many threads at one handle: nothing is lost, nobody waits for ever, the index grows meanwhile.
 * Built with -fsanitize=thread it also says who looked at what somebody else was changing. */
#include "tests/unit/store_fixture.h"

#include <pthread.h>

#define THREADS 8
#define IMAGES  10    /* of each thread; every second is removed again */
#define PADDING 40000 /* in each manifest: together several times the index's first size */

struct worker {
	struct fixture *fixture;
	pthread_t thread;
	unsigned number;
	char trouble[300]; /* cmocka's assertions are for the main thread */
};

/* A file with the image called example.com/NUMBER-AT, with a large manifest. */
static int image_file(unsigned number, unsigned at)
{
	static const char padding[PADDING + 1];
	struct buf tar = { 0 }, manifest = { 0 };
	int fd = memfd_create("tar", MFD_CLOEXEC);

	buf_printf(&manifest,
		"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", "
		"\"name\": \"example.com/%u-%u\", \"annotations\": [{\"name\": \"padding\", "
		"\"value\": \"",
		number, at);
	buf_append(&manifest, padding, PADDING);
	memset(manifest.data + manifest.len - PADDING, 'x', PADDING);
	buf_append_text(&manifest, "\"}]}");
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&manifest));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_end(&tar);
	fd_pwrite_all(fd, tar.data, tar.len, 0, NULL);
	buf_free(&manifest);
	buf_free(&tar);
	return fd;
}

/* Notes the first thing that went wrong. */
static bool went_wrong(struct worker *self, int result, const char *doing, rkt_error **err)
{
	if (result >= 0)
		return false;
	snprintf(self->trouble, sizeof self->trouble, "%s: %s", doing,
		err && *err ? rkt_error_message(*err) : "no error set");
	if (err)
		rkt_error_free(*err);
	return true;
}

static bool import(struct worker *self, unsigned number, unsigned at, rkt_image_id *ret)
{
	int fd = image_file(number, at), result;
	rkt_error *err = NULL;

	result = rkt_store_import(self->fixture->store, fd, NULL, ret, &err);
	close(fd);
	return !went_wrong(self, result, "import", &err);
}

static bool look_around(struct worker *self, unsigned at, const rkt_image_id *id)
{
	rkt_store *store = self->fixture->store;
	rkt_image_record *record = NULL, **all = NULL;
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;
	char name[64];
	size_t count = 0;
	int blob;

	snprintf(name, sizeof name, "example.com/%u-%u", self->number, at);
	if (went_wrong(self, rkt_store_find(store, name, &record, &err), "find", &err))
		return false;
	if (strcmp(record->id.text, id->text) != 0 || record->manifest_len < PADDING)
		went_wrong(self, -1, "found another image", NULL);
	rkt_image_record_free(record);
	if (went_wrong(self, rkt_store_list(store, &all, &count, &err), "list", &err))
		return false;
	rkt_store_list_free(all, count);
	if (went_wrong(self, rkt_store_layers(store, id, &layers, &err), "layers", &err))
		return false;
	rkt_layers_free(layers);
	blob = rkt_store_open_blob(store, id, &err);
	if (went_wrong(self, blob, "open blob", &err))
		return false;
	close(blob);
	return true;
}

static bool use_tree(struct worker *self, const rkt_image_id *id)
{
	rkt_error *err = NULL;
	enum rkt_tree_form form;
	int fd = rkt_store_open_tree(self->fixture->store, id, RKT_TREE_EXTRACTED, &form, &err);

	if (went_wrong(self, fd, "open tree", &err))
		return false;
	close(fd);
	return true;
}

static bool keep_house(struct worker *self, unsigned at, const rkt_image_id *id)
{
	rkt_store *store = self->fixture->store;
	const struct rkt_gc_options gc = { .size = sizeof gc, .grace_sec = 3600 };
	const struct rkt_verify_options verify = {
		.size = sizeof verify, .ids = id, .count = 1, .jobs = 2
	};
	struct rkt_gc_result collected;
	rkt_error *err = NULL;

	if (at % 2 && went_wrong(self, rkt_store_remove(store, id, &err), "remove", &err))
		return false;
	if (at == self->number &&
		went_wrong(self, rkt_store_gc(store, &gc, &collected, &err), "gc", &err))
		return false;
	if (at == 6 &&
		went_wrong(self, rkt_store_learn_sha512(store, NULL, NULL, &err), "learn", &err))
		return false;
	return at % 2 ||
	       !went_wrong(self, rkt_store_verify(store, &verify, NULL, &err), "verify", &err);
}

static void *work(void *context)
{
	struct worker *self = context;
	rkt_image_id id, shared;

	for (unsigned at = 0; at < IMAGES && !self->trouble[0]; at++)
		if (!import(self, self->number, at, &id) || !import(self, THREADS, at, &shared) ||
			!look_around(self, at, &id) || !use_tree(self, &id) ||
			!keep_house(self, at, &id))
			break;
	return NULL;
}

static void threads_share_a_handle(void **state)
{
	struct fixture *self = *state;
	struct worker workers[THREADS] = { 0 };
	rkt_image_record **all = NULL;
	rkt_error *err = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].fixture = self;
		workers[i].number = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		if (workers[i].trouble[0])
			fail_msg("thread %u: %s", i, workers[i].trouble);
	assert_ok(rkt_store_list(self->store, &all, &count, &err), err);
	assert_int_equal(count, THREADS * IMAGES / 2 + IMAGES);
	rkt_store_list_free(all, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			threads_share_a_handle, store_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
