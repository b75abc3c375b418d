/* users: accounts as the image knows them (appc aci.md "user, group"). */
#include "stage1/common/users.h"

#include <sys/stat.h>

#include "tests/unit/scratch.h"

struct image {
	char path[256];
	int root;
};

static void write_file(const struct image *image, const char *name, const char *text)
{
	int fd = openat(image->root, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int set_up(void **state)
{
	struct image *image = calloc(1, sizeof *image);

	image->root = scratch_make(image->path);
	assert_int_equal(mkdirat(image->root, "etc", 0755), 0);
	write_file(image, "etc/passwd",
		"# a comment\n"
		"root:x:0:0:root:/root:/bin/ash\n"
		"web:x:33:34:web:/srv:/bin/sh\n"
		"broken:x:notanumber:1::/:/bin/sh\n"
		"short:x:5\n"
		"1000:x:77:77:all digits:/:/bin/sh\n"
		"huge:x:4294967295:1::/:/bin/sh\n");
	write_file(image, "etc/group", "root:x:0:\nweb:x:34:\nlast:x:9:a,b");
	*state = image;
	return 0;
}

static int tear_down(void **state)
{
	struct image *image = *state;

	close(image->root);
	scratch_remove(image->path);
	free(image);
	return 0;
}

static void assert_resolves(
	const struct image *image, const char *user, const char *group, uid_t uid, gid_t gid)
{
	auto_identity struct identity who = { 0 };
	auto_error rkt_error *err = NULL;

	assert_ok(identity_resolve(image->root, user, group, &who, &err), err);
	assert_int_equal(who.uid, uid);
	assert_int_equal(who.gid, gid);
}

static void assert_refused(
	const struct image *image, const char *user, const char *group, const char *message)
{
	auto_identity struct identity who = { 0 };
	auto_error rkt_error *err = NULL;

	assert_int_equal(identity_resolve(image->root, user, group, &who, &err), -1);
	assert_string_equal(rkt_error_message(err), message);
}

static void names_come_from_the_image(void **state)
{
	assert_resolves(*state, "web", "web", 33, 34);
}

static void last_line_needs_no_newline(void **state)
{
	assert_resolves(*state, "root", "last", 0, 9);
}

static void names_of_digits_come_before_numbers(void **state)
{
	assert_resolves(*state, "1000", "1000", 77, 1000);
}

static void numbers_need_no_account(void **state)
{
	assert_resolves(*state, "4294967294", "12", 4294967294u, 12);
}

static void number_that_means_no_change_is_refused(void **state)
{
	assert_refused(*state, "4294967295", "0", "the image knows no user 4294967295");
	assert_refused(*state, "0", "4294967295", "the image knows no group 4294967295");
}

static void broken_lines_are_no_accounts(void **state)
{
	assert_refused(*state, "broken", "0", "the image knows no user broken");
	assert_refused(*state, "short", "0", "the image knows no user short");
	assert_refused(*state, "huge", "0", "the image knows no user huge");
}

static void unknown_names_are_refused(void **state)
{
	assert_refused(*state, "nobody", "0", "the image knows no user nobody");
	assert_refused(*state, "0", "nogroup", "the image knows no group nogroup");
	assert_refused(*state, "", "0", "the image knows no user ");
}

static void root_needs_no_account(void **state)
{
	struct image *image = *state;

	assert_int_equal(unlinkat(image->root, "etc/passwd", 0), 0);
	assert_int_equal(unlinkat(image->root, "etc/group", 0), 0);
	assert_resolves(image, "root", "root", 0, 0);
}

static void account_gives_name_home_and_shell(void **state)
{
	struct image *image = *state;
	auto_identity struct identity who = { 0 };
	auto_error rkt_error *err = NULL;

	assert_ok(identity_resolve(image->root, "33", "0", &who, &err), err);
	assert_string_equal(who.name, "web");
	assert_string_equal(who.home, "/srv");
	assert_string_equal(who.shell, "/bin/sh");
}

static void path_means_the_owner_of_the_file(void **state)
{
	struct image *image = *state;
	struct stat st;

	assert_int_equal(fstatat(image->root, "etc", &st, 0), 0);
	assert_resolves(image, "/etc", "/etc", st.st_uid, st.st_gid);
}

static void path_does_not_leave_the_image(void **state)
{
	struct image *image = *state;

	assert_int_equal(symlinkat("/proc/self", image->root, "link"), 0);
	assert_refused(image, "/link", "0", "owner of /link: No such file or directory");
}

static void account_file_behind_an_absolute_link_is_the_images(void **state)
{
	struct image *image = *state;

	assert_int_equal(renameat(image->root, "etc/passwd", image->root, "accounts"), 0);
	assert_int_equal(symlinkat("/accounts", image->root, "etc/passwd"), 0);
	assert_resolves(image, "web", "0", 33, 0);
}

static void fifo_in_place_of_accounts_is_refused(void **state)
{
	struct image *image = *state;

	assert_int_equal(unlinkat(image->root, "etc/passwd", 0), 0);
	assert_int_equal(mkfifoat(image->root, "etc/passwd", 0644), 0);
	assert_refused(image, "web", "0", "reading /etc/passwd: not a regular file");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(names_come_from_the_image),
		CASE(last_line_needs_no_newline),
		CASE(names_of_digits_come_before_numbers),
		CASE(numbers_need_no_account),
		CASE(number_that_means_no_change_is_refused),
		CASE(broken_lines_are_no_accounts),
		CASE(unknown_names_are_refused),
		CASE(root_needs_no_account),
		CASE(account_gives_name_home_and_shell),
		CASE(path_means_the_owner_of_the_file),
		CASE(path_does_not_leave_the_image),
		CASE(account_file_behind_an_absolute_link_is_the_images),
		CASE(fifo_in_place_of_accounts_is_refused),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
