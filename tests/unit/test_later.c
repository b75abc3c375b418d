/* Claims about directories that wait: all come back, in order, and not from memory (S-012). */
#include "aci/later.h"

#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "base/fd.h"

#define MANY 30000u

struct bench {
	char path[256];
	int dir;
	struct later later;
	/* what came back */
	unsigned count;
	size_t depth;
	unsigned number; /* of the last */
	enum later_order order;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	b->dir = scratch_make(b->path);
	b->later = LATER_NONE;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	later_free(&b->later);
	close(b->dir);
	scratch_remove(b->path);
	free(b);
	return 0;
}

static size_t slashes(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

/* What stands in the directory number I: children come before parents and after. */
static void fill(unsigned i, struct later_dir *dir)
{
	static const char *const above[] = { "", "a/", "a/b/c/d/", "a/b/" };

	buf_printf(&dir->path, "%s%u", above[i % ARRAY_LEN(above)], i);
	if (i % 1000 == 3)
		buf_append_zeros(&dir->attrs.access, 70000); /* more than is read at once */
	if (i % 7 == 3)
		buf_append_text(&dir->attrs.by_default, "default");
	dir->attrs.uid = i;
	dir->attrs.gid = i + 1;
	dir->attrs.mode = i % 07777;
	dir->attrs.mtime = (struct timespec){ -(int)i, i };
	dir->what = i % 3;
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static int look(void *context, const struct later_dir *dir, rkt_error **err)
{
	__attribute__((cleanup(later_dir_free))) struct later_dir expected = { 0 };
	struct bench *b = context;
	size_t depth = slashes((const char *)dir->path.data);

	(void)err;
	fill(dir->attrs.uid, &expected);
	assert_true(same(&dir->path, &expected.path));
	assert_true(same(&dir->attrs.access, &expected.attrs.access));
	assert_true(same(&dir->attrs.by_default, &expected.attrs.by_default));
	assert_int_equal(dir->attrs.gid, expected.attrs.gid);
	assert_int_equal(dir->attrs.mode, expected.attrs.mode);
	assert_int_equal(dir->attrs.mtime.tv_sec, expected.attrs.mtime.tv_sec);
	assert_int_equal(dir->attrs.mtime.tv_nsec, expected.attrs.mtime.tv_nsec);
	assert_int_equal(dir->what, expected.what);
	if (b->count++)
		assert_true(b->order == LATER_TOP_FIRST ? depth >= b->depth : depth <= b->depth);
	if (b->count > 1 && depth == b->depth)
		assert_true(dir->attrs.uid > b->number);
	b->depth = depth;
	b->number = dir->attrs.uid;
	return 0;
}

static void add_many(struct bench *b)
{
	for (unsigned i = 0; i < MANY; i++) {
		__attribute__((cleanup(later_dir_free))) struct later_dir dir = { 0 };

		fill(i, &dir);
		assert_int_equal(later_add(&b->later, b->dir, &dir, NULL), 0);
	}
}

static void must_come_back(struct bench *b, enum later_order order)
{
	b->order = order;
	b->count = 0;
	assert_int_equal(later_walk(&b->later, order, look, b, NULL), 0);
	assert_int_equal(b->count, MANY);
}

static void all_come_back_by_depth_and_in_turn(void **state)
{
	struct bench *b = *state;

	add_many(b);
	must_come_back(b, LATER_DEEPEST_FIRST);
	must_come_back(b, LATER_TOP_FIRST);
}

static void many_wait_in_a_file_without_a_name(void **state)
{
	struct bench *b = *state;
	struct stat st;

	add_many(b);
	assert_true(b->later.tail.capacity < 4u << 20);
	assert_int_equal(fstat(b->later.scratch, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_true(st.st_size > 2 << 20);
}

static int count_one(void *context, const struct later_dir *dir, rkt_error **err)
{
	(void)dir;
	(void)err;
	++*(unsigned *)context;
	return 0;
}

static void no_depth_is_too_deep(void **state)
{
	struct bench *b = *state;
	__attribute__((cleanup(later_dir_free))) struct later_dir dir = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < 3000; i++)
		buf_append_text(&dir.path, i ? "/a" : "a");
	assert_int_equal(later_add(&b->later, b->dir, &dir, NULL), 0);
	assert_int_equal(later_walk(&b->later, LATER_DEEPEST_FIRST, count_one, &count, NULL), 0);
	assert_int_equal(count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_come_back_by_depth_and_in_turn),
		TEST(many_wait_in_a_file_without_a_name),
		TEST(no_depth_is_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
