/* Claims about layouts on disk: they are held against the rules of archives (S-007, S-012). */
#include "aci/layout.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "tests/unit/tars.h"
#include "base/fd.h"

struct bench {
	char path[256];
	int dir;
	struct image_limits limits;
	check *found;
	rkt_error *err;
	struct buf seen; /* paths that were shown, a line each */
};

static void write_file(const struct bench *b, const char *path, const char *content)
{
	auto_fd int fd = openat(b->dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_ok(fd_write_all(fd, content, strlen(content), NULL), NULL);
}

/* A good layout: a manifest, and rootfs/d/f. */
static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	b->dir = scratch_make(b->path);
	b->limits = image_limits_default();
	b->found = check_new(CHECK_ALL);
	write_file(b, "manifest", tars_manifest);
	assert_int_equal(mkdirat(b->dir, "rootfs", 0755), 0);
	assert_int_equal(mkdirat(b->dir, "rootfs/d", 0755), 0);
	write_file(b, "rootfs/d/f", "x");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	scratch_remove(b->path);
	close(b->dir);
	check_free(b->found);
	rkt_error_free(b->err);
	buf_free(&b->seen);
	free(b);
	return 0;
}

static int note(void *context, const struct image_entry *entry, rkt_error **err)
{
	struct bench *b = context;

	(void)err;
	assert_true(entry->tar->header_offset == LAYOUT_NO_OFFSET);
	buf_printf(&b->seen, "%s:%d:%llu:%zu\n", entry->path, entry->tar->type,
		(unsigned long long)entry->tar->size, entry->tar->xattr_count);
	return 0;
}

static int refuse(void *context, const struct image_entry *entry, rkt_error **err)
{
	(void)context;
	return strcmp(entry->path, "d/f") == 0 ? rkt_fail(err, RKT_FAILED, "seen enough") : 0;
}

/* With a check that collects all. */
static int look(struct bench *b)
{
	const struct layout_options options = { .limits = &b->limits, .check = b->found };

	return layout_read_through(b->dir, &options, &b->err);
}

/* Without one: the first breach ends it. */
static void is_refused(struct bench *b, const char *words)
{
	const struct layout_options options = { .limits = &b->limits };

	assert_int_equal(layout_read_through(b->dir, &options, &b->err), -1);
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	if (!strstr(rkt_error_message(b->err), words))
		fail_msg("'%s' is not in: %s", words, rkt_error_message(b->err));
}

/* The one finding breaks RULE at ENTRY. */
static void is_found(struct bench *b, const char *rule, const char *entry)
{
	assert_ok(look(b), b->err);
	assert_int_equal(check_count(b->found, SEVERITY_ERROR), 1);
	assert_string_equal(check_get(b->found, 0)->rule->name, rule);
	if (entry)
		assert_string_equal(check_get(b->found, 0)->entry, entry);
	is_refused(b, "");
}

static void a_good_layout_has_no_findings(void **state)
{
	struct bench *b = *state;

	assert_ok(look(b), b->err);
	assert_null(check_get(b->found, 0));
}

static void everything_is_shown_as_it_would_be_in_an_archive(void **state)
{
	struct bench *b = *state;
	const struct layout_options options = { .see = note, .context = b };

	assert_int_equal(symlinkat("f", b->dir, "rootfs/d/l"), 0);
	assert_int_equal(mkfifoat(b->dir, "rootfs/d/p", 0600), 0);
	assert_ok(layout_read_through(b->dir, &options, &b->err), b->err);
	assert_string_equal(buf_text(&b->seen), ":5:0:0\n"
						"d:5:0:0\n"
						"d/f:0:1:0\n"
						"d/l:2:0:0\n"
						"d/p:6:0:0\n");
}

static void who_sees_may_end_it_with_the_path_in_the_words(void **state)
{
	struct bench *b = *state;
	const struct layout_options options = { .see = refuse };

	assert_int_equal(layout_read_through(b->dir, &options, &b->err), -1);
	assert_string_equal(rkt_error_message(b->err), "reading rootfs/d/f: seen enough");
}

static void what_else_stands_at_the_top_is_refused_s_007(void **state)
{
	write_file(*state, "README", "");
	is_found(*state, "layout-top", "README");
}

static void a_missing_manifest_is_refused_s_007(void **state)
{
	struct bench *b = *state;

	assert_int_equal(unlinkat(b->dir, "manifest", 0), 0);
	is_found(b, "layout-manifest-missing", NULL);
}

static void a_symlink_as_manifest_is_not_followed_s_007(void **state)
{
	struct bench *b = *state;

	assert_int_equal(renameat(b->dir, "manifest", b->dir, "rootfs/manifest"), 0);
	assert_int_equal(symlinkat("rootfs/manifest", b->dir, "manifest"), 0);
	is_found(b, "layout-manifest-type", "manifest");
}

static void a_bad_manifest_is_told_with_its_place(void **state)
{
	struct bench *b = *state;

	write_file(b, "manifest", "{\"acKind\": \"ImageManifest\"");
	is_found(b, "json-syntax", "manifest");
}

static void a_missing_rootfs_is_refused_s_007(void **state)
{
	struct bench *b = *state;

	assert_int_equal(renameat(b->dir, "rootfs", b->dir, "away"), 0);
	assert_ok(look(b), b->err);
	assert_string_equal(check_get(b->found, 0)->rule->name, "layout-top");
	assert_string_equal(check_get(b->found, 1)->rule->name, "layout-rootfs-missing");
}

static void a_symlink_as_rootfs_is_not_followed_s_007(void **state)
{
	struct bench *b = *state;

	assert_int_equal(renameat(b->dir, "rootfs/d", b->dir, "manifest.d"), 0);
	assert_int_equal(unlinkat(b->dir, "rootfs", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("manifest.d", b->dir, "rootfs"), 0);
	assert_ok(look(b), b->err);
	assert_string_equal(check_get(b->found, 1)->rule->name, "layout-rootfs-type");
}

static void a_socket_is_refused(void **state)
{
	struct bench *b = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.80s/rootfs/s", b->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	is_found(b, "layout-file-type", "rootfs/s");
}

static void a_hard_link_to_the_manifest_is_refused_s_008(void **state)
{
	struct bench *b = *state;

	assert_int_equal(linkat(b->dir, "manifest", b->dir, "rootfs/m", 0), 0);
	is_found(b, "layout-hardlink-manifest", "rootfs/m");
}

static void limits_hold_s_012(void **state)
{
	struct bench *b = *state;

	b->limits.manifest_max = strlen(tars_manifest);
	b->limits.tar.entries_max = 2;
	b->limits.tar.depth_max = 3;
	b->limits.tar.path_max = strlen("rootfs/d/f");
	b->limits.tar.part_max = strlen("rootfs");
	assert_ok(look(b), b->err);
	assert_null(check_get(b->found, 0));
}

static void what_exceeds_a_limit_is_refused_s_012(void **state)
{
	static const struct {
		size_t field;
		uint64_t max;
		const char *words;
	} cases[] = {
		{ offsetof(struct image_limits, manifest_max), sizeof tars_manifest - 2,
			"limit is" },
		{ offsetof(struct image_limits, tar.entries_max), 1, "more than 1 files" },
		{ offsetof(struct image_limits, tar.depth_max), 2, "too many directories deep" },
		{ offsetof(struct image_limits, tar.path_max), 9, "longer than 9 bytes" },
		{ offsetof(struct image_limits, tar.part_max), 5, "longer than 5 bytes" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		b->limits = image_limits_default();
		*(uint64_t *)(void *)((char *)&b->limits + cases[i].field) = cases[i].max;
		is_refused(b, cases[i].words);
		rkt_error_free(b->err);
		b->err = NULL;
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_good_layout_has_no_findings),
		CASE(everything_is_shown_as_it_would_be_in_an_archive),
		CASE(who_sees_may_end_it_with_the_path_in_the_words),
		CASE(what_else_stands_at_the_top_is_refused_s_007),
		CASE(a_missing_manifest_is_refused_s_007),
		CASE(a_symlink_as_manifest_is_not_followed_s_007),
		CASE(a_bad_manifest_is_told_with_its_place),
		CASE(a_missing_rootfs_is_refused_s_007),
		CASE(a_symlink_as_rootfs_is_not_followed_s_007),
		CASE(a_socket_is_refused),
		CASE(a_hard_link_to_the_manifest_is_refused_s_008),
		CASE(limits_hold_s_012),
		CASE(what_exceeds_a_limit_is_refused_s_012),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
