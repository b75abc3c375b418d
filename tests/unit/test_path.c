/*
 * Paths cannot leave their directory: by openat2, and with openat2 taken away by a seccomp filter
 * (S-001: same results either way).
 */
#include "tests/unit/scratch.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/path.h"

struct fixture {
	char dir[256];
	int root;
};

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* DIR/secret is outside; DIR/root is the root with links that try to get there. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int top = scratch_make(f->dir);

	put(top, "secret", "secret");
	assert_int_equal(mkdirat(top, "root", 0755), 0);
	f->root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(f->root, "sub", 0755), 0);
	put(f->root, "sub/file", "file");
	put(f->root, "secret", "decoy");
	assert_int_equal(symlinkat("../secret", f->root, "up"), 0);
	assert_int_equal(symlinkat("/secret", f->root, "absolute"), 0);
	assert_int_equal(symlinkat("sub", f->root, "to-sub"), 0);
	assert_int_equal(symlinkat("../../../../secret", f->root, "sub/far-up"), 0);
	assert_int_equal(symlinkat("loop", f->root, "loop"), 0);
	close(top);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->root);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void assert_reads(int fd, const char *text)
{
	char got[16] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof got - 1) >= 0);
	assert_string_equal(got, text);
	close(fd);
}

static void beneath_follows_no_link(void **state)
{
	const struct fixture *f = *state;

	assert_reads(path_open_beneath(f->root, "sub/file", O_RDONLY, 0), "file");
	assert_reads(path_open_beneath(f->root, "//sub/./file", O_RDONLY, 0), "file");
	assert_int_equal(path_open_beneath(f->root, "to-sub/file", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(path_open_beneath(f->root, "up", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
}

static void beneath_refuses_dotdot(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(path_open_beneath(f->root, "../secret", O_RDONLY, 0), -1);
	assert_int_equal(errno, EXDEV);
}

static void in_root_links_stay_inside(void **state)
{
	const struct fixture *f = *state;

	assert_reads(path_open_in_root(f->root, "up", O_RDONLY), "decoy");
	assert_reads(path_open_in_root(f->root, "absolute", O_RDONLY), "decoy");
	assert_reads(path_open_in_root(f->root, "to-sub/far-up", O_RDONLY), "decoy");
	assert_reads(path_open_in_root(f->root, "../../secret", O_RDONLY), "decoy");
}

static void in_root_loops_end(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(path_open_in_root(f->root, "loop", O_RDONLY), -1);
	assert_int_equal(errno, ELOOP);
}

static void empty_path_is_the_root(void **state)
{
	const struct fixture *f = *state;
	struct stat a, b;
	int fd = path_open_beneath(f->root, "/", O_RDONLY | O_DIRECTORY, 0);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(f->root, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(fd);
}

static void make_dirs_follows_no_link(void **state)
{
	const struct fixture *f = *state;
	int fd = path_make_dirs(f->root, "a/b/c");

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(path_make_dirs(f->root, "to-sub/x"), -1);
	assert_int_equal(path_make_dirs(f->root, "../x"), -1);
}

/* From here on openat2 answers ENOSYS, as on kernels before 5.6. */
static int take_openat2_away(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

struct renaming {
	int dir;
	_Atomic bool stop;
};

static void *rename_on_and_on(void *context)
{
	struct renaming *self = context;

	while (!self->stop) {
		assert_int_equal(renameat(self->dir, "here", self->dir, "there"), 0);
		assert_int_equal(renameat(self->dir, "there", self->dir, "here"), 0);
	}
	return NULL;
}

/* openat2(2) gives up where it goes up while anything on the system is renamed. */
static void in_root_renames_elsewhere_do_not_matter(void **state)
{
	struct fixture *f = *state;
	struct renaming renaming = { .dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	unsigned failed = 0;
	pthread_t thread;

	assert_int_equal(mkdirat(renaming.dir, "here", 0755), 0);
	assert_int_equal(pthread_create(&thread, NULL, rename_on_and_on, &renaming), 0);
	for (unsigned i = 0; i < 50000; i++) {
		int fd = path_open_in_root(f->root, "sub/../secret", O_PATH);

		failed += fd < 0;
		close(fd);
	}
	renaming.stop = true;
	pthread_join(thread, NULL);
	close(renaming.dir);
	assert_int_equal(failed, 0);
}

static void openat2_is_gone(void **state)
{
	(void)state;
	assert_int_equal(take_openat2_away(), 0);
	assert_int_equal(syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define ALL_TESTS                                                                            \
	TEST(beneath_follows_no_link), TEST(beneath_refuses_dotdot),                         \
		TEST(in_root_links_stay_inside), TEST(in_root_loops_end),                    \
		TEST(in_root_renames_elsewhere_do_not_matter), TEST(empty_path_is_the_root), \
		TEST(make_dirs_follows_no_link)

int main(void)
{
	/* The order matters: the filter stays for the rest of the process. */
	const struct CMUnitTest tests[] = {
		ALL_TESTS,
		cmocka_unit_test(openat2_is_gone),
		ALL_TESTS,
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
