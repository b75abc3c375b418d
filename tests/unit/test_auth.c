/* What auth.d says, and what goes with a request. */
#include "tests/unit/scratch.h"

#include "base/alloc.h"
#include "base/json.h"
#include "store/fetch/auth.h"

#define SECRET "hunter2-s3cr3t"

/* Adds TEXT as a file PATH of LEVEL. */
static int add(struct config_auth *auth, enum config_level level, const char *path,
	const char *kind, const char *text, rkt_error **err)
{
	auto_json json *root =
		json_parse((struct slice){ (const uint8_t *)text, strlen(text) }, NULL);
	struct config_file file = { .level = level, .path = path, .kind = kind, .root = root };

	assert_non_null(root);
	return config_auth_add(auth, &file, err);
}

static void add_ok(struct config_auth *auth, enum config_level level, const char *path,
	const char *kind, const char *text)
{
	rkt_error *err = NULL;

	assert_ok(add(auth, level, path, kind, text, &err), err);
}

static const char basic[] =
	"{\"domains\": [\"example.com\", \"Other.com:8443\"], \"type\": \"basic\","
	"\"credentials\": {\"user\": \"me\", \"password\": \"" SECRET " \\u00e9\"}}";
static const char oauth[] = "{\"domains\": [\"example.com\"], \"type\": \"oauth\","
			    "\"credentials\": {\"token\": \"" SECRET "\"}}";

static void requests_get_what_their_host_has(void **state)
{
	static const char *const hosts[] = { "example.com", "example.com:443", "EXAMPLE.com",
		"other.com:8443" };
	static const char *const others[] = { "example.com:8443", "other.com", "www.example.com",
		"example.com.evil.org", "", "com", "xexample.com", "example.com:4430" };
	auto_config_auth struct config_auth auth = { 0 };

	(void)state;
	add_ok(&auth, CONFIG_LOCAL, "a.json", "auth", basic);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		auto_fetch_auth struct fetch_auth got = fetch_auth_for(&auth, hosts[i]);

		assert_int_equal(got.kind, FETCH_AUTH_BASIC);
		assert_string_equal(got.user, "me");
		assert_string_equal(got.password, SECRET " \xc3\xa9");
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(fetch_auth_for(&auth, others[i]).kind, FETCH_AUTH_NONE);
}

static void later_directories_win(void **state)
{
	auto_config_auth struct config_auth auth = { 0 };
	auto_fetch_auth struct fetch_auth got = { 0 }, other = { 0 };
	rkt_error *err = NULL;

	(void)state;
	add_ok(&auth, CONFIG_SYSTEM, "a.json", "auth", basic);
	add_ok(&auth, CONFIG_LOCAL, "b.json", "auth", oauth);
	got = fetch_auth_for(&auth, "example.com");
	assert_int_equal(got.kind, FETCH_AUTH_BEARER);
	assert_string_equal(got.token, SECRET);
	assert_null(got.password);
	other = fetch_auth_for(&auth, "other.com:8443");
	assert_int_equal(other.kind, FETCH_AUTH_BASIC);
	assert_int_equal(add(&auth, CONFIG_LOCAL, "c.json", "auth", oauth, &err), -1);
	assert_string_equal(rkt_error_message(err), "b.json says already what goes to example.com");
	rkt_error_free(err);
}

static void registries_are_kept_apart(void **state)
{
	static const char text[] = "{\"registries\": [\"example.com\", \"quay.io\"],"
				   "\"credentials\": {\"user\": \"docker\", \"password\": \"p\"}}";
	auto_config_auth struct config_auth auth = { 0 };
	auto_fetch_auth struct fetch_auth got = { 0 };

	(void)state;
	add_ok(&auth, CONFIG_LOCAL, "a.json", "auth", basic);
	add_ok(&auth, CONFIG_LOCAL, "b.json", "dockerAuth", text);
	got = fetch_auth_for(&auth, "example.com");
	assert_string_equal(got.user, "me");
	assert_string_equal(config_auth_for_registry(&auth, "example.com")->user, "docker");
	assert_null(config_auth_for(&auth, "quay.io"));
	assert_non_null(config_auth_for_registry(&auth, "quay.io"));
}

static char *region_for(const char *host, const char *more)
{
	auto_config_auth struct config_auth auth = { 0 };
	auto_fetch_auth struct fetch_auth got = { 0 };
	auto_free char *text =
		xasprintf("{\"domains\": [\"%s\"], \"type\": \"aws\", \"credentials\":"
			  "{\"accessKeyID\": \"AKIA\", \"secretAccessKey\": \"" SECRET "\"%s}}",
			host, more);

	add_ok(&auth, CONFIG_LOCAL, "a.json", "auth", text);
	got = fetch_auth_for(&auth, host);
	assert_int_equal(got.kind, FETCH_AUTH_SIGV4);
	assert_string_equal(got.user, "AKIA");
	assert_string_equal(got.password, SECRET);
	return pass_ptr(got.region);
}

static void regions_are_in_names_of_hosts(void **state)
{
	static const char *const pairs[][2] = { { "s3.amazonaws.com", "us-east-1" },
		{ "bucket.s3.amazonaws.com", "us-east-1" },
		{ "s3.eu-west-1.amazonaws.com", "eu-west-1" },
		{ "bucket.s3.eu-west-1.amazonaws.com:8443", "eu-west-1" },
		{ "bucket.s3-eu-west-1.amazonaws.com", "eu-west-1" },
		{ "s3-us-west-2.amazonaws.com", "us-west-2" }, { "example.com", "us-east-1" },
		{ "x.amazonaws.com", "us-east-1" }, { "xs4.eu-west-1.amazonaws.com", "us-east-1" },
		{ "s3.eu.example.com", "us-east-1" } };
	auto_free char *given =
		region_for("s3.eu-west-1.amazonaws.com", ", \"awsRegion\": \"r-1\"");

	(void)state;
	assert_string_equal(given, "r-1");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_free char *region = region_for(pairs[i][0], "");

		assert_string_equal(region, pairs[i][1]);
	}
}

/* S-029: whatever is wrong, and wherever the secret stands by mistake. */
static void errors_tell_keys_and_no_values(void **state)
{
#define WITH(type, credentials) \
	"{\"domains\": [\"example.com\"], \"type\": " type ", \"credentials\": " credentials "}"
	static const char *const pairs[][2] = {
		{ WITH("\"" SECRET "\"", "{}"), "type is none of" },
		{ WITH("5", "{}"), "type is" },
		{ WITH("\"basic\"", "\"" SECRET "\""), "credentials is missing or no object" },
		{ WITH("\"basic\"", "null"), "credentials is missing" },
		{ WITH("\"basic\"", "{\"password\": \"" SECRET "\"}"), "credentials/user" },
		{ WITH("\"basic\"", "{\"user\": \"" SECRET "\"}"), "credentials/password" },
		{ WITH("\"basic\"", "{\"user\": \"me:" SECRET "\", \"password\": \"x\"}"),
			"colon" },
		{ WITH("\"basic\"", "{\"user\": \"me\", \"password\": \"\"}"),
			"credentials/password" },
		{ WITH("\"basic\"", "{\"user\": \"me\", \"password\": [\"" SECRET "\"]}"),
			"password" },
		{ WITH("\"basic\"", "{\"user\": \"me\", \"password\": \"" SECRET "\\r\\nX: y\"}"),
			"cannot be sent" },
		{ WITH("\"oauth\"", "{\"password\": \"" SECRET "\"}"), "credentials/token" },
		{ WITH("\"oauth\"", "{\"token\": \"" SECRET " x\"}"), "cannot be sent" },
		{ WITH("\"oauth\"", "{\"token\": \"" SECRET "\\n\"}"), "cannot be sent" },
		{ WITH("\"aws\"", "{\"secretAccessKey\": \"" SECRET "\"}"), "accessKeyID" },
		{ WITH("\"aws\"", "{\"accessKeyID\": \"" SECRET "\"}"), "secretAccessKey" },
		{ WITH("\"aws\"", "{\"accessKeyID\": \"A\", \"secretAccessKey\": \"B\","
				  "\"awsRegion\": \"" SECRET "/x\"}"),
			"awsRegion" },
		{ "{\"type\": \"oauth\", \"credentials\": {\"token\": \"" SECRET "\"}}",
			"domains is" },
		{ "{\"domains\": [], \"type\": \"oauth\", \"credentials\": {\"token\": \"x\"}}",
			"domains is" },
		{ "{\"domains\": \"" SECRET
		  "\", \"type\": \"oauth\", \"credentials\": {\"token\": \"x\"}}",
			"domains is" },
		{ "{\"domains\": [\"a\", \"https://me:" SECRET
		  "@example.com/\"], \"type\": \"oauth\","
		  "\"credentials\": {\"token\": \"x\"}}",
			"domains/1 is no host" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_config_auth struct config_auth auth = { 0 };
		rkt_error *err = NULL;

		if (add(&auth, CONFIG_LOCAL, "a.json", "auth", pairs[i][0], &err) == 0)
			fail_msg("%s is taken", pairs[i][0]);
		assert_int_equal(rkt_error_kind(err), RKT_INVALID);
		if (!strstr(rkt_error_message(err), pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], rkt_error_message(err));
		assert_null(strstr(rkt_error_message(err), SECRET));
		rkt_error_free(err);
	}
}

static void domains_are_hosts_with_ports(void **state)
{
	static const char *const good[] = { "a", "example.com:1", "example.com:65535", "127.0.0.1",
		"[::1]", "[::1]:8443", "a_b-c.d" };
	static const char *const bad[] = { "", ":80", "example.com:", "example.com:0",
		"example.com:65536", "example.com:8o", "example.com/", "https://example.com",
		"*.com", ".com", "-a", "[::1", "[]", "::1", "a b", "me@example.com", "[::1]x",
		"\xc3\xa9.com" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool is_good = i < ARRAY_LEN(good);
		const char *host = is_good ? good[i] : bad[i - ARRAY_LEN(good)];
		auto_free char *text = xasprintf("{\"domains\": [\"%s\"], \"type\": \"oauth\","
						 "\"credentials\": {\"token\": \"x\"}}",
			host);
		auto_config_auth struct config_auth auth = { 0 };

		if ((add(&auth, CONFIG_LOCAL, "a.json", "auth", text, NULL) == 0) != is_good)
			fail_msg("'%s' is %s", host, is_good ? "refused" : "taken");
		assert_true(!is_good || config_auth_for(&auth, host));
	}
}

/* What is overwritten comes here: in the place of the C library's functions, of which hardened
 * builds call the second. */
static char overwritten[256];

void explicit_bzero(void *bytes, size_t len);
void __explicit_bzero_chk(void *bytes, size_t len, size_t room);

void explicit_bzero(void *bytes, size_t len)
{
	volatile char *at = bytes;
	size_t end = strlen(overwritten);

	for (size_t i = 0; i < len; i++, at++) {
		if (end + i + 1 < sizeof overwritten)
			overwritten[end + i] = *at;
		*at = 0;
	}
}

void __explicit_bzero_chk(void *bytes, size_t len, size_t room)
{
	assert_true(len <= room);
	(explicit_bzero)(bytes, len);
}

static void secrets_are_overwritten(void **state)
{
	struct config_auth auth = { 0 };
	struct fetch_auth got;

	(void)state;
	add_ok(&auth, CONFIG_LOCAL, "a.json", "auth", oauth);
	got = fetch_auth_for(&auth, "example.com");
	memset(overwritten, 0, sizeof overwritten);
	fetch_auth_free(&got);
	assert_string_equal(overwritten, SECRET);
	config_auth_free(&auth);
	assert_string_equal(overwritten, SECRET SECRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_get_what_their_host_has),
		cmocka_unit_test(later_directories_win),
		cmocka_unit_test(registries_are_kept_apart),
		cmocka_unit_test(regions_are_in_names_of_hosts),
		cmocka_unit_test(errors_tell_keys_and_no_values),
		cmocka_unit_test(domains_are_hosts_with_ports),
		cmocka_unit_test(secrets_are_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
