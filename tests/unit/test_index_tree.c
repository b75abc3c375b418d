/* What replaces what in an index, and which entries it refuses (S-002, S-008, S-011). */
#include "tests/unit/index_read.h"

#include "store/index/node.h"

static void a_later_file_replaces_the_earlier(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "file", 100);
	add_file(&f, "file", 200);
	write_out(&f);
	assert_int_equal(inode_of(&f, "file").size, 200);
	assert_int_equal(super_of(&f).inodes, 2);
	fixture_free(&f);
}

static void a_directory_over_a_directory_keeps_its_children(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_dir(&f, "dir", 0755);
	add_file(&f, "dir/child", 1);
	add_dir(&f, "dir", 01777);
	write_out(&f);
	assert_int_equal(inode_of(&f, "dir").mode, S_IFDIR | 01777);
	assert_int_equal(inode_of(&f, "dir/child").size, 1);
	fixture_free(&f);
}

static void a_file_over_a_directory_takes_the_subtree_away(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "dir/below/child", 1);
	add_file(&f, "dir", 2);
	write_out(&f);
	assert_int_equal(inode_of(&f, "dir").size, 2);
	assert_int_equal(super_of(&f).inodes, 2);
	fixture_free(&f);
}

static void a_directory_after_that_is_new_and_empty(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "dir/child", 1);
	add_file(&f, "dir", 2);
	add_dir(&f, "dir", 0700);
	add_file(&f, "dir/other", 3);
	write_out(&f);
	assert_int_equal(inode_of(&f, "dir").mode, S_IFDIR | 0700);
	assert_int_equal(find(&f, "dir/child"), 0);
	assert_int_not_equal(find(&f, "dir/other"), 0);
	fixture_free(&f);
}

static void an_entry_right_after_its_directory_was_replaced_is_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "dir/child", 1);
	add_file(&f, "dir", 2);
	assert_refused(&f, "dir/child", (struct tar_entry){ .type = TAR_FILE }, "not a directory");
	fixture_free(&f);
}

static void a_symlink_in_the_way_is_replaced_not_followed(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_dir(&f, "target", 0755);
	add_symlink(&f, "way", "target");
	add_file(&f, "way/file", 1);
	write_out(&f);
	assert_true(S_ISDIR(inode_of(&f, "way").mode));
	assert_int_not_equal(find(&f, "way/file"), 0);
	assert_int_equal(find(&f, "target/file"), 0);
	fixture_free(&f);
}

static void what_lies_below_a_file_is_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "file", 1);
	assert_refused(&f, "file/below", (struct tar_entry){ .type = TAR_FILE },
		"indexing file/below: below something that is not a directory");
	fixture_free(&f);
}

static void missing_parents_are_invented_always_the_same(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;

	(void)state;
	add_file(&f, "a/b/c", 1);
	write_out(&f);
	inode = inode_of(&f, "a/b");
	assert_int_equal(inode.mode, S_IFDIR | 0755);
	assert_int_equal(inode.uid | inode.gid | inode.mtime_nsec, 0);
	assert_int_equal(inode.mtime_sec, 0);
	assert_int_equal(inode.nlink, 2);
	assert_int_equal(inode_of(&f, "a").nlink, 3);
	fixture_free(&f);
}

static void an_entry_for_the_root_sets_its_attributes(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "file", 1);
	add(&f, "", (struct tar_entry){ .type = TAR_DIR, .mode = 0711, .uid = 5 });
	write_out(&f);
	assert_int_equal(inode_of(&f, "").mode, S_IFDIR | 0711);
	assert_int_equal(inode_of(&f, "").uid, 5);
	assert_int_not_equal(find(&f, "file"), 0);
	assert_refused(&f, "", (struct tar_entry){ .type = TAR_FILE }, "root");
	fixture_free(&f);
}

static void hard_links_are_names_of_one_inode(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "dir/file", 1);
	add_hardlink(&f, "dir/near", "dir/file");
	add_hardlink(&f, "other/far", "dir/near");
	write_out(&f);
	assert_int_equal(find(&f, "dir/file"), find(&f, "dir/near"));
	assert_int_equal(find(&f, "dir/file"), find(&f, "other/far"));
	assert_int_equal(inode_of(&f, "dir/file").nlink, 3);
	fixture_free(&f);
}

static void a_replaced_name_of_a_hard_link_leaves_the_others(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "one", 1);
	add_hardlink(&f, "two", "one");
	add_file(&f, "one", 2);
	write_out(&f);
	assert_int_equal(inode_of(&f, "two").size, 1);
	assert_int_equal(inode_of(&f, "two").nlink, 1);
	assert_int_equal(inode_of(&f, "one").size, 2);
	fixture_free(&f);
}

static void hard_links_to_nothing_and_to_directories_are_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "dir/file", 1);
	assert_refused(&f, "l", (struct tar_entry){ .type = TAR_HARDLINK, .link = "nothing" },
		"hard link to what is not there: nothing");
	assert_refused(&f, "l", (struct tar_entry){ .type = TAR_HARDLINK, .link = "dir" },
		"hard link to a directory");
	assert_refused(&f, "l", (struct tar_entry){ .type = TAR_HARDLINK, .link = "dir/file/x" },
		"not there");
	assert_refused(&f, "dir/l", (struct tar_entry){ .type = TAR_HARDLINK, .link = "dir/x" },
		"not there");
	fixture_free(&f);
}

static void numbers_that_erofs_cannot_hold_are_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_FILE, .uid = UINT32_MAX }, "owner");
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_FILE, .gid = UINT32_MAX }, "owner");
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_FILE, .mtime_nsec = 1000000000 },
		"nanoseconds");
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_CHAR, .major = 4096 }, "4096:0");
	assert_refused(
		&f, "f", (struct tar_entry){ .type = TAR_BLOCKDEV, .minor = 1 << 20 }, "0:1048576");
	fixture_free(&f);
}

static void data_outside_2_tib_or_off_the_grid_are_refused(void **state)
{
	struct fixture f = fixture_new();
	const uint64_t end = UINT64_C(0xfffffffe) * 512;

	(void)state;
	assert_refused(&f, "f",
		(struct tar_entry){ .type = TAR_FILE, .size = 1, .data_offset = 100 }, "multiple");
	assert_refused(&f, "f",
		(struct tar_entry){ .type = TAR_FILE, .size = 513, .data_offset = end - 512 },
		"2 TiB");
	assert_refused(&f, "f",
		(struct tar_entry){ .type = TAR_FILE, .size = UINT64_MAX, .data_offset = 512 },
		"2 TiB");
	add(&f, "f", (struct tar_entry){ .type = TAR_FILE, .size = 512, .data_offset = end - 512 });
	fixture_free(&f);
}

static void a_character_device_0_0_is_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_CHAR }, "overlayfs");
	add(&f, "f", (struct tar_entry){ .type = TAR_BLOCKDEV });
	fixture_free(&f);
}

static void symlink_targets_are_1_to_4095_bytes(void **state)
{
	struct fixture f = fixture_new();
	char target[4097];

	(void)state;
	memset(target, 't', sizeof target);
	target[4096] = '\0';
	assert_refused(&f, "f", (struct tar_entry){ .type = TAR_SYMLINK, .link = "" }, "0 bytes");
	assert_refused(
		&f, "f", (struct tar_entry){ .type = TAR_SYMLINK, .link = target }, "4096 bytes");
	fixture_free(&f);
}

static void names_that_are_none_are_refused(void **state)
{
	struct fixture f = fixture_new();
	char name[257];

	(void)state;
	memset(name, 'n', sizeof name);
	name[256] = '\0';
	assert_refused(&f, ".", (struct tar_entry){ .type = TAR_FILE }, "file name");
	assert_refused(&f, "a/..", (struct tar_entry){ .type = TAR_FILE }, "file name");
	assert_refused(&f, "../a", (struct tar_entry){ .type = TAR_FILE }, "file name");
	assert_refused(&f, "a/", (struct tar_entry){ .type = TAR_FILE }, "file name");
	assert_refused(&f, name, (struct tar_entry){ .type = TAR_FILE }, "255");
	fixture_free(&f);
}

/* Height of the balanced tree below NAME, which must be balanced everywhere. */
static int height(const struct nodes *nodes, uint32_t name)
{
	int left, right;

	if (name == NODES_NO_NAME)
		return 0;
	left = height(nodes, nodes->names[name].child[0]);
	right = height(nodes, nodes->names[name].child[1]);
	assert_int_equal(nodes->names[name].balance, right - left);
	assert_in_range(right - left + 1, 0, 2);
	return 1 + (left > right ? left : right);
}

static void a_directory_stays_balanced_whatever_the_order(void **state)
{
	static const int step[] = { 1, 9999, 7919, 3 };

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(step); s++) {
		const struct inode inode = { .mode = S_IFREG };
		struct nodes nodes;
		uint32_t file;

		nodes_init(&nodes);
		assert_int_equal(nodes_add(&nodes, &inode, &file, NULL), 0);
		for (int i = 0; i < 10000; i++) {
			char name[16];
			int len = snprintf(
				name, sizeof name, "%05d", (int)((long)i * step[s] % 10000));

			assert_int_equal(
				nodes_set(&nodes, NODES_ROOT,
					(struct slice){ (const uint8_t *)name, (size_t)len }, file,
					NULL),
				0);
		}
		assert_in_range(height(&nodes, nodes.inodes[NODES_ROOT].dir.names), 14, 19);
		nodes_free(&nodes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_later_file_replaces_the_earlier),
		cmocka_unit_test(a_directory_over_a_directory_keeps_its_children),
		cmocka_unit_test(a_file_over_a_directory_takes_the_subtree_away),
		cmocka_unit_test(a_directory_after_that_is_new_and_empty),
		cmocka_unit_test(an_entry_right_after_its_directory_was_replaced_is_refused),
		cmocka_unit_test(a_symlink_in_the_way_is_replaced_not_followed),
		cmocka_unit_test(what_lies_below_a_file_is_refused),
		cmocka_unit_test(missing_parents_are_invented_always_the_same),
		cmocka_unit_test(an_entry_for_the_root_sets_its_attributes),
		cmocka_unit_test(hard_links_are_names_of_one_inode),
		cmocka_unit_test(a_replaced_name_of_a_hard_link_leaves_the_others),
		cmocka_unit_test(hard_links_to_nothing_and_to_directories_are_refused),
		cmocka_unit_test(numbers_that_erofs_cannot_hold_are_refused),
		cmocka_unit_test(data_outside_2_tib_or_off_the_grid_are_refused),
		cmocka_unit_test(a_character_device_0_0_is_refused),
		cmocka_unit_test(symlink_targets_are_1_to_4095_bytes),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(a_directory_stays_balanced_whatever_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
