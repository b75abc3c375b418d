/* Claims about extraction: what is kept, what is never touched, and that it is whole or nothing. */
#include "aci/entry_acls.h"
#include "aci/extract.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/unit/no_openat2.h"
#include "tests/unit/tars.h"
#include "base/fd.h"

/* A scratch directory, an archive to be extracted to "out" in it, and what came of it. */
struct bench {
	char path[256];
	int dir;
	struct buf tar;
	struct extract_options options;
	struct extract_report report;
	rkt_error *err;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	b->dir = scratch_make(b->path);
	b->options.owner = EXTRACT_OWNER_CALLER;
	tars_begin(&b->tar);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	scratch_remove(b->path);
	close(b->dir);
	buf_free(&b->tar);
	rkt_error_free(b->err);
	free(b);
	return 0;
}

static int extract(struct bench *b)
{
	auto_image image_reader *image = NULL;

	tars_end(&b->tar);
	image = tars_open(&b->tar, NULL);
	return extract_image(image, b->dir, "out", &b->options, &b->report, &b->err);
}

static void must_extract(struct bench *b)
{
	assert_ok(extract(b), b->err);
}

static void must_fail(struct bench *b, enum rkt_error_kind kind, const char *words)
{
	assert_int_equal(extract(b), -1);
	assert_int_equal(rkt_error_kind(b->err), kind);
	if (!strstr(rkt_error_message(b->err), words))
		fail_msg("'%s' is not in: %s", words, rkt_error_message(b->err));
}

static struct stat stat_of(const struct bench *b, const char *path)
{
	struct stat st;

	if (fstatat(b->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("stat %s: %s", path, strerror(errno));
	return st;
}

static bool is_there(const struct bench *b, const char *path)
{
	struct stat st;

	return fstatat(b->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_content(const struct bench *b, const char *path, const char *expected)
{
	auto_fd int fd = openat(b->dir, path, O_RDONLY | O_NOFOLLOW);
	auto_buf struct buf content = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(fd_read_rest(fd, 4096, &content, NULL), 0);
	assert_string_equal(buf_text(&content), expected);
}

/* How many names the scratch directory has. */
static size_t count_names(const struct bench *b)
{
	DIR *stream = fdopendir(openat(b->dir, ".", O_RDONLY | O_DIRECTORY));
	size_t count = 0;

	assert_non_null(stream);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count - 2;
}

static void skip_unless_root(void)
{
	if (geteuid() != 0) {
		print_message("# needs root\n");
		skip();
	}
}

/* ---- what is kept ---------------------------------------------------------------------------- */

static void manifest_and_rootfs_appear(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FILE, "rootfs/etc/motd", "hello");
	must_extract(b);
	assert_content(b, "out/manifest", tars_manifest);
	assert_content(b, "out/rootfs/etc/motd", "hello");
	assert_int_equal(count_names(b), 1);
	assert_int_equal(b->report.entries, 2);
}

static void rootfs_only_has_no_manifest(void **state)
{
	struct bench *b = *state;

	b->options.what = EXTRACT_ROOTFS;
	tars_add(&b->tar, TAR_FILE, "rootfs/motd", "hello");
	must_extract(b);
	assert_content(b, "out/motd", "hello");
	assert_false(is_there(b, "out/manifest"));
	assert_int_equal(stat_of(b, "out").st_mtim.tv_sec, TARS_MTIME);
}

static void times_are_kept_to_the_nanosecond(void **state)
{
	struct bench *b = *state;
	const struct tar_entry dir = {
		.path = "rootfs/d",
		.type = TAR_DIR,
		.mode = 0755,
		.mtime_sec = -2,
		.mtime_nsec = 500000000,
	};
	const struct tar_entry link = {
		.path = "rootfs/d/l",
		.type = TAR_SYMLINK,
		.link = "x",
		.mtime_sec = TARS_MTIME,
		.mtime_nsec = 1,
	};

	tars_add_entry(&b->tar, dir, NULL);
	tars_add_entry(&b->tar, link, NULL);
	must_extract(b);
	assert_int_equal(stat_of(b, "out/rootfs/d").st_mtim.tv_sec, -2);
	assert_int_equal(stat_of(b, "out/rootfs/d").st_mtim.tv_nsec, 500000000);
	assert_int_equal(stat_of(b, "out/rootfs/d/l").st_mtim.tv_nsec, 1);
}

static void modes_are_kept_whatever_the_umask(void **state)
{
	struct bench *b = *state;
	const struct tar_entry file = { .path = "rootfs/f", .type = TAR_FILE, .mode = 0626 };
	const struct tar_entry dir = { .path = "rootfs/d", .type = TAR_DIR, .mode = 01777 };
	mode_t mask = umask(077);

	tars_add_entry(&b->tar, file, "x");
	tars_add_entry(&b->tar, dir, NULL);
	tars_add(&b->tar, TAR_FILE, "rootfs/implied/f", "x");
	must_extract(b);
	umask(mask);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_mode & 07777, 0626);
	assert_int_equal(stat_of(b, "out/rootfs/d").st_mode & 07777, 01777);
	assert_int_equal(stat_of(b, "out/rootfs/implied").st_mode & 07777, 0755);
	assert_int_equal(stat_of(b, "out/manifest").st_mode & 07777, 0644);
}

static void setuid_and_owner_are_kept_for_root(void **state)
{
	struct bench *b = *state;
	const struct tar_entry file = {
		.path = "rootfs/f",
		.type = TAR_FILE,
		.mode = 06755,
		.uid = 1234,
		.gid = 4321,
	};

	skip_unless_root();
	b->options.owner = EXTRACT_OWNER_KEEP;
	tars_add_entry(&b->tar, file, "x");
	must_extract(b);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_mode & 07777, 06755);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_uid, 1234);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_gid, 4321);
}

static void setuid_is_dropped_with_the_owner(void **state)
{
	struct bench *b = *state;
	const struct tar_entry file = {
		.path = "rootfs/f",
		.type = TAR_FILE,
		.mode = 06755,
		.uid = 1234,
	};

	tars_add_entry(&b->tar, file, "x");
	must_extract(b);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_mode & 07777, 0755);
	assert_int_equal(stat_of(b, "out/rootfs/f").st_uid, geteuid());
	/* the rootfs belongs to 0:0 */
	assert_int_equal(b->report.owners_lost, geteuid() == 0 ? 1 : 2);
}

static void a_directory_without_permissions_is_filled_first(void **state)
{
	struct bench *b = *state;
	const struct tar_entry dir = { .path = "rootfs/d", .type = TAR_DIR, .mode = 0 };

	tars_add_entry(&b->tar, dir, NULL);
	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	tars_add(&b->tar, TAR_DIR, "rootfs/d/e", NULL);
	must_extract(b);
	assert_int_equal(stat_of(b, "out/rootfs/d").st_mode & 07777, 0);
	assert_int_equal(fchmodat(b->dir, "out/rootfs/d", 0700, 0), 0);
	assert_content(b, "out/rootfs/d/f", "x");
}

static void a_directory_may_come_after_what_is_in_it(void **state)
{
	struct bench *b = *state;
	const struct tar_entry dir = { .path = "rootfs/d", .type = TAR_DIR, .mode = 0711 };

	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	tars_add_entry(&b->tar, dir, NULL);
	must_extract(b);
	assert_content(b, "out/rootfs/d/f", "x");
	assert_int_equal(stat_of(b, "out/rootfs/d").st_mode & 07777, 0711);
}

static void hard_links_share_the_file(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FILE, "rootfs/a/f", "x");
	tars_add(&b->tar, TAR_HARDLINK, "rootfs/b/g", "rootfs/a/f");
	must_extract(b);
	assert_int_equal(stat_of(b, "out/rootfs/a/f").st_ino, stat_of(b, "out/rootfs/b/g").st_ino);
}

static void add_with_xattr(struct bench *b, const char *name, struct slice value)
{
	const struct tar_xattr xattr = { .name = name, .value = value };
	const struct tar_entry file = {
		.path = "rootfs/f",
		.type = TAR_FILE,
		.mode = 0444,
		.xattrs = &xattr,
		.xattr_count = 1,
	};

	tars_add_entry(&b->tar, file, "x");
}

static ssize_t xattr_len(const struct bench *b, const char *name)
{
	auto_fd int fd = openat(b->dir, "out/rootfs/f", O_RDONLY);

	return fgetxattr(fd, name, NULL, 0);
}

static void file_capabilities_survive_chown(void **state)
{
	static const uint8_t net_raw[20] = { 1, 0, 0, 2, 0, 0x20 };
	struct bench *b = *state;

	skip_unless_root();
	b->options.owner = EXTRACT_OWNER_KEEP;
	add_with_xattr(b, "security.capability", (struct slice){ net_raw, sizeof net_raw });
	must_extract(b);
	assert_int_equal(xattr_len(b, "security.capability"), sizeof net_raw);
	assert_int_equal(b->report.xattrs_lost, 0);
}

static void file_capabilities_are_dropped_with_the_owner(void **state)
{
	static const uint8_t net_raw[20] = { 1, 0, 0, 2, 0, 0x20 };
	struct bench *b = *state;

	add_with_xattr(b, "security.capability", (struct slice){ net_raw, sizeof net_raw });
	must_extract(b);
	assert_int_equal(xattr_len(b, "security.capability"), -1);
	assert_int_equal(b->report.xattrs_lost, 1);
}

static void user_attributes_are_kept_on_read_only_files(void **state)
{
	struct bench *b = *state;

	add_with_xattr(b, "user.note", (struct slice){ (const uint8_t *)"abc", 3 });
	must_extract(b);
	if (b->report.xattrs_lost) {
		print_message("# this file system has no user attributes\n");
		skip();
	}
	assert_int_equal(xattr_len(b, "user.note"), 3);
}

/* S-011 */
static void overlay_attributes_are_never_set(void **state)
{
	struct bench *b = *state;

	if (geteuid() == 0)
		b->options.owner = EXTRACT_OWNER_KEEP;
	add_with_xattr(b, "trusted.overlay.redirect", (struct slice){ (const uint8_t *)"/", 1 });
	must_extract(b);
	assert_int_equal(xattr_len(b, "trusted.overlay.redirect"), -1);
	assert_int_equal(b->report.xattrs_lost, 1);
}

/* ---- ACLs ----------------------------------------------------------------------------------- */

static void add_with_acl(
	struct bench *b, enum tar_type type, const char *path, const char *name, const char *text)
{
	const struct tar_xattr acl = { name, { (const uint8_t *)text, strlen(text) } };
	const struct tar_entry entry = {
		.path = path,
		.type = type,
		.mode = type == TAR_DIR ? 0755 : 0644,
		.xattrs = &acl,
		.xattr_count = 1,
	};

	tars_add_entry(&b->tar, entry, NULL);
}

/* The ACL of PATH as text, empty when it has none; skips the test where there are none at all. */
static void read_acl_back(struct bench *b, const char *path, const char *name, struct buf *ret)
{
	auto_buf struct buf bytes = { 0 };
	auto_fd int fd = openat(b->dir, path, O_RDONLY);
	ssize_t len;

	if (b->report.xattrs_lost) {
		print_message("# this file system has no ACLs\n");
		skip();
	}
	len = fgetxattr(fd, name, buf_reserve(&bytes, 65536), 65536);
	bytes.len = len > 0 ? (size_t)len : 0;
	if (bytes.len)
		assert_int_equal(acl_to_text(buf_slice(&bytes), ret, NULL), 0);
}

static void an_access_acl_is_set_and_gives_the_mode(void **state)
{
	static const char text[] = "user::rw-,user:7:rwx:7,group::r--,mask::rw-,other::---";
	struct bench *b = *state;
	auto_buf struct buf back = { 0 };
	struct stat st;

	add_with_acl(b, TAR_FILE, "rootfs/f", "SCHILY.acl.access", text);
	must_extract(b);
	read_acl_back(b, "out/rootfs/f", ACL_ACCESS_XATTR, &back);
	assert_string_equal(buf_text(&back), text);
	assert_int_equal(fstatat(b->dir, "out/rootfs/f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

/* Set at once, it would be given to everything that is made below. */
static void a_default_acl_is_set_when_all_below_is_there(void **state)
{
	static const char text[] = "user::rwx,user:7:rwx:7,group::r-x,mask::rwx,other::---";
	struct bench *b = *state;
	auto_buf struct buf back = { 0 }, below = { 0 }, access = { 0 };
	struct stat st;

	add_with_acl(b, TAR_DIR, "rootfs/d", "SCHILY.acl.default", text);
	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	tars_add(&b->tar, TAR_FILE, "rootfs/d/missing/f", "x");
	must_extract(b);
	read_acl_back(b, "out/rootfs/d", ACL_DEFAULT_XATTR, &back);
	assert_string_equal(buf_text(&back), text);
	read_acl_back(b, "out/rootfs/d/f", ACL_ACCESS_XATTR, &access);
	read_acl_back(b, "out/rootfs/d/missing", ACL_DEFAULT_XATTR, &below);
	assert_int_equal(access.len + below.len, 0);
	assert_int_equal(fstatat(b->dir, "out/rootfs/d/f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void acls_of_the_directory_above_do_not_come_in(void **state)
{
	static const char text[] = "user::rwx,user:7:rwx,group::r-x,mask::rwx,other::---";
	struct bench *b = *state;
	auto_buf struct buf acl = { 0 }, back = { 0 };
	uint64_t none = 0;

	assert_int_equal(acl_from_text((struct slice){ (const uint8_t *)text, sizeof text - 1 },
				 &acl, &none, NULL),
		0);
	if (fsetxattr(b->dir, ACL_DEFAULT_XATTR, acl.data, acl.len, 0) < 0) {
		print_message("# this file system has no ACLs\n");
		skip();
	}
	tars_add(&b->tar, TAR_DIR, "rootfs/d", NULL);
	must_extract(b);
	read_acl_back(b, "out", ACL_DEFAULT_XATTR, &back);
	read_acl_back(b, "out/rootfs/d", ACL_DEFAULT_XATTR, &back);
	read_acl_back(b, "out/manifest", ACL_ACCESS_XATTR, &back);
	assert_int_equal(back.len, 0);
}

static void acl_entries_without_a_number_are_counted(void **state)
{
	struct bench *b = *state;

	add_with_acl(b, TAR_FILE, "rootfs/f", "SCHILY.acl.access",
		"user::rw-,user:alice:rwx,group::r--,mask::rwx,other::---");
	must_extract(b);
	assert_int_equal(b->report.acl_names_lost, 1);
}

static void a_damaged_acl_is_refused_by_name(void **state)
{
	struct bench *b = *state;

	add_with_acl(b, TAR_DIR, "rootfs/d", "SCHILY.acl.access", "user::rwx,nonsense");
	assert_int_equal(extract(b), -1);
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	assert_non_null(strstr(rkt_error_message(b->err), "extracting d: ACL: cannot read"));
}

static void attributes_of_symlinks_are_kept(void **state)
{
	const struct tar_xattr note = { "trusted.note", { (const uint8_t *)"abc", 3 } };
	const struct tar_entry link = {
		.path = "rootfs/l",
		.link = "f",
		.type = TAR_SYMLINK,
		.xattrs = &note,
		.xattr_count = 1,
	};
	struct bench *b = *state;
	char path[512], value[8];

	skip_unless_root();
	b->options.owner = EXTRACT_OWNER_KEEP;
	tars_add(&b->tar, TAR_FILE, "rootfs/f", "x");
	tars_add_entry(&b->tar, link, NULL);
	must_extract(b);
	snprintf(path, sizeof path, "%.255s/out/rootfs/l", b->path);
	assert_int_equal(lgetxattr(path, "trusted.note", value, sizeof value), 3);
	assert_int_equal(getxattr(path, "trusted.note", value, sizeof value), -1);
}

/* ---- what is never touched (S-001, S-002) ---------------------------------------------------- */

static void a_symlink_in_the_way_is_replaced_not_followed(void **state)
{
	struct bench *b = *state;

	assert_int_equal(mkdirat(b->dir, "outside", 0755), 0);
	tars_add(&b->tar, TAR_SYMLINK, "rootfs/d", b->path);
	tars_add(&b->tar, TAR_FILE, "rootfs/d/outside/f", "x");
	tars_add(&b->tar, TAR_SYMLINK, "rootfs/up", "../../outside");
	tars_add(&b->tar, TAR_FILE, "rootfs/up/f", "x");
	must_extract(b);
	assert_false(is_there(b, "outside/f"));
	assert_true(S_ISDIR(stat_of(b, "out/rootfs/d").st_mode));
	assert_content(b, "out/rootfs/d/outside/f", "x");
	assert_content(b, "out/rootfs/up/f", "x");
}

static void a_symlink_target_is_stored_as_written(void **state)
{
	char target[16] = { 0 };
	struct bench *b = *state;

	tars_add(&b->tar, TAR_SYMLINK, "rootfs/l", "/../etc");
	must_extract(b);
	assert_int_equal(readlinkat(b->dir, "out/rootfs/l", target, sizeof target - 1), 7);
	assert_string_equal(target, "/../etc");
}

/* ---- whole or nothing (S-003) ---------------------------------------------------------------- */

static void nothing_is_left_of_a_bad_image(void **state)
{
	struct bench *b = *state;
	const struct tar_entry locked = { .path = "rootfs/d", .type = TAR_DIR, .mode = 0 };

	tars_add_entry(&b->tar, locked, NULL);
	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	must_fail(b, RKT_INVALID, "rootfs/d/f: is in the archive twice");
	assert_int_equal(count_names(b), 0);
}

static int object(void *context, rkt_error **err)
{
	return rkt_fail(err, RKT_INVALID, "%s", (const char *)context);
}

static void nothing_is_left_when_the_caller_objects(void **state)
{
	static char reason[] = "not this one";
	struct bench *b = *state;

	b->options.approve = object;
	b->options.context = reason;
	must_fail(b, RKT_INVALID, "not this one");
	assert_int_equal(count_names(b), 0);
}

static int occupy(void *context, rkt_error **err)
{
	(void)err;
	assert_int_equal(mkdirat(*(int *)context, "out", 0755), 0);
	assert_int_equal(mkdirat(*(int *)context, "out/mine", 0755), 0);
	return 0;
}

/* The last step fails, when modes are set already that would stop an ordinary user's clean-up. */
static void who_comes_first_keeps_the_place(void **state)
{
	struct bench *b = *state;
	const struct tar_entry locked = { .path = "rootfs/d", .type = TAR_DIR, .mode = 0 };

	b->options.approve = occupy;
	b->options.context = &b->dir;
	tars_add_entry(&b->tar, locked, NULL);
	tars_add(&b->tar, TAR_FILE, "rootfs/d/f", "x");
	must_fail(b, RKT_FAILED, "rename: Directory not empty");
	assert_int_equal(count_names(b), 1);
	assert_true(is_there(b, "out/mine"));
}

static void an_empty_directory_is_replaced(void **state)
{
	struct bench *b = *state;

	assert_int_equal(mkdirat(b->dir, "out", 0755), 0);
	must_extract(b);
	assert_true(is_there(b, "out/manifest"));
}

static void a_directory_with_content_is_refused_and_kept(void **state)
{
	struct bench *b = *state;

	assert_int_equal(mkdirat(b->dir, "out", 0755), 0);
	assert_int_equal(mkdirat(b->dir, "out/mine", 0755), 0);
	must_fail(b, RKT_FAILED, "exists and is not empty");
	assert_true(is_there(b, "out/mine"));
	assert_int_equal(count_names(b), 1);
}

static void a_symlink_at_the_destination_is_refused_and_kept(void **state)
{
	struct bench *b = *state;

	assert_int_equal(mkdirat(b->dir, "outside", 0755), 0);
	assert_int_equal(symlinkat("outside", b->dir, "out"), 0);
	must_fail(b, RKT_FAILED, "exists and is not a directory");
	assert_true(S_ISLNK(stat_of(b, "out").st_mode));
	assert_int_equal(count_names(b), 2);
}

/* S-009 */
static void devices_and_fifos_are_refused(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FIFO, "rootfs/pipe", NULL);
	must_fail(b, RKT_INVALID, "pipe: is a FIFO");
	assert_int_equal(count_names(b), 0);
}

static void devices_are_made_when_asked_for(void **state)
{
	struct bench *b = *state;
	const struct tar_entry null = {
		.path = "rootfs/null",
		.type = TAR_CHAR,
		.mode = 0666,
		.major = 1,
		.minor = 3,
	};

	skip_unless_root();
	b->options.devices = EXTRACT_DEVICES_MAKE;
	tars_add_entry(&b->tar, null, NULL);
	must_extract(b);
	assert_true(S_ISCHR(stat_of(b, "out/rootfs/null").st_mode));
	assert_int_equal(stat_of(b, "out/rootfs/null").st_mode & 07777, 0666);
	assert_int_equal(stat_of(b, "out/rootfs/null").st_rdev, 0x103);
}

static void into_fills_an_existing_directory(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;

	tars_add(&b->tar, TAR_FILE, "rootfs/f", "x");
	tars_end(&b->tar);
	image = tars_open(&b->tar, NULL);
	assert_ok(extract_into(image, b->dir, &b->options, NULL, &b->err), b->err);
	assert_content(b, "f", "x");
	assert_false(is_there(b, "manifest"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(manifest_and_rootfs_appear),
		TEST(rootfs_only_has_no_manifest),
		TEST(times_are_kept_to_the_nanosecond),
		TEST(modes_are_kept_whatever_the_umask),
		TEST(setuid_and_owner_are_kept_for_root),
		TEST(setuid_is_dropped_with_the_owner),
		TEST(a_directory_without_permissions_is_filled_first),
		TEST(a_directory_may_come_after_what_is_in_it),
		TEST(hard_links_share_the_file),
		TEST(file_capabilities_survive_chown),
		TEST(file_capabilities_are_dropped_with_the_owner),
		TEST(user_attributes_are_kept_on_read_only_files),
		TEST(overlay_attributes_are_never_set),
		TEST(an_access_acl_is_set_and_gives_the_mode),
		TEST(a_default_acl_is_set_when_all_below_is_there),
		TEST(acls_of_the_directory_above_do_not_come_in),
		TEST(acl_entries_without_a_number_are_counted),
		TEST(a_damaged_acl_is_refused_by_name),
		TEST(attributes_of_symlinks_are_kept),
		TEST(a_symlink_in_the_way_is_replaced_not_followed),
		TEST(a_symlink_target_is_stored_as_written),
		TEST(nothing_is_left_of_a_bad_image),
		TEST(nothing_is_left_when_the_caller_objects),
		TEST(who_comes_first_keeps_the_place),
		TEST(an_empty_directory_is_replaced),
		TEST(a_directory_with_content_is_refused_and_kept),
		TEST(a_symlink_at_the_destination_is_refused_and_kept),
		TEST(devices_and_fifos_are_refused),
		TEST(devices_are_made_when_asked_for),
		TEST(into_fills_an_existing_directory),
	};

#ifdef WITHOUT_OPENAT2
	no_openat2();
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
