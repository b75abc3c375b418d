/* What files take on their disk: whole trees, links once, nothing behind them. */
#include "tests/unit/scratch.h"

#include <sys/stat.h>

#include "base/draft.h"
#include "base/usage.h"

static void put(int dir, const char *name, size_t size)
{
	char *bytes = calloc(1, size);
	rkt_error *err = NULL;

	memset(bytes, 'x', size);
	assert_ok(
		draft_write(dir, name, (struct slice){ (uint8_t *)bytes, size }, 0600, &err), err);
	free(bytes);
}

static uint64_t usage_of(int dir, const char *name)
{
	rkt_error *err = NULL;
	uint64_t bytes = 0;

	assert_ok(usage_add(dir, name, &bytes, &err), err);
	return bytes;
}

static uint64_t blocks_of(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void a_file_takes_its_blocks_and_what_is_missing_nothing(void **state)
{
	char path[256];
	int dir = scratch_make(path);

	(void)state;
	put(dir, "file", 100000);
	assert_true(usage_of(dir, "file") >= 100000);
	assert_int_equal(usage_of(dir, "file"), blocks_of(dir, "file"));
	assert_int_equal(usage_of(dir, "missing"), 0);
	close(dir);
	scratch_remove(path);
}

static void a_tree_takes_what_is_in_it_each_file_once(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	uint64_t sum;

	(void)state;
	assert_int_equal(mkdirat(dir, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/a", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/b", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/b/c", 0755), 0);
	put(dir, "tree/a/file", 65536);
	put(dir, "tree/last", 65536);
	assert_int_equal(linkat(dir, "tree/a/file", dir, "tree/b/c/again", 0), 0);
	sum = blocks_of(dir, "tree") + blocks_of(dir, "tree/a") + blocks_of(dir, "tree/b") +
	      blocks_of(dir, "tree/b/c") + blocks_of(dir, "tree/a/file") +
	      blocks_of(dir, "tree/last");
	assert_int_equal(usage_of(dir, "tree"), sum);
	close(dir);
	scratch_remove(path);
}

static void nothing_behind_a_link_counts(void **state)
{
	char path[256];
	int dir = scratch_make(path);

	(void)state;
	assert_int_equal(mkdirat(dir, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir, "outside", 0755), 0);
	put(dir, "outside/file", 100000);
	assert_int_equal(symlinkat("../outside", dir, "tree/link"), 0);
	assert_true(usage_of(dir, "tree") < 100000);
	assert_int_equal(symlinkat("outside", dir, "link"), 0);
	assert_true(usage_of(dir, "link") < 100000);
	close(dir);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_takes_its_blocks_and_what_is_missing_nothing),
		cmocka_unit_test(a_tree_takes_what_is_in_it_each_file_once),
		cmocka_unit_test(nothing_behind_a_link_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
