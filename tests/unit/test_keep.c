/* What stays in a store, and what goes: leases, removal, collection. */
#include "tests/unit/stores.h"

#include <lmdb.h>
#include <time.h>

#include "base/draft.h"
#include "base/path.h"

#define POD       "6733c088-a507-4694-aabf-5f3bed9b8ba5"
#define OTHER_POD "0f3a3fd1-1c35-44a4-8c5f-0e0b5b1f3a5e"

static void removal_takes_record_and_files(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	assert_ok(rkt_store_remove(self->store, &id, &err), err);
	assert_false(is_found(self->store, id.text));
	assert_false(is_found(self->store, "example.com/app"));
	assert_false(exists(self, "blob", &id));
	assert_false(exists(self, "erofs", &id));
	assert_int_equal(rkt_store_remove(self->store, &id, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
}

static MDB_val origin_key(const rkt_image_id *id, uint8_t bytes[static 32])
{
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(sscanf(id->text + 7 + 2 * i, "%2hhx", &bytes[i]), 1);
	return (MDB_val){ 32, bytes };
}

/* The origin of the image ID: writes VALUE, or, when that is NULL, says whether there is one. */
static int with_origin(struct fixture *self, const rkt_image_id *id, char *value, size_t len)
{
	char path[300];
	uint8_t bytes[32];
	MDB_val key = origin_key(id, bytes), data = { len, value };
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;
	int got;

	rkt_store_close(self->store);
	snprintf(path, sizeof path, "%s/cas/index", self->path);
	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_maxdbs(env, 32);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "origin", 0, &table), 0);
	got = value ? mdb_put(txn, table, &key, &data, 0) : mdb_get(txn, table, &key, &data);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, NULL);
	assert_non_null(self->store);
	return got == 0;
}

static void an_origin_is_of_one_stay_in_the_store(void **state)
{
	char origin[] = "\1\1\0\0\0s\0\2\0\0\0ab\0\1\2\3\4\5\6\7";
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_image_record *record;
	rkt_error *err = NULL;

	assert_true(with_origin(self, &id, origin, sizeof origin));
	assert_ok(rkt_store_find(self->store, id.text, &record, &err), err);
	assert_string_equal(record->source, "s");
	assert_string_equal(record->signed_by, "ab");
	rkt_image_record_free(record);
	assert_ok(rkt_store_remove(self->store, &id, &err), err);
	assert_false(with_origin(self, &id, NULL, 0));
	/* left by an older program that removed the image */
	assert_true(with_origin(self, &id, origin, sizeof origin));
	add(self->store, "example.com/app", NULL, "a");
	assert_ok(rkt_store_find(self->store, id.text, &record, &err), err);
	assert_null(record->source);
	assert_null(record->signed_by);
	rkt_image_record_free(record);
}

static void a_damaged_origin_is_told(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_image_record *record;
	rkt_error *err = NULL;
	char damaged[] = "\1\377";

	assert_true(with_origin(self, &id, damaged, 2));
	assert_int_equal(rkt_store_find(self->store, id.text, &record, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
}

static void a_leased_image_is_not_removed_and_its_pods_are_named(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	make_pod(self, POD);
	make_pod(self, OTHER_POD);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	assert_ok(rkt_store_lease(self->store, OTHER_POD, &id, 1, &err), err);
	assert_int_equal(rkt_store_remove(self->store, &id, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), POD));
	assert_non_null(strstr(rkt_error_message(err), OTHER_POD));
	rkt_error_free(err);
	err = NULL;
	assert_true(exists(self, "blob", &id));
	assert_ok(rkt_store_lease_drop(self->store, POD, &err), err);
	assert_int_equal(rkt_store_remove(self->store, &id, NULL), -1);
	assert_ok(rkt_store_lease_drop(self->store, OTHER_POD, &err), err);
	assert_ok(rkt_store_remove(self->store, &id, &err), err);
}

static void a_lease_of_one_missing_image_is_no_lease_at_all(void **state)
{
	struct fixture *self = *state;
	rkt_image_id ids[2] = { add(self->store, "example.com/app", NULL, "a") };
	rkt_error *err = NULL;

	assert_ok(rkt_image_id_parse("sha256-"
				     "00000000000000000000000000000000"
				     "00000000000000000000000000000000",
			  &ids[1], &err),
		err);
	make_pod(self, POD);
	assert_int_equal(rkt_store_lease(self->store, POD, ids, 2, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
	err = NULL;
	assert_ok(rkt_store_remove(self->store, &ids[0], &err), err);
}

static int64_t used_sec(rkt_store *store, const rkt_image_id *id)
{
	rkt_image_record *record;
	rkt_error *err = NULL;
	int64_t used;

	assert_ok(rkt_store_find(store, id->text, &record, &err), err);
	used = record->used_sec;
	rkt_image_record_free(record);
	return used;
}

static void a_lease_is_the_last_use_of_its_images_until_they_are_removed(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a"),
		     other = add(self->store, "example.com/other", NULL, "b");
	int64_t before = time(NULL);
	rkt_error *err = NULL;

	assert_int_equal(used_sec(self->store, &id), 0);
	make_pod(self, POD);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	assert_in_range(used_sec(self->store, &id), before, time(NULL));
	assert_int_equal(used_sec(self->store, &other), 0);
	assert_ok(rkt_store_lease_drop(self->store, POD, &err), err);
	assert_in_range(used_sec(self->store, &id), before, time(NULL));
	assert_ok(rkt_store_remove(self->store, &id, &err), err);
	id = add(self->store, "example.com/app", NULL, "a");
	assert_int_equal(used_sec(self->store, &id), 0);
}

/* As a program left it that knew nothing of the table NAME. */
static void forget_table(struct fixture *self, const char *name)
{
	char path[sizeof self->path + sizeof "/cas/index"];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;

	snprintf(path, sizeof path, "%s/cas/index", self->path);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 1), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, name, 0, &table), 0);
	assert_int_equal(mdb_drop(txn, table, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void an_older_store_is_read_and_learns_of_uses_when_written_to(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	make_pod(self, POD);
	rkt_store_close(self->store);
	forget_table(self, "used");
	forget_table(self, "origin");
	self->store = rkt_store_open(self->path, RKT_STORE_READ, &err);
	assert_non_null(self->store);
	assert_int_equal(used_sec(self->store, &id), 0);
	rkt_store_close(self->store);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
	assert_non_null(self->store);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	assert_true(used_sec(self->store, &id) > 0);
}

static void an_index_that_lost_a_table_is_refused_and_left_alone(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	const enum rkt_store_mode modes[] = { RKT_STORE_READ, RKT_STORE_WRITE };

	rkt_store_close(self->store);
	forget_table(self, "image");
	for (size_t i = 0; i < 2; i++) {
		rkt_error *err = NULL;

		self->store = rkt_store_open(self->path, modes[i], &err);
		assert_null(self->store);
		assert_int_equal(rkt_error_kind(err), RKT_INVALID);
		assert_non_null(strstr(rkt_error_message(err), "the table image is missing"));
		rkt_error_free(err);
	}
	assert_true(exists(self, "blob", &id));
}

static void a_lease_needs_the_folder_of_its_pod(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	assert_int_equal(rkt_store_lease(self->store, POD, &id, 1, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
	err = NULL;
	assert_int_equal(rkt_store_lease(self->store, "../../etc", &id, 1, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

static void gc_keeps_what_is_new_or_leased(void **state)
{
	struct fixture *self = *state;
	rkt_image_id leased = add(self->store, "example.com/leased", NULL, "a"),
		     loose = add(self->store, "example.com/loose", NULL, "b");
	struct rkt_gc_result result;
	rkt_error *err = NULL;

	make_pod(self, POD);
	assert_ok(rkt_store_lease(self->store, POD, &leased, 1, &err), err);
	result = collect(self->store, 3600);
	assert_int_equal(result.images_kept, 2);
	result = collect(self->store, 0);
	assert_int_equal(result.images_removed, 1);
	assert_int_equal(result.images_kept, 1);
	assert_true(result.bytes_freed > 0);
	assert_true(is_found(self->store, leased.text));
	assert_false(is_found(self->store, loose.text));
	assert_false(exists(self, "blob", &loose));
}

static void gc_drops_the_leases_of_pods_that_are_gone(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	make_pod(self, POD);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	end_pod(self, POD);
	assert_int_equal(collect(self->store, 3600).images_kept, 1);
	make_pod(self, POD); /* another pod of that name has no lease */
	assert_int_equal(collect(self->store, 0).images_removed, 1);
}

/* Programs built before KEEP_LATEST and MAX_SIZE were there. */
static void gc_takes_the_options_of_older_programs(void **state)
{
	struct fixture *self = *state;
	struct rkt_gc_options options = { .size = offsetof(struct rkt_gc_options, keep_latest),
		.keep_latest = 7,
		.max_size = 1 };
	struct rkt_gc_result result = { .bytes_kept = 4711 };
	rkt_error *err = NULL;

	add(self->store, "example.com/app", NULL, "a");
	assert_ok(rkt_store_gc(self->store, &options, &result, &err), err);
	assert_int_equal(result.images_removed, 1);
	assert_int_equal(result.bytes_kept, 4711);
	options.size += 4;
	assert_int_equal(rkt_store_gc(self->store, &options, &result, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

/* Makes FOLDER below the data directory where it is missing, and an empty file in it. */
static void put_file(const struct fixture *self, const char *folder, const char *name)
{
	int fd = path_make_dirs(self->dir, folder);

	assert_true(fd >= 0);
	assert_int_equal(draft_write(fd, name, (struct slice){ 0 }, 0600, NULL), 0);
	close(fd);
}

static void gc_collects_files_without_a_record_and_no_others(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	static const char lost[] =
		"sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	rkt_image_id lost_id;

	assert_int_equal(rkt_image_id_parse(lost, &lost_id, NULL), 0);
	put_file(self, "cas/tmp", "file-1");
	put_file(self, "cas/blob/sha256/aa", lost);
	put_file(self, "cas/erofs/sha256/aa", lost);
	put_file(self,
		"cas/rootfs/sha256/aa/sha256-"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"inside");
	assert_int_equal(collect(self->store, 3600).files_removed, 4);
	assert_int_equal(faccessat(self->dir, "cas/tmp/file-1", F_OK, 0), -1);
	assert_false(exists(self, "blob", &lost_id));
	assert_false(exists(self, "erofs", &lost_id));
	assert_false(exists(self, "rootfs", &lost_id));
	assert_true(exists(self, "blob", &id));
	assert_true(exists(self, "erofs", &id));
}

static void a_dry_run_says_and_does_nothing(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	const struct rkt_gc_options options = { .size = sizeof options, .dry_run = true };
	struct rkt_gc_result result;
	rkt_error *err = NULL;

	assert_ok(rkt_store_gc(self->store, &options, &result, &err), err);
	assert_int_equal(result.images_removed, 1);
	assert_true(result.bytes_freed > 0);
	assert_true(is_found(self->store, id.text));
	assert_true(exists(self, "blob", &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(removal_takes_record_and_files),
		IN_STORE(an_origin_is_of_one_stay_in_the_store),
		IN_STORE(a_damaged_origin_is_told),
		IN_STORE(a_leased_image_is_not_removed_and_its_pods_are_named),
		IN_STORE(a_lease_of_one_missing_image_is_no_lease_at_all),
		IN_STORE(a_lease_is_the_last_use_of_its_images_until_they_are_removed),
		IN_STORE(an_older_store_is_read_and_learns_of_uses_when_written_to),
		IN_STORE(an_index_that_lost_a_table_is_refused_and_left_alone),
		IN_STORE(a_lease_needs_the_folder_of_its_pod),
		IN_STORE(gc_keeps_what_is_new_or_leased),
		IN_STORE(gc_drops_the_leases_of_pods_that_are_gone),
		IN_STORE(gc_takes_the_options_of_older_programs),
		IN_STORE(gc_collects_files_without_a_record_and_no_others),
		IN_STORE(a_dry_run_says_and_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
