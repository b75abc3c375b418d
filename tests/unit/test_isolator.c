/* Isolators and quantities: what stage1 gets to apply. */
#include "tests/unit/scratch.h"

#include <linux/capability.h>

#include "aci/isolator_names.h"
#include "aci/manifest_app.h"
#include "aci/quantity.h"

static uint64_t quantity(const char *text, enum quantity_unit unit)
{
	const char *why = NULL;
	uint64_t value = 0;

	if (!quantity_parse(text, unit, &value, &why))
		fail_msg("%s: %s", text, why);
	return value;
}

static void the_three_spellings_of_the_text_are_equal(void **state)
{
	(void)state;
	assert_int_equal(quantity("128974848", QUANTITY_WHOLE), 128974848);
	assert_int_equal(quantity("125952Ki", QUANTITY_WHOLE), 128974848);
	assert_int_equal(quantity("123Mi", QUANTITY_WHOLE), 128974848);
}

static void suffixes_multiply(void **state)
{
	(void)state;
	assert_int_equal(quantity("1k", QUANTITY_WHOLE), 1000);
	assert_int_equal(quantity("1K", QUANTITY_WHOLE), 1000);
	assert_int_equal(quantity("1Ki", QUANTITY_WHOLE), 1024);
	assert_int_equal(quantity("2G", QUANTITY_WHOLE), 2000000000);
	assert_int_equal(quantity("1T", QUANTITY_WHOLE), 1000000000000);
	assert_int_equal(quantity("1P", QUANTITY_WHOLE), 1000000000000000);
	assert_int_equal(quantity("9E", QUANTITY_WHOLE), 9000000000000000000);
	assert_int_equal(quantity("7Ei", QUANTITY_WHOLE), 7ull << 60);
	assert_int_equal(quantity("0", QUANTITY_WHOLE), 0);
	assert_int_equal(quantity("007", QUANTITY_WHOLE), 7);
}

static void cores_are_counted_in_thousandths(void **state)
{
	(void)state;
	assert_int_equal(quantity("250m", QUANTITY_MILLI), 250);
	assert_int_equal(quantity("0.3", QUANTITY_MILLI), 300);
	assert_int_equal(quantity("2", QUANTITY_MILLI), 2000);
}

static void what_is_left_over_makes_one_more(void **state)
{
	(void)state;
	assert_int_equal(quantity("0.1m", QUANTITY_MILLI), 1);
	assert_int_equal(quantity("1500m", QUANTITY_WHOLE), 2);
	assert_int_equal(quantity("1.5Ki", QUANTITY_WHOLE), 1536);
	assert_int_equal(quantity("0.000000001", QUANTITY_WHOLE), 1);
}

static void quantities_end_at_63_bits(void **state)
{
	static const char *const bad[] = { "9223372036854775808", "8Ei", "9.3E", "10E",
		"99999999999999999999999999999999999999999999999999", "9223372036854775807K" };

	(void)state;
	assert_int_equal(quantity("9223372036854775807", QUANTITY_WHOLE), INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = NULL;
		uint64_t value = 5;

		assert_false(quantity_parse(bad[i], QUANTITY_WHOLE, &value, &why));
		assert_string_equal(why, "is above 2^63-1");
		assert_int_equal(value, 5);
	}
}

static void nonsense_is_no_quantity(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1.", ".5", "1.5.1", "1e3",
		"1KI", "1Kib", "1b", "G", "1mm", "0x10", "1,5", "0.1234567890", "1iK" };
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = NULL;

		assert_false(quantity_parse(bad[i], QUANTITY_WHOLE, &value, &why));
		assert_non_null(why);
	}
}

static void names_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(capability_number("CAP_CHOWN"), CAP_CHOWN);
	assert_int_equal(capability_number("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	assert_int_equal(capability_number("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
	assert_int_equal(capability_number("CAP_NOTHING"), -1);
	assert_int_equal(errno_number("EPERM"), EPERM);
	assert_int_equal(errno_number("ENOTSUP"), EOPNOTSUPP);
	assert_int_equal(errno_number("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(errno_number("EHWPOISON"), EHWPOISON);
	assert_int_equal(errno_number("ENOTHING"), 0);
	assert_true(syscall_is_known("openat2"));
	assert_true(syscall_is_known("_llseek"));
	assert_true(syscall_is_known("writev"));
	assert_false(syscall_is_known("reboot2"));
}

/* An app with these isolators; its document is freed with the test's state. */
static struct app *app_with(json **document, const char *isolators)
{
	auto_buf struct buf text = { 0 };
	rkt_error *err = NULL;
	struct app *app;

	buf_printf(&text, "{\"user\":\"0\",\"group\":\"0\",\"isolators\":%s}", isolators);
	*document = json_parse(buf_slice(&text), &err);
	app = *document ? app_parse(*document, "/app", NULL, &err) : NULL;
	if (!app)
		fail_msg("%s", rkt_error_message(err));
	return app;
}

#define DEFAULT_COUNT 14

static void default_is_the_bounding_set_of_the_text(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document, "[]");
	static const int text[] = { CAP_AUDIT_WRITE, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID,
		CAP_FOWNER, CAP_KILL, CAP_MKNOD, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SETUID,
		CAP_SETGID, CAP_SETPCAP, CAP_SETFCAP, CAP_SYS_CHROOT };
	uint64_t expected = 0;

	(void)state;
	_Static_assert(ARRAY_LEN(text) == DEFAULT_COUNT, "as many as the text names");
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		expected |= 1ull << text[i];
	assert_int_equal(app->isolation.capabilities, expected);
	assert_false(app->isolation.capabilities_given);
	assert_false(app->isolation.no_new_privileges_given);
	assert_int_equal(app->isolation.seccomp.mode, ISOLATION_SECCOMP_NONE);
}

static void retain_set_is_the_bounding_set(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app =
		app_with(&document, "[{\"name\":\"os/linux/capabilities-retain-set\","
				    "\"value\":{\"set\":[\"CAP_NET_ADMIN\",\"CAP_BPF\"]}}]");

	(void)state;
	assert_int_equal(app->isolation.capabilities, 1ull << CAP_NET_ADMIN | 1ull << CAP_BPF);
	assert_true(app->isolation.capabilities_given);
}

static void remove_set_leaves_the_rest_of_the_default(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document,
		"[{\"name\":\"os/linux/capabilities-remove-set\","
		"\"value\":{\"set\":[\"CAP_SYS_CHROOT\",\"CAP_MKNOD\",\"CAP_SYS_ADMIN\"]}}]");

	(void)state;
	assert_int_equal(app->isolation.capabilities,
		ISOLATION_CAPABILITIES_DEFAULT & ~(1ull << CAP_SYS_CHROOT | 1ull << CAP_MKNOD));
}

static void seccomp_sets_are_read(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document,
		"[{\"name\":\"os/linux/seccomp-remove-set\",\"value\":"
		"{\"errno\":\"ENOTSUP\",\"set\":[\"reboot\",\"@rkt/default-blacklist\"]}}]");
	const struct isolation_seccomp *seccomp = &app->isolation.seccomp;

	(void)state;
	assert_int_equal(seccomp->mode, ISOLATION_SECCOMP_REMOVE);
	assert_int_equal(seccomp->errnum, EOPNOTSUPP);
	assert_string_equal(seccomp->names[0], "reboot");
	assert_string_equal(seccomp->names[1], "@rkt/default-blacklist");
	assert_null(seccomp->names[2]);
	assert_false(seccomp->empty);
}

static void wildcards_of_the_text_mask_the_rest(void **state)
{
	auto_json json *first = NULL, *second = NULL;
	auto_app struct app *retain =
		app_with(&first, "[{\"name\":\"os/linux/seccomp-retain-set\","
				 "\"value\":{\"set\":[\"read\",\"@appc.io/all\"]}}]");
	auto_app struct app *removing =
		app_with(&second, "[{\"name\":\"os/linux/seccomp-remove-set\","
				  "\"value\":{\"set\":[\"@appc.io/empty\"]}}]");

	(void)state;
	assert_true(retain->isolation.seccomp.all);
	assert_int_equal(retain->isolation.seccomp.errnum, 0);
	assert_true(removing->isolation.seccomp.empty);
}

static void resources_are_in_base_units(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document,
		"[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1.5G\"}},"
		"{\"name\":\"resource/cpu\",\"value\":{\"request\":0.25,\"limit\":\"500m\"}},"
		"{\"name\":\"resource/block-iops\",\"value\":{\"default\":true,\"limit\":1000}}]");
	const struct isolation *isolation = &app->isolation;

	(void)state;
	assert_int_equal(isolation->memory.limit, 1500000000);
	assert_false(isolation->memory.has_request);
	assert_int_equal(isolation->memory.request, 1500000000);
	assert_int_equal(isolation->cpu.request, 250);
	assert_int_equal(isolation->cpu.limit, 500);
	assert_int_equal(isolation->block_iops.limit, 1000);
	assert_false(isolation->block_bandwidth.has_limit);
}

static void the_last_of_two_holds(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document,
		"[{\"name\":\"resource/memory\",\"value\":{\"request\":1,\"limit\":2}},"
		"{\"name\":\"resource/memory\",\"value\":{\"limit\":3}},"
		"{\"name\":\"os/linux/no-new-privileges\",\"value\":true}]");

	(void)state;
	assert_int_equal(app->isolation.memory.limit, 3);
	assert_int_equal(app->isolation.memory.request, 3);
	assert_true(app->isolation.no_new_privileges);
}

static void unknown_isolators_stay_in_the_list(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app =
		app_with(&document, "[{\"name\":\"example.com/own\",\"value\":[1]}]");

	(void)state;
	assert_int_equal(app->isolator_count, 1);
	assert_string_equal(app->isolators[0].name, "example.com/own");
	assert_int_equal(json_count(app->isolators[0].value), 1);
	assert_false(isolator_is_known("example.com/own"));
	assert_true(isolator_is_known("resource/memory"));
}

static void isolators_of_0_1_are_the_same_limits(void **state)
{
	auto_json json *document = NULL;
	auto_app struct app *app = app_with(&document,
		"[{\"name\":\"memory/limit\",\"val\":\"1G\"},{\"name\":\"cpu/shares\",\"val\":\"20\"},"
		"{\"name\":\"private-network\",\"val\":\"true\"},"
		"{\"name\":\"capabilities/bounding-set\",\"val\":\"CAP_KILL  CAP_CHOWN\"}]");

	(void)state;
	assert_int_equal(app->isolation.memory.limit, 1000000000);
	assert_int_equal(app->isolation.cpu_shares, 20);
	assert_int_equal(app->isolation.capabilities, 1ull << CAP_KILL | 1ull << CAP_CHOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_spellings_of_the_text_are_equal),
		cmocka_unit_test(suffixes_multiply),
		cmocka_unit_test(cores_are_counted_in_thousandths),
		cmocka_unit_test(what_is_left_over_makes_one_more),
		cmocka_unit_test(quantities_end_at_63_bits),
		cmocka_unit_test(nonsense_is_no_quantity),
		cmocka_unit_test(names_have_numbers),
		cmocka_unit_test(default_is_the_bounding_set_of_the_text),
		cmocka_unit_test(retain_set_is_the_bounding_set),
		cmocka_unit_test(remove_set_leaves_the_rest_of_the_default),
		cmocka_unit_test(seccomp_sets_are_read),
		cmocka_unit_test(wildcards_of_the_text_mask_the_rest),
		cmocka_unit_test(resources_are_in_base_units),
		cmocka_unit_test(the_last_of_two_holds),
		cmocka_unit_test(unknown_isolators_stay_in_the_list),
		cmocka_unit_test(isolators_of_0_1_are_the_same_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
