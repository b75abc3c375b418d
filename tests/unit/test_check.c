/* Findings: when reading ends, what is kept, and that the table of rules is whole. */
#include "tests/unit/scratch.h"

#include "aci/check.h"

static void first_error_ends_the_reading(void **state)
{
	auto_check check *findings = check_new(CHECK_FIRST);
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(check_report(findings, "layout-top", "etc/x", &err, "is %s", "odd"), -1);
	assert_string_equal(rkt_error_message(err), "etc/x: is odd");
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	assert_int_equal(check_count(findings, SEVERITY_ERROR), 1);
}

static void without_a_check_errors_end_and_warnings_do_not(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(check_report(NULL, "layout-rootfs-entry", NULL, &err, "none"), 0);
	assert_null(err);
	assert_int_equal(check_report(NULL, "layout-top", NULL, &err, "none"), -1);
	assert_string_equal(rkt_error_message(err), "none");
	rkt_error_free(err);
}

static void all_goes_on(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(check_report(findings, "layout-top", "a", &err, "one"), 0);
	assert_int_equal(check_report(findings, "layout-rootfs-entry", NULL, &err, "two"), 0);
	assert_int_equal(check_report_at(findings, "layout-top", "b", 512, &err, "three"), 0);
	assert_null(err);
	assert_int_equal(check_count(findings, SEVERITY_ERROR), 2);
	assert_int_equal(check_count(findings, SEVERITY_WARNING), 1);
	assert_string_equal(check_get(findings, 1)->text, "two");
	assert_null(check_get(findings, 1)->entry);
	assert_true(check_get(findings, 2)->has_offset);
	assert_int_equal(check_get(findings, 2)->offset, 512);
	assert_null(check_get(findings, 3));
}

static void places_in_text_have_lines(void **state)
{
	auto_check check *findings = check_new(CHECK_FIRST);
	struct check_spot spot = { "/app/user", 3, 14 };
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(check_report_in(findings, "app-user", &spot, &err, "is required"), -1);
	assert_string_equal(rkt_error_message(err), "/app/user in line 3, column 14: is required");
	assert_int_equal(check_get(findings, 0)->line, 3);
	assert_int_equal(check_get(findings, 0)->column, 14);
	rkt_error_free(err);
}

static void text_may_be_the_content_of_an_entry(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	const struct check_spot spot = { "/app/user", 3, 14 };
	const uint64_t offset = 512;

	(void)state;
	check_report_in(findings, "app-user", &spot, NULL, "is required");
	check_within(findings, "manifest", &offset);
	check_report_in(findings, "app-user", &spot, NULL, "is required");
	check_report(findings, "layout-top", "etc", NULL, "stands alone");
	check_within(findings, NULL, NULL);
	check_report_in(findings, "app-user", &spot, NULL, "is required");
	assert_null(check_get(findings, 0)->entry);
	assert_false(check_get(findings, 0)->has_offset);
	assert_string_equal(check_get(findings, 1)->entry, "manifest");
	assert_string_equal(check_get(findings, 1)->pointer, "/app/user");
	assert_int_equal(check_get(findings, 1)->offset, 512);
	assert_string_equal(check_get(findings, 2)->entry, "etc");
	assert_null(check_get(findings, 2)->pointer);
	assert_false(check_get(findings, 2)->has_offset);
	assert_null(check_get(findings, 3)->entry);
}

/* S-012, S-015: a hostile image has no end of faults. */
static void findings_are_bounded(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	rkt_error *err = NULL;

	(void)state;
	for (int i = 0; i < CHECK_FINDINGS_MAX; i++)
		assert_int_equal(check_report(findings, "layout-top", "a", &err, "%d", i), 0);
	assert_int_equal(check_report(findings, "layout-top", "a", &err, "one more"), -1);
	assert_non_null(check_get(findings, CHECK_FINDINGS_MAX - 1));
	assert_null(check_get(findings, CHECK_FINDINGS_MAX));
	assert_int_equal(check_count(findings, SEVERITY_ERROR), CHECK_FINDINGS_MAX + 1);
	rkt_error_free(err);
}

static void warnings_hide_no_errors(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	rkt_error *err = NULL;

	(void)state;
	for (int i = 0; i <= CHECK_FINDINGS_MAX; i++)
		assert_int_equal(
			check_report(findings, "layout-rootfs-entry", "a", &err, "%d", i), 0);
	assert_null(check_get(findings, CHECK_FINDINGS_MAX));
	assert_int_equal(check_report(findings, "layout-top", "a", &err, "an error"), 0);
	assert_string_equal(check_get(findings, CHECK_FINDINGS_MAX)->text, "an error");
	assert_int_equal(check_count(findings, SEVERITY_WARNING), CHECK_FINDINGS_MAX + 1);
}

/* S-013 */
static void what_is_quoted_is_escaped(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);

	(void)state;
	check_report(findings, "layout-top", "a\nb\033", NULL, "is '%s'", "\xff\n");
	assert_string_equal(check_get(findings, 0)->entry, "a\\nb\\x1b");
	assert_string_equal(check_get(findings, 0)->text, "is '\\xff\\n'");
}

static void rules_are_unique_and_say_something(void **state)
{
	(void)state;
	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		assert_ptr_equal(check_rule_find(rule->name), rule);
		assert_true(strlen(rule->origin) > 0);
		assert_int_equal(rule->means[strlen(rule->means) - 1], '.');
		assert_int_equal(
			strspn(rule->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(rule->name));
	}
	assert_null(check_rule_find("no-such-rule"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_error_ends_the_reading),
		cmocka_unit_test(without_a_check_errors_end_and_warnings_do_not),
		cmocka_unit_test(all_goes_on),
		cmocka_unit_test(places_in_text_have_lines),
		cmocka_unit_test(text_may_be_the_content_of_an_entry),
		cmocka_unit_test(findings_are_bounded),
		cmocka_unit_test(warnings_hide_no_errors),
		cmocka_unit_test(what_is_quoted_is_escaped),
		cmocka_unit_test(rules_are_unique_and_say_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
