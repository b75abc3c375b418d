/* Claims about changing a manifest: what was asked for changes, and not a byte besides. */
#include "aci/manifest_edit.h"

#include <dirent.h>

#include "tests/unit/scratch.h"
#include "aci/manifest.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/json_edit.h"
#include "base/str.h"

#define FILES_LEAST 36

static struct slice slice_of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

/* OLD with CHANGES must be EXPECTED. */
static void assert_edit(const char *old, const char *changes, const char *expected)
{
	auto_error rkt_error *err = NULL;
	auto_json json *document = json_parse(slice_of(changes), &err);
	auto_buf struct buf result = { 0 };

	assert_non_null(document);
	assert_ok(manifest_edit(slice_of(old), document, &result, &err), err);
	assert_string_equal(buf_text(&result), expected);
}

static void a_field_is_replaced_and_its_neighbours_keep_their_bytes(void **state)
{
	(void)state;
	assert_edit("{ \"x\" :[ 1,2.50 , 1e3],\"name\":\"a\",\"\\u0079\":\"\\u00e9\\/\" }\n",
		"{\"name\":\"b\"}",
		"{ \"x\" :[ 1,2.50 , 1e3],\"name\":\"b\",\"\\u0079\":\"\\u00e9\\/\" }\n");
}

static void a_field_is_added_in_the_manner_of_the_others(void **state)
{
	(void)state;
	assert_edit("{}", "{\"name\":\"b\"}", "{\"name\": \"b\"}");
	assert_edit("{\"a\":1}", "{\"name\":\"b\"}", "{\"a\":1,\"name\":\"b\"}");
	assert_edit("{\"a\": 1, \"b\": 2}", "{\"c\":[3]}", "{\"a\": 1, \"b\": 2, \"c\": [3]}");
	assert_edit("{\n  \"a\": 1\n}\n", "{\"b\":\"2\",\"c\":[3]}",
		"{\n  \"a\": 1,\n  \"b\": \"2\",\n  \"c\": [\n      3\n  ]\n}\n");
}

static void a_key_spelt_with_escapes_is_found(void **state)
{
	(void)state;
	assert_edit("{\"n\\u0061me\":\"a\"}", "{\"name\":\"b\"}", "{\"n\\u0061me\":\"b\"}");
}

static void a_value_that_is_there_keeps_its_spelling(void **state)
{
	(void)state;
	assert_edit("{\"name\":\"\\u0061\"}", "{\"name\":\"a\"}", "{\"name\":\"\\u0061\"}");
}

static void null_is_replaced(void **state)
{
	(void)state;
	assert_edit("{\"labels\":null}", "{\"labels\":[{\"name\":\"a\",\"value\":\"b\"}]}",
		"{\"labels\":[{\"name\":\"a\",\"value\":\"b\"}]}");
}

static void the_element_of_that_name_is_changed_or_one_is_added(void **state)
{
	(void)state;
	assert_edit("{\"labels\":[{\"x\":0,\"value\":\"1\",\"name\":\"a\"}, {\"name\":\"b\"}]}",
		"{\"labels\":[{\"name\":\"a\",\"value\":\"2\"},{\"name\":\"c\",\"value\":\"3\"}]}",
		"{\"labels\":[{\"x\":0,\"value\":\"2\",\"name\":\"a\"}, {\"name\":\"b\"}, "
		"{\"name\":\"c\",\"value\":\"3\"}]}");
	assert_edit("{\"dependencies\":[{\"imageName\":\"a\",\"size\":7}]}",
		"{\"dependencies\":[{\"imageName\":\"a\",\"imageID\":\"x\"}]}",
		"{\"dependencies\":[{\"imageName\":\"a\",\"size\":7,\"imageID\":\"x\"}]}");
}

static void fields_of_the_app_go_into_the_app(void **state)
{
	(void)state;
	assert_edit("{\"app\":{\"exec\":[\"/a\"],\"user\":\"1\",\"?\":{}}}",
		"{\"app\":{\"exec\":[\"/b\",\"c\"]}}",
		"{\"app\":{\"exec\":[\"/b\",\"c\"],\"user\":\"1\",\"?\":{}}}");
}

static void forms_of_the_first_days_stay_what_they_are(void **state)
{
	(void)state;
	assert_edit("{\"labels\":[{\"name\":\"a\",\"val\":\"1\"}],\"annotations\":{\"x\":\"y\"}}",
		"{\"labels\":[{\"name\":\"a\",\"value\":\"2\"}],"
		"\"annotations\":[{\"name\":\"x\",\"value\":\"z\"}]}",
		"{\"labels\":[{\"name\":\"a\",\"val\":\"2\"}],\"annotations\":{\"x\":\"z\"}}");
}

static void false_is_not_added_but_replaces_true(void **state)
{
	(void)state;
	assert_edit("{\"m\":[{\"name\":\"a\",\"readOnly\":true},{\"name\":\"b\"}]}",
		"{\"m\":[{\"name\":\"a\",\"readOnly\":false},{\"name\":\"b\",\"readOnly\":false}]}",
		"{\"m\":[{\"name\":\"a\",\"readOnly\":false},{\"name\":\"b\"}]}");
}

static void what_is_no_object_is_refused(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_json json *none = json_new_object();
	auto_buf struct buf result = { 0 };

	(void)state;
	assert_int_equal(manifest_edit(slice_of("[1]"), none, &result, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

/* ---- the corpus ------------------------------------------------------------------------------ */

static void assert_same(const char *file, struct slice a, struct slice b)
{
	if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
		fail_msg("%s: %.*s became %.*s", file, (int)a.len, (const char *)a.data, (int)b.len,
			(const char *)b.data);
}

static void edit(struct slice old, const char *changes, struct buf *ret)
{
	auto_json json *document = json_parse(slice_of(changes), NULL);

	assert_non_null(document);
	assert_int_equal(manifest_edit(old, document, ret, NULL), 0);
}

/* Every field of the object at AT in OLD is in NEW with the same bytes, but for CHANGED. */
static void assert_others_kept(
	const char *file, const struct buf *old, const struct buf *new, const char *const *changed)
{
	auto_json json *root = json_parse(buf_slice(old), NULL);

	for (struct json_iter it = json_iter_start(root); json_iter_next(&it);) {
		bool asked = false;
		size_t before, after;

		for (const char *const *key = changed; *key; key++)
			asked |= strcmp(*key, it.key) == 0;
		if (asked)
			continue;
		before = json_edit_member(buf_slice(old), json_edit_root(buf_slice(old)), it.key);
		after = json_edit_member(buf_slice(new), json_edit_root(buf_slice(new)), it.key);
		assert_true(before != JSON_NOWHERE && after != JSON_NOWHERE);
		assert_same(file, json_edit_bytes(buf_slice(old), before),
			json_edit_bytes(buf_slice(new), after));
	}
}

/* A good manifest, changed and changed back. */
static void try_file(int dir, const char *name)
{
	static const char *const changed[] = { "name", "unheardOf", NULL };
	auto_error rkt_error *err = NULL;
	auto_buf struct buf text = { 0 }, same = { 0 }, other = { 0 }, again = { 0 };
	auto_json json *root = NULL;
	auto_free char *back = NULL;
	struct slice old_name;
	size_t at;

	assert_ok(fd_read_file(dir, name, MANIFEST_SIZE_MAX, &text, &err), err);
	edit(buf_slice(&text), "{}", &same);
	assert_same(name, buf_slice(&text), buf_slice(&same));
	edit(buf_slice(&text), "{\"name\":\"example.com/other\",\"unheardOf\":[{\"name\":\"x\"}]}",
		&other);
	assert_others_kept(name, &text, &other, changed);
	root = json_parse(buf_slice(&text), NULL);
	assert_non_null(root);
	assert_true(other.len > text.len || !json_get(root, "name"));
	at = json_edit_member(buf_slice(&text), json_edit_root(buf_slice(&text)), "name");
	if (at == JSON_NOWHERE)
		return;
	old_name = json_edit_bytes(buf_slice(&text), at);
	if (memchr(old_name.data, '\\', old_name.len))
		return; /* it would come back in the usual spelling */
	edit(buf_slice(&text), "{\"name\":\"example.com/other\"}", &other);
	back = xasprintf("{\"name\":\"%s\"}", json_string(json_get(root, "name")));
	edit(buf_slice(&other), back, &again);
	assert_same(name, buf_slice(&text), buf_slice(&again));
}

/* Also those with fields nobody knows, spaces everywhere, and forms of earlier texts. */
static void the_corpus_survives_changes_byte_for_byte(void **state)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	auto_dir DIR *dir = NULL;
	size_t tried = 0;

	(void)state;
	snprintf(path, sizeof path, "%s/tests/corpus/manifests", top ? top : ".");
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!str_has_prefix(entry->d_name, "ok-"))
			continue;
		try_file(dirfd(dir), entry->d_name);
		tried++;
	}
	assert_true(tried >= FILES_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_replaced_and_its_neighbours_keep_their_bytes),
		cmocka_unit_test(a_field_is_added_in_the_manner_of_the_others),
		cmocka_unit_test(a_key_spelt_with_escapes_is_found),
		cmocka_unit_test(a_value_that_is_there_keeps_its_spelling),
		cmocka_unit_test(null_is_replaced),
		cmocka_unit_test(the_element_of_that_name_is_changed_or_one_is_added),
		cmocka_unit_test(fields_of_the_app_go_into_the_app),
		cmocka_unit_test(forms_of_the_first_days_stay_what_they_are),
		cmocka_unit_test(false_is_not_added_but_replaces_true),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(the_corpus_survives_changes_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
