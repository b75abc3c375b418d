/*
 * Manifests: the corpus tests/corpus/manifests, and what the readers make of good ones.
 *
 * The corpus is its own claim: ok-*.json has no finding, bad-<rule>-*.json has exactly one error
 * and it is of that rule, warn-<rule>-*.json is accepted with one warning, of that rule. Among the
 * bad ones are names that would lead out of where they become paths (S-068).
 */
#include "tests/unit/scratch.h"

#include <dirent.h>

#include "aci/manifest.h"
#include "aci/pod.h"
#include "base/fd.h"
#include "base/str.h"

#define FILES_LEAST 200

static bool is_pod(struct slice text)
{
	return memmem(text.data, text.len, "PodManifest", 11) ||
	       memmem(text.data, text.len, "ContainerRuntimeManifest", 24);
}

static bool parses(struct slice text, check *findings, rkt_error **err)
{
	if (is_pod(text)) {
		auto_pod_manifest struct pod_manifest *pod =
			pod_manifest_parse(text, findings, err);

		return pod;
	}
	auto_image_manifest struct image_manifest *image =
		image_manifest_parse(text, findings, err);

	return image;
}

/* The longest rule REST ("label-name-x.json") begins with; NULL when there is none. */
static const struct check_rule *rule_of(const char *rest)
{
	const struct check_rule *found = NULL;

	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		size_t len = strlen(rule->name);

		if (str_has_prefix(rest, rule->name) && strchr("-.", rest[len]) &&
			(!found || len > strlen(found->name)))
			found = rule;
	}
	return found;
}

static void show(const char *name, const check *findings)
{
	for (size_t i = 0; check_get(findings, i); i++)
		print_message("# %s: %s at %s: %s\n", name, check_get(findings, i)->rule->name,
			check_get(findings, i)->pointer ?: "", check_get(findings, i)->text);
}

/* One finding of the rule the name says, and the verdict that goes with its severity. */
static bool is_as_named(const char *name, struct slice text, const check *findings)
{
	auto_error rkt_error *err = NULL;
	bool is_bad = str_has_prefix(name, "bad-"), good = parses(text, NULL, &err);
	const struct check_rule *rule;

	if (str_has_prefix(name, "ok-"))
		return good && !check_get(findings, 0);
	rule = rule_of(name + (is_bad ? strlen("bad-") : strlen("warn-")));
	return rule && rule->severity == (is_bad ? SEVERITY_ERROR : SEVERITY_WARNING) &&
	       good == !is_bad && check_get(findings, 0) && !check_get(findings, 1) &&
	       check_get(findings, 0)->rule == rule;
}

static bool try_file(int dir, const char *name)
{
	auto_buf struct buf text = { 0 };
	auto_check check *findings = check_new(CHECK_ALL);
	auto_error rkt_error *err = NULL;

	assert_ok(fd_read_file(dir, name, MANIFEST_SIZE_MAX, &text, &err), err);
	if (parses(buf_slice(&text), findings, &err) ==
			(check_count(findings, SEVERITY_ERROR) == 0) &&
		is_as_named(name, buf_slice(&text), findings))
		return true;
	print_message("# %s is not as its name says\n", name);
	show(name, findings);
	return false;
}

static DIR *open_corpus(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/corpus/manifests", top ? top : ".");
	return opendir(path);
}

static void corpus_is_judged_as_named(void **state)
{
	auto_dir DIR *dir = open_corpus();
	size_t tried = 0, wrong = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!str_has_suffix(entry->d_name, ".json"))
			continue;
		wrong += !try_file(dirfd(dir), entry->d_name);
		tried++;
	}
	assert_int_equal(wrong, 0);
	assert_true(tried >= FILES_LEAST);
}

/* Rules of archives have their own corpus; those of trees and signatures their own tests. */
static bool is_of_manifests(const char *rule)
{
	static const char *const others[] = { "layout-", "tar-", "render-", "signature-" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_has_prefix(rule, others[i]))
			return false;
	return true;
}

static bool has_file(const struct check_rule *rule)
{
	auto_dir DIR *dir = open_corpus();

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *dash = strchr(entry->d_name, '-');

		if (dash && rule_of(dash + 1) == rule)
			return true;
	}
	return false;
}

static void every_rule_of_manifests_has_a_file(void **state)
{
	(void)state;
	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		if (is_of_manifests(rule->name) && !has_file(rule))
			fail_msg("no file for %s", rule->name);
	}
}

static struct slice text_of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

static struct image_manifest *read_image(const char *text)
{
	rkt_error *err = NULL;
	struct image_manifest *manifest = image_manifest_parse(text_of(text), NULL, &err);

	if (!manifest)
		fail_msg("%s", rkt_error_message(err));
	return manifest;
}

#define HEAD "\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/app\""

static void fields_are_read(void **state)
{
	auto_image_manifest struct image_manifest *image =
		read_image("{" HEAD ",\"labels\":[{\"name\":\"version\",\"value\":\"1.0\"}],"
			   "\"app\":{\"exec\":[\"/bin/a\",\"-b\"],\"user\":\"u\",\"group\":\"g\","
			   "\"supplementaryGids\":[7],\"workingDirectory\":\"/srv\","
			   "\"environment\":[{\"name\":\"K\",\"value\":\"v\"}],"
			   "\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/bin/p\"]}],"
			   "\"mountPoints\":[{\"name\":\"m\",\"path\":\"/m\",\"readOnly\":true}],"
			   "\"ports\":[{\"name\":\"p\",\"port\":80,\"protocol\":\"tcp\"}]},"
			   "\"dependencies\":[{\"imageName\":\"d\",\"size\":5}],"
			   "\"pathWhitelist\":[\"/a\"],"
			   "\"annotations\":[{\"name\":\"authors\",\"value\":\"x\"}]}");
	const struct app *app = image->app;

	(void)state;
	assert_string_equal(image->name, "example.com/app");
	assert_string_equal(image->ac_version, "0.8.11");
	assert_string_equal(image_manifest_label(image, "version"), "1.0");
	assert_null(image_manifest_label(image, "os"));
	assert_string_equal(image_manifest_annotation(image, "authors"), "x");
	assert_string_equal(app->exec[1], "-b");
	assert_null(app->exec[2]);
	assert_string_equal(app->user, "u");
	assert_string_equal(app->group, "g");
	assert_int_equal(app->supplementary_gids[0], 7);
	assert_string_equal(app->working_directory, "/srv");
	assert_string_equal(app->environment[0].value, "v");
	assert_string_equal(app->events[0].exec[0], "/bin/p");
	assert_true(app->mount_points[0].read_only);
	assert_int_equal(app->ports[0].count, 1);
	assert_int_equal(image->dependencies[0].size, 5);
	assert_string_equal(image->path_whitelist[0], "/a");
}

static void unknown_fields_stay_in_the_document(void **state)
{
	auto_image_manifest struct image_manifest *image =
		read_image("{" HEAD ",\"x-own\":{\"a\":[1]}}");
	auto_buf struct buf text = { 0 };

	(void)state;
	json_write(image->document, JSON_COMPACT, &text);
	assert_string_equal(buf_text(&text), "{" HEAD ",\"x-own\":{\"a\":[1]}}");
}

static void manifest_outlives_its_text(void **state)
{
	char text[] = "{" HEAD ",\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\"}}";
	auto_image_manifest struct image_manifest *image = read_image(text);

	(void)state;
	memset(text, 'x', sizeof text - 1);
	assert_string_equal(image->app->exec[0], "/a");
}

static void old_forms_are_read_like_new_ones(void **state)
{
	auto_image_manifest struct image_manifest *image = read_image(
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.1.1\",\"name\":\"a\","
		"\"labels\":[{\"name\":\"os\",\"val\":\"linux\"}],"
		"\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\","
		"\"environment\":{\"K\":\"v\"},"
		"\"isolators\":[{\"name\":\"memory/limit\",\"val\":\"1G\"}]},"
		"\"dependencies\":[{\"name\":\"base\"}],\"annotations\":{\"lorem\":\"ipsum\"}}");

	(void)state;
	assert_string_equal(image_manifest_label(image, "os"), "linux");
	assert_string_equal(image->app->environment[0].name, "K");
	assert_string_equal(image->app->environment[0].value, "v");
	assert_int_equal(image->app->isolation.memory.limit, 1000000000);
	assert_string_equal(image->dependencies[0].image_name, "base");
	assert_string_equal(image_manifest_annotation(image, "lorem"), "ipsum");
}

static void faults_say_pointer_line_and_column(void **state)
{
	rkt_error *err = NULL;
	const char *text = "{" HEAD ",\n  \"app\": {\"user\": \"0\", \"group\": \"0\",\n"
			   "  \"exec\": [\"/a\", 5]}}";

	(void)state;
	assert_null(image_manifest_parse(text_of(text), NULL, &err));
	assert_string_equal(rkt_error_message(err),
		"manifest: /app/exec/1 in line 3, column 18: is an integer where a string is expected");
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
}

static void all_faults_are_found_and_the_first_returned(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	rkt_error *err = NULL;
	const char *text = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"A\","
			   "\"app\":{\"exec\":[\"\"]}}";

	(void)state;
	assert_null(image_manifest_parse(text_of(text), findings, &err));
	assert_int_equal(check_count(findings, SEVERITY_ERROR), 4);
	assert_string_equal(check_get(findings, 0)->rule->name, "name-syntax");
	assert_string_equal(check_get(findings, 1)->rule->name, "exec-empty");
	assert_string_equal(check_get(findings, 2)->rule->name, "app-user");
	assert_string_equal(check_get(findings, 2)->pointer, "/app/user");
	assert_string_equal(check_get(findings, 3)->rule->name, "app-group");
	assert_non_null(strstr(rkt_error_message(err), "/name in line 1"));
	rkt_error_free(err);
}

static void first_fault_ends_the_reading(void **state)
{
	auto_check check *findings = check_new(CHECK_FIRST);
	rkt_error *err = NULL;

	(void)state;
	assert_null(image_manifest_parse(
		text_of("{\"acKind\":\"ImageManifest\",\"acVersion\":\"9\"}"), findings, &err));
	assert_int_equal(check_count(findings, SEVERITY_ERROR), 1);
	rkt_error_free(err);
}

/* A hostile manifest: as many faults as fit. Bounded in findings, and done before the test's
 * limit. */
static void many_faults_are_bounded(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	auto_buf struct buf text = { 0 };
	rkt_error *err = NULL;

	(void)state;
	buf_append_text(&text, "{" HEAD ",\"labels\":[0");
	while (text.len < MANIFEST_SIZE_MAX - 4)
		buf_append_text(&text, ",0");
	buf_append_text(&text, "]}");
	assert_null(image_manifest_parse(buf_slice(&text), findings, &err));
	assert_non_null(check_get(findings, CHECK_FINDINGS_MAX - 1));
	assert_null(check_get(findings, CHECK_FINDINGS_MAX));
	rkt_error_free(err);
}

/* As many unknown fields as fit: their places must not be searched from the start each time. The
 * alarm is a bound nobody meets who reads the text once, and that 90 000 searches far exceed. */
static void many_warnings_are_no_burden(void **state)
{
	auto_check check *findings = check_new(CHECK_ALL);
	auto_buf struct buf text = { 0 };
	rkt_error *err = NULL;

	(void)state;
	buf_append_text(&text, "{" HEAD);
	for (int i = 0; text.len < MANIFEST_SIZE_MAX - 20; i++)
		buf_printf(&text, ",\"f%d\":0", i);
	buf_append_text(&text, "}");
	alarm(20);
	image_manifest_free(image_manifest_parse(buf_slice(&text), findings, &err));
	alarm(0);
	assert_null(err);
	assert_non_null(check_get(findings, CHECK_FINDINGS_MAX - 1));
}

static void control_characters_are_escaped_in_faults(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_null(image_manifest_parse(
		text_of("{\"acKind\":\"Image\\u001b[2J\",\"acVersion\":\"0.8.11\"}"), NULL, &err));
	assert_null(strchr(rkt_error_message(err), '\033'));
	assert_non_null(strstr(rkt_error_message(err), "\\x1b"));
	rkt_error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpus_is_judged_as_named),
		cmocka_unit_test(every_rule_of_manifests_has_a_file),
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(unknown_fields_stay_in_the_document),
		cmocka_unit_test(manifest_outlives_its_text),
		cmocka_unit_test(old_forms_are_read_like_new_ones),
		cmocka_unit_test(faults_say_pointer_line_and_column),
		cmocka_unit_test(all_faults_are_found_and_the_first_returned),
		cmocka_unit_test(first_fault_ends_the_reading),
		cmocka_unit_test(many_faults_are_bounded),
		cmocka_unit_test(many_warnings_are_no_burden),
		cmocka_unit_test(control_characters_are_escaped_in_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
