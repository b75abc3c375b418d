/* What counts as a use of an image, and what gc makes of it. */
#include "tests/unit/stores.h"

#include "store/import.h"
#include "store/store.h"

#define HOUR_SEC 3600

/* Imports the same image, as if it were SEC seconds ago. */
static rkt_image_id import_ago(struct fixture *self, unsigned sec)
{
	const struct import_wish wish = { .at_ns = store_now_ns() - sec * 1000000000ull };
	struct buf tar = image_tar("example.com/app", "1.0", "a");
	rkt_error *err = NULL;
	rkt_image_id id;
	int fd = file_of(&tar);

	assert_ok(import_as_wished(self->store, fd, NULL, &wish, &id, &err), err);
	close(fd);
	buf_free(&tar);
	return id;
}

static uint64_t kept_by_gc(struct fixture *self, int64_t grace_sec)
{
	const struct rkt_gc_options options = {
		.size = sizeof options, .grace_sec = grace_sec, .dry_run = true
	};
	struct rkt_gc_result result;
	rkt_error *err = NULL;

	assert_ok(rkt_store_gc(self->store, &options, &result, &err), err);
	return result.images_kept;
}

static int64_t used_sec(struct fixture *self, const rkt_image_id *id)
{
	rkt_image_record *record;
	rkt_error *err = NULL;
	int64_t sec;

	assert_ok(rkt_store_find(self->store, id->text, &record, &err), err);
	sec = record->used_sec;
	rkt_image_record_free(record);
	return sec;
}

static void an_old_image_that_is_imported_again_is_left_to_who_did(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = import_ago(self, 48 * HOUR_SEC);

	assert_int_equal(used_sec(self, &id), 0);
	assert_int_equal(kept_by_gc(self, 24 * HOUR_SEC), 0);
	import_ago(self, 0);
	assert_true(used_sec(self, &id) >= (int64_t)(store_now_ns() / 1000000000u) - 10);
	assert_int_equal(kept_by_gc(self, 24 * HOUR_SEC), 1);
	assert_int_equal(kept_by_gc(self, 0), 0);
}

static void an_old_image_whose_blob_was_gone_is_left_to_who_imports_it_again(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = import_ago(self, 48 * HOUR_SEC);
	int shard = layout_shard_open(self->store->layout.blob, &id, NULL);

	assert_int_equal(unlinkat(shard, id.text, 0), 0);
	close(shard);
	import_ago(self, 0);
	assert_int_equal(kept_by_gc(self, 24 * HOUR_SEC), 1);
	assert_int_equal(kept_by_gc(self, 0), 0);
}

static void an_import_within_the_hour_of_the_last_use_writes_nothing(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = import_ago(self, HOUR_SEC - 60);

	import_ago(self, 0);
	assert_int_equal(used_sec(self, &id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(an_old_image_that_is_imported_again_is_left_to_who_did),
		IN_STORE(an_old_image_whose_blob_was_gone_is_left_to_who_imports_it_again),
		IN_STORE(an_import_within_the_hour_of_the_last_use_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
