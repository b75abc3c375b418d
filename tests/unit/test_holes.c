/* Claims about holes: what is one, and that readers take any list of them. */
#include "aci/holes.h"

#include <fcntl.h>

#include "tests/unit/scratch.h"
#include "base/fd.h"

/* A member of as many runs as readers take, a byte each, STEP apart. */
static struct tar_entry scattered(size_t count, uint64_t step)
{
	struct tar_extent *runs = calloc(count, sizeof *runs);

	for (size_t i = 0; i < count; i++)
		runs[i] = (struct tar_extent){ i * step, 1 };
	return (struct tar_entry){
		.type = TAR_FILE,
		.sparse = true,
		.size = count * step,
		.extents = runs,
		.extent_count = count,
		.stored = count,
	};
}

static void free_scattered(struct tar_entry *entry)
{
	free((void *)(uintptr_t)entry->extents);
}

static void there_are_never_more_runs_than_readers_take(void **state)
{
	const size_t max = tar_limits_default.extents_max;
	__attribute__((cleanup(free_scattered))) struct tar_entry entry = scattered(max, 4096);
	auto_holes struct holes holes = { 0 };
	size_t at = 0;

	(void)state;
	holes_of_entry(&entry, &holes);
	assert_true(holes.count && holes.count < max);
	for (size_t i = 0; i < holes.count; i++) {
		const struct tar_extent *run = &holes.runs[i];

		assert_int_equal(run->offset % TAR_BLOCK, 0);
		for (; at < max && entry.extents[at].offset < run->offset + run->len; at++)
			assert_true(entry.extents[at].offset >= run->offset);
	}
	assert_int_equal(at, max);
}

static void runs_that_are_rounded_to_one_are_one(void **state)
{
	__attribute__((cleanup(free_scattered))) struct tar_entry entry = scattered(8, 512);
	struct tar_entry made = entry;
	auto_holes struct holes holes = { 0 };

	(void)state;
	holes_of_entry(&entry, &holes);
	assert_int_equal(holes.count, 1);
	assert_int_equal(holes.stored, entry.size);
	holes_apply(&holes, &made);
	assert_false(made.sparse);
	assert_int_equal(made.stored, entry.size);
}

static void zeros_short_of_the_least_hole_are_data(void **state)
{
	static const uint64_t sizes[] = { 0, 1, HOLE_MIN - 1, HOLE_MIN, 3 * HOLE_MIN + 5 };
	char path[256];
	int dir = scratch_make(path);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_holes struct holes holes = { 0 };
		auto_fd int fd = fd_tmpfile(dir, NULL);

		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		assert_int_equal(holes_find(fd, sizes[i], &holes, NULL), 0);
		assert_int_equal(holes.stored, sizes[i] < HOLE_MIN ? sizes[i] : 0);
	}
	close(dir);
	scratch_remove(path);
}

static void a_file_that_became_shorter_is_an_error(void **state)
{
	static const uint8_t bytes[100] = { 1 };
	auto_holes struct holes holes = { 0 };
	auto_error rkt_error *err = NULL;
	char path[256];
	int dir = scratch_make(path);
	auto_fd int fd = fd_tmpfile(dir, NULL);

	(void)state;
	assert_int_equal(fd_write_all(fd, bytes, sizeof bytes, NULL), 0);
	assert_int_equal(holes_find(fd, 2 * HOLE_MIN, &holes, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_FAILED);
	close(dir);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_never_more_runs_than_readers_take),
		cmocka_unit_test(runs_that_are_rounded_to_one_are_one),
		cmocka_unit_test(zeros_short_of_the_least_hole_are_data),
		cmocka_unit_test(a_file_that_became_shorter_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
