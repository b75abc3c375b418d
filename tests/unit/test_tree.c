/* Removing trees: all of it, none of what links point at, at any depth. */
#include "tests/unit/scratch.h"

#include <sys/stat.h>

#include "base/draft.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/time.h"
#include "base/uuid.h"

static void removes_a_tree_and_nothing_behind_links(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	rkt_error *err = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(dir, "outside", 0755), 0);
	assert_int_equal(mkdirat(dir, "outside/kept", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/a", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/a/b", 0755), 0);
	assert_int_equal(symlinkat("../../outside", dir, "tree/a/link"), 0);
	assert_ok(tree_remove(dir, "tree", &err), err);
	assert_int_equal(fstatat(dir, "tree", &st, 0), -1);
	assert_int_equal(fstatat(dir, "outside/kept", &st, 0), 0);
	close(dir);
	scratch_remove(path);
}

static void removes_a_file_a_link_and_nothing(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	rkt_error *err = NULL;

	(void)state;
	assert_ok(draft_write(dir, "file", (struct slice){ 0 }, 0600, &err), err);
	assert_int_equal(symlinkat("file", dir, "link"), 0);
	assert_ok(tree_remove(dir, "link", &err), err);
	assert_int_equal(faccessat(dir, "file", F_OK, 0), 0);
	assert_ok(tree_remove(dir, "file", &err), err);
	assert_ok(tree_remove(dir, "missing", &err), err);
	close(dir);
	scratch_remove(path);
}

static void depth_beyond_path_max_is_no_limit(void **state)
{
	char path[256];
	int top = scratch_make(path);
	int dir = dup(top);
	rkt_error *err = NULL;
	struct stat st;

	(void)state;
	for (unsigned depth = 0; depth < 3000; depth++) {
		int next;

		assert_int_equal(mkdirat(dir, "deep", 0755), 0);
		next = openat(dir, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(dir);
		dir = next;
	}
	close(dir);
	assert_ok(tree_remove(top, "deep", &err), err);
	assert_int_equal(fstatat(top, "deep", &st, 0), -1);
	close(top);
	scratch_remove(path);
}

static void written_file_is_whole_and_never_replaces(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	rkt_error *err = NULL;
	struct buf got = { 0 };
	struct slice text = { (const uint8_t *)"text", 4 };

	(void)state;
	assert_ok(draft_write(dir, "name", text, 0640, &err), err);
	assert_int_equal(draft_write(dir, "name", text, 0640, &err), -1);
	assert_int_equal(rkt_error_errno(err), EEXIST);
	rkt_error_free(err);
	err = NULL;
	assert_ok(fd_read_file(dir, "name", 4, &got, &err), err);
	assert_string_equal(buf_text(&got), "text");
	assert_int_equal(fd_read_file(dir, "name", 3, &got, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	buf_free(&got);
	close(dir);
	scratch_remove(path);
}

static void read_file_follows_no_link(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	rkt_error *err = NULL;
	struct buf got = { 0 };

	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", dir, "link"), 0);
	assert_int_equal(fd_read_file(dir, "link", 100000, &got, &err), -1);
	assert_int_equal(rkt_error_errno(err), ELOOP);
	rkt_error_free(err);
	close(dir);
	scratch_remove(path);
}

static void uuids_are_version_4_and_differ(void **state)
{
	char a[UUID_TEXT_LEN + 1], b[UUID_TEXT_LEN + 1];

	(void)state;
	assert_int_equal(uuid_make(a, NULL), 0);
	assert_int_equal(uuid_make(b, NULL), 0);
	assert_true(uuid_is(a));
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
	assert_false(uuid_is("6ba7b810-9dad-11d1-80b4-00c04fd430c"));
	assert_false(uuid_is("6BA7B810-9dad-11d1-80b4-00c04fd430c8"));
}

static void times_read_both_ways(void **state)
{
	char text[TIME_TEXT_SIZE];
	int64_t sec;

	(void)state;
	assert_string_equal(time_rfc3339(1418290200, text), "2014-12-11T09:30:00Z");
	assert_int_equal(time_parse_duration("30m", "t", &sec, NULL), 0);
	assert_int_equal(sec, 1800);
	assert_int_equal(time_parse_duration("d", "t", &sec, NULL), -1);
	assert_int_equal(time_parse_duration("99999999999999999d", "t", &sec, NULL), -1);
	assert_string_equal(time_ago(0, 86400, text), "1 day ago");
}

static void hex_reads_only_lower_case(void **state)
{
	uint8_t bytes[2];

	(void)state;
	assert_true(hex_decode("0aff", 4, bytes, 2));
	assert_int_equal(bytes[1], 255);
	assert_false(hex_decode("0AFF", 4, bytes, 2));
	assert_false(hex_decode("0af", 3, bytes, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removes_a_tree_and_nothing_behind_links),
		cmocka_unit_test(removes_a_file_a_link_and_nothing),
		cmocka_unit_test(depth_beyond_path_max_is_no_limit),
		cmocka_unit_test(written_file_is_whole_and_never_replaces),
		cmocka_unit_test(read_file_follows_no_link),
		cmocka_unit_test(uuids_are_version_4_and_differ),
		cmocka_unit_test(times_read_both_ways),
		cmocka_unit_test(hex_reads_only_lower_case),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
