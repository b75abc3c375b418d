/* JSON: what the strict pass refuses (S-014) and where it says the fault is; getters; writer. */
#include "tests/unit/scratch.h"

#include "base/json.h"
#include "base/json_check.h"

static struct slice text_of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

static void assert_fault(const char *text, const char *message)
{
	rkt_error *err = NULL;

	assert_int_equal(json_check(text_of(text), &err), -1);
	assert_string_equal(rkt_error_message(err), message);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
}

static void assert_good(const char *text)
{
	rkt_error *err = NULL;

	assert_ok(json_check(text_of(text), &err), err);
}

static void good_texts_pass(void **state)
{
	(void)state;
	assert_good("{}");
	assert_good(" [ ] ");
	assert_good("null");
	assert_good("0");
	assert_good("-0");
	assert_good("1.5e-3");
	assert_good("1E+307");
	assert_good("0.0e0");
	assert_good("9223372036854775807");
	assert_good("-9223372036854775808");
	assert_good("\"\\ud83d\\ude80 \xf0\x9f\x9a\x80 \\u0001\"");
	assert_good("{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"b\":0}");
	assert_good("{\"\":1,\"a\":2}");
}

static void numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_fault(
		"9223372036854775808", "json: line 1, column 1: an integer outside of 64 bits");
	assert_fault("[-9223372036854775809]",
		"json: line 1, column 2, at /0: an integer outside of 64 bits");
	assert_fault("1e308", "json: line 1, column 1: a number out of range");
	assert_fault("10.0e99999999999999999999", "json: line 1, column 1: a number out of range");
	assert_fault("01", "json: line 1, column 1: a number must not begin with 0");
	assert_fault("1.", "json: line 1, column 3: a digit is expected after the decimal point");
	assert_fault("-", "json: line 1, column 2: a digit is expected here");
	assert_fault("1e", "json: line 1, column 3: a digit is expected in the exponent");
}

static void duplicate_keys_are_refused_at_the_second(void **state)
{
	(void)state;
	assert_fault("{\"a\":1,\n \"a\":2}", "json: line 2, column 2, at /a: duplicate key");
	assert_fault("{\"b\":{\"\\u0061\":1,\"c\":0,\"a\":2}}",
		"json: line 1, column 24, at /b/a: duplicate key");
	assert_fault("{\"z\":1,\"y\":1,\"y\":2,\"z\":2}",
		"json: line 1, column 14, at /y: duplicate key");
	assert_fault("[0,{\"\":1,\"\":2}]", "json: line 1, column 10, at /1/: duplicate key");
}

static void pointers_are_escaped(void **state)
{
	(void)state;
	assert_fault("{\"a/b~c\":[0,{\"d\":tru}]}",
		"json: line 1, column 18, at /a~1b~0c/1/d: a value is expected here");
}

static void pointers_leave_out_what_is_closed(void **state)
{
	(void)state;
	assert_fault("{\"a\":{\"b\":{\"c\":1}},\"d\":[[],x]}",
		"json: line 1, column 28, at /d/1: a value is expected here");
}

static void columns_count_characters(void **state)
{
	(void)state;
	assert_fault("\"\xc3\xa9\xc3\xa9\xff\"", "json: line 1, column 4: invalid UTF-8");
}

static void strings_are_strict(void **state)
{
	(void)state;
	assert_fault("\"\\u0000\"", "json: line 1, column 2: NUL in a string");
	assert_fault("\"\\ud800\"", "json: line 1, column 2: a high surrogate without its low one");
	assert_fault("\"\\ud800\\u0041\"",
		"json: line 1, column 2: a high surrogate without its low one");
	assert_fault("\"\\udc00\"", "json: line 1, column 2: a low surrogate without its high one");
	assert_fault("\"\xed\xa0\x80\"", "json: line 1, column 2: invalid UTF-8");
	assert_fault("\"\xc0\x80\"", "json: line 1, column 2: invalid UTF-8");
	assert_fault("\"a\tb\"",
		"json: line 1, column 3: a control character in a string must be escaped");
	assert_fault("\"\\u12g4\"", "json: line 1, column 6: \\\\u needs four hexadecimal digits");
	assert_fault("'a'", "json: line 1, column 1: a value is expected here");
	assert_fault("\"\\x41\"", "json: line 1, column 3: unknown escape in a string");
	assert_fault("\"abc", "json: line 1, column 5: the text ends inside a string");
}

static void containers_are_strict(void **state)
{
	(void)state;
	assert_fault("{\"a\" 1}", "json: line 1, column 6, at /a: ':' is expected after a key");
	assert_fault("{\"a\":1", "json: line 1, column 7, at /a: the text ends too early");
	assert_fault("{\"a\":1]", "json: line 1, column 7, at /a: ',' or '}' is expected here");
	assert_fault("[1}", "json: line 1, column 3, at /0: ',' or ']' is expected here");
	assert_fault("[1,]", "json: line 1, column 4, at /1: a value is expected here");
	assert_fault("{a:1}", "json: line 1, column 2: a key in double quotes is expected here");
	assert_fault(
		"{} {}", "json: line 1, column 4: something follows after the end of the value");
	assert_fault("\xef\xbb\xbf{}", "json: line 1, column 1: a byte order mark is not allowed");
	assert_fault("", "json: line 1, column 1: the text ends where a value is expected");
}

static void nul_bytes_are_not_the_end(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(json_check((struct slice){ (const uint8_t *)"{}\0{}", 5 }, &err), -1);
	rkt_error_free(err);
	err = NULL;
	assert_int_equal(json_check((struct slice){ (const uint8_t *)"\"a\0\"", 4 }, &err), -1);
	rkt_error_free(err);
}

static void every_prefix_of_a_text_is_refused(void **state)
{
	static const char whole[] =
		"{\"a\":[1.5e3,\"\\ud83d\\ude80\xc3\xa9\",true,null,{}],\"b\":-0}";

	(void)state;
	for (size_t len = 0; len < sizeof whole - 1; len++) {
		char *copy = malloc(len ? len : 1); /* so that ASan sees a read past the end */

		memcpy(copy, whole, len);
		assert_int_equal(json_check((struct slice){ (uint8_t *)copy, len }, NULL), -1);
		free(copy);
	}
	assert_good(whole);
}

static void depth_ends_at_64(void **state)
{
	char text[2 * 65 + 1] = { 0 };
	rkt_error *err = NULL;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_good(text);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(json_check(text_of(text), &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "more than 64"));
	rkt_error_free(err);
}

static void containers_are_bounded(void **state)
{
	auto_buf struct buf text = { 0 };
	rkt_error *err = NULL;

	(void)state;
	buf_append_text(&text, "[0");
	for (int i = 1; i < JSON_CONTAINERS_MAX; i++)
		buf_append_text(&text, ",{}");
	buf_append_text(&text, "]");
	assert_ok(json_check(buf_slice(&text), &err), err);
	text.len--;
	buf_append_text(&text, ",{}]");
	assert_int_equal(json_check(buf_slice(&text), &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "more than 32768"));
	rkt_error_free(err);
}

/* Sorting, not comparing each with each: 200 000 keys in one object take well below a second. */
static void many_keys_are_no_burden(void **state)
{
	auto_buf struct buf text = { 0 };
	rkt_error *err = NULL;

	(void)state;
	for (int i = 0; i < 200000; i++)
		buf_printf(&text, "%c\"key%d\":%d", i ? ',' : '{', i, i);
	buf_append_text(&text, "}");
	assert_ok(json_check(buf_slice(&text), &err), err);
}

static void getters_do_not_coerce(void **state)
{
	auto_json json *root = json_parse(
		text_of("{\"s\":\"1\",\"i\":1,\"f\":1.0,\"t\":true,\"n\":null,\"l\":[1]}"), NULL);
	int64_t integer = 7;
	bool truth = false;

	(void)state;
	assert_string_equal(json_string(json_get(root, "s")), "1");
	assert_null(json_string(json_get(root, "i")));
	assert_null(json_string(json_get(root, "l")));
	assert_true(json_integer(json_get(root, "i"), &integer));
	assert_int_equal(integer, 1);
	assert_false(json_integer(json_get(root, "s"), &integer));
	assert_false(json_integer(json_get(root, "f"), &integer));
	assert_false(json_integer(json_get(root, "t"), &integer));
	assert_true(json_boolean(json_get(root, "t"), &truth) && truth);
	assert_false(json_boolean(json_get(root, "i"), &truth));
	assert_null(json_get(root, "n"));
	assert_null(json_get(json_get(root, "l"), "s"));
	assert_null(json_at(json_get(root, "l"), 1));
	assert_int_equal(json_count(root), 6);
	assert_string_equal(json_number(json_get(root, "f")), "1.0");
	assert_null(json_number(json_get(root, "s")));
}

static void members_come_in_the_order_of_the_text(void **state)
{
	auto_json json *root = json_parse(text_of("{\"z\":1,\"a\":null,\"m\":3}"), NULL);
	struct json_iter it = json_iter_start(root);

	(void)state;
	assert_true(json_iter_next(&it));
	assert_string_equal(it.key, "z");
	assert_true(json_iter_next(&it));
	assert_string_equal(it.key, "a");
	assert_null(it.value);
	assert_true(json_iter_next(&it));
	assert_string_equal(it.key, "m");
	assert_false(json_iter_next(&it));
}

static void offsets_lead_back_to_the_text(void **state)
{
	const char *text = "{\"a\": null, \"f\": 1.5, \"b\": [1, {\"c\": \"x\"}]}";
	auto_json json *root = json_parse(text_of(text), NULL);
	size_t offset = 0;

	(void)state;
	assert_true(json_offset(json_get(json_at(json_get(root, "b"), 1), "c"), &offset));
	assert_ptr_equal(text + offset, strstr(text, "\"x\""));
	assert_true(json_offset(json_get(root, "b"), &offset));
	assert_ptr_equal(text + offset, strchr(text, '['));
	assert_false(json_offset(NULL, &offset));
}

static void assert_written(const json *value, const char *expected)
{
	auto_buf struct buf text = { 0 };

	json_write(value, JSON_COMPACT, &text);
	assert_string_equal(buf_text(&text), expected);
}

static void parsed_texts_are_written_as_they_were(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,-2,1.50,1e3,true,false,null],\"b\":{},\"c\":[]}",
		"\"a/b \\\" \\\\ \\b\\f\\n\\r\\t \\u0001 \xf0\x9f\x9a\x80\"",
		"9223372036854775807",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json json *root = json_parse(text_of(texts[i]), NULL);

		assert_non_null(root);
		assert_written(root, texts[i]);
	}
}

static void pretty_is_indented(void **state)
{
	auto_json json *root = json_parse(text_of("{\"a\":[1,{}],\"b\":[]}"), NULL);
	auto_buf struct buf text = { 0 };

	(void)state;
	json_write(root, JSON_PRETTY, &text);
	assert_string_equal(buf_text(&text),
		"{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}");
}

/* S-013 */
static void what_drives_terminals_is_written_escaped(void **state)
{
	auto_json json *value = json_new_string("\033[2J \x7f \xc2\x9b \xe2\x80\xae \xe2\x80\xa8");

	(void)state;
	assert_written(value, "\"\\u001b[2J \\u007f \\u009b \\u202e \\u2028\"");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
	auto_json json *root = json_new_object();

	(void)state;
	json_set(root, "k\xff", json_new_string("a\xc3(\xed\xa0\x80"));
	assert_written(root, "{\"k\xef\xbf\xbd\":\"a\xef\xbf\xbd("
			     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
}

static void copies_are_their_own(void **state)
{
	json *root = json_parse(text_of("{\"a\":[1.50,\"x\",{\"b\":null}]}"), NULL);
	auto_json json *copy = json_copy(root);

	(void)state;
	json_set(root, "new", json_new_integer(1));
	json_free(root);
	assert_written(copy, "{\"a\":[1.50,\"x\",{\"b\":null}]}");
}

static void built_values_are_written(void **state)
{
	auto_json json *root = json_new_object();
	json *list = json_new_array();

	(void)state;
	json_append(list, json_new_bool(true));
	json_append(list, NULL);
	json_append(list, json_new_integer(INT64_MIN));
	json_set(root, "l", list);
	json_set(root, "s", json_new_string("/"));
	assert_written(root, "{\"l\":[true,null,-9223372036854775808],\"s\":\"/\"}");
}

static void nothing_but_null_is_no_document(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_null(json_parse(text_of("null"), &err));
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts_pass),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(duplicate_keys_are_refused_at_the_second),
		cmocka_unit_test(pointers_are_escaped),
		cmocka_unit_test(pointers_leave_out_what_is_closed),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(strings_are_strict),
		cmocka_unit_test(containers_are_strict),
		cmocka_unit_test(nul_bytes_are_not_the_end),
		cmocka_unit_test(every_prefix_of_a_text_is_refused),
		cmocka_unit_test(depth_ends_at_64),
		cmocka_unit_test(containers_are_bounded),
		cmocka_unit_test(many_keys_are_no_burden),
		cmocka_unit_test(getters_do_not_coerce),
		cmocka_unit_test(members_come_in_the_order_of_the_text),
		cmocka_unit_test(offsets_lead_back_to_the_text),
		cmocka_unit_test(parsed_texts_are_written_as_they_were),
		cmocka_unit_test(pretty_is_indented),
		cmocka_unit_test(what_drives_terminals_is_written_escaped),
		cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(built_values_are_written),
		cmocka_unit_test(nothing_but_null_is_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
