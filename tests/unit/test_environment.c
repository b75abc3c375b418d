/* environment: exactly what appc ace.md, Execution Environment, says, and nothing else. */
#include "stage1/common/environment.h"

#include "tests/unit/scratch.h"

static size_t count(char *const *environment)
{
	size_t n = 0;

	while (environment[n])
		n++;
	return n;
}

static void assert_value(char *const *environment, const char *name, const char *value)
{
	const char *got = environment_get(environment, name);

	assert_non_null(got);
	assert_string_equal(got, value);
}

static void least_is_path_name_and_container(void **state)
{
	auto_environment char **all =
		environment_make(&(struct environment_facts){ .app_name = "web" });

	(void)state;
	assert_int_equal(count(all), 3);
	assert_value(all, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_value(all, "AC_APP_NAME", "web");
	assert_value(all, "container", "rocket");
}

static void metadata_and_terminal_when_there_are_some(void **state)
{
	auto_environment char **all = environment_make(&(struct environment_facts){
		.app_name = "web", .metadata_url = "http://m/t", .term = "vt100" });

	(void)state;
	assert_int_equal(count(all), 5);
	assert_value(all, "AC_METADATA_URL", "http://m/t");
	assert_value(all, "TERM", "vt100");
}

static void manifest_wins_over_defaults(void **state)
{
	const struct app_env own[] = { { "PATH", "/bin" }, { "TERM", "dumb" }, { "EMPTY", "" } };
	auto_environment char **all = environment_make(&(struct environment_facts){
		.app_name = "web", .term = "vt100", .variables = own, .variable_count = 3 });

	(void)state;
	assert_int_equal(count(all), 5);
	assert_value(all, "PATH", "/bin");
	assert_value(all, "TERM", "dumb");
	assert_value(all, "EMPTY", "");
}

static void manifest_cannot_forge_what_the_executor_says(void **state)
{
	const struct app_env own[] = { { "AC_APP_NAME", "x" }, { "container", "x" },
		{ "AC_METADATA_URL", "x" } };
	auto_environment char **all =
		environment_make(&(struct environment_facts){ .app_name = "web",
			.metadata_url = "http://m",
			.variables = own,
			.variable_count = 3 });

	(void)state;
	assert_int_equal(count(all), 4);
	assert_value(all, "AC_APP_NAME", "web");
	assert_value(all, "container", "rocket");
	assert_value(all, "AC_METADATA_URL", "http://m");
}

static void name_that_begins_alike_is_another(void **state)
{
	const struct app_env own[] = { { "PATHS", "x" }, { "PAT", "y" } };
	auto_environment char **all = environment_make(&(struct environment_facts){
		.app_name = "web", .variables = own, .variable_count = 2 });

	(void)state;
	assert_int_equal(count(all), 5);
	assert_value(all, "PATH", ENVIRONMENT_PATH);
	assert_null(environment_get(all, "PA"));
}

static void early_images_get_the_login(void **state)
{
	char name[] = "web", home[] = "/srv", shell[] = "";
	const struct identity who = { 33, 34, name, home, shell };
	auto_environment char **all =
		environment_make(&(struct environment_facts){ .app_name = "web", .login = &who });

	(void)state;
	assert_int_equal(count(all), 7);
	assert_value(all, "HOME", "/srv");
	assert_value(all, "USER", "web");
	assert_value(all, "LOGNAME", "web");
	assert_value(all, "SHELL", "/bin/sh");
}

static void early_images_without_accounts_get_roots(void **state)
{
	const struct identity who = { 0 };
	auto_environment char **all =
		environment_make(&(struct environment_facts){ .app_name = "web", .login = &who });

	(void)state;
	assert_value(all, "HOME", "/root");
	assert_value(all, "USER", "root");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(least_is_path_name_and_container),
		cmocka_unit_test(metadata_and_terminal_when_there_are_some),
		cmocka_unit_test(manifest_wins_over_defaults),
		cmocka_unit_test(manifest_cannot_forge_what_the_executor_says),
		cmocka_unit_test(name_that_begins_alike_is_another),
		cmocka_unit_test(early_images_get_the_login),
		cmocka_unit_test(early_images_without_accounts_get_roots),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
