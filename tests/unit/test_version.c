/* Versions: which is newer. */
#include "tests/unit/scratch.h"

#include "aci/version.h"
#include "base/scope.h"

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Each of LIST must be older than all behind it. */
static void assert_rising(const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = sign(version_compare(list[i], list[j]));

			if (order != (i > j) - (i < j))
				fail_msg("%s against %s: %d", list[i] ? list[i] : "none",
					list[j] ? list[j] : "none", order);
		}
}

static void precedence_is_that_of_semver(void **state)
{
	/* semver.org 2.0.0, 11, with its own examples */
	static const char *const list[] = { "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0",
		"2.1.0", "2.1.1" };

	(void)state;
	assert_rising(list, ARRAY_LEN(list));
}

static void numbers_are_numbers_of_any_count_and_length(void **state)
{
	static const char *const list[] = { "0.9", "v1", "1.0.0.1", "1.9.1", "1.10",
		"99999999999999999999", "100000000000000000000", "100000000000000000000.1" };

	(void)state;
	assert_rising(list, ARRAY_LEN(list));
}

static void what_says_the_same_is_equal(void **state)
{
	static const char *const pairs[][2] = { { "1", "1.0.0" }, { "v1.2", "1.2.0" },
		{ "1.2.3+a", "1.2.3+b" }, { "01.2", "1.02" }, { "latest", "latest" },
		{ NULL, NULL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(version_compare(pairs[i][0], pairs[i][1]), 0);
}

static void other_texts_are_older_than_versions_and_none_is_oldest(void **state)
{
	static const char *const list[] = { NULL, "", "1..2", "1.2-", "1.2.3_1", "latest", "stable",
		"v", "v1.x", "0-0", "0" };

	(void)state;
	assert_rising(list, ARRAY_LEN(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(precedence_is_that_of_semver),
		cmocka_unit_test(numbers_are_numbers_of_any_count_and_length),
		cmocka_unit_test(what_says_the_same_is_equal),
		cmocka_unit_test(other_texts_are_older_than_versions_and_none_is_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
