/* The index: what a transaction promises, what is refused, and that the map grows. */
#include "tests/unit/db_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "store/alias.h"
#include "store/db_record.h"

#define ID_A "sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "sha256-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define POD  "6733c088-a507-4694-aabf-5f3bed9b8ba5"

static struct slice text(const char *words)
{
	return (struct slice){ (const uint8_t *)words, strlen(words) };
}

static int put_one(db_txn *txn, void *context, rkt_error **err)
{
	return db_put(txn, DB_META, text("key"), text(context), err);
}

struct got {
	int found;
	char value[64];
};

static int get_one(db_txn *txn, void *context, rkt_error **err)
{
	struct got *self = context;
	struct slice value = { 0 };

	self->found = db_get(txn, DB_META, text("key"), &value, err);
	if (self->found > 0)
		snprintf(self->value, sizeof self->value, "%.*s", (int)value.len,
			(const char *)value.data);
	return self->found < 0 ? -1 : 0;
}

static struct got get(db *index)
{
	struct got self = { 0 };
	rkt_error *err = NULL;

	assert_ok(db_read(index, get_one, &self, &err), err);
	return self;
}

static void a_committed_value_is_found(void **state)
{
	struct fixture *self = *state;
	char value[] = "value";
	rkt_error *err = NULL;

	assert_int_equal(get(self->db).found, 0);
	assert_ok(db_write(self->db, put_one, value, &err), err);
	assert_string_equal(get(self->db).value, "value");
}

static int put_and_fail(db_txn *txn, void *context, rkt_error **err)
{
	if (put_one(txn, context, err) < 0)
		return -1;
	return rkt_fail(err, RKT_UNTRUSTED, "no");
}

static void failed_work_leaves_nothing_and_hands_its_error_on(void **state)
{
	struct fixture *self = *state;
	char value[] = "value";
	rkt_error *err = NULL;

	assert_int_equal(db_write(self->db, put_and_fail, value, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_UNTRUSTED);
	assert_int_equal(get(self->db).found, 0);
	rkt_error_free(err);
}

static int delete_twice(db_txn *txn, void *context, rkt_error **err)
{
	(void)context;
	if (db_delete(txn, DB_META, text("key"), err) < 0)
		return -1;
	return db_delete(txn, DB_META, text("key"), err);
}

static void deleting_what_is_not_there_is_success(void **state)
{
	struct fixture *self = *state;
	char value[] = "value";
	rkt_error *err = NULL;

	assert_ok(db_write(self->db, put_one, value, &err), err);
	assert_ok(db_write(self->db, delete_twice, NULL, &err), err);
	assert_int_equal(get(self->db).found, 0);
}

static void the_map_grows_by_itself(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;

	assert_ok(db_write(self->db, put_much, NULL, &err), err);
	assert_int_equal(name_count(self->db), 8192);
}

/* Runs WORK in a process and environment of its own. */
static int in_another_process(const struct fixture *self, db_work *work, void *context)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int dir = open(self->path, O_RDONLY | O_DIRECTORY);
		db *index = db_open(dir, DB_WRITE, NULL);

		_exit(index && db_write(index, work, context, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void growth_by_another_process_is_adopted(void **state)
{
	struct fixture *self = *state;
	char value[] = "after";
	rkt_error *err = NULL;

	assert_int_equal(name_count(self->db), 0);
	assert_int_equal(in_another_process(self, put_much, NULL), 0);
	assert_int_equal(name_count(self->db), 8192);
	assert_ok(db_write(self->db, put_one, value, &err), err);
	assert_string_equal(get(self->db).value, "after");
}

static int put_and_die(db_txn *txn, void *context, rkt_error **err)
{
	(void)put_one(txn, context, err);
	raise(SIGKILL);
	return 0;
}

static void a_killed_writer_blocks_nobody_and_leaves_nothing(void **state)
{
	struct fixture *self = *state;
	char dead[] = "dead", alive[] = "alive";
	rkt_error *err = NULL;

	assert_true(WIFSIGNALED(in_another_process(self, put_and_die, dead)));
	assert_int_equal(get(self->db).found, 0);
	assert_ok(db_write(self->db, put_one, alive, &err), err);
	assert_string_equal(get(self->db).value, "alive");
}

static int collect_keys(db_txn *txn, void *context, rkt_error **err)
{
	char *out = context;
	db_cursor *cursor;
	struct slice key, value;
	int got;

	for (const char *name = "bca"; *name; name++)
		assert_int_equal(db_put(txn, DB_NAME, (struct slice){ (const uint8_t *)name, 1 },
					 text("v"), err),
			0);
	cursor = db_seek(txn, DB_NAME, text("b"), err);
	assert_non_null(cursor);
	while ((got = db_next(cursor, &key, &value, err)) > 0)
		strncat(out, (const char *)key.data, 1);
	db_cursor_free(cursor);
	return got;
}

static void a_cursor_starts_where_asked_and_goes_in_order(void **state)
{
	struct fixture *self = *state;
	char keys[8] = "";
	rkt_error *err = NULL;

	assert_ok(db_write(self->db, collect_keys, keys, &err), err);
	assert_string_equal(keys, "bc");
}

static void writing_through_a_reader_is_refused(void **state)
{
	struct fixture *self = *state;
	char value[] = "value";
	rkt_error *err = NULL;

	db_close(self->db);
	self->db = db_open(self->dir, DB_READ, &err);
	assert_non_null(self->db);
	assert_int_equal(db_write(self->db, put_one, value, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

/* Expects that neither the look nor the opening accepts the index, and returns nothing of it. */
static void assert_refused(struct fixture *self, const char *words)
{
	enum db_file file;
	rkt_error *err = NULL;

	assert_int_equal(db_look(self->dir, &file, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("%s", rkt_error_message(err));
	rkt_error_free(err);
}

static void an_index_cut_to_any_length_is_refused(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;
	char path[300];
	static const off_t sizes[] = { 1024 * 1024, 65536, 12288, 8192, 8191, 4096, 4095, 100, 20 };

	assert_ok(db_write(self->db, put_much, NULL, &err), err);
	snprintf(path, sizeof path, "%s/data.mdb", self->path);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(truncate(path, sizes[i]), 0);
		assert_refused(self, "is truncated");
	}
}

static void a_file_of_somebody_else_is_refused(void **state)
{
	struct fixture *self = *state;
	char path[300];
	FILE *file;

	snprintf(path, sizeof path, "%s/data.mdb", self->path);
	file = fopen(path, "w");
	for (int i = 0; i < 4096; i++)
		fputs("not LMDB", file);
	fclose(file);
	assert_refused(self, "no LMDB file");
}

static void an_empty_or_zeroed_file_counts_as_none(void **state)
{
	struct fixture *self = *state;
	enum db_file file = DB_FILE_GOOD;
	rkt_error *err = NULL;
	char path[300];

	snprintf(path, sizeof path, "%s/data.mdb", self->path);
	assert_int_equal(truncate(path, 0), 0);
	assert_ok(db_look(self->dir, &file, &err), err);
	assert_int_equal(file, DB_FILE_ABSENT);
	assert_int_equal(truncate(path, 8192), 0);
	file = DB_FILE_GOOD;
	assert_ok(db_look(self->dir, &file, &err), err);
	assert_int_equal(file, DB_FILE_ABSENT);
}

static int put_format_2(db_txn *txn, void *context, rkt_error **err)
{
	static const uint8_t newer[] = { 1, 2, 0, 0, 0 };

	(void)context;
	return db_put(txn, DB_META, text("format"), (struct slice){ newer, sizeof newer }, err);
}

static void a_newer_format_is_refused_with_its_number_s_047(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;

	assert_ok(db_write(self->db, put_format_2, NULL, &err), err);
	db_close(self->db);
	self->db = db_open(self->dir, DB_WRITE, &err);
	assert_null(self->db);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	assert_non_null(strstr(rkt_error_message(err), "format 2"));
	rkt_error_free(err);
}

/* ---- records --------------------------------------------------------------------------------- */

static struct buf image_bytes(void)
{
	struct image_row row = { .size = 1234,
		.entries = 5,
		.imported_ns = 1418290200000000001,
		.name = "example.com/app",
		.version = "1.0",
		.os = NULL,
		.arch = "amd64",
		.index_fault = "because" };
	struct buf out = { 0 };

	image_row_write(&row, &out);
	return out;
}

static void an_image_record_comes_back_as_it_was(void **state)
{
	struct buf bytes = image_bytes();
	struct image_row row;
	rkt_error *err = NULL;

	(void)state;
	assert_ok(image_row_read(buf_slice(&bytes), &row, &err), err);
	assert_int_equal(row.size, 1234);
	assert_int_equal(row.entries, 5);
	assert_int_equal(row.imported_ns, 1418290200000000001);
	assert_string_equal(row.name, "example.com/app");
	assert_string_equal(row.version, "1.0");
	assert_null(row.os);
	assert_string_equal(row.arch, "amd64");
	assert_string_equal(row.index_fault, "because");
	buf_free(&bytes);
}

static void a_record_of_an_unknown_version_is_refused(void **state)
{
	struct buf bytes = image_bytes();
	struct image_row row;
	rkt_error *err = NULL;

	(void)state;
	bytes.data[0] = 2;
	assert_int_equal(image_row_read(buf_slice(&bytes), &row, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	assert_non_null(strstr(rkt_error_message(err), "version 2"));
	rkt_error_free(err);
	buf_free(&bytes);
}

static void a_record_cut_anywhere_or_too_long_is_refused(void **state)
{
	struct buf bytes = image_bytes();
	struct image_row row;

	(void)state;
	for (size_t len = 0; len < bytes.len; len++) {
		/* a copy of that length, so that a sanitizer sees a read beyond it */
		uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, bytes.data, len);
		assert_int_equal(image_row_read((struct slice){ cut, len }, &row, NULL), -1);
		free(cut);
	}
	buf_append(&bytes, "x", 1);
	assert_int_equal(image_row_read(buf_slice(&bytes), &row, NULL), -1);
	buf_free(&bytes);
}

static void numbers_are_little_endian_on_disk(void **state)
{
	struct buf bytes = image_bytes();

	(void)state;
	assert_int_equal(bytes.data[0], 1);
	assert_int_equal(bytes.data[1], 1234 & 0xff);
	assert_int_equal(bytes.data[2], 1234 >> 8);
	buf_free(&bytes);
}

static void a_tree_record_comes_back_as_it_was(void **state)
{
	rkt_image_id layers[2];
	struct tree_row row = { .index_version = 7,
		.size = 65536,
		.made_ns = 9,
		.boot = "boot",
		.layers = layers,
		.layer_count = 2 };
	struct buf bytes = { 0 };
	struct tree_row got;
	rkt_error *err = NULL;

	(void)state;
	assert_ok(rkt_image_id_parse(ID_A, &layers[0], &err), err);
	assert_ok(rkt_image_id_parse(ID_B, &layers[1], &err), err);
	tree_row_write(&row, &bytes);
	assert_ok(tree_row_read(buf_slice(&bytes), &got, &err), err);
	assert_int_equal(got.index_version, 7);
	assert_int_equal(got.size, 65536);
	assert_string_equal(got.boot, "boot");
	assert_int_equal(got.layer_count, 2);
	bytes.len--;
	assert_int_equal(tree_row_read(buf_slice(&bytes), &got, NULL), -1);
	buf_free(&bytes);
}

static void keys_give_the_ids_and_pods_back(void **state)
{
	rkt_image_id id, got;
	char uuid[UUID_TEXT_LEN + 1];
	rkt_error *err = NULL;
	struct key lease, name;

	(void)state;
	assert_ok(rkt_image_id_parse(ID_A, &id, &err), err);
	lease = key_of_lease(&id, POD);
	assert_ok(key_lease_read(key_slice(&lease), &got, uuid, &err), err);
	assert_string_equal(got.text, ID_A);
	assert_string_equal(uuid, POD);
	assert_ok(key_of_name("example.com/app", 1, &id, &name, &err), err);
	assert_ok(key_name_id(key_slice(&name), &got, &err), err);
	assert_string_equal(got.text, ID_A);
}

/* ---- aliases --------------------------------------------------------------------------------- */

struct aliases {
	struct alias packed, shared;
	rkt_image_id a, b, found;
	uint64_t left;
	int got, has;
};

static int put_aliases(db_txn *txn, void *context, rkt_error **err)
{
	struct aliases *self = context;

	if (alias_put(txn, &self->packed, &self->a, err) < 0 ||
		alias_put(txn, &self->shared, &self->a, err) < 0)
		return -1;
	return alias_put(txn, &self->shared, &self->b, err);
}

static int drop_a(db_txn *txn, void *context, rkt_error **err)
{
	return alias_drop_image(txn, &((struct aliases *)context)->a, err);
}

static int drop_b(db_txn *txn, void *context, rkt_error **err)
{
	return alias_drop_image(txn, &((struct aliases *)context)->b, err);
}

static int look_at_aliases(db_txn *txn, void *context, rkt_error **err)
{
	struct aliases *self = context;

	self->got = alias_get(txn, &self->shared, &self->found, err);
	self->has = alias_has(txn, &self->a, ALIAS_PACKED, err);
	return db_count(txn, DB_ALIAS, &self->left, err);
}

static void an_image_takes_its_own_aliases_along_and_no_others(void **state)
{
	struct fixture *self = *state;
	struct aliases all = { .packed = alias_of_hex(ALIAS_PACKED, &ID_A[strlen("sha256-")]),
		.shared = alias_of_hex(ALIAS_HINT, &ID_B[strlen("sha256-")]) };
	rkt_error *err = NULL;

	assert_ok(rkt_image_id_parse(ID_A, &all.a, &err), err);
	assert_ok(rkt_image_id_parse(ID_B, &all.b, &err), err);
	assert_ok(db_write(self->db, put_aliases, &all, &err), err);
	assert_ok(db_read(self->db, look_at_aliases, &all, &err), err);
	assert_int_equal(all.has, 1);
	assert_ok(db_write(self->db, drop_a, &all, &err), err);
	assert_ok(db_read(self->db, look_at_aliases, &all, &err), err);
	assert_int_equal(all.has, 0);
	assert_int_equal(all.got, 1);
	assert_string_equal(all.found.text, ID_B);
	assert_ok(db_write(self->db, drop_b, &all, &err), err);
	assert_ok(db_read(self->db, look_at_aliases, &all, &err), err);
	assert_int_equal(all.left, 0);
}

static void names_sort_newest_first_and_apart_from_longer_ones(void **state)
{
	rkt_image_id id;
	struct key old, new, longer;
	rkt_error *err = NULL;

	(void)state;
	assert_ok(rkt_image_id_parse(ID_A, &id, &err), err);
	assert_ok(key_of_name("example.com/app", 1000, &id, &old, &err), err);
	assert_ok(key_of_name("example.com/app", 2000, &id, &new, &err), err);
	assert_ok(key_of_name("example.com/app-more", 3000, &id, &longer, &err), err);
	assert_true(memcmp(new.bytes, old.bytes, new.len) < 0);
	assert_true(memcmp(old.bytes, longer.bytes, old.len) < 0);
}

static void a_name_of_any_length_has_a_key(void **state)
{
	char first[2000], second[2000];
	rkt_image_id id;
	struct key a, b;
	rkt_error *err = NULL;

	(void)state;
	memset(first, 'a', sizeof first);
	first[sizeof first - 1] = '\0';
	memcpy(second, first, sizeof second);
	second[sizeof second - 2] = 'b';
	assert_ok(rkt_image_id_parse(ID_A, &id, &err), err);
	assert_ok(key_of_name(first, 1, &id, &a, &err), err);
	assert_ok(key_of_name(second, 1, &id, &b, &err), err);
	assert_true(a.len <= 511);
	assert_memory_not_equal(a.bytes, b.bytes, a.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DB(a_committed_value_is_found),
		WITH_DB(failed_work_leaves_nothing_and_hands_its_error_on),
		WITH_DB(deleting_what_is_not_there_is_success),
		WITH_DB(the_map_grows_by_itself),
		WITH_DB(growth_by_another_process_is_adopted),
		WITH_DB(a_killed_writer_blocks_nobody_and_leaves_nothing),
		WITH_DB(an_image_takes_its_own_aliases_along_and_no_others),
		WITH_DB(a_cursor_starts_where_asked_and_goes_in_order),
		WITH_DB(writing_through_a_reader_is_refused),
		WITH_DB(an_index_cut_to_any_length_is_refused),
		WITH_DB(a_file_of_somebody_else_is_refused),
		WITH_DB(an_empty_or_zeroed_file_counts_as_none),
		WITH_DB(a_newer_format_is_refused_with_its_number_s_047),
		cmocka_unit_test(an_image_record_comes_back_as_it_was),
		cmocka_unit_test(a_record_of_an_unknown_version_is_refused),
		cmocka_unit_test(a_record_cut_anywhere_or_too_long_is_refused),
		cmocka_unit_test(numbers_are_little_endian_on_disk),
		cmocka_unit_test(a_tree_record_comes_back_as_it_was),
		cmocka_unit_test(keys_give_the_ids_and_pods_back),
		cmocka_unit_test(names_sort_newest_first_and_apart_from_longer_ones),
		cmocka_unit_test(a_name_of_any_length_has_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
