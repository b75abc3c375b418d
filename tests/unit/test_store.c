/* The store through its public interface: images exist wholly or not, and are found. */
#include "tests/unit/stores.h"

#include <sys/wait.h>

/* ---- import ---------------------------------------------------------------------------------- */

static void an_import_is_named_by_its_digest_and_found(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", "1.0", "a");
	struct buf tar = image_tar("example.com/app", "1.0", "a");
	rkt_image_record *record;
	rkt_error *err = NULL;
	rkt_image_id expected;
	int fd = file_of(&tar);

	assert_ok(rkt_image_id_of_fd(fd, &expected, &err), err);
	assert_string_equal(id.text, expected.text);
	assert_ok(rkt_store_find(self->store, id.text, &record, &err), err);
	assert_string_equal(record->name, "example.com/app");
	assert_string_equal(record->version, "1.0");
	assert_null(record->os);
	assert_int_equal(record->size, tar.len);
	assert_int_equal(record->entries, 3);
	assert_true(record->index_size > 0);
	assert_true(record->manifest_len == strlen(record->manifest));
	rkt_image_record_free(record);
	close(fd);
	buf_free(&tar);
}

static void a_blob_is_read_only_and_where_the_readme_says(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	char path[200];
	struct stat st;

	snprintf(path, sizeof path, "cas/blob/sha256/%.2s/%s", id.text + 7, id.text);
	assert_int_equal(fstatat(self->dir, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
}

static void a_second_import_is_success_and_changes_nothing(void **state)
{
	struct fixture *self = *state;
	rkt_image_id first = add(self->store, "example.com/app", NULL, "a"),
		     second = add(self->store, "example.com/app", NULL, "a");
	rkt_image_record **records;
	size_t count;

	assert_string_equal(first.text, second.text);
	assert_int_equal(rkt_store_list(self->store, &records, &count, NULL), 0);
	assert_int_equal(count, 1);
	rkt_store_list_free(records, count);
}

static void an_import_puts_a_lost_or_cut_blob_back(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	char path[200];
	struct stat st;

	snprintf(path, sizeof path, "cas/blob/sha256/%.2s/%s", id.text + 7, id.text);
	assert_int_equal(unlinkat(self->dir, path, 0), 0);
	add(self->store, "example.com/app", NULL, "a");
	assert_true(exists(self, "blob", &id));
	assert_int_equal(fchmodat(self->dir, path, 0644, 0), 0);
	for (int fd = openat(self->dir, path, O_WRONLY | O_TRUNC); fd >= 0; fd = -1)
		close(fd);
	add(self->store, "example.com/app", NULL, "a");
	assert_int_equal(fstatat(self->dir, path, &st, 0), 0);
	assert_true(st.st_size > 0);
}

static void an_image_of_another_id_than_expected_is_not_stored(void **state)
{
	struct fixture *self = *state;
	rkt_image_id there = add(self->store, "example.com/app", NULL, "a");
	const struct rkt_import_options options = { .size = sizeof options, .expect = &there };
	struct buf tar = image_tar("example.com/app", NULL, "other");
	int fd = file_of(&tar);
	rkt_error *err = NULL;
	rkt_image_id id;

	assert_ok(rkt_image_id_of_fd(fd, &id, &err), err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(rkt_store_import(self->store, fd, &options, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	assert_false(is_found(self->store, id.text));
	assert_false(exists(self, "blob", &id));
	rkt_error_free(err);
	close(fd);
	buf_free(&tar);
}

static void a_bad_image_leaves_nothing(void **state)
{
	struct fixture *self = *state;
	struct buf tar = { 0 };
	int fd;
	rkt_error *err = NULL;

	tars_begin(&tar);
	tars_add(&tar, TAR_FILE, "elsewhere", "x");
	tars_end(&tar);
	fd = file_of(&tar);
	assert_int_equal(rkt_store_import(self->store, fd, NULL, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	for (const char *const *folder = (const char *const[]){ "cas/blob/sha256",
		     "cas/erofs/sha256", "cas/tmp", NULL };
		*folder; folder++) {
		struct stat st;

		assert_int_equal(fstatat(self->dir, *folder, &st, 0), 0);
		assert_int_equal(st.st_nlink, 2); /* no folder in it */
	}
	close(fd);
	buf_free(&tar);
}

/* An index cannot hold a device number of more than 12 bits of major; a tree can be extracted. */
static void what_erofs_cannot_show_is_stored_without_an_index(void **state)
{
	struct fixture *self = *state;
	struct buf tar = { 0 };
	rkt_image_record *record;
	rkt_error *err = NULL;
	rkt_image_id id;
	int fd;

	tars_begin(&tar);
	tars_add_entry(&tar,
		(struct tar_entry){ .path = "rootfs/f",
			.type = TAR_FILE,
			.mode = 0644,
			.xattrs = (const struct tar_xattr[]){ { "system.posix_acl_access",
				{ (const uint8_t *)"damaged", 7 } } },
			.xattr_count = 1 },
		"x");
	tars_end(&tar);
	fd = file_of(&tar);
	assert_ok(rkt_store_import(self->store, fd, NULL, &id, &err), err);
	assert_ok(rkt_store_find(self->store, id.text, &record, &err), err);
	if (!record->index_fault) {
		print_message("# the index shows this image after all\n");
		rkt_image_record_free(record);
		skip();
	}
	assert_int_equal(record->index_size, 0);
	assert_false(exists(self, "erofs", &id));
	rkt_image_record_free(record);
	close(fd);
	buf_free(&tar);
}

static void importing_through_a_reader_is_refused(void **state)
{
	struct fixture *self = *state;
	struct buf tar = image_tar("example.com/app", NULL, "a");
	int fd = file_of(&tar);
	rkt_error *err = NULL;

	rkt_store_close(self->store);
	self->store = rkt_store_open(self->path, RKT_STORE_READ, &err);
	assert_non_null(self->store);
	assert_int_equal(rkt_store_import(self->store, fd, NULL, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
	close(fd);
	buf_free(&tar);
}

static void options_of_another_size_are_refused(void **state)
{
	struct fixture *self = *state;
	const struct rkt_import_options import = { .size = sizeof import + 8 };
	const struct rkt_gc_options gc = { .size = 4 };
	rkt_error *err = NULL;

	assert_int_equal(rkt_store_import(self->store, 0, &import, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
	err = NULL;
	assert_int_equal(rkt_store_gc(self->store, &gc, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

static int refuse_silently(void *context, const char *name, rkt_error **err)
{
	(void)err;
	*(char **)context = strdup(name);
	return -1;
}

static int accept_all(void *context, const char *name, rkt_error **err)
{
	(void)context, (void)name, (void)err;
	return 0;
}

static int import_tar(struct fixture *self, const struct buf *tar,
	const struct rkt_import_options *options, rkt_error **err)
{
	int fd = file_of(tar), result = rkt_store_import(self->store, fd, options, NULL, err);

	close(fd);
	return result;
}

static void options_of_the_first_size_are_taken(void **state)
{
	struct fixture *self = *state;
	struct buf tar = image_tar("example.com/app", NULL, "a");
	char *name = NULL;
	const struct rkt_import_options options = {
		.size = offsetof(struct rkt_import_options, check_name),
		.name = "example.com/app",
		.check_name = refuse_silently, /* behind the end */
		.check_context = &name,
	};
	rkt_error *err = NULL;

	assert_ok(import_tar(self, &tar, &options, &err), err);
	assert_null(name);
	buf_free(&tar);
}

static void the_caller_is_asked_for_the_name_also_when_the_image_is_there(void **state)
{
	struct fixture *self = *state;
	struct buf tar = image_tar("example.com/app", NULL, "a");
	char *name = NULL;
	struct rkt_import_options options = {
		.size = sizeof options, .check_name = refuse_silently, .check_context = &name
	};

	for (int there = 0; there < 2; there++) {
		rkt_error *err = NULL;

		options.check_name = refuse_silently;
		assert_int_equal(import_tar(self, &tar, &options, &err), -1);
		assert_int_equal(rkt_error_kind(err), RKT_INVALID);
		assert_non_null(strstr(rkt_error_message(err), "example.com/app"));
		assert_string_equal(name, "example.com/app");
		rkt_error_free(err);
		free(name);
		assert_int_equal(is_found(self->store, "example.com/app"), there);
		options.check_name = accept_all;
		err = NULL;
		assert_ok(import_tar(self, &tar, &options, &err), err);
	}
	buf_free(&tar);
}

/* ---- references ------------------------------------------------------------------------------ */

static void a_name_means_its_newest_import_and_a_version_that_one(void **state)
{
	struct fixture *self = *state;
	rkt_image_id old = add(self->store, "example.com/app", "1.0", "old"),
		     new = add(self->store, "example.com/app", "2.0", "new");
	rkt_image_record *record;
	rkt_error *err = NULL;

	assert_ok(rkt_store_find(self->store, "example.com/app", &record, &err), err);
	assert_string_equal(record->id.text, new.text);
	rkt_image_record_free(record);
	assert_ok(rkt_store_find(self->store, "example.com/app:1.0", &record, &err), err);
	assert_string_equal(record->id.text, old.text);
	rkt_image_record_free(record);
	assert_false(is_found(self->store, "example.com/app:3.0"));
	assert_false(is_found(self->store, "example.com/ap"));
}

static void a_prefix_of_eight_digits_or_more_is_enough(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_image_record *record;
	rkt_error *err = NULL;

	for (int digits = 8; digits <= 64; digits++) {
		char reference[RKT_IMAGE_ID_LEN + 1];

		snprintf(reference, sizeof reference, "sha256-%.*s", digits, id.text + 7);
		assert_true(is_found(self->store, reference));
		assert_true(is_found(self->store, reference + 7));
	}
	assert_int_equal(rkt_store_find(self->store, "sha256-abcdef0", &record, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

static void what_is_not_there_is_missing(void **state)
{
	struct fixture *self = *state;
	static const char *const references[] = { "example.com/none", "sha256-00000000",
		"sha256-0000000000000000000000000000000000000000000000000000000000000000" };
	rkt_image_record *record;

	add(self->store, "example.com/app", NULL, "a");
	for (size_t i = 0; i < ARRAY_LEN(references); i++) {
		rkt_error *err = NULL;

		assert_int_equal(rkt_store_find(self->store, references[i], &record, &err), -1);
		assert_int_equal(rkt_error_kind(err), RKT_MISSING);
		rkt_error_free(err);
	}
}

static void the_list_is_by_name_then_newest_first(void **state)
{
	struct fixture *self = *state;
	rkt_image_id b = add(self->store, "example.com/b", NULL, "b"),
		     old = add(self->store, "example.com/a", NULL, "old"),
		     new = add(self->store, "example.com/a", NULL, "new");
	rkt_image_record **records;
	rkt_error *err = NULL;
	size_t count;

	assert_ok(rkt_store_list(self->store, &records, &count, &err), err);
	assert_int_equal(count, 3);
	assert_string_equal(records[0]->id.text, new.text);
	assert_string_equal(records[1]->id.text, old.text);
	assert_string_equal(records[2]->id.text, b.text);
	rkt_store_list_free(records, count);
}

static size_t count_of(rkt_store *store, const char *prefix)
{
	rkt_image_record **records;
	rkt_error *err = NULL;
	size_t count;

	assert_ok(rkt_store_list_prefix(store, prefix, &records, &count, &err), err);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(strncmp(records[i]->name, prefix, strlen(prefix)), 0);
	rkt_store_list_free(records, count);
	return count;
}

static void the_list_of_a_prefix_has_only_such_names(void **state)
{
	struct fixture *self = *state;
	auto_buf struct buf long_name = { 0 };

	buf_printf(&long_name, "long.example.com/%0300d", 0);
	add(self->store, "example.com/a", NULL, "one");
	add(self->store, "example.com/a", NULL, "two");
	add(self->store, "example.com/ab", NULL, "three");
	add(self->store, "example.com/b", NULL, "four");
	add(self->store, buf_text(&long_name), NULL, "five");
	assert_int_equal(count_of(self->store, ""), 5);
	assert_int_equal(count_of(self->store, "example.com/"), 4);
	assert_int_equal(count_of(self->store, "example.com/a"), 3);
	assert_int_equal(count_of(self->store, "example.com/ab"), 1);
	assert_int_equal(count_of(self->store, "example.com/c"), 0);
	assert_int_equal(count_of(self->store, "long.example.com/"), 1);
	assert_int_equal(count_of(self->store, buf_text(&long_name)), 1);
	buf_printf(&long_name, "x");
	assert_int_equal(count_of(self->store, buf_text(&long_name)), 0);
}

/* ---- trees ----------------------------------------------------------------------------------- */

static void assert_content(int tree, const char *content)
{
	struct buf got = { 0 };
	rkt_error *err = NULL;

	assert_ok(fd_read_file(tree, "content", 100, &got, &err), err);
	assert_string_equal(buf_text(&got), content);
	buf_free(&got);
}

static void an_extracted_tree_is_made_once(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "inside");
	enum rkt_tree_form form;
	struct stat first, second;
	rkt_error *err = NULL;
	int tree = rkt_store_open_tree(self->store, &id, RKT_TREE_EXTRACTED, &form, &err);

	assert_ok(tree, err);
	assert_int_equal(form, RKT_TREE_EXTRACTED);
	assert_content(tree, "inside");
	assert_int_equal(fstat(tree, &first), 0);
	close(tree);
	tree = rkt_store_open_tree(self->store, &id, RKT_TREE_EXTRACTED, NULL, &err);
	assert_int_equal(fstat(tree, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	close(tree);
}

static void a_damaged_blob_becomes_no_tree(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "inside");
	char path[200];
	rkt_error *err = NULL;
	int fd;

	snprintf(path, sizeof path, "cas/blob/sha256/%.2s/%s", id.text + 7, id.text);
	assert_int_equal(fchmodat(self->dir, path, 0644, 0), 0);
	fd = openat(self->dir, path, O_WRONLY);
	assert_int_equal(fd_pwrite_all(fd, "I", 1, 4 * 512, NULL), 0);
	close(fd);
	assert_int_equal(rkt_store_open_tree(self->store, &id, RKT_TREE_EXTRACTED, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	assert_non_null(strstr(rkt_error_message(err), "damaged"));
	rkt_error_free(err);
	assert_false(exists(self, "rootfs", &id));
	assert_int_equal(collect(self->store, 3600).files_removed, 0);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void there_is_no_store_to_read_where_none_was_made(void **state)
{
	struct fixture *self = *state;
	char path[300];
	rkt_error *err = NULL;

	snprintf(path, sizeof path, "%s/none", self->path);
	assert_null(rkt_store_open(path, RKT_STORE_READ, &err));
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
	assert_int_equal(faccessat(self->dir, "none", F_OK, 0), -1);
}

static void a_lost_index_is_refused_while_images_are_there(void **state)
{
	struct fixture *self = *state;
	rkt_image_id id = add(self->store, "example.com/app", NULL, "a");
	rkt_error *err = NULL;

	rkt_store_close(self->store);
	assert_int_equal(unlinkat(self->dir, "cas/index/data.mdb", 0), 0);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
	assert_null(self->store);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	assert_true(exists(self, "blob", &id));
}

static void a_process_has_a_store_open_only_once(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;
	rkt_store *second;
	int status;
	pid_t child;

	for (int mode = RKT_STORE_READ; mode <= RKT_STORE_WRITE; mode++) {
		assert_null(rkt_store_open(self->path, mode, &err));
		assert_int_equal(rkt_error_kind(err), RKT_USAGE);
		rkt_error_free(err);
		err = NULL;
	}
	/* another process may */
	child = fork();
	if (child == 0) {
		second = rkt_store_open(self->path, RKT_STORE_READ, NULL);
		_exit(second ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* and so may this one, when the first is closed */
	rkt_store_close(self->store);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
	assert_non_null(self->store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(an_import_is_named_by_its_digest_and_found),
		IN_STORE(a_blob_is_read_only_and_where_the_readme_says),
		IN_STORE(a_second_import_is_success_and_changes_nothing),
		IN_STORE(an_import_puts_a_lost_or_cut_blob_back),
		IN_STORE(an_image_of_another_id_than_expected_is_not_stored),
		IN_STORE(a_bad_image_leaves_nothing),
		IN_STORE(what_erofs_cannot_show_is_stored_without_an_index),
		IN_STORE(importing_through_a_reader_is_refused),
		IN_STORE(options_of_another_size_are_refused),
		IN_STORE(options_of_the_first_size_are_taken),
		IN_STORE(the_caller_is_asked_for_the_name_also_when_the_image_is_there),
		IN_STORE(a_name_means_its_newest_import_and_a_version_that_one),
		IN_STORE(a_prefix_of_eight_digits_or_more_is_enough),
		IN_STORE(what_is_not_there_is_missing),
		IN_STORE(the_list_is_by_name_then_newest_first),
		IN_STORE(the_list_of_a_prefix_has_only_such_names),
		IN_STORE(an_extracted_tree_is_made_once),
		IN_STORE(a_damaged_blob_becomes_no_tree),
		IN_STORE(there_is_no_store_to_read_where_none_was_made),
		IN_STORE(a_lost_index_is_refused_while_images_are_there),
		IN_STORE(a_process_has_a_store_open_only_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
