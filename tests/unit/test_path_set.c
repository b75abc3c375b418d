/* Claims about the hash and the set of paths. */
#include "aci/path_set.h"

#include "tests/unit/scratch.h"
#include "base/hex.h"

/* The first vectors of the authors' own list for SipHash-2-4-128: key 00 01 .. 0f, message 00 01
 * .. */
static void siphash_gives_the_published_vectors(void **state)
{
	static const char *const expected[] = {
		"a3817f04ba25a8e66df67214c7550293",
		"da87c1d86b99af44347659119b22fc45",
		"8177228da4a45dc7fca38bdef60affe4",
	};
	const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	const uint8_t message[] = { 0, 1 };

	(void)state;
	for (size_t len = 0; len < ARRAY_LEN(expected); len++) {
		struct siphash hash = siphash(&key, message, len);
		char hex[2 * sizeof hash + 1];

		hex_encode((const uint8_t *)&hash, sizeof hash, hex);
		assert_string_equal(hex, expected[len]);
	}
}

static enum path_use get(const struct path_set *set, const char *path)
{
	return path_set_get(set, path, strlen(path));
}

static void an_empty_set_knows_no_path(void **state)
{
	struct path_set set = { 0 };

	(void)state;
	assert_int_equal(path_set_init(&set, NULL), 0);
	assert_int_equal(get(&set, "rootfs"), PATH_UNUSED);
	path_set_free(&set);
}

static void the_last_use_of_a_path_counts(void **state)
{
	struct path_set set = { 0 };

	(void)state;
	assert_int_equal(path_set_init(&set, NULL), 0);
	path_set_put(&set, "a", 1, PATH_PARENT);
	path_set_put(&set, "a", 1, PATH_DIR);
	assert_int_equal(get(&set, "a"), PATH_DIR);
	path_set_free(&set);
}

static void a_hundred_thousand_paths_are_told_apart(void **state)
{
	struct path_set set = { 0 };
	char path[32];

	(void)state;
	assert_int_equal(path_set_init(&set, NULL), 0);
	for (unsigned i = 0; i < 100000; i++) {
		size_t len = (size_t)snprintf(path, sizeof path, "rootfs/%u", i);

		assert_int_equal(path_set_get(&set, path, len), PATH_UNUSED);
		path_set_put(&set, path, len, 1 + i % PATH_DIR);
	}
	for (unsigned i = 0; i < 100000; i++) {
		size_t len = (size_t)snprintf(path, sizeof path, "rootfs/%u", i);

		assert_int_equal(path_set_get(&set, path, len), 1 + i % PATH_DIR);
	}
	path_set_free(&set);
}

/* S-012: four million entries must fit. */
static void a_path_costs_at_most_11_bytes(void **state)
{
	struct path_set set = { 0 };
	char path[32];

	(void)state;
	assert_int_equal(path_set_init(&set, NULL), 0);
	for (unsigned i = 1; i <= 300000; i++) {
		size_t slots = 0;

		path_set_put(&set, path, (size_t)snprintf(path, sizeof path, "%u", i), PATH_FILE);
		if (i < 200000 || i % 5000)
			continue;
		for (size_t s = 0; s < PATH_SET_SHARDS; s++)
			slots += set.shards[s].capacity;
		assert_true(slots * sizeof(uint64_t) <= (size_t)i * 11);
	}
	path_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_published_vectors),
		cmocka_unit_test(an_empty_set_knows_no_path),
		cmocka_unit_test(the_last_use_of_a_path_counts),
		cmocka_unit_test(a_hundred_thousand_paths_are_told_apart),
		cmocka_unit_test(a_path_costs_at_most_11_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
