/* Whitelists: which paths they keep. */
#include "tests/unit/scratch.h"

#include "aci/path_filter.h"
#include "base/scope.h"

static struct path_filter filter_of(const char *const *paths, const struct path_filter *above)
{
	struct path_filter filter;
	size_t count = 0;

	while (paths[count])
		count++;
	path_filter_init(&filter, paths, count, above);
	return filter;
}

#define FILTER(...) filter_of((const char *const[]){ __VA_ARGS__, NULL }, NULL)

static bool keeps_file(const struct path_filter *filter, const char *path)
{
	return path_filter_keeps(filter, path, PATH_KIND_OTHER);
}

static bool keeps_dir(const struct path_filter *filter, const char *path)
{
	return path_filter_keeps(filter, path, PATH_KIND_DIR);
}

static void a_listed_path_is_kept_and_no_other(void **state)
{
	struct path_filter filter = FILTER("/usr/bin/app", "/etc/app.conf", "/b");

	(void)state;
	assert_true(keeps_file(&filter, "usr/bin/app"));
	assert_true(keeps_file(&filter, "etc/app.conf"));
	assert_true(keeps_file(&filter, "b"));
	assert_false(keeps_file(&filter, "usr/bin/ap"));
	assert_false(keeps_file(&filter, "usr/bin/app2"));
	assert_false(keeps_file(&filter, "bb"));
	assert_false(keeps_file(&filter, "a"));
	assert_false(keeps_file(&filter, "zzz"));
	path_filter_free(&filter);
}

static void directories_on_the_way_are_kept_and_nothing_else_on_it(void **state)
{
	struct path_filter filter = FILTER("/usr/bin/app", "/usr/bin-2", "/usr/bin.d/x");

	(void)state;
	assert_true(keeps_dir(&filter, "usr"));
	assert_true(keeps_dir(&filter, "usr/bin"));
	assert_true(keeps_dir(&filter, "usr/bin.d"));
	assert_false(keeps_file(&filter, "usr/bin"));
	assert_false(keeps_dir(&filter, "usr/b"));
	assert_false(keeps_dir(&filter, "usr/bin-2/x"));
	assert_false(keeps_dir(&filter, "us"));
	path_filter_free(&filter);
}

static void a_listed_directory_is_kept_without_what_is_in_it(void **state)
{
	struct path_filter filter = FILTER("/etc/systemd/", "/opt");

	(void)state;
	assert_true(keeps_dir(&filter, "etc/systemd"));
	assert_true(keeps_dir(&filter, "opt"));
	assert_false(keeps_file(&filter, "etc/systemd/unit"));
	assert_false(keeps_dir(&filter, "opt/dir"));
	path_filter_free(&filter);
}

static void the_root_is_always_kept(void **state)
{
	struct path_filter filter = FILTER("/a"), root = FILTER("/");

	(void)state;
	assert_true(keeps_dir(&filter, ""));
	assert_true(keeps_dir(&root, ""));
	assert_false(keeps_file(&root, "a"));
	path_filter_free(&filter);
	path_filter_free(&root);
}

static void an_empty_list_keeps_everything(void **state)
{
	struct path_filter filter;

	(void)state;
	path_filter_init(&filter, NULL, 0, NULL);
	assert_true(keeps_file(&filter, "any/thing"));
	path_filter_free(&filter);
}

static void what_a_list_above_drops_is_dropped(void **state)
{
	struct path_filter top = FILTER("/a/x", "/b");
	struct path_filter middle, below;

	(void)state;
	path_filter_init(&middle, NULL, 0, &top);
	below = filter_of((const char *const[]){ "/a", "/a/x", "/c", NULL }, &middle);
	assert_true(keeps_file(&below, "a/x"));
	assert_true(keeps_dir(&below, "a"));
	assert_false(keeps_file(&below, "a"));
	assert_false(keeps_file(&below, "b"));
	assert_false(keeps_file(&below, "c"));
	path_filter_free(&top);
	path_filter_free(&middle);
	path_filter_free(&below);
}

static void bytes_above_127_are_bytes_like_others(void **state)
{
	struct path_filter filter = FILTER("/a\xff", "/a", "/a\x01", "/\xc3\xa9/x", "/a.b");

	(void)state;
	assert_true(keeps_file(&filter, "a\xff"));
	assert_true(keeps_file(&filter, "a"));
	assert_true(keeps_file(&filter, "a\x01"));
	assert_true(keeps_file(&filter, "a.b"));
	assert_true(keeps_dir(&filter, "\xc3\xa9"));
	assert_false(keeps_dir(&filter, "a\xfe"));
	path_filter_free(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_path_is_kept_and_no_other),
		cmocka_unit_test(directories_on_the_way_are_kept_and_nothing_else_on_it),
		cmocka_unit_test(a_listed_directory_is_kept_without_what_is_in_it),
		cmocka_unit_test(the_root_is_always_kept),
		cmocka_unit_test(an_empty_list_keeps_everything),
		cmocka_unit_test(what_a_list_above_drops_is_dropped),
		cmocka_unit_test(bytes_above_127_are_bytes_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
