/* Claims about streams that stack, the thread among them. */
#include "aci/source.h"

#include "tests/unit/scratch.h"
#include "tests/unit/chunks.h"

#define LEN 3000000u

static uint8_t pattern[LEN];

static int make_pattern(void **state)
{
	uint32_t value = 1;

	(void)state;
	for (size_t i = 0; i < LEN; i++) {
		value = value * 1664525 + 1013904223;
		pattern[i] = (uint8_t)(value >> 24);
	}
	return 0;
}

static const struct slice whole = { pattern, LEN };

static void assert_is_pattern(const struct buf *out)
{
	assert_int_equal(out->len, LEN);
	assert_memory_equal(out->data, pattern, LEN);
}

static int file_of_pattern(void)
{
	char path[256];
	auto_fd int dir = scratch_make(path);
	int fd = openat(dir, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pattern, LEN), LEN);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	scratch_remove(path);
	return fd;
}

static void file_is_read_whole(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_ok(drain(source_from_fd(file_of_pattern()), &out, &err), err);
	assert_is_pattern(&out);
}

static void file_is_read_from_its_position(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;
	int fd = file_of_pattern();

	(void)state;
	lseek(fd, LEN - 5, SEEK_SET);
	assert_ok(drain(source_from_fd(fd), &out, &err), err);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, pattern + LEN - 5, 5);
}

/* Writes the pattern to a pipe in odd pieces, from a process of its own. */
static int pipe_of_pattern(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (!fork()) {
		for (size_t at = 0; at < LEN;) {
			size_t len = LEN - at < 7777 ? LEN - at : 7777;
			ssize_t done = write(ends[1], pattern + at, len);

			if (done < 0)
				_exit(1);
			at += (size_t)done;
		}
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void pipe_is_read_whole_in_full_blocks(void **state)
{
	auto_source source *in = source_from_fd(pipe_of_pattern());
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;
	struct slice block;
	int got;

	(void)state;
	while ((got = source_next(in, &block, &err)) > 0) {
		buf_append(&out, block.data, block.len);
		assert_true(block.len == SOURCE_BLOCK || out.len == LEN);
	}
	assert_ok(got, err);
	assert_is_pattern(&out);
}

static void read_error_is_told(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(drain(source_from_fd(open("/", O_RDONLY | O_CLOEXEC)), &out, &err), -1);
	assert_int_equal(rkt_error_errno(err), EISDIR);
}

static void kept_blocks_stay_as_they_were(void **state)
{
	enum { KEEP = 3 };
	auto_source source *in = source_from_fd(file_of_pattern());
	struct slice last[KEEP + 1] = { 0 }, block;
	auto_error rkt_error *err = NULL;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; source_next(in, &block, &err) > 0; i++) {
		if (i == 1) /* may be asked for when blocks are out already */
			assert_true(source_keep(in, KEEP));
		at += block.len;
		last[i % (KEEP + 1)] = block;
		if (i < KEEP + 1)
			continue;
		assert_memory_equal(last[(i + 1) % (KEEP + 1)].data,
			pattern + at - block.len - KEEP * SOURCE_BLOCK, SOURCE_BLOCK);
	}
	assert_int_equal(at, LEN);
}

static int append_tap(void *context, struct slice block, rkt_error **err)
{
	(void)err;
	buf_append(context, block.data, block.len);
	return 0;
}

static void a_block_put_back_comes_again_and_then_the_rest(void **state)
{
	auto_source source *in = chunks(whole, 1000, NULL);
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;
	struct slice start;

	(void)state;
	assert_int_equal(source_next(in, &start, &err), 1);
	assert_int_equal(start.len, 1000);
	assert_ok(drain(source_threaded(source_put_back(pass_ptr(in), start)), &out, &err), err);
	assert_is_pattern(&out);
}

static void tap_sees_every_block(void **state)
{
	auto_buf struct buf seen = { 0 }, out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_ok(drain(source_tap(chunks(whole, 999, NULL), append_tap, &seen), &out, &err), err);
	assert_is_pattern(&seen);
	assert_is_pattern(&out);
}

static int failing_tap(void *context, struct slice block, rkt_error **err)
{
	(void)context, (void)block;
	return rkt_fail(err, RKT_FAILED, "the tap is stuck");
}

static void tap_that_fails_ends_the_stream(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(
		drain(source_tap(source_from_memory(whole), failing_tap, NULL), &out, &err), -1);
	assert_string_equal(rkt_error_message(err), "the tap is stuck");
	assert_int_equal(out.len, 0);
}

static void thread_hands_over_every_block_in_order(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_ok(drain(source_threaded(chunks(whole, 1000, NULL)), &out, &err), err);
	assert_is_pattern(&out);
}

static void threads_stack(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;
	source *in = source_threaded(source_threaded(chunks(whole, 1000, NULL)));

	(void)state;
	assert_ok(drain(in, &out, &err), err);
	assert_is_pattern(&out);
}

static void thread_lends_the_blocks_of_the_source_below(void **state)
{
	auto_source source *in = source_threaded(source_from_memory(whole));
	auto_error rkt_error *err = NULL;
	struct slice block;

	(void)state;
	assert_int_equal(source_next(in, &block, &err), 1);
	assert_ptr_equal(block.data, pattern);
}

static void error_in_the_thread_comes_after_the_blocks_before_it(void **state)
{
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;

	(void)state;
	assert_int_equal(
		drain(source_threaded(chunks(whole, 100000, "a hole in the tape")), &out, &err),
		-1);
	assert_is_pattern(&out);
	assert_string_equal(rkt_error_message(err), "a hole in the tape");
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

static void thread_ends_when_the_consumer_leaves_early(void **state)
{
	(void)state;
	for (int taken = 0; taken < 8; taken++) {
		auto_source source *in = source_threaded(chunks(whole, 100, "never seen"));
		struct slice block;

		for (int i = 0; i < taken; i++)
			assert_int_equal(source_next(in, &block, NULL), 1);
	}
}

static void thread_ends_though_its_pipe_is_silent(void **state)
{
	int ends[2];
	struct slice block;
	source *in;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[0], F_SETPIPE_SZ, SOURCE_BLOCK) >= 0);
	assert_int_equal(write(ends[1], pattern, SOURCE_BLOCK), SOURCE_BLOCK);
	in = source_threaded(source_from_fd(ends[0]));
	assert_int_equal(source_next(in, &block, NULL), 1);
	usleep(50000); /* by now the thread waits for the next block */
	alarm(30);     /* a thread that waits for ever must not keep the test */
	source_free(in);
	alarm(0);
	close(ends[1]);
}

static int bare_next(source *self, struct slice *ret_block, rkt_error **err)
{
	return chunk_next(self, ret_block, err);
}

static void source_that_cannot_keep_is_pulled_in_the_caller(void **state)
{
	static const struct source_ops bare_ops = { .next = bare_next, .release = chunk_release };
	auto_buf struct buf out = { 0 };
	auto_error rkt_error *err = NULL;
	source *in = chunks(whole, 1000, NULL);

	(void)state;
	in->ops = &bare_ops;
	assert_ok(drain(source_threaded(in), &out, &err), err);
	assert_is_pattern(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_read_whole),
		cmocka_unit_test(file_is_read_from_its_position),
		cmocka_unit_test(pipe_is_read_whole_in_full_blocks),
		cmocka_unit_test(read_error_is_told),
		cmocka_unit_test(kept_blocks_stay_as_they_were),
		cmocka_unit_test(a_block_put_back_comes_again_and_then_the_rest),
		cmocka_unit_test(tap_sees_every_block),
		cmocka_unit_test(tap_that_fails_ends_the_stream),
		cmocka_unit_test(thread_hands_over_every_block_in_order),
		cmocka_unit_test(threads_stack),
		cmocka_unit_test(thread_lends_the_blocks_of_the_source_below),
		cmocka_unit_test(error_in_the_thread_comes_after_the_blocks_before_it),
		cmocka_unit_test(thread_ends_when_the_consumer_leaves_early),
		cmocka_unit_test(thread_ends_though_its_pipe_is_silent),
		cmocka_unit_test(source_that_cannot_keep_is_pulled_in_the_caller),
	};

	return cmocka_run_group_tests_name("source", tests, make_pattern, NULL);
}
