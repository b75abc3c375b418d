/* Names, labels of platforms, and semantic versions (appc types.md). */
#include "tests/unit/scratch.h"

#include "aci/label.h"
#include "aci/manifest_head.h"
#include "aci/name.h"

static void identifiers_follow_their_expression(void **state)
{
	static const char *const good[] = { "a", "0", "example.com/app", "a.b/c-d_e~f",
		"sub-domain.example.com/org/product/release" };
	static const char *const bad[] = { "", "A", "a b", "-a", "a-", "/a", "a/", ".", "a..b",
		"a/-b", "a:b", "a\n", "\xc3\xa9", "a@b", "a+b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(ac_identifier_is(good[i], NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(ac_identifier_is(bad[i], NULL));
}

static void names_have_dashes_only(void **state)
{
	static const char *const good[] = { "a", "database", "product-database-1" };
	static const char *const bad[] = { "", "a.b", "a/b", "a_b", "a--b", "-a", "a-", "A" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(ac_name_is(good[i], NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(ac_name_is(bad[i], NULL));
}

static void refusal_says_why(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_false(ac_identifier_is("a..b", &why));
	assert_string_equal(why, "must not have two separators in a row");
}

static void variables_do_not_begin_with_a_digit(void **state)
{
	static const char *const good[] = { "A", "_", "a1", "A_B.c-d", "__x" };
	static const char *const bad[] = { "", "1A", "A=B", "A B", "-A", ".A", "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(env_name_is(good[i], NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(env_name_is(bad[i], NULL));
}

static void prefixes_end_where_a_part_ends(void **state)
{
	static const char *const below[][2] = { { "example.com/foo", "example.com/foo" },
		{ "example.com/foo/bar", "example.com/foo" },
		{ "example.com/foo", "example.com" } };
	static const char *const beside[][2] = { { "example.com/foobar", "example.com/foo" },
		{ "example.com.evil.org/foo", "example.com" }, { "example.com", "example.com/foo" },
		{ "example.com/foo", "example.com/" }, { "example.com/foo", "" },
		{ "example.com/foo", "Example.com" }, { "other.com/foo", "example.com/foo" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(below); i++) /* S-024 */
		assert_true(ac_identifier_has_prefix(below[i][0], below[i][1]));
	for (size_t i = 0; i < ARRAY_LEN(beside); i++)
		assert_false(ac_identifier_has_prefix(beside[i][0], beside[i][1]));
}

static void app_names_are_made_of_the_last_part(void **state)
{
	static const char *const pairs[][2] = { { "example.com/app", "app" }, { "app", "app" },
		{ "example.com/~me/my_app.v1", "my-app-v1" }, { "example.com", "example-com" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_free char *name = ac_name_from_identifier(pairs[i][0]);

		assert_string_equal(name, pairs[i][1]);
		assert_true(ac_name_is(name, NULL));
	}
}

static void platforms_are_pairs(void **state)
{
	(void)state;
	assert_true(label_os_arch_is("linux", "amd64"));
	assert_true(label_os_arch_is("linux", NULL));
	assert_true(label_os_arch_is("darwin", "x86_64"));
	assert_false(label_os_arch_is("linux", "x86_64"));
	assert_false(label_os_arch_is("freebsd", "s390x"));
	assert_false(label_os_arch_is("windows", NULL));
	assert_false(label_os_arch_is("", NULL));
	assert_true(!label_host_arch() || label_os_arch_is(LABEL_HOST_OS, label_host_arch()));
}

static void versions_are_semantic(void **state)
{
	static const char *const bad[] = { "", "1", "0.8", "0.8.", "0.8.11.1", "v0.8.11", "0.08.1",
		"0.8.11-", "0.8.11+", "0.8.11-a..b", "0.8.11 ", " 0.8.11", "0.8.x", "-1.0.0",
		"0.8.4294967296", "0.8.1000" };
	const char *why = NULL;
	unsigned version = 0;

	(void)state;
	assert_true(ac_version_parse("0.8.11", &version, &why));
	assert_int_equal(version, SCHEMA_VERSION(0, 8, 11));
	assert_true(ac_version_parse("0.1.0-rc.1+git.5", &version, &why));
	assert_int_equal(version, SCHEMA_VERSION(0, 1, 0));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(ac_version_parse(bad[i], &version, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_follow_their_expression),
		cmocka_unit_test(names_have_dashes_only),
		cmocka_unit_test(refusal_says_why),
		cmocka_unit_test(variables_do_not_begin_with_a_digit),
		cmocka_unit_test(prefixes_end_where_a_part_ends),
		cmocka_unit_test(app_names_are_made_of_the_last_part),
		cmocka_unit_test(platforms_are_pairs),
		cmocka_unit_test(versions_are_semantic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
