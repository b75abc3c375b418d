/* The mount calls by descriptor, in a mount namespace of the test's own. */
#include "tests/unit/scratch.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/mount.h"

static const struct mount_option none[] = { { NULL, NULL, -1 } };

static void need_namespace(void)
{
	rkt_error *err = NULL;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0) {
		print_message("# needs root and a mount namespace\n");
		skip();
	}
	assert_ok(mount_make_private(&err), err);
}

static void a_detached_mount_is_used_by_its_descriptor(void **state)
{
	const struct mount_option options[] = { { "mode", "0711", -1 }, { NULL, NULL, -1 } };
	rkt_error *err = NULL;
	struct stat st;
	int mnt;

	(void)state;
	need_namespace();
	mnt = mount_new("tmpfs", options, MOUNT_ATTR_NODEV, &err);
	assert_ok(mnt, err);
	assert_int_equal(fstat(mnt, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(mkdirat(mnt, "dir", 0700), 0);
	close(mnt);
}

static void the_kernels_own_words_are_in_the_error(void **state)
{
	const struct mount_option options[] = { { "bogus", "1", -1 }, { NULL, NULL, -1 } };
	rkt_error *err = NULL;

	(void)state;
	need_namespace();
	assert_int_equal(mount_new("tmpfs", options, 0, &err), -1);
	assert_int_equal(rkt_error_errno(err), EINVAL);
	assert_non_null(strstr(rkt_error_message(err), "mounting tmpfs: "));
	assert_non_null(strstr(rkt_error_message(err), "Unknown parameter 'bogus'"));
	rkt_error_free(err);
}

static void an_unknown_file_system_is_told(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	need_namespace();
	assert_int_equal(mount_new("nosuchfs", none, 0, &err), -1);
	assert_string_equal(rkt_error_message(err),
		"mounting nosuchfs: the kernel does not have this file system: No such device");
	rkt_error_free(err);
}

static void a_clone_is_attached_and_made_read_only(void **state)
{
	char path[256];
	int dir = scratch_make(path), mnt, clone, target;
	rkt_error *err = NULL;

	(void)state;
	need_namespace();
	assert_int_equal(mkdirat(dir, "target", 0700), 0);
	mnt = mount_new("tmpfs", none, 0, &err);
	assert_ok(mnt, err);
	assert_int_equal(mkdirat(mnt, "inside", 0700), 0);
	clone = mount_clone(mnt, "", MOUNT_ALONE, &err);
	assert_ok(clone, err);
	assert_ok(mount_set(clone, MOUNT_ATTR_RDONLY, MOUNT_RECURSIVE, &err), err);
	/* reached anew: what was opened before unshare() belongs to the old namespace */
	target = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(dir);
	dir = target;
	target = openat(dir, "target", O_PATH | O_CLOEXEC);
	assert_ok(mount_attach(clone, target, &err), err);
	assert_int_equal(faccessat(dir, "target/inside", F_OK, 0), 0);
	assert_int_equal(mkdirat(dir, "target/new", 0700), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(mkdirat(mnt, "new", 0700), 0); /* the original stays writable */
	close(clone);
	close(mnt);
	close(target);
	assert_int_equal(umount2(path, 0), -1); /* nothing on the directory itself */
	snprintf(path + strlen(path), sizeof path - strlen(path), "/target");
	assert_int_equal(umount2(path, 0), 0);
	*strrchr(path, '/') = '\0';
	close(dir);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_detached_mount_is_used_by_its_descriptor),
		cmocka_unit_test(the_kernels_own_words_are_in_the_error),
		cmocka_unit_test(an_unknown_file_system_is_told),
		cmocka_unit_test(a_clone_is_attached_and_made_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
