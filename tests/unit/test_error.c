/* Errors: chains, kinds, scopes, and that nothing they quote can break a line. */
#include "tests/unit/scratch.h"

#include "base/str.h"

static int inner(rkt_error **err)
{
	errno = ENOSPC;
	return rkt_fail_errno(err, "write");
}

static int outer(const char *name, rkt_error **err)
{
	ERROR_SCOPE(err, "importing", name);

	return inner(err);
}

static void scope_names_the_object(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(outer("a.aci", &err), -1);
	assert_string_equal(
		rkt_error_message(err), "importing a.aci: write: No space left on device");
	assert_int_equal(rkt_error_errno(err), ENOSPC);
	assert_int_equal(rkt_error_kind(err), RKT_FAILED);
	rkt_error_free(err);
}

static void a_part_of_another_is_escaped_once(void **state)
{
	rkt_error *err = NULL, *other = NULL;

	(void)state;
	rkt_fail(&err, RKT_INVALID, "\n%s", "\\");
	rkt_fail_outer(&err, "a\tb");
	assert_string_equal(rkt_error_message(err), "a\\tb: \\n\\\\");
	assert_string_equal(rkt_error_raw(err), "a\tb: \n\\");
	rkt_fail(&other, RKT_FAILED, "%s, so", rkt_error_raw(err));
	assert_string_equal(rkt_error_message(other), "a\\tb: \\n\\\\, so");
	rkt_error_free(err);
	rkt_error_free(other);
}

static void kind_is_the_innermost(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	rkt_fail(&err, RKT_INVALID, "rule");
	rkt_fail_outer(&err, "outside");
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
}

static void no_error_wanted_is_no_crash(void **state)
{
	(void)state;
	assert_int_equal(rkt_fail(NULL, RKT_INVALID, "rule"), -1);
	assert_int_equal(outer("x", NULL), -1);
}

static void errno_survives(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	errno = EXDEV;
	rkt_fail_errno(&err, "move");
	assert_int_equal(errno, EXDEV);
	rkt_error_free(err);
}

static void message_is_one_safe_line(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	outer("a\n\x1b[2J\xff\xe2\x80\xae", &err);
	assert_string_equal(rkt_error_message(err),
		"importing a\\n\\x1b[2J\\xff\\xe2\\x80\\xae: write: "
		"No space left on device");
	rkt_error_free(err);
}

static void escape_keeps_printable_utf8(void **state)
{
	char *text = str_escape("Grüße \\ 日本", strlen("Grüße \\ 日本"));

	(void)state;
	assert_string_equal(text, "Grüße \\\\ 日本");
	free(text);
}

static void utf8_refuses_what_rfc3629_refuses(void **state)
{
	static const char *const bad[] = { "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
		"\xe2\x82", "\xf8\x88\x80\x80\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(str_utf8_next((const uint8_t *)bad[i], strlen(bad[i]), NULL), 0);
}

static void numbers_refuse_sign_overflow_and_rest(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10",
		"18446744073709551616", "11" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(str_parse_u64(bad[i], 10, "n", &value, NULL), -1);
	assert_int_equal(value, 7);
	assert_int_equal(str_parse_u64("10", 10, "n", &value, NULL), 0);
	assert_int_equal(value, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_names_the_object),
		cmocka_unit_test(a_part_of_another_is_escaped_once),
		cmocka_unit_test(kind_is_the_innermost),
		cmocka_unit_test(no_error_wanted_is_no_crash),
		cmocka_unit_test(errno_survives),
		cmocka_unit_test(message_is_one_safe_line),
		cmocka_unit_test(escape_keeps_printable_utf8),
		cmocka_unit_test(utf8_refuses_what_rfc3629_refuses),
		cmocka_unit_test(numbers_refuse_sign_overflow_and_rest),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
