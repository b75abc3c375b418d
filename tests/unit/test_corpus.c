/* Every archive of tests/corpus/ is taken or refused by the streams, as its line in EXPECTED says,
 * however the bytes are cut into blocks (S-005, S-006). What the rules of the image say is another
 * test's. */
#include "aci/tar.h"
#include "aci/unpack.h"

#include "tests/unit/corpus.h"
#include "tests/unit/chunks.h"

/* One line of EXPECTED. */
struct expected {
	const char *name, *who, *words;
};

static int walk(struct slice bytes, size_t chunk_len, rkt_error **err)
{
	source *in = source_unpack(chunks(bytes, chunk_len, NULL), NULL, NULL, err);
	auto_tar tar_reader *tar = in ? tar_open(in, NULL) : NULL;
	const struct tar_entry *entry;
	int got = -1;

	while (tar && (got = tar_next(tar, &entry, err)) > 0)
		continue;
	if (!got)
		assert_int_equal(tar_offset(tar) % TAR_BLOCK, 0);
	return got;
}

/* WORDS are alternatives with bars between them: libraries say a thing differently. */
static bool says(const char *message, const char *words)
{
	auto_free char *copy = xstrdup(words);
	char *state = NULL;

	for (char *one = strtok_r(copy, "|", &state); one; one = strtok_r(NULL, "|", &state))
		if (strstr(message, one))
			return true;
	return !*words;
}

static void check(const struct expected *expected, struct slice bytes, size_t chunk_len)
{
	auto_error rkt_error *err = NULL;
	int got = walk(bytes, chunk_len, &err);
	const char *message = err ? rkt_error_message(err) : "nothing was refused";
	bool by_tar = strstr(message, "tar offset") == message;

	if (!strcmp(expected->who, "ok") || !strcmp(expected->who, "layout")) {
		if (got < 0)
			fail_msg("%s in blocks of %zu: %s", expected->name, chunk_len, message);
		return;
	}
	if (!err || !says(message, expected->words) || by_tar != !strcmp(expected->who, "tar"))
		fail_msg("%s in blocks of %zu: expected \"%s\" from %s, but: %s", expected->name,
			chunk_len, expected->words, expected->who, message);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

static unsigned check_all(const struct corpus *corpus, size_t chunk_len, size_t len_max)
{
	auto_buf struct buf list = { 0 }, bytes = { 0 };
	char *state = NULL;
	unsigned count = 0;

	corpus_read(corpus, "EXPECTED", &list);
	buf_text(&list);
	for (char *line = strtok_r((char *)list.data, "\n", &state); line;
		line = strtok_r(NULL, "\n", &state)) {
		struct expected expected = { .name = line };
		char *tab = strchr(line, '\t');

		*tab++ = '\0';
		expected.who = tab;
		tab = strchr(tab, '\t');
		*tab++ = '\0';
		expected.words = tab;
		corpus_read(corpus, expected.name, &bytes);
		if (bytes.len > len_max)
			continue;
		check(&expected, buf_slice(&bytes), chunk_len);
		count++;
	}
	return count;
}

static void corpus_is_judged_as_expected(void **state)
{
	assert_true(check_all(*state, SOURCE_BLOCK, SIZE_MAX) >= 200);
}

static void corpus_is_judged_the_same_byte_by_byte(void **state)
{
	assert_true(check_all(*state, 1, 20000) >= 200);
}

static void corpus_is_judged_the_same_in_odd_blocks(void **state)
{
	assert_true(check_all(*state, 511, 200000) >= 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpus_is_judged_as_expected),
		cmocka_unit_test(corpus_is_judged_the_same_byte_by_byte),
		cmocka_unit_test(corpus_is_judged_the_same_in_odd_blocks),
	};

	return cmocka_run_group_tests_name("corpus", tests, corpus_make, corpus_remove);
}
