/* Claims about images made of a tar of the root, or of another image. */
#include "aci/build.h"

#include "tests/unit/tars.h"

struct bench {
	struct buf tar; /* what is read */
	int out;
	struct build_options options;
	rkt_image_id id;
	rkt_error *err;
	struct buf listing;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	b->out = fileno(tmpfile());
	b->options.compression = COMPRESSION_NONE;
	b->options.mtime_max_sec = INT64_MAX;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	buf_free(&b->tar);
	buf_free(&b->listing);
	scope_close(&b->out);
	rkt_error_free(b->err);
	free(b);
	return 0;
}

static struct slice manifest(void)
{
	return (struct slice){ (const uint8_t *)tars_manifest, strlen(tars_manifest) };
}

static int build(struct bench *b)
{
	source *in = source_from_memory(buf_slice(&b->tar));

	return build_image_from_tar(manifest(), in, b->out, &b->options, &b->id, &b->err);
}

static void is_refused(struct bench *b, const char *words)
{
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	if (!strstr(rkt_error_message(b->err), words))
		fail_msg("'%s' is not in: %s", words, rkt_error_message(b->err));
}

/* What is in the image that was made: type, mode, owner, path, link, data. */
static const char *listing(struct bench *b)
{
	auto_image image_reader *image = NULL;
	const struct image_entry *e;
	struct slice block;
	int more;

	assert_int_equal(lseek(b->out, 0, SEEK_SET), 0);
	image = image_open(source_from_fd(dup(b->out)), NULL);
	while ((more = image_next(image, &e, &b->err)) > 0) {
		buf_printf(&b->listing, "%d %o %u '%s'%s%s", e->tar->type, e->tar->mode,
			e->tar->uid, e->path, e->hard_link ? " to " : "",
			e->hard_link ? e->hard_link : "");
		while (image_data(image, &block, NULL) > 0)
			buf_printf(&b->listing, " %.*s", (int)block.len, (const char *)block.data);
		buf_append_text(&b->listing, "\n");
	}
	assert_ok(more, b->err);
	return buf_text(&b->listing);
}

static void a_tar_becomes_what_is_below_the_rootfs(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_DIR, "etc", NULL);
	tars_add(&b->tar, TAR_FILE, "etc/motd", "hello");
	tars_add(&b->tar, TAR_HARDLINK, "etc/issue", "etc/motd");
	tars_add(&b->tar, TAR_SYMLINK, "link", "etc/motd");
	tars_end(&b->tar);
	assert_ok(build(b), b->err);
	assert_string_equal(listing(b), "5 755 0 ''\n5 755 0 'etc'\n0 644 0 'etc/motd' hello\n"
					"1 644 0 'etc/issue' to etc/motd\n2 777 0 'link'\n");
}

static void the_root_keeps_its_own_entry(void **state)
{
	struct bench *b = *state;
	const struct tar_entry root = { .path = ".", .type = TAR_DIR, .mode = 0700, .uid = 7 };

	tars_add_entry(&b->tar, root, NULL);
	tars_end(&b->tar);
	assert_ok(build(b), b->err);
	assert_string_equal(listing(b), "5 700 7 ''\n");
}

static void an_empty_tar_is_an_image_of_an_empty_root(void **state)
{
	struct bench *b = *state;

	tars_end(&b->tar);
	assert_ok(build(b), b->err);
	assert_string_equal(listing(b), "5 755 0 ''\n");
}

static void what_is_excluded_stays_out(void **state)
{
	static const char *const excludes[] = { "*.bak", "/var", NULL };
	struct bench *b = *state;

	b->options.excludes = excludes;
	tars_add(&b->tar, TAR_FILE, "a.bak", "x");
	tars_add(&b->tar, TAR_DIR, "var", NULL);
	tars_add(&b->tar, TAR_FILE, "var/x", "x");
	tars_add(&b->tar, TAR_DIR, "etc", NULL);
	tars_add(&b->tar, TAR_DIR, "etc/var", NULL);
	tars_end(&b->tar);
	assert_ok(build(b), b->err);
	assert_string_equal(listing(b), "5 755 0 ''\n5 755 0 'etc'\n5 755 0 'etc/var'\n");
}

static void a_late_entry_of_the_root_is_refused(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FILE, "a", "x");
	tars_add(&b->tar, TAR_DIR, ".", NULL);
	tars_end(&b->tar);
	assert_int_equal(build(b), -1);
	is_refused(b, "the entry of the root comes after others");
}

static void a_name_twice_is_refused_s_007(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FILE, "a", "x");
	tars_add(&b->tar, TAR_FILE, "a", "y");
	tars_end(&b->tar);
	assert_int_equal(build(b), -1);
	is_refused(b, "reading back the finished image");
}

static void a_truncated_tar_is_refused_s_005(void **state)
{
	struct bench *b = *state;

	tars_add(&b->tar, TAR_FILE, "a", "x");
	assert_int_equal(build(b), -1);
	is_refused(b, "truncated");
}

static void limits_hold_for_what_is_read_and_what_is_made_s_012(void **state)
{
	struct bench *b = *state;
	struct image_limits limits = image_limits_default();

	b->options.limits = &limits;
	tars_add(&b->tar, TAR_FILE, "a", "x");
	tars_end(&b->tar);
	limits.tar.entries_max = 3; /* with the manifest and the rootfs */
	assert_ok(build(b), b->err);
	limits.tar.entries_max = 2;
	assert_int_equal(ftruncate(b->out, 0) | (int)lseek(b->out, 0, SEEK_SET), 0);
	assert_int_equal(build(b), -1);
	is_refused(b, "reading back the finished image");
}

/* ---- another manifest ------------------------------------------------------------------------ */

static int make_longer(void *context, struct slice old, struct buf *ret, rkt_error **err)
{
	(void)context;
	(void)err;
	buf_append(ret, old.data, old.len - 1);
	buf_append_text(ret, ", \"labels\": []}");
	return 0;
}

static int keep(void *context, struct slice old, struct buf *ret, rkt_error **err)
{
	(void)context;
	(void)err;
	buf_append(ret, old.data, old.len);
	return 0;
}

static int make_bad(void *context, struct slice old, struct buf *ret, rkt_error **err)
{
	(void)context;
	(void)old;
	(void)err;
	buf_append_text(ret, "{}");
	return 0;
}

static int give_up(void *context, struct slice old, struct buf *ret, rkt_error **err)
{
	(void)context;
	(void)old;
	(void)ret;
	return rkt_fail(err, RKT_INVALID, "no idea what to change");
}

typedef int edit_fn(void *context, struct slice old, struct buf *ret, rkt_error **err);

static int patch(struct bench *b, edit_fn *edit)
{
	const struct build_patch how = { edit, NULL };

	tars_begin(&b->tar);
	tars_add(&b->tar, TAR_FILE, "rootfs/a", "hello");
	tars_end(&b->tar);
	return build_image_patched(
		source_from_memory(buf_slice(&b->tar)), &how, b->out, &b->options, &b->id, &b->err);
}

static void no_change_gives_the_same_bytes(void **state)
{
	struct bench *b = *state;
	uint8_t got[16384];

	assert_ok(patch(b, keep), b->err);
	assert_int_equal(pread(b->out, got, sizeof got, 0), b->tar.len);
	assert_memory_equal(got, b->tar.data, b->tar.len);
}

static void a_change_moves_nothing_else(void **state)
{
	struct bench *b = *state;

	assert_ok(patch(b, make_longer), b->err);
	assert_string_equal(listing(b), "5 755 0 ''\n0 644 0 'a' hello\n");
}

static void a_change_that_makes_no_manifest_is_refused(void **state)
{
	struct bench *b = *state;

	assert_int_equal(patch(b, make_bad), -1);
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	/* before anything of it is written */
	assert_null(strstr(rkt_error_message(b->err), "reading back"));
}

static void who_edits_may_refuse(void **state)
{
	struct bench *b = *state;

	assert_int_equal(patch(b, give_up), -1);
	is_refused(b, "no idea what to change");
}

static void a_manifest_beyond_the_limit_is_not_changed_s_012(void **state)
{
	struct bench *b = *state;
	struct image_limits limits = image_limits_default();

	b->options.limits = &limits;
	limits.manifest_max = strlen(tars_manifest) - 1;
	assert_int_equal(patch(b, keep), -1);
	is_refused(b, "the manifest has more than");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_tar_becomes_what_is_below_the_rootfs),
		CASE(the_root_keeps_its_own_entry),
		CASE(an_empty_tar_is_an_image_of_an_empty_root),
		CASE(what_is_excluded_stays_out),
		CASE(a_late_entry_of_the_root_is_refused),
		CASE(a_name_twice_is_refused_s_007),
		CASE(a_truncated_tar_is_refused_s_005),
		CASE(limits_hold_for_what_is_read_and_what_is_made_s_012),
		CASE(no_change_gives_the_same_bytes),
		CASE(a_change_moves_nothing_else),
		CASE(a_change_that_makes_no_manifest_is_refused),
		CASE(who_edits_may_refuse),
		CASE(a_manifest_beyond_the_limit_is_not_changed_s_012),
	};

	return cmocka_run_group_tests_name("build_tar", tests, NULL, NULL);
}
