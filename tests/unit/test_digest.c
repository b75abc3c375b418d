/* Claims about digests: the values are those of FIPS 180-2, appendices B and C. */
#include "aci/digest.h"

#include "tests/unit/scratch.h"

static const struct slice abc = { (const uint8_t *)"abc", 3 };

static void sha256_of_abc(void **state)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX + 1];

	(void)state;
	assert_int_equal(digest_add(sum, abc, NULL), 0);
	assert_int_equal(digest_hex(sum, hex, NULL), 0);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sha512_of_abc(void **state)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA512);
	char hex[DIGEST_HEX_MAX + 1];

	(void)state;
	assert_int_equal(digest_add(sum, abc, NULL), 0);
	assert_int_equal(digest_hex(sum, hex, NULL), 0);
	assert_string_equal(hex,
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	assert_int_equal(strlen(hex), digest_hex_len(DIGEST_SHA512));
}

static void pieces_make_the_same_digest(void **state)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX + 1];

	(void)state;
	for (size_t i = 0; i < abc.len; i++)
		assert_int_equal(digest_add(sum, (struct slice){ abc.data + i, 1 }, NULL), 0);
	assert_int_equal(digest_hex(sum, hex, NULL), 0);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void tap_digests_what_streams_by(void **state)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	auto_source source *in = source_tap(source_from_memory(abc), digest_tap, sum);
	char hex[DIGEST_HEX_MAX + 1];
	struct slice block;

	(void)state;
	while (source_next(in, &block, NULL) > 0)
		continue;
	assert_int_equal(digest_hex(sum, hex, NULL), 0);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(strlen(hex), digest_hex_len(DIGEST_SHA256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_abc),
		cmocka_unit_test(sha512_of_abc),
		cmocka_unit_test(pieces_make_the_same_digest),
		cmocka_unit_test(tap_digests_what_streams_by),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
