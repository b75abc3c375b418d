/* Claims about decompression. What damaged streams do is in the corpus (test_corpus.c). */
#include "aci/unpack.h"

#include "tests/unit/corpus.h"
#include "tests/unit/chunks.h"

#include "base/draft.h"

#define LEN 600000u

/* Half noise, half zeros: packs to about the half, and spans several blocks. */
static uint8_t content[LEN];

static int setup(void **state)
{
	uint32_t value = 7;

	for (size_t i = 0; i < LEN; i++) {
		value = value * 1664525 + 1013904223;
		content[i] = i & 4096 ? (uint8_t)(value >> 24) : 0;
	}
	return corpus_make(state);
}

/* Sets OUT to what COMMAND (words up to NULL; it reads the file "content") writes. Skips the test
 * when there is no such command. */
static void pack(const struct corpus *corpus, const char *command, struct buf *out)
{
	auto_buf struct buf line = { 0 };
	auto_error rkt_error *err = NULL;
	int status;

	unlinkat(corpus->dir, "content", 0);
	assert_ok(draft_write(corpus->dir, "content", (struct slice){ content, LEN }, 0600, &err),
		err);
	buf_printf(&line, "cd %s && %s <content >packed", corpus->path, command);
	status = run((const char *const[]){ "sh", "-c", buf_text(&line), NULL }, -1);
	if (status == 127) {
		print_message("# there is no %s here\n", command);
		skip();
	}
	assert_int_equal(status, 0);
	corpus_read(corpus, "packed", out);
}

static int unpack(struct slice packed, size_t chunk_len, const struct unpack_limits *limits,
	struct buf *out, rkt_error **err)
{
	source *in = source_unpack(chunks(packed, chunk_len, NULL), limits, NULL, err);

	out->len = 0;
	return in ? drain(in, out, err) : -1;
}

static void assert_unpacks(struct slice packed, size_t chunk_len)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	assert_ok(unpack(packed, chunk_len, NULL, &out, &err), err);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.data, content, LEN);
}

static void assert_command_is_undone(const struct corpus *corpus, const char *command)
{
	auto_buf struct buf packed = { 0 };

	pack(corpus, command, &packed);
	assert_unpacks(buf_slice(&packed), packed.len);
	assert_unpacks(buf_slice(&packed), 4096);
	assert_unpacks(buf_slice(&packed), 33); /* headers come in pieces */
	assert_unpacks(buf_slice(&packed), 1);
}

static void gzip_is_undone(void **state)
{
	assert_command_is_undone(*state, "gzip -1");
	assert_command_is_undone(*state, "gzip -9");
}

static void bzip2_is_undone(void **state)
{
	assert_command_is_undone(*state, "bzip2");
}

static void xz_is_undone(void **state)
{
	assert_command_is_undone(*state, "xz -1");
}

static void xz_of_many_blocks_is_undone(void **state)
{
	assert_command_is_undone(*state, "xz -1 -T2 --block-size=100000");
}

static void xz_of_the_largest_preset_is_allowed(void **state)
{
	auto_buf struct buf packed = { 0 };

	pack(*state, "xz -9", &packed);
	assert_unpacks(buf_slice(&packed), packed.len);
}

static void zstd_is_undone(void **state)
{
	assert_command_is_undone(*state, "zstd -q");
	assert_command_is_undone(*state, "zstd -q -19");
}

static void plain_bytes_pass(void **state)
{
	(void)state;
	assert_unpacks((struct slice){ content, LEN }, LEN);
	assert_unpacks((struct slice){ content, LEN }, 10);
}

static void plain_bytes_are_not_copied(void **state)
{
	auto_error rkt_error *err = NULL;
	auto_source source *in =
		source_unpack(source_from_memory((struct slice){ content, LEN }), NULL, NULL, &err);
	struct slice block;

	(void)state;
	assert_int_equal(source_next(in, &block, &err), 1);
	assert_ptr_equal(block.data, content);
}

static void kind_is_told_by_content(void **state)
{
	static const struct {
		const char *name;
		enum compression kind;
	} files[] = {
		{ "ok-gzip.aci", COMPRESSION_GZIP },
		{ "ok-bzip2.aci", COMPRESSION_BZIP2 },
		{ "ok-xz.aci", COMPRESSION_XZ },
		{ "ok-zstd.aci", COMPRESSION_ZSTD },
		{ "ok-zstd-skippable.aci", COMPRESSION_ZSTD },
		{ "ok-ustar.aci", COMPRESSION_NONE },
	};
	auto_buf struct buf bytes = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		enum compression kind = COMPRESSION_BZIP2;

		corpus_read(*state, files[i].name, &bytes);
		source_free(source_unpack(chunks(buf_slice(&bytes), 1, NULL), NULL, &kind, NULL));
		assert_string_equal(compression_name(kind), compression_name(files[i].kind));
	}
}

static void truncated_stream_is_refused_wherever_it_ends(void **state)
{
	static const char *const names[] = { "ok-gzip-fields.aci", "ok-bzip2.aci", "ok-xz.aci",
		"ok-zstd.aci", "ok-gzip.aci" };
	auto_buf struct buf bytes = { 0 }, out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		corpus_read(*state, names[i], &bytes);
		/* the beginning and the end byte by byte, what is between them in steps */
		for (size_t len = 6; len < bytes.len;
			len += len < 50 || len + 50 > bytes.len ? 1 : 13)
			if (!unpack((struct slice){ bytes.data, len }, bytes.len, NULL, &out, NULL))
				fail_msg("%s: %zu of %zu bytes are taken for a whole stream",
					names[i], len, bytes.len);
	}
}

static void error_of_the_stream_below_comes_through(void **state)
{
	auto_buf struct buf bytes = { 0 }, out = { 0 };
	auto_error rkt_error *err = NULL;
	source *in;

	corpus_read(*state, "ok-gzip.aci", &bytes);
	in = source_unpack(chunks((struct slice){ bytes.data, 100 }, 64, "the disk fell off"), NULL,
		NULL, &err);
	assert_non_null(in);
	assert_int_equal(drain(in, &out, &err), -1);
	assert_string_equal(rkt_error_message(err), "the disk fell off");
}

static void blocks_are_full(void **state)
{
	auto_buf struct buf packed = { 0 };
	auto_source source *in = NULL;
	struct slice block;
	size_t total = 0;

	pack(*state, "gzip -1", &packed);
	in = source_unpack(chunks(buf_slice(&packed), 1000, NULL), NULL, NULL, NULL);
	while (source_next(in, &block, NULL) > 0) {
		total += block.len;
		assert_true(block.len == SOURCE_BLOCK || total == LEN);
	}
	assert_int_equal(total, LEN);
}

static void threaded_decompression_gives_the_same(void **state)
{
	auto_buf struct buf packed = { 0 }, out = { 0 };
	auto_error rkt_error *err = NULL;
	source *in;

	pack(*state, "gzip -1", &packed);
	in = source_unpack(chunks(buf_slice(&packed), 5000, NULL), NULL, NULL, &err);
	assert_ok(drain(source_threaded(in), &out, &err), err);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.data, content, LEN);
}

/* S-012 */
static void size_limit_holds_to_the_byte(void **state)
{
	auto_buf struct buf packed = { 0 }, out = { 0 };
	auto_error rkt_error *err = NULL;
	struct unpack_limits limits = { .size_max = LEN };

	pack(*state, "gzip -1", &packed);
	assert_ok(unpack(buf_slice(&packed), 4096, &limits, &out, &err), err);
	limits.size_max = LEN - 1;
	assert_int_equal(unpack(buf_slice(&packed), 4096, &limits, &out, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

/* S-012 */
static void size_limit_holds_for_plain_bytes(void **state)
{
	auto_buf struct buf out = { 0 };
	struct unpack_limits limits = { .size_max = LEN - 1 };

	(void)state;
	assert_int_equal(unpack((struct slice){ content, LEN }, 4096, &limits, &out, NULL), -1);
}

/* S-012 */
static void ratio_limit_holds_past_its_threshold(void **state)
{
	auto_buf struct buf packed = { 0 }, out = { 0 };
	auto_error rkt_error *err = NULL;
	struct unpack_limits limits = { .ratio_max = 50, .ratio_from = 1000000 };

	corpus_read(*state, "bad-gzip-bomb.aci", &packed);
	assert_int_equal(unpack(buf_slice(&packed), 4096, &limits, &out, &err), -1);
	assert_true(out.len <= 1000000);
	assert_string_equal(rkt_error_message(err), "gzip: expands to more than 50 times its size");
	limits.ratio_max = 0;
	assert_int_equal(unpack(buf_slice(&packed), 4096, &limits, &out, NULL), 0);
}

/* S-012 */
static void window_limit_can_be_lowered(void **state)
{
	auto_buf struct buf packed = { 0 }, out = { 0 };
	struct unpack_limits limits = { .window_max = 64 * 1024 };

	corpus_read(*state, "ok-zstd.aci", &packed);
	assert_int_equal(unpack(buf_slice(&packed), 4096, &limits, &out, NULL), -1);
	limits.window_max = 128 * 1024;
	assert_int_equal(unpack(buf_slice(&packed), 4096, &limits, &out, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_undone),
		cmocka_unit_test(bzip2_is_undone),
		cmocka_unit_test(xz_is_undone),
		cmocka_unit_test(xz_of_many_blocks_is_undone),
		cmocka_unit_test(xz_of_the_largest_preset_is_allowed),
		cmocka_unit_test(zstd_is_undone),
		cmocka_unit_test(plain_bytes_pass),
		cmocka_unit_test(plain_bytes_are_not_copied),
		cmocka_unit_test(kind_is_told_by_content),
		cmocka_unit_test(truncated_stream_is_refused_wherever_it_ends),
		cmocka_unit_test(error_of_the_stream_below_comes_through),
		cmocka_unit_test(blocks_are_full),
		cmocka_unit_test(threaded_decompression_gives_the_same),
		cmocka_unit_test(size_limit_holds_to_the_byte),
		cmocka_unit_test(size_limit_holds_for_plain_bytes),
		cmocka_unit_test(ratio_limit_holds_past_its_threshold),
		cmocka_unit_test(window_limit_can_be_lowered),
	};

	return cmocka_run_group_tests_name("unpack", tests, setup, corpus_remove);
}
