/* Claims about reading whole images: what callers see, and each rule of the layout. */
#include "aci/image.h"

#include "tests/unit/tars.h"
#include "aci/digest.h"
#include "rkt/image.h"

/* One member of an archive in a table; a NULL path ends it. */
struct member {
	enum tar_type type;
	const char *path, *more;
};

static void add_all(struct buf *tar, const struct member *members)
{
	for (; members->path; members++)
		tars_add(tar, members->type, members->path, members->more);
	tars_end(tar);
}

static int read_all(image_reader *image, rkt_error **err)
{
	const struct image_entry *entry;
	int more;

	while ((more = image_next(image, &entry, err)) > 0)
		;
	return more;
}

/* Whether reading MEMBERS, with FOUND, reports a finding of RULE. */
static bool reports(const struct member *members, const char *rule, check *found)
{
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	const struct finding *finding;

	add_all(&tar, members);
	image = tars_open(&tar, found);
	(void)read_all(image, NULL);
	for (size_t i = 0; (finding = check_get(found, i)); i++)
		if (strcmp(finding->rule->name, rule) == 0)
			return true;
	return false;
}

/* ---- what callers see ------------------------------------------------------------------------ */

static void entries_are_named_below_the_rootfs(void **state)
{
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	rkt_error *err = NULL;

	(void)state;
	tars_begin(&tar);
	tars_add(&tar, TAR_FILE, "rootfs/a/b", "data");
	tars_add(&tar, TAR_HARDLINK, "./rootfs/c", "./rootfs/a/b");
	tars_end(&tar);
	image = tars_open(&tar, NULL);
	assert_ok(image_next(image, &entry, &err), err);
	assert_string_equal(entry->path, "");
	assert_ok(image_next(image, &entry, &err), err);
	assert_string_equal(entry->path, "a/b");
	assert_null(entry->hard_link);
	assert_ok(image_next(image, &entry, &err), err);
	assert_string_equal(entry->path, "c");
	assert_string_equal(entry->hard_link, "a/b");
	assert_int_equal(image_next(image, &entry, &err), 0);
}

static void data_are_those_of_the_entry(void **state)
{
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	struct slice block;

	(void)state;
	tars_begin(&tar);
	tars_add(&tar, TAR_FILE, "rootfs/a", "data");
	tars_end(&tar);
	image = tars_open(&tar, NULL);
	assert_int_equal(image_next(image, &entry, NULL), 1);
	assert_int_equal(image_next(image, &entry, NULL), 1);
	assert_int_equal(image_data(image, &block, NULL), 1);
	assert_int_equal(block.len, 4);
	assert_memory_equal(block.data, "data", 4);
	assert_int_equal(image_data(image, &block, NULL), 0);
}

static void the_manifest_may_come_last(void **state)
{
	static const struct member members[] = {
		{ TAR_DIR, "rootfs", NULL },
		{ TAR_FILE, "rootfs/a", "data" },
		{ TAR_FILE, "manifest", tars_manifest },
		{ 0 },
	};
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	rkt_error *err = NULL;

	(void)state;
	add_all(&tar, members);
	image = tars_open(&tar, NULL);
	assert_ok(read_all(image, &err), err);
	assert_string_equal(image_manifest(image)->name, "example.com/a");
	assert_int_equal(image_manifest_bytes(image).len, strlen(tars_manifest));
	assert_int_equal(image_entry_count(image), 3);
	assert_int_equal(image_tar_size(image), tar.len);
}

static void the_top_may_have_an_entry(void **state)
{
	static const struct member members[] = {
		{ TAR_DIR, "./", NULL },
		{ TAR_FILE, "./manifest", tars_manifest },
		{ TAR_DIR, "./rootfs/", NULL },
		{ 0 },
	};
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	rkt_error *err = NULL;

	(void)state;
	add_all(&tar, members);
	image = tars_open(&tar, NULL);
	assert_ok(read_all(image, &err), err);
}

/* ---- the rules (S-007, S-008) ---------------------------------------------------------------- */

/* clang-format off */
#define MANIFEST { TAR_FILE, "manifest", tars_manifest }
#define ROOTFS	 { TAR_DIR, "rootfs", NULL }
/* clang-format on */

static const struct {
	const char *rule;
	struct member members[6];
} breaches[] = {
	{ "layout-top", { MANIFEST, ROOTFS, { TAR_FILE, "other", "" } } },
	{ "layout-top", { MANIFEST, ROOTFS, { TAR_DIR, "rootfsx", NULL } } },
	{ "tar-format", { MANIFEST, ROOTFS, { TAR_SYMLINK, ".", "x" } } },
	{ "layout-manifest-missing", { ROOTFS } },
	{ "layout-manifest-type", { { TAR_SYMLINK, "manifest", "rootfs/m" }, ROOTFS } },
	{ "layout-manifest-type", { ROOTFS, { TAR_FILE, "rootfs/m", "{}" },
					  { TAR_HARDLINK, "manifest", "rootfs/m" } } },
	{ "layout-manifest-type", { { TAR_DIR, "manifest", NULL }, ROOTFS } },
	{ "layout-rootfs-missing", { MANIFEST } },
	{ "layout-rootfs-type", { MANIFEST, { TAR_FILE, "rootfs", "" } } },
	{ "layout-rootfs-type", { MANIFEST, { TAR_SYMLINK, "rootfs", "/" } } },
	{ "layout-rootfs-entry", { MANIFEST, { TAR_FILE, "rootfs/a", "" } } },
	{ "layout-duplicate",
		{ MANIFEST, ROOTFS, { TAR_FILE, "rootfs/a", "" }, { TAR_FILE, "rootfs/a", "" } } },
	{ "layout-duplicate", { MANIFEST, ROOTFS, { TAR_FILE, "rootfs/a", "" },
				      { TAR_DIR, "./rootfs//a/", NULL } } },
	{ "layout-duplicate", { MANIFEST, ROOTFS, MANIFEST } },
	{ "layout-duplicate", { MANIFEST, ROOTFS, { TAR_DIR, "./rootfs", NULL } } },
	{ "layout-hardlink-target",
		{ MANIFEST, ROOTFS, { TAR_HARDLINK, "rootfs/a", "rootfs/b" } } },
	{ "layout-hardlink-target",
		{ MANIFEST, ROOTFS, { TAR_HARDLINK, "rootfs/a", "rootfs/a" } } },
	{ "layout-hardlink-target", { MANIFEST, ROOTFS, { TAR_HARDLINK, "rootfs/a", "rootfs/b" },
					    { TAR_FILE, "rootfs/b", "" } } },
	{ "layout-hardlink-target", { MANIFEST, ROOTFS, { TAR_DIR, "rootfs/d", NULL },
					    { TAR_HARDLINK, "rootfs/a", "rootfs/d" } } },
	{ "layout-hardlink-target", { MANIFEST, ROOTFS, { TAR_SYMLINK, "rootfs/l", "x" },
					    { TAR_HARDLINK, "rootfs/a", "rootfs/l" } } },
	{ "layout-hardlink-target", { MANIFEST, ROOTFS, { TAR_FILE, "rootfs/f", "" },
					    { TAR_HARDLINK, "rootfs/a", "rootfs/f" },
					    { TAR_HARDLINK, "rootfs/b", "rootfs/a" } } },
	{ "layout-hardlink-target", { MANIFEST, ROOTFS, { TAR_HARDLINK, "rootfs/a", "rootfs" } } },
	{ "layout-hardlink-manifest",
		{ MANIFEST, ROOTFS, { TAR_HARDLINK, "rootfs/a", "manifest" } } },
	{ "layout-below-file", { MANIFEST, ROOTFS, { TAR_FILE, "rootfs/a", "" },
				       { TAR_FILE, "rootfs/a/b", "" } } },
	{ "layout-below-file", { MANIFEST, ROOTFS, { TAR_FILE, "rootfs/a/b", "" },
				       { TAR_FILE, "rootfs/a", "" } } },
	{ "layout-below-file", { MANIFEST, ROOTFS, { TAR_FIFO, "rootfs/a", NULL },
				       { TAR_FILE, "rootfs/a/b/c", "" } } },
	{ "layout-below-file", { MANIFEST, ROOTFS, { TAR_FILE, "manifest/a", "" } } },
	{ "layout-below-symlink", { MANIFEST, ROOTFS, { TAR_SYMLINK, "rootfs/a", "/" },
					  { TAR_FILE, "rootfs/a/b", "" } } },
	{ "tar-format", { MANIFEST, ROOTFS, { TAR_FILE, "rootfs/../x", "" } } },
};

static void each_breach_is_reported_by_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(breaches); i++) {
		auto_check check *found = check_new(CHECK_ALL);

		if (!reports(breaches[i].members, breaches[i].rule, found))
			fail_msg("breach %zu: no finding of %s", i, breaches[i].rule);
		assert_int_equal(
			check_count(found, SEVERITY_ERROR) + check_count(found, SEVERITY_WARNING),
			1);
	}
}

static void an_error_ends_the_reading_without_a_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(breaches); i++) {
		const struct check_rule *rule = check_rule_find(breaches[i].rule);
		auto_buf struct buf tar = { 0 };
		auto_image image_reader *image = NULL;
		auto_error rkt_error *err = NULL;

		add_all(&tar, breaches[i].members);
		image = tars_open(&tar, NULL);
		assert_int_equal(read_all(image, &err), rule->severity == SEVERITY_ERROR ? -1 : 0);
		if (err)
			assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	}
}

static void the_error_names_entry_and_reason(void **state)
{
	static const struct member members[] = {
		MANIFEST,
		ROOTFS,
		{ TAR_FILE, "rootfs/a\nb", "" },
		{ TAR_FILE, "rootfs/a\nb", "" },
		{ 0 },
	};
	auto_buf struct buf tar = { 0 };
	auto_image image_reader *image = NULL;
	auto_error rkt_error *err = NULL;

	(void)state;
	add_all(&tar, members);
	image = tars_open(&tar, NULL);
	assert_int_equal(read_all(image, &err), -1);
	assert_string_equal(rkt_error_message(err), "rootfs/a\\nb: is in the archive twice");
}

static void all_breaches_are_collected_and_left_out(void **state)
{
	static const struct member members[] = {
		{ TAR_FILE, "other", "" },
		{ TAR_FILE, "rootfs/a", "first" },
		{ TAR_FILE, "rootfs/a", "second" },
		{ TAR_FILE, "rootfs/z", "last" },
		{ 0 },
	};
	auto_buf struct buf tar = { 0 };
	auto_check check *found = check_new(CHECK_ALL);
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;

	(void)state;
	add_all(&tar, members);
	image = tars_open(&tar, found);
	assert_int_equal(image_next(image, &entry, NULL), 1);
	assert_string_equal(entry->path, "a");
	assert_int_equal(image_next(image, &entry, NULL), 1);
	assert_string_equal(entry->path, "z");
	assert_int_equal(image_next(image, &entry, NULL), 0);
	assert_int_equal(check_count(found, SEVERITY_ERROR), 3); /* top, duplicate, no manifest */
	assert_null(image_manifest(image));
}

static void a_refused_entry_makes_no_parents(void **state)
{
	static const struct member members[] = {
		MANIFEST,
		ROOTFS,
		{ TAR_HARDLINK, "rootfs/a/b", "rootfs/none" },
		{ TAR_FILE, "rootfs/a", "" },
		{ 0 },
	};
	auto_check check *found = check_new(CHECK_ALL);

	(void)state;
	assert_false(reports(members, "layout-below-file", found));
	assert_int_equal(check_count(found, SEVERITY_ERROR), 1);
}

static void a_symlink_that_was_replaced_is_still_an_entry(void **state)
{
	static const struct member members[] = {
		MANIFEST,
		ROOTFS,
		{ TAR_SYMLINK, "rootfs/a", "/" },
		{ TAR_FILE, "rootfs/a/b", "" },
		{ TAR_DIR, "rootfs/a", NULL },
		{ 0 },
	};
	auto_check check *found = check_new(CHECK_ALL);

	(void)state;
	assert_true(reports(members, "layout-duplicate", found));
}

static void a_manifest_beyond_1_mib_is_refused_unread(void **state)
{
	auto_buf struct buf tar = { 0 }, big = { 0 };
	auto_image image_reader *image = NULL;
	auto_error rkt_error *err = NULL;

	(void)state;
	while (big.len <= MANIFEST_SIZE_MAX)
		buf_append_text(
			&big, "                                                                ");
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&big));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_end(&tar);
	image = tars_open(&tar, NULL);
	assert_int_equal(read_all(image, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "the limit is 1048576"));
	assert_int_equal(image_manifest_bytes(image).len, 0);
}

static void a_wrong_manifest_is_a_finding_and_the_rest_is_read(void **state)
{
	static const struct member members[] = {
		{ TAR_FILE, "manifest", "{\"acKind\": \"ImageManifest\"}" },
		ROOTFS,
		{ TAR_FILE, "rootfs/a", "" },
		{ TAR_FILE, "rootfs/a", "" },
		{ 0 },
	};
	auto_check check *found = check_new(CHECK_ALL);

	(void)state;
	assert_true(reports(members, "layout-duplicate", found));
	assert_true(check_count(found, SEVERITY_ERROR) > 1);
}

/* ---- the image ID ---------------------------------------------------------------------------- */

static int file_of(const struct buf *bytes)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fd = dup(fileno(file));
	fclose(file);
	assert_int_equal(write(fd, bytes->data, bytes->len), bytes->len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void the_id_is_the_digest_of_the_tar(void **state)
{
	auto_buf struct buf tar = { 0 };
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX + 1];
	rkt_image_id id;
	rkt_error *err = NULL;
	auto_fd int fd = -1;

	(void)state;
	tars_begin(&tar);
	tars_end(&tar);
	fd = file_of(&tar);
	assert_ok(rkt_image_id_of_fd(fd, &id, &err), err);
	assert_int_equal(digest_add(sum, buf_slice(&tar), NULL), 0);
	assert_int_equal(digest_hex(sum, hex, NULL), 0);
	assert_memory_equal(id.text, "sha256-", 7);
	assert_string_equal(id.text + 7, hex);
	assert_int_equal(fcntl(fd, F_GETFD), 0); /* the caller's descriptor stays open */
}

static void what_is_no_image_has_no_id(void **state)
{
	auto_buf struct buf tar = { 0 };
	auto_error rkt_error *err = NULL;
	rkt_image_id id;
	auto_fd int fd = -1;

	(void)state;
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_end(&tar);
	fd = file_of(&tar);
	assert_int_equal(rkt_image_id_of_fd(fd, &id, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_named_below_the_rootfs),
		cmocka_unit_test(data_are_those_of_the_entry),
		cmocka_unit_test(the_manifest_may_come_last),
		cmocka_unit_test(the_top_may_have_an_entry),
		cmocka_unit_test(each_breach_is_reported_by_its_rule),
		cmocka_unit_test(an_error_ends_the_reading_without_a_check),
		cmocka_unit_test(the_error_names_entry_and_reason),
		cmocka_unit_test(all_breaches_are_collected_and_left_out),
		cmocka_unit_test(a_refused_entry_makes_no_parents),
		cmocka_unit_test(a_symlink_that_was_replaced_is_still_an_entry),
		cmocka_unit_test(a_manifest_beyond_1_mib_is_refused_unread),
		cmocka_unit_test(a_wrong_manifest_is_a_finding_and_the_rest_is_read),
		cmocka_unit_test(the_id_is_the_digest_of_the_tar),
		cmocka_unit_test(what_is_no_image_has_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
