/* Key files that are surely one public key. */
#include "tests/unit/scratch.h"

#include "store/trust/plain_key.h"

/* A public key without a body, a user ID of one byte, a signature of two. */
static const char plain[] = "\x98\x00\xb4\x01u\x88\x02xy";
#define PLAIN_LEN (sizeof plain - 1)

static bool is_plain(const void *bytes, size_t len)
{
	auto_buf struct buf got = { 0 };
	bool result = plain_key_append((struct slice){ bytes, len }, &got);

	assert_true(result || !got.len);
	return result;
}

static bool is_plain_text(const char *text)
{
	return is_plain(text, strlen(text));
}

static void a_key_and_what_belongs_to_it_is_plain(void **state)
{
	static const char all[] = "\x98\x00\xb4\x00\xb8\x00\x88\x00\xd1\x00";

	(void)state;
	assert_true(is_plain(plain, PLAIN_LEN));
	assert_true(is_plain(all, sizeof all - 1));
	assert_true(is_plain(plain, 2));
	for (size_t len = 0; len < PLAIN_LEN; len++)
		assert_int_equal(is_plain(plain, len), len == 2 || len == 5);
}

static void another_packet_is_not(void **state)
{
	(void)state;
	for (int tag = 0; tag < 64; tag++) {
		const uint8_t second[] = { 0xc6, 0, (uint8_t)(0xc0 | tag), 0 };
		const uint8_t first[] = { (uint8_t)(0xc0 | tag), 0 };
		bool belongs = tag == 2 || tag == 13 || tag == 14 || tag == 17;

		assert_int_equal(is_plain(second, sizeof second), belongs);
		assert_int_equal(is_plain(first, sizeof first), tag == 6);
	}
	assert_false(is_plain("\x98\x00\x34\x00", 4)); /* no packet begins so */
}

/* A header of HEADER_LEN bytes before BODY_LEN, which is all or nothing of what it says. */
static void check_length(const char *header, size_t header_len, size_t body_len)
{
	auto_buf struct buf key = { 0 };

	buf_append(&key, header, header_len);
	buf_append_zeros(&key, body_len);
	assert_true(is_plain(key.data, key.len));
	if (body_len)
		assert_false(is_plain(key.data, key.len - 1));
	buf_append_zeros(&key, 1);
	assert_false(is_plain(key.data, key.len));
}

static void lengths_are_those_of_the_rfc(void **state)
{
	(void)state;
	check_length("\x98\xff", 2, 255);
	check_length("\x99\x01\x02", 3, 258);
	check_length("\x9a\x00\x01\x00\x02", 5, 65538);
	check_length("\xc6\xbf", 2, 191);
	check_length("\xc6\xc0\x00", 3, 192);
	check_length("\xc6\xc5\xfb", 3, 1723);
	check_length("\xc6\xdf\xff", 3, 8383);
	check_length("\xc6\xff\x00\x01\x86\xa0", 6, 100000);
	assert_false(is_plain("\x9b", 1));      /* to the end */
	assert_false(is_plain("\xc6\xe0x", 3)); /* a part */
	assert_false(is_plain("\xc6\xff\xff\xff\xff\xff", 6));
}

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define BODY  "mAC0AXWI\nAnh5\n=OIpb\n"
#define END   "-----END PGP PUBLIC KEY BLOCK-----\n"

static void armor_is_taken_off(void **state)
{
	auto_buf struct buf got = { 0 };
	static const char armored[] = BEGIN "\n" BODY END;

	(void)state;
	buf_append_text(&got, "before");
	assert_true(plain_key_append(
		(struct slice){ (const uint8_t *)armored, strlen(armored) }, &got));
	assert_int_equal(got.len, strlen("before") + PLAIN_LEN);
	assert_memory_equal(got.data + strlen("before"), plain, PLAIN_LEN);
	assert_true(
		is_plain_text(BEGIN "Version: 1\nComment: two: three\r\n\r\n" BODY END "\n \n"));
	assert_true(is_plain_text("-----BEGIN PGP PUBLIC KEY BLOCK-----  \r\n\t\n" BODY
				  "-----END PGP PUBLIC KEY BLOCK-----"));
}

static void armor_with_anything_else_is_not_plain(void **state)
{
	static const char *const texts[] = { "", "x", "\n" BEGIN "\n" BODY END, BEGIN BODY END,
		BEGIN "Version 1\n\n" BODY END, BEGIN "\n" BODY, BEGIN "\n" BODY END "x",
		BEGIN "\n" BODY END BEGIN "\n" BODY END, BEGIN "\nmAC0AXWI\nAnh5\n" END,
		BEGIN "\nmAC0AXWI\nAnh5\n=OIpA\n" END, BEGIN "\nmAC0AXWI\nAnh5\n=OIp\n" END,
		BEGIN "\nmAC0AXWI\nAnh6\n=OIpb\n" END, BEGIN "\nmAC0AXWI\n\nAnh5\n=OIpb\n" END,
		BEGIN "\nmAC0AX WI\nAnh5\n=OIpb\n" END, BEGIN "\n" BODY BODY END,
		BEGIN "\n=twTO\n" END, BEGIN,
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" BODY
		"-----END PGP PRIVATE KEY BLOCK-----\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(is_plain_text(texts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_and_what_belongs_to_it_is_plain),
		cmocka_unit_test(another_packet_is_not),
		cmocka_unit_test(lengths_are_those_of_the_rfc),
		cmocka_unit_test(armor_is_taken_off),
		cmocka_unit_test(armor_with_anything_else_is_not_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
