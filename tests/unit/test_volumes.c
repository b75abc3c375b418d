/* Volumes of the command line: which spellings are read, which are refused, what the manifest
 * says. */
#include "tests/unit/scratch.h"

#include "runner/volumes.h"

static char *as_json(const char *text)
{
	struct volume volume = { 0 };
	rkt_error *err = NULL;
	struct buf out = { 0 };
	json *object;

	assert_ok(volume_parse(text, &volume, &err), err);
	object = volume_to_json(&volume);
	json_write(object, JSON_COMPACT, &out);
	json_free(object);
	volume_clear(&volume);
	return buf_steal_text(&out);
}

static void assert_json(const char *text, const char *expected)
{
	char *found = as_json(text);

	assert_string_equal(found, expected);
	free(found);
}

static void assert_refused(const char *text, const char *part)
{
	struct volume volume = { 0 };
	rkt_error *err = NULL;

	assert_int_equal(volume_parse(text, &volume, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	if (!strstr(rkt_error_message(err), part))
		fail_msg("%s: \"%s\" says nothing of \"%s\"", text, rkt_error_message(err), part);
	rkt_error_free(err);
}

static void name_and_path_is_a_host_volume(void **state)
{
	(void)state;
	assert_json(
		"database:/tmp", "{\"name\":\"database\",\"kind\":\"host\",\"source\":\"/tmp\"}");
}

static void path_of_the_short_form_takes_commas_and_colons(void **state)
{
	(void)state;
	assert_json("d:/a,b:c", "{\"name\":\"d\",\"kind\":\"host\",\"source\":\"/a,b:c\"}");
}

static void host_volume_keeps_what_was_said(void **state)
{
	(void)state;
	assert_json("data,kind=host,source=/srv,readOnly=true,recursive=false",
		"{\"name\":\"data\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true,"
		"\"recursive\":false}");
}

static void order_of_keys_does_not_matter(void **state)
{
	(void)state;
	assert_json("data,readOnly=false,source=/srv,kind=host",
		"{\"name\":\"data\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":false}");
}

static void empty_volume_has_mode_and_owner(void **state)
{
	(void)state;
	assert_json("tmp,kind=empty,mode=1777,uid=0,gid=33",
		"{\"name\":\"tmp\",\"kind\":\"empty\",\"mode\":\"1777\",\"uid\":0,\"gid\":33}");
}

static void broken_volumes_are_refused_with_the_reason(void **state)
{
	(void)state;
	assert_refused("database", "NAME:PATH");
	assert_refused("database:", "absolute");
	assert_refused("database:tmp", "absolute");
	assert_refused(":/tmp", "name");
	assert_refused("Data:/tmp", "name");
	assert_refused("a/b:/tmp", "name");
	assert_refused("d,source=/srv", "kind=");
	assert_refused("d,kind=host", "source=");
	assert_refused("d,kind=host,source=srv", "absolute");
	assert_refused("d,kind=nfs,source=/srv", "host or empty");
	assert_refused("d,kind=host,source=/srv,source=/x", "twice");
	assert_refused("d,kind=host,source=/srv,readOnly=yes", "true or false");
	assert_refused("d,kind=host,source=/srv,readonly=true", "unknown key");
	assert_refused("d,kind=host,source=/srv,mode=755", "not for kind=host");
	assert_refused("d,kind=empty,source=/srv", "not for kind=empty");
	assert_refused("d,kind=empty,mode=9", "octal");
	assert_refused("d,kind=empty,uid=4294967295", "uid");
	assert_refused("d,kind=empty,gid=-1", "gid");
	assert_refused("d,kind", "KEY=VALUE");
	assert_refused("d,", "KEY=VALUE");
}

static void a_name_given_twice_is_refused(void **state)
{
	const char *const texts[] = { "a:/x", "b:/y", "a,kind=empty" };
	struct volumes volumes = { 0 };
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(volumes_parse(texts, 3, &volumes, &err), -1);
	assert_string_equal(rkt_error_message(err), "volume a is given twice");
	rkt_error_free(err);
}

static void volumes_are_found_by_name(void **state)
{
	const char *const texts[] = { "a:/x", "b:/y" };
	struct volumes volumes = { 0 };
	rkt_error *err = NULL;

	(void)state;
	assert_ok(volumes_parse(texts, 2, &volumes, &err), err);
	assert_string_equal(volumes_find(&volumes, "b")->source, "/y");
	assert_null(volumes_find(&volumes, "c"));
	volumes_clear(&volumes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_and_path_is_a_host_volume),
		cmocka_unit_test(path_of_the_short_form_takes_commas_and_colons),
		cmocka_unit_test(host_volume_keeps_what_was_said),
		cmocka_unit_test(order_of_keys_does_not_matter),
		cmocka_unit_test(empty_volume_has_mode_and_owner),
		cmocka_unit_test(broken_volumes_are_refused_with_the_reason),
		cmocka_unit_test(a_name_given_twice_is_refused),
		cmocka_unit_test(volumes_are_found_by_name),
	};

	return cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
