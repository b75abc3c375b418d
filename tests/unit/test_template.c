/* From names of images to URLs. */
#include "tests/unit/scratch.h"

#include "base/str.h"
#include "store/fetch/template.h"

static const struct ac_pair labels[] = { { "version", "1.0" }, { "os", "linux" },
	{ "arch", "amd64" }, { "channel", "a/b c?#%&{os}" } };

static struct wanted wanted_of(const char *name, const struct ac_pair *items, size_t count)
{
	rkt_error *err = NULL;
	struct wanted wanted;

	assert_ok(wanted_make(name, items, count, &wanted, &err), err);
	return wanted;
}

/* What TEMPLATE gives for example.com/app with the labels above; NULL and *RET_WHY else. */
static char *expanded(const char *template, const char **ret_why)
{
	struct wanted wanted = wanted_of("example.com/app", labels, ARRAY_LEN(labels));
	char *url = template_expand(template, &wanted, TEMPLATE_IMAGE, ret_why);

	wanted_free(&wanted);
	return url;
}

static void templates_give_urls(void **state)
{
	static const char *const pairs[][2] = {
		{ TEMPLATE_SIMPLE, "https://example.com/app-1.0-linux-amd64.aci" },
		{ "https://s.example.com/{os}/{arch}/{name}-{version}.{ext}",
			"https://s.example.com/linux/amd64/example.com/app-1.0.aci" },
		{ "http://s:8080/{ext}?n={name}&v={version}",
			"http://s:8080/aci?n=example.com/app&v=1.0" },
		{ "HTTPS://[::1]:8443/{ext}/{ext}", "HTTPS://[::1]:8443/aci/aci" },
		{ "https://s/{channel}.{ext}", "https://s/a%2Fb%20c%3F%23%25%26%7Bos%7D.aci" },
		{ "https://s?{ext}", "https://s?aci" },
		{ "https://s/%41/...{ext}", "https://s/%41/...aci" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_free char *url = expanded(pairs[i][0], &why);

		assert_null(why);
		assert_string_equal(url, pairs[i][1]);
	}
}

static void signatures_end_otherwise(void **state)
{
	struct wanted wanted = wanted_of("example.com/app", labels, ARRAY_LEN(labels));
	const char *why;
	auto_free char *url = template_expand(TEMPLATE_SIMPLE, &wanted, TEMPLATE_SIGNATURE, &why);

	(void)state;
	assert_string_equal(url, "https://example.com/app-1.0-linux-amd64.aci.asc");
	wanted_free(&wanted);
}

/* S-030: what is no http or https URL is no URL to us. */
static void bad_templates_are_passed_over(void **state)
{
	static const char *const pairs[][2] = {
		{ "https://s/{name}-{flavour}.{ext}", "variable" },
		{ "https://s/{}.{ext}", "variable" },
		{ "https://s/{Name}.{ext}", "variable" },
		{ "https://s/{+name}.{ext}", "variable" },
		{ "https://s/{name}", "no {ext}" },
		{ "https://s/{name.{ext}", "braces" },
		{ "https://s/name}.{ext}", "braces" },
		{ "https://s/{ext", "braces" },
		{ "https://s/{{ext}}", "braces" },
		{ "", "no {ext}" },
		{ "hdfs://s/{ext}", "no http" },
		{ "file:///etc/{ext}", "no http" },
		{ "//s/{ext}", "host name" },
		{ "{ext}", "host name" },
		{ "{name}/{ext}", "host name" },
		{ "https:///{ext}", "no host" },
		{ "https://.s/{ext}", "no host" },
		{ "https://:80/{ext}", "no host" },
		{ "https://-s/{ext}", "no host" },
		{ "https://user:password@s/{ext}", "a user" },
		{ "https://s%2e/{ext}", "no host has" },
		{ "https://s:/{ext}", "port" },
		{ "https://s:0/{ext}", "port" },
		{ "https://s:65536/{ext}", "port" },
		{ "https://s:8o/{ext}", "port" },
		{ "https://[::1/{ext}", "brackets" },
		{ "https://[]/{ext}", "brackets" },
		{ "https://[::g]/{ext}", "brackets" },
		{ "https://[::1]x/{ext}", "no host has" },
		{ "https://{version}.s/{ext}", "host name" },
		{ "https://s.{ext}", "host name" },
		{ "https://s\\@t/{ext}", "user" },
		{ "https://s/{ext}#x", "fragment" },
		{ "https://s/a b.{ext}", "characters" },
		{ "https://s/a\n.{ext}", "characters" },
		{ "https://s/\xc3\xa9.{ext}", "characters" },
		{ "https://s/%zz.{ext}", "characters" },
		{ "https://s/%4", "{ext}" },
		{ "https://s/{ext}%4", "characters" },
		{ "https://s/../{ext}", "between" },
		{ "https://s/a/./{ext}", "between" },
		{ "https://s/{ext}/..", "between" },
		{ "https://s/%2E%2e/{ext}", "between" },
		{ "https://s/{ext}/.%2e?", "between" },
	};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_null(expanded(pairs[i][0], &why));
		if (!strstr(why, pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], why);
	}
}

static void values_cannot_step_out_of_a_directory(void **state)
{
	static const struct ac_pair dots[] = { { "version", ".." } };
	struct wanted wanted = wanted_of("example.com/app", dots, 1);
	const char *why;

	(void)state;
	assert_null(template_expand("https://s/{version}/{ext}", &wanted, TEMPLATE_IMAGE, &why));
	free(template_expand("https://s/v{version}/{ext}", &wanted, TEMPLATE_IMAGE, &why));
	assert_null(why);
	wanted_free(&wanted);
}

static void long_urls_are_not_made(void **state)
{
	char name[TEMPLATE_URL_MAX + 1];
	const char *why;
	struct wanted wanted;

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	wanted = wanted_of(name, NULL, 0);
	assert_null(template_expand("https://s/{name}.{ext}", &wanted, TEMPLATE_IMAGE, &why));
	assert_string_equal(why, "it is too long");
	wanted_free(&wanted);
	name[TEMPLATE_URL_MAX - strlen("https://s/.aci")] = '\0';
	wanted = wanted_of(name, NULL, 0);
	free(template_expand("https://s/{name}.{ext}", &wanted, TEMPLATE_IMAGE, &why));
	assert_null(why);
	wanted_free(&wanted);
}

/* Simple discovery of a name without a path would ask a host that nobody named. */
static void a_host_alone_is_not_discovered_simply(void **state)
{
	struct wanted wanted = wanted_of("example.com", NULL, 0);
	const char *why = NULL;

	(void)state;
	assert_null(template_expand(TEMPLATE_SIMPLE, &wanted, TEMPLATE_IMAGE, &why));
	assert_string_equal(why, "it has a label in its host name");
	wanted_free(&wanted);
}

static void what_is_not_given_is_of_this_machine(void **state)
{
	static const struct ac_pair arm[] = { { "arch", "armv7l" }, { "version", "" } };
	struct wanted wanted = wanted_of("example.com/app", NULL, 0);
	const char *why;
	auto_free char *url = template_expand(TEMPLATE_SIMPLE, &wanted, TEMPLATE_IMAGE, &why);
	auto_free char *other = NULL;
	char expected[200];

	(void)state;
	if (!label_host_arch())
		skip();
	snprintf(expected, sizeof expected, "https://example.com/app-latest-linux-%s.aci",
		label_host_arch());
	assert_string_equal(url, expected);
	assert_int_equal(wanted.given_count, 0);
	assert_int_equal(wanted.label_count, 2); /* `latest` is of the template, not of the image */
	wanted_free(&wanted);
	wanted = wanted_of("example.com/app", arm, 2);
	assert_int_equal(wanted.given_count, 2);
	assert_int_equal(wanted.label_count, 3);
	other = template_expand(TEMPLATE_SIMPLE, &wanted, TEMPLATE_IMAGE, &why);
	assert_string_equal(other, "https://example.com/app-latest-linux-armv7l.aci");
	wanted_free(&wanted);
}

static void names_that_no_image_has_are_refused(void **state)
{
	static const struct {
		const char *name, *label, *value, *words;
	} bad[] = { { "example.com:5000/app", NULL, NULL, "has a port" },
		{ "example.com", "version", "5000/app", "has a port" },
		{ "[::1]/app", NULL, NULL, "address in brackets" }, { "", NULL, NULL, "empty" },
		{ "Example.com/app", NULL, NULL, "lower-case" },
		{ "example.com//app", NULL, NULL, "two separators" },
		{ "../app", NULL, NULL, "begin" }, { "example.com/app", "name", "x", "'name'" },
		{ "example.com/app", "a b", "x", "label 'a b'" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct ac_pair label = { bad[i].label, bad[i].value };
		rkt_error *err = NULL;
		struct wanted wanted;

		assert_int_equal(
			wanted_make(bad[i].name, &label, bad[i].label ? 1 : 0, &wanted, &err), -1);
		assert_int_equal(rkt_error_kind(err), RKT_USAGE);
		if (!strstr(rkt_error_message(err), bad[i].words))
			fail_msg("%s: %s", bad[i].name, rkt_error_message(err));
		rkt_error_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_give_urls),
		cmocka_unit_test(signatures_end_otherwise),
		cmocka_unit_test(bad_templates_are_passed_over),
		cmocka_unit_test(values_cannot_step_out_of_a_directory),
		cmocka_unit_test(long_urls_are_not_made),
		cmocka_unit_test(a_host_alone_is_not_discovered_simply),
		cmocka_unit_test(what_is_not_given_is_of_this_machine),
		cmocka_unit_test(names_that_no_image_has_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
