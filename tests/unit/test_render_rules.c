/* What render_rules_entry() says of an entry is what the index makes of it: over the whole corpus,
 * and for entries that only a walker with other limits would let through. */
#include "aci/render_rules.h"

#include "tests/unit/corpus.h"

#include "aci/layout.h"
#include "aci/unpack.h"
#include "store/index/index.h"

#define TIB (UINT64_C(1) << 40)

static void check_one(struct render_rules *rules, const struct image_entry *entry)
{
	rkt_error *err = NULL;

	assert_ok(render_rules_entry(rules, entry, &err), err);
}

/* ---- one by one ------------------------------------------------------------------------------ */

/* The rule that ENTRY breaks, or NULL; and the index must agree. */
static const char *rule_of(struct tar_entry *tar)
{
	const struct image_entry entry = { .path = "a", .tar = tar };
	auto_check check *found = check_new(CHECK_ALL);
	struct render_rules rules = { .found = found };
	auto_index index_builder *index = index_new();
	auto_error rkt_error *err = NULL;
	const struct finding *first;
	int added;

	tar->path = "rootfs/a";
	check_one(&rules, &entry);
	added = index_add(index, &entry, &err);
	assert_int_equal(added<0, check_count(found, SEVERITY_ERROR)> 0);
	first = check_get(found, 0);
	return first ? first->rule->name : NULL;
}

static void data_end_within_2_tib(void **state)
{
	struct tar_entry last = { .size = 512, .data_offset = 2 * TIB - 3 * 512 };
	struct tar_entry beyond = { .size = 513, .data_offset = 2 * TIB - 3 * 512 };
	struct tar_entry far = { .size = 1, .data_offset = 4 * TIB };
	struct tar_entry large = { .size = UINT64_MAX, .data_offset = 512 };

	(void)state;
	assert_null(rule_of(&last));
	assert_string_equal(rule_of(&beyond), "render-data-end");
	assert_string_equal(rule_of(&far), "render-data-end");
	assert_string_equal(rule_of(&large), "render-data-end");
}

static const char *rule_of_runs(uint64_t size, const struct tar_extent *runs, size_t count)
{
	struct tar_entry tar = { .size = size, .data_offset = 512, .sparse = true };

	tar.extents = runs;
	tar.extent_count = count;
	for (size_t i = 0; i < count; i++)
		tar.stored += runs[i].len;
	return rule_of(&tar);
}

static void runs_of_sparse_files_are_blocks(void **state)
{
	const struct tar_extent blocks[] = { { 512, 512 }, { 4096, 100 } };
	const struct tar_extent odd_start[] = { { 100, 512 } };
	const struct tar_extent odd_len[] = { { 0, 100 }, { 512, 100 } };

	(void)state;
	assert_null(rule_of_runs(1 << 20, NULL, 0));
	assert_null(rule_of_runs(1 << 20, blocks, 2));
	assert_string_equal(rule_of_runs(1 << 20, odd_start, 1), "render-sparse");
	assert_string_equal(rule_of_runs(1 << 20, odd_len, 2), "render-sparse");
}

static void sparse_files_have_not_too_many_pieces(void **state)
{
	const struct tar_extent second[] = { { 512, 512 } }, far[] = { { TIB / 512, TIB / 512 } };
	const uint64_t most = UINT64_C(4194304) * 512;

	(void)state;
	assert_null(rule_of_runs(most, second, 1));
	assert_string_equal(rule_of_runs(most + 1, second, 1), "render-sparse");
	assert_null(rule_of_runs(TIB, far, 1));
}

static void the_device_of_overlayfs_is_refused(void **state)
{
	struct tar_entry whiteout = { .type = TAR_CHAR };
	struct tar_entry null = { .type = TAR_CHAR, .major = 1, .minor = 3 };
	struct tar_entry block = { .type = TAR_BLOCKDEV };

	(void)state;
	assert_string_equal(rule_of(&whiteout), "render-device");
	assert_null(rule_of(&null));
	assert_null(rule_of(&block));
}

static const char *rule_of_xattr(enum tar_type type, const char *name, struct slice value)
{
	const struct tar_xattr xattr = { name, value };
	struct tar_entry tar = {
		.type = type, .link = "x", .mode = 0644, .xattrs = &xattr, .xattr_count = 1
	};

	return rule_of(&tar);
}

#define TEXT(text) ((struct slice){ (const uint8_t *)(text), sizeof(text) - 1 })

static void attributes_are_small(void **state)
{
	static uint8_t bytes[65536];
	char name[300] = "user.";

	(void)state;
	memset(name + 5, 'x', 250);
	assert_null(rule_of_xattr(TAR_FILE, name, TEXT("1")));
	name[255] = 'x';
	assert_string_equal(rule_of_xattr(TAR_FILE, name, TEXT("1")), "render-xattr");
	assert_null(rule_of_xattr(TAR_DIR, "user.x", (struct slice){ bytes, 65535 }));
	assert_string_equal(
		rule_of_xattr(TAR_DIR, "user.x", (struct slice){ bytes, 65536 }), "render-xattr");
}

static void what_is_left_out_is_a_warning(void **state)
{
	static const char lost[] = "render-attribute-lost";

	(void)state;
	assert_string_equal(rule_of_xattr(TAR_FILE, "security.selinux", TEXT("x")), lost);
	assert_string_equal(rule_of_xattr(TAR_FILE, "trusted.overlay.opaque", TEXT("y")), lost);
	assert_string_equal(rule_of_xattr(TAR_FILE, "btrfs.x", TEXT("x")), lost);
	assert_string_equal(rule_of_xattr(TAR_FILE, "user.", TEXT("x")), lost);
	assert_string_equal(rule_of_xattr(TAR_SYMLINK, "user.x", TEXT("x")), lost);
	assert_string_equal(rule_of_xattr(TAR_FILE, "SCHILY.acl.access",
				    TEXT("user::r--,user:alice:r--,group::r--,mask::r--,other::-")),
		lost);
	assert_null(rule_of_xattr(TAR_FILE, "security.capability", TEXT("x")));
	assert_null(rule_of_xattr(TAR_SYMLINK, "trusted.x", TEXT("x")));
}

static void acls_are_whole(void **state)
{
	(void)state;
	assert_null(rule_of_xattr(
		TAR_FILE, "SCHILY.acl.access", TEXT("user::rw-,group::r--,other::---")));
	assert_string_equal(
		rule_of_xattr(TAR_FILE, "SCHILY.acl.access", TEXT("user::rw-")), "render-acl");
	assert_string_equal(
		rule_of_xattr(TAR_DIR, "SCHILY.acl.default", TEXT("nonsense")), "render-acl");
	assert_string_equal(
		rule_of_xattr(TAR_FILE, "system.posix_acl_access", TEXT("\2\0\0")), "render-acl");
}

static void a_hard_link_has_nothing_of_its_own(void **state)
{
	const struct tar_entry tar = { .type = TAR_CHAR, .path = "rootfs/b" };
	const struct image_entry link = { .path = "b", .hard_link = "a", .tar = &tar };
	auto_check check *found = check_new(CHECK_ALL);
	struct render_rules rules = { .found = found };

	(void)state;
	check_one(&rules, &link);
	assert_null(check_get(found, 0));
}

static void entries_of_layouts_have_no_offset(void **state)
{
	struct tar_entry tar = { .type = TAR_CHAR, .path = "rootfs/b", .header_offset = 1024 };
	const struct image_entry entry = { .path = "b", .tar = &tar };
	auto_check check *found = check_new(CHECK_ALL);
	struct render_rules rules = { .found = found };

	(void)state;
	check_one(&rules, &entry);
	tar.header_offset = LAYOUT_NO_OFFSET;
	check_one(&rules, &entry);
	assert_int_equal(check_get(found, 0)->offset, 1024);
	assert_false(check_get(found, 1)->has_offset);
}

/* ---- the corpus ------------------------------------------------------------------------------ */

/* Both look at every entry of an archive, up to the first that one of them refuses. */
static unsigned compare(const char *name, struct slice bytes)
{
	auto_check check *found = check_new(CHECK_ALL);
	struct render_rules rules = { .found = found };
	auto_index index_builder *index = index_new();
	source *in = source_unpack(source_from_memory(bytes), &unpack_limits_default, NULL, NULL);
	auto_image image_reader *image = in ? image_open(in, NULL) : NULL;
	const struct image_entry *entry;
	unsigned count = 0;

	while (image && image_next(image, &entry, NULL) > 0) {
		auto_error rkt_error *err = NULL;
		int added = index_add(index, entry, &err);

		check_one(&rules, entry);
		count++;
		if ((added < 0) != (check_count(found, SEVERITY_ERROR) > 0))
			fail_msg("%s: %s: the index says \"%s\"", name, entry->path,
				err ? rkt_error_message(err) : "good");
		if (added < 0)
			break;
	}
	return count;
}

static void corpus_is_judged_as_by_the_index(void **state)
{
	const struct corpus *corpus = *state;
	auto_buf struct buf list = { 0 }, bytes = { 0 };
	char *rest = NULL;
	unsigned entries = 0;

	corpus_read(corpus, "EXPECTED", &list);
	buf_text(&list);
	for (char *line = strtok_r((char *)list.data, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		*strchrnul(line, '\t') = '\0';
		corpus_read(corpus, line, &bytes);
		entries += compare(line, buf_slice(&bytes));
	}
	assert_true(entries > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_end_within_2_tib),
		cmocka_unit_test(runs_of_sparse_files_are_blocks),
		cmocka_unit_test(sparse_files_have_not_too_many_pieces),
		cmocka_unit_test(the_device_of_overlayfs_is_refused),
		cmocka_unit_test(attributes_are_small),
		cmocka_unit_test(what_is_left_out_is_a_warning),
		cmocka_unit_test(acls_are_whole),
		cmocka_unit_test(a_hard_link_has_nothing_of_its_own),
		cmocka_unit_test(entries_of_layouts_have_no_offset),
		cmocka_unit_test(corpus_is_judged_as_by_the_index),
	};

	return cmocka_run_group_tests_name("render rules", tests, corpus_make, corpus_remove);
}
