/* One index over several tars: layers replace, whitelists leave out, numbers of tars hold. */
#include "tests/unit/index_read.h"

/* Starts the layer of tar number DEVICE. */
static void begin(struct fixture *f, uint32_t device, const struct path_filter *filter)
{
	rkt_error *err = NULL;

	assert_ok(index_begin_layer(f->builder, device, filter, &err), err);
}

static void write_tars(struct fixture *f, uint32_t count)
{
	char path[256];
	int dir = scratch_make(path), fd;
	uint64_t *sizes = calloc(count, sizeof *sizes);
	rkt_error *err = NULL;

	for (uint32_t i = 0; i < count; i++)
		sizes[i] = f->blocks * 512;
	fd = fd_tmpfile(dir, &err);
	assert_ok(fd, err);
	assert_ok(index_write_tars(f->builder, sizes, count, fd, &f->stats, &err), err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	f->index.len = 0;
	assert_ok(fd_read_rest(fd, 64 << 20, &f->index, &err), err);
	free(sizes);
	close(fd);
	close(dir);
	scratch_remove(path);
}

/* The tar the data of PATH are in. */
static unsigned device_of(const struct fixture *f, const char *path)
{
	uint64_t nid = find(f, path);
	struct erofs_inode inode = inode_at(f, nid);
	const struct erofs_chunk *chunk = bytes_at(f, (body_of(&inode, nid) + 7) / 8 * 8, 8);

	assert_int_equal(layout_of(&inode), EROFS_CHUNKS);
	return chunk->device;
}

static void a_file_has_its_data_in_the_tar_of_its_layer(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	begin(&f, 1, NULL);
	add_file(&f, "one", 1);
	add_file(&f, "both", 1);
	begin(&f, 2, NULL);
	add_file(&f, "both", 1);
	add_file(&f, "two", 1);
	begin(&f, 1, NULL);
	add_file(&f, "again", 1);
	write_tars(&f, 2);
	assert_int_equal(super_of(&f).devices, 2);
	assert_int_equal(device_of(&f, "one"), 1);
	assert_int_equal(device_of(&f, "both"), 2);
	assert_int_equal(device_of(&f, "two"), 2);
	assert_int_equal(device_of(&f, "again"), 1);
	fixture_free(&f);
}

static void a_layer_without_begin_is_the_first_tar_and_gives_the_same_bytes(void **state)
{
	struct fixture plain = fixture_new(), begun = fixture_new();

	(void)state;
	begin(&begun, 1, NULL);
	for (int i = 0; i < 2; i++) {
		struct fixture *f = i ? &plain : &begun;

		add_dir(f, "dir", 0750);
		add_file(f, "dir/file", 5000);
		add_symlink(f, "link", "dir/file");
	}
	write_out(&plain);
	write_tars(&begun, 1);
	assert_int_equal(plain.index.len, begun.index.len);
	assert_memory_equal(plain.index.data, begun.index.data, plain.index.len);
	fixture_free(&plain);
	fixture_free(&begun);
}

static void a_later_layer_may_have_files_below_what_was_none(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "file", 1);
	add_symlink(&f, "link", "elsewhere");
	add(&f, "fifo", (struct tar_entry){ .type = TAR_FIFO });
	begin(&f, 2, NULL);
	add_file(&f, "file/below", 1);
	add_file(&f, "link/below", 1);
	add_file(&f, "fifo/below", 1);
	write_tars(&f, 2);
	assert_true(S_ISDIR(inode_of(&f, "file").mode));
	assert_true(S_ISREG(inode_of(&f, "file/below").mode));
	assert_true(S_ISREG(inode_of(&f, "link/below").mode));
	assert_true(S_ISREG(inode_of(&f, "fifo/below").mode));
	fixture_free(&f);
}

static void a_directory_without_an_entry_keeps_what_was_below(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_dir(&f, "dir", 0700);
	add_file(&f, "dir/old", 1);
	begin(&f, 2, NULL);
	add_file(&f, "dir/new", 1);
	write_tars(&f, 2);
	assert_int_equal(inode_of(&f, "dir").mode, S_IFDIR | 0700);
	assert_int_not_equal(find(&f, "dir/old"), 0);
	assert_int_not_equal(find(&f, "dir/new"), 0);
	fixture_free(&f);
}

static void a_replaced_file_leaves_its_other_name_in_the_lower_layer(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "file", 1);
	add_hardlink(&f, "link", "file");
	begin(&f, 2, NULL);
	add_file(&f, "file", 2);
	write_tars(&f, 2);
	assert_int_equal(inode_of(&f, "link").nlink, 1);
	assert_int_equal(inode_of(&f, "link").size, 1);
	assert_int_equal(inode_of(&f, "file").size, 2);
	fixture_free(&f);
}

static void what_a_whitelist_drops_is_not_there(void **state)
{
	static const char *const list[] = { "/dir/kept" };
	struct fixture f = fixture_new();
	struct path_filter filter;

	(void)state;
	path_filter_init(&filter, list, 1, NULL);
	begin(&f, 1, &filter);
	add_dir(&f, "dir", 0711);
	add_dir(&f, "dir/sub", 0711);
	add_file(&f, "dir/kept", 1);
	add_file(&f, "dir/dropped", 1);
	add_symlink(&f, "link", "dir/kept");
	begin(&f, 2, NULL);
	add_file(&f, "free", 1);
	write_tars(&f, 2);
	assert_int_equal(inode_of(&f, "dir").mode, S_IFDIR | 0711);
	assert_int_not_equal(find(&f, "dir/kept"), 0);
	assert_int_not_equal(find(&f, "free"), 0);
	assert_int_equal(find(&f, "dir/dropped"), 0);
	assert_int_equal(find(&f, "dir/sub"), 0);
	assert_int_equal(find(&f, "link"), 0);
	fixture_free(&f);
	path_filter_free(&filter);
}

static void a_hard_link_to_what_a_whitelist_drops_has_its_content(void **state)
{
	static const char *const list[] = { "/one", "/deep/two" };
	struct fixture f = fixture_new();
	struct path_filter filter;

	(void)state;
	add_file(&f, "far/away", 7); /* not the one meant */
	begin(&f, 2, &filter);
	path_filter_init(&filter, list, 2, NULL);
	add_file(&f, "far/away", 4321);
	add_hardlink(&f, "one", "far/away");
	add_hardlink(&f, "deep/two", "far/away");
	add_hardlink(&f, "three", "far/away");
	write_tars(&f, 2);
	assert_int_equal(inode_of(&f, "far/away").size, 7);
	assert_int_equal(find(&f, "one"), find(&f, "deep/two"));
	assert_int_equal(inode_of(&f, "one").size, 4321);
	assert_int_equal(inode_of(&f, "one").nlink, 2);
	assert_int_equal(device_of(&f, "one"), 2);
	assert_int_equal(find(&f, "three"), 0);
	fixture_free(&f);
	path_filter_free(&filter);
}

static void each_tar_must_be_as_long_as_its_files_need(void **state)
{
	struct fixture f = fixture_new();
	rkt_error *err = NULL;
	uint64_t sizes[] = { 4096, 1024 };

	(void)state;
	add_file(&f, "one", 1);
	begin(&f, 2, NULL);
	add_file(&f, "two", 1000);
	begin(&f, 1, NULL);
	assert_int_equal(index_write_tars(f.builder, sizes, 2, -1, NULL, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "truncated: 1024 bytes"));
	rkt_error_free(err);
	err = NULL;
	assert_int_equal(index_write_tars(f.builder, sizes, 1, -1, NULL, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "over 2 tars with 1 sizes"));
	rkt_error_free(err);
	fixture_free(&f);
}

static void sixteen_thousand_tars_fit_and_no_more(void **state)
{
	struct fixture f = fixture_new();
	rkt_error *err = NULL;

	(void)state;
	begin(&f, EROFS_DEVICES_MAX, NULL);
	add_file(&f, "file", 1);
	write_tars(&f, EROFS_DEVICES_MAX);
	assert_int_equal(super_of(&f).devices, 16000);
	assert_int_equal(super_of(&f).root_nid, (1152 + 128 * 16000) / 32);
	assert_int_equal(device_of(&f, "file"), 16000);
	assert_int_equal(index_begin_layer(f.builder, 16001, NULL, &err), -1);
	assert_string_equal(
		rkt_error_message(err), "tar number 16001: an index takes from 1 to 16000");
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_its_data_in_the_tar_of_its_layer),
		cmocka_unit_test(a_layer_without_begin_is_the_first_tar_and_gives_the_same_bytes),
		cmocka_unit_test(a_later_layer_may_have_files_below_what_was_none),
		cmocka_unit_test(a_directory_without_an_entry_keeps_what_was_below),
		cmocka_unit_test(a_replaced_file_leaves_its_other_name_in_the_lower_layer),
		cmocka_unit_test(what_a_whitelist_drops_is_not_there),
		cmocka_unit_test(a_hard_link_to_what_a_whitelist_drops_has_its_content),
		cmocka_unit_test(each_tar_must_be_as_long_as_its_files_need),
		cmocka_unit_test(sixteen_thousand_tars_fit_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
