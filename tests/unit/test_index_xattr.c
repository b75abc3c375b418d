/* Extended attributes and ACLs behind an inode: their bytes, what is left out, what is refused. */
#include "tests/unit/index_read.h"

#include "aci/acl.h"
#include "store/index/xattr.h"

#define SLICE(text) ((struct slice){ (const uint8_t *)(text), sizeof(text) - 1 })

static void make_body(
	struct xattr_body *body, enum tar_type type, const struct tar_xattr *xattrs, size_t count)
{
	struct tar_entry entry = {
		.type = type, .mode = 0644, .xattrs = xattrs, .xattr_count = count
	};
	rkt_error *err = NULL;

	assert_ok(xattr_body_make(body, &entry, &err), err);
}

static void assert_body_refused(const struct tar_xattr *xattrs, size_t count, const char *words)
{
	struct tar_entry entry = { .type = TAR_FILE, .xattrs = xattrs, .xattr_count = count };
	struct xattr_body body = { 0 };
	rkt_error *err = NULL;

	assert_int_equal(xattr_body_make(&body, &entry, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", rkt_error_message(err), words);
	rkt_error_free(err);
	xattr_body_free(&body);
}

static void entries_are_sorted_padded_and_without_prefix(void **state)
{
	static const struct tar_xattr xattrs[] = {
		{ "security.capability", { (const uint8_t *)"cap", 3 } },
		{ "trusted.t", { NULL, 0 } },
		{ "user.b", { (const uint8_t *)"12345", 5 } },
		{ "user.a", { (const uint8_t *)"v", 1 } },
	};
	static const uint8_t expected[] = "\0\0\0\0\0\0\0\0\0\0\0\0"
					  "\1\1\1\0av\0\0"
					  "\1\1\5\0b12345\0\0"
					  "\1\4\0\0t\0\0\0"
					  "\12\6\3\0capabilitycap\0\0\0";
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, xattrs, 4);
	assert_int_equal(body.bytes.len, sizeof expected - 1);
	assert_memory_equal(body.bytes.data, expected, sizeof expected - 1);
	assert_int_equal(body.icount, 1 + (sizeof expected - 1 - 12) / 4);
	assert_int_equal(body.dropped, 0);
	xattr_body_free(&body);
}

static void no_attributes_no_body(void **state)
{
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, NULL, 0);
	assert_int_equal(body.icount, 0);
	assert_int_equal(body.bytes.len, 0);
	xattr_body_free(&body);
}

static void what_would_act_on_the_host_is_left_out_and_counted(void **state)
{
	static const struct tar_xattr xattrs[] = {
		{ "security.SMACK64EXEC" },
		{ "security.ima" },
		{ "security.selinux" },
		{ "trusted.overlay.opaque" },
		{ "trusted.overlay.overlay.opaque" },
		{ "user.overlay.whiteout" },
	};
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_DIR, xattrs, ARRAY_LEN(xattrs));
	assert_int_equal(body.dropped, ARRAY_LEN(xattrs));
	assert_int_equal(body.icount, 0);
	xattr_body_free(&body);
}

static void what_cannot_be_read_back_is_left_out_and_counted(void **state)
{
	static const struct tar_xattr unknown[] = { { "btrfs.x" }, { "system.nfs4_acl" },
		{ "user." }, { "userx" } };
	static const struct tar_xattr on_link[] = { { "trusted.kept" }, { "user.x" } };
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, unknown, ARRAY_LEN(unknown));
	assert_int_equal(body.dropped, 4);
	assert_int_equal(body.icount, 0);
	make_body(&body, TAR_SYMLINK, on_link, ARRAY_LEN(on_link));
	assert_int_equal(body.dropped, 5);
	assert_int_not_equal(body.icount, 0);
	xattr_body_free(&body);
}

static void names_and_values_beyond_the_kernels_limits_are_refused(void **state)
{
	static uint8_t value[65536];
	char longest[257];
	struct tar_xattr xattr = { "user.x", { value, 65536 } };
	struct tar_xattr *many = calloc(300, sizeof *many);
	struct xattr_body body = { 0 };

	(void)state;
	assert_body_refused(&xattr, 1, "65535");
	xattr.value.len = 65535;
	make_body(&body, TAR_FILE, &xattr, 1);
	memset(longest, 'n', sizeof longest);
	memcpy(longest, "user.", 5);
	longest[256] = '\0';
	xattr = (struct tar_xattr){ longest, { 0 } };
	assert_body_refused(&xattr, 1, "255");
	longest[255] = '\0';
	make_body(&body, TAR_FILE, &xattr, 1);
	for (int i = 0; i < 300; i++)
		many[i].name = longest;
	assert_body_refused(many, 300, "names");
	for (int i = 0; i < 5; i++)
		many[i] = (struct tar_xattr){ "user.x", { value, 60000 } };
	assert_body_refused(many, 5, "too many");
	free(many);
	xattr_body_free(&body);
}

static void a_body_fits_between_inode_and_tail(void **state)
{
	struct fixture f = fixture_new();
	static uint8_t value[600];
	char path[32];

	(void)state;
	for (size_t len = 0; len < 600; len += 13) {
		struct tar_xattr xattr = { "trusted.x", { value, len } };

		snprintf(path, sizeof path, "link-%zu", len);
		add(&f, path,
			(struct tar_entry){ .type = TAR_SYMLINK,
				.link = "the target",
				.xattrs = &xattr,
				.xattr_count = 1 });
	}
	write_out(&f);
	for (size_t len = 0; len < 600; len += 13) {
		uint64_t nid;
		struct erofs_inode inode;

		snprintf(path, sizeof path, "link-%zu", len);
		nid = find(&f, path);
		inode = inode_at(&f, nid);
		assert_int_equal(
			body_of(&inode, nid) - nid * 32 - 64, 12 + (4 + 1 + len + 3) / 4 * 4);
		assert_memory_equal(bytes_at(&f, data_offset(&f, nid, 0), 10), "the target", 10);
	}
	fixture_free(&f);
}

static void a_chunk_behind_a_body_is_aligned_to_8(void **state)
{
	struct fixture f = fixture_new();
	char path[32];

	(void)state;
	for (size_t len = 0; len < 16; len++) {
		struct tar_xattr xattr = { "user.x", { (const uint8_t *)"0123456789abcdef", len } };

		snprintf(path, sizeof path, "file-%zu", len);
		add(&f, path,
			(struct tar_entry){ .type = TAR_FILE,
				.size = 512,
				.data_offset = 512,
				.xattrs = &xattr,
				.xattr_count = 1 });
	}
	f.blocks = 2;
	write_out(&f);
	for (size_t len = 0; len < 16; len++) {
		struct erofs_inode inode;
		const struct erofs_chunk *chunk;

		snprintf(path, sizeof path, "file-%zu", len);
		inode = inode_of(&f, path);
		chunk = bytes_at(&f, (body_of(&inode, find(&f, path)) + 7) / 8 * 8, sizeof *chunk);
		assert_int_equal(chunk->device, 1);
		assert_int_equal(chunk->block, 1);
	}
	fixture_free(&f);
}

/* ---- ACLs ---------------------------------------------------------------------------------- */

#define NO_ID "\377\377\377\377"

static void assert_acl(struct slice text, struct slice expected, uint64_t dropped)
{
	struct buf acl = { 0 };
	uint64_t count = 0;
	rkt_error *err = NULL;

	assert_ok(acl_from_text(text, &acl, &count, &err), err);
	assert_int_equal(acl.len, expected.len);
	if (expected.len)
		assert_memory_equal(acl.data, expected.data, expected.len);
	assert_int_equal(count, dropped);
	buf_free(&acl);
}

static void assert_acl_refused(struct slice text, const char *words)
{
	struct buf acl = { 0 };
	uint64_t count = 0;
	rkt_error *err = NULL;

	assert_int_equal(acl_from_text(text, &acl, &count, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", rkt_error_message(err), words);
	rkt_error_free(err);
	buf_free(&acl);
}

static void an_acl_text_becomes_the_kernels_form(void **state)
{
	static const char expected[] = "\2\0\0\0"
				       "\1\0\6\0" NO_ID "\2\0\7\0\350\3\0\0"
				       "\4\0\4\0" NO_ID "\10\0\1\0\12\0\0\0"
				       "\20\0\7\0" NO_ID "\40\0\0\0" NO_ID;

	(void)state;
	assert_acl(SLICE("user::rw-,user:1000:rwx,group::r--,group:10:--x,mask::rwx,other::---"),
		SLICE(expected), 0);
	assert_acl(SLICE("other:---\nmask:rwx\n g:10:x , group::r # comment\nu:1000:rwx\nu::rw-\n"),
		SLICE(expected), 0);
	assert_acl(SLICE("user::rw-,user:bob:rwx:1000,group::r--,group:wheel:--x:10,mask::rwx,"
			 "other::---"),
		SLICE(expected), 0);
}

static void acl_entries_of_unknown_names_are_dropped_and_counted(void **state)
{
	static const char expected[] =
		"\2\0\0\0"
		"\1\0\6\0" NO_ID "\4\0\4\0" NO_ID "\20\0\7\0" NO_ID "\40\0\0\0" NO_ID;

	(void)state;
	assert_acl(
		SLICE("user::rw-,user:alice:rwx,group::r--,group:staff:r--,mask::rwx,other::---"),
		SLICE(expected), 2);
}

static void an_empty_acl_is_none(void **state)
{
	(void)state;
	assert_acl(SLICE(""), SLICE(""), 0);
	assert_acl(SLICE("\n,\n# nothing\n"), SLICE(""), 0);
}

static void damaged_acl_texts_are_refused(void **state)
{
	(void)state;
	assert_acl_refused(SLICE("nonsense"), "cannot read \"nonsense\"");
	assert_acl_refused(SLICE("user::rwq"), "cannot read");
	assert_acl_refused(SLICE("user:"), "cannot read");
	assert_acl_refused(SLICE("other:5:rwx"), "cannot read");
	assert_acl_refused(SLICE("user:1:rwx:1:1"), "cannot read");
	assert_acl_refused(SLICE("user::rwx,group::r--"), "missing");
	assert_acl_refused(SLICE("user::rwx,user::r--,group::r--,other::---"), "twice");
	assert_acl_refused(
		SLICE("user::rwx,user:1:r--,user:1:rw-,group::r--,mask::r--,other::---"), "twice");
	assert_acl_refused(SLICE("user::rwx,user:1:r--,group::r--,other::---"), "mask");
}

static void assert_kernel_acl_refused(struct slice bytes)
{
	struct buf acl = { 0 };
	rkt_error *err = NULL;

	assert_int_equal(acl_from_kernel(bytes, &acl, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	rkt_error_free(err);
	buf_free(&acl);
}

static void damaged_acls_in_the_kernels_form_are_refused(void **state)
{
	(void)state;
	assert_kernel_acl_refused(SLICE(""));
	assert_kernel_acl_refused(SLICE("\2\0\0"));
	assert_kernel_acl_refused(SLICE("\1\0\0\0"));
	assert_kernel_acl_refused(SLICE("\2\0\0\0\1\0\6\0"));
	assert_kernel_acl_refused(SLICE("\2\0\0\0\1\0\6\0" NO_ID));
	assert_kernel_acl_refused(SLICE("\2\0\0\0\3\0\6\0" NO_ID));
	assert_kernel_acl_refused(SLICE("\2\0\0\0\1\0\10\0" NO_ID));
	assert_kernel_acl_refused(SLICE("\2\0\0\0\1\0\6\0" NO_ID "\2\0\6\0" NO_ID "\4\0\6\0" NO_ID
					"\20\0\6\0" NO_ID "\40\0\6\0" NO_ID));
}

static void an_acl_that_says_what_the_mode_says_is_not_stored(void **state)
{
	static const struct tar_xattr xattr = { "SCHILY.acl.access",
		{ (const uint8_t *)"user::rwx,group::r-x,other::--x", 31 } };
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, &xattr, 1);
	assert_int_equal(body.icount, 0);
	assert_int_equal(body.mode, 0751);
	assert_int_equal(body.dropped, 0);
	xattr_body_free(&body);
}

static void an_access_acl_sets_the_mode_by_its_mask(void **state)
{
	static const char text[] = "user::rw-,user:1:rwx,group::---,mask::r-x,other::--x";
	static const struct tar_xattr xattr = { "SCHILY.acl.access",
		{ (const uint8_t *)text, sizeof text - 1 } };
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, &xattr, 1);
	assert_int_equal(body.mode, 0651);
	assert_int_equal(body.bytes.len, 12 + 4 + 4 + 5 * 8);
	assert_int_equal(body.bytes.data[12], 0); /* no name beside the prefix */
	assert_int_equal(body.bytes.data[13], EROFS_XATTR_ACL_ACCESS);
	xattr_body_free(&body);
}

static void acls_where_there_can_be_none_are_left_out(void **state)
{
	static const char text[] = "user::rw-,group::r--,other::r--";
	static const struct tar_xattr xattrs[] = {
		{ "SCHILY.acl.default", { (const uint8_t *)text, sizeof text - 1 } },
	};
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, xattrs, 1);
	assert_int_equal(body.dropped, 1);
	assert_int_equal(body.icount, 0);
	make_body(&body, TAR_DIR, xattrs, 1);
	assert_int_equal(body.dropped, 1);
	assert_int_equal(body.bytes.data[13], EROFS_XATTR_ACL_DEFAULT);
	assert_int_equal(body.mode, 0644);
	xattr_body_free(&body);
}

static void the_kernels_form_of_an_acl_wins_over_the_text(void **state)
{
	static const struct tar_xattr xattrs[] = {
		{ "SCHILY.acl.access", { (const uint8_t *)"user:alice:rwx", 14 } },
		{ "system.posix_acl_access", { (const uint8_t *)"\2\0\0\0\1\0\7\0" NO_ID
								"\4\0\0\0" NO_ID "\40\0\0\0" NO_ID,
						     28 } },
	};
	struct xattr_body body = { 0 };

	(void)state;
	make_body(&body, TAR_FILE, xattrs, 2);
	assert_int_equal(body.mode, 0700);
	assert_int_equal(body.acl_names_dropped, 0);
	xattr_body_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_sorted_padded_and_without_prefix),
		cmocka_unit_test(no_attributes_no_body),
		cmocka_unit_test(what_would_act_on_the_host_is_left_out_and_counted),
		cmocka_unit_test(what_cannot_be_read_back_is_left_out_and_counted),
		cmocka_unit_test(names_and_values_beyond_the_kernels_limits_are_refused),
		cmocka_unit_test(a_body_fits_between_inode_and_tail),
		cmocka_unit_test(a_chunk_behind_a_body_is_aligned_to_8),
		cmocka_unit_test(an_acl_text_becomes_the_kernels_form),
		cmocka_unit_test(acl_entries_of_unknown_names_are_dropped_and_counted),
		cmocka_unit_test(an_empty_acl_is_none),
		cmocka_unit_test(damaged_acl_texts_are_refused),
		cmocka_unit_test(damaged_acls_in_the_kernels_form_are_refused),
		cmocka_unit_test(an_acl_that_says_what_the_mode_says_is_not_stored),
		cmocka_unit_test(an_access_acl_sets_the_mode_by_its_mask),
		cmocka_unit_test(acls_where_there_can_be_none_are_left_out),
		cmocka_unit_test(the_kernels_form_of_an_acl_wins_over_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
