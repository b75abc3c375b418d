/* Image IDs, full and in part. */
#include "tests/unit/scratch.h"

#include "aci/id.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16

static void full_ids_are_read(void **state)
{
	rkt_image_id id = { { 0 } };
	rkt_error *err = NULL;

	(void)state;
	assert_ok(rkt_image_id_parse("sha256-" HEX64, &id, &err), err);
	assert_string_equal(id.text, "sha256-" HEX64);
	assert_int_equal(strlen(id.text), RKT_IMAGE_ID_LEN);
}

static void anything_else_is_no_full_id(void **state)
{
	static const char *const bad[] = { "", "sha256-", HEX64, "sha256-" HEX16, "sha512-" HEX64,
		"sha256-" HEX64 "0", "SHA256-" HEX64,
		"sha256-" HEX16 HEX16 HEX16 "0123456789ABCDEF",
		"sha256-" HEX16 HEX16 HEX16 "0123456789abcde/", " sha256-" HEX64 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		rkt_image_id id = { "untouched" };
		rkt_error *err = NULL;

		assert_int_equal(rkt_image_id_parse(bad[i], &id, &err), -1);
		assert_int_equal(rkt_error_kind(err), RKT_USAGE);
		assert_string_equal(id.text, "untouched");
		rkt_error_free(err);
	}
}

static void forms_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(id_form_of("sha256-" HEX64, NULL), ID_SHA256);
	assert_int_equal(id_form_of("sha256-01234567", NULL), ID_SHA256_PREFIX);
	assert_int_equal(id_form_of("01234567", NULL), ID_SHA256_PREFIX);
	assert_int_equal(id_form_of(HEX64, NULL), ID_SHA256_PREFIX);
	assert_int_equal(id_form_of("sha512-" HEX64, NULL), ID_SHA512);
	assert_int_equal(id_form_of("sha512-" HEX64 HEX64, NULL), ID_SHA512);
	assert_int_equal(id_form_of("sha512-01234567", NULL), ID_SHA512);
	assert_int_equal(id_form_of("sha512-" HEX64 HEX64 "0", NULL), ID_NONE);
	assert_int_equal(id_form_of("sha256-0123456", NULL), ID_NONE);
	assert_int_equal(id_form_of("0123456", NULL), ID_NONE);
	assert_int_equal(id_form_of("example.com/app", NULL), ID_NONE);
	assert_int_equal(id_form_of("0123456789ABCDEF", NULL), ID_NONE);
}

static void digits_lie_behind_the_prefix(void **state)
{
	const char *digits = NULL, *text = "sha512-01234567";

	(void)state;
	assert_int_equal(id_form_of(text, &digits), ID_SHA512);
	assert_ptr_equal(digits, text + 7);
	text = "89abcdef";
	assert_int_equal(id_form_of(text, &digits), ID_SHA256_PREFIX);
	assert_ptr_equal(digits, text);
}

static void ids_are_made_of_digests(void **state)
{
	rkt_image_id id = id_from_hex(HEX64);

	(void)state;
	assert_string_equal(id.text, "sha256-" HEX64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_ids_are_read),
		cmocka_unit_test(anything_else_is_no_full_id),
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(digits_lie_behind_the_prefix),
		cmocka_unit_test(ids_are_made_of_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
