/* Claims about what the walker says of archives it takes. Those it refuses: test_corpus.c. */
#include "aci/tar.h"

#include <inttypes.h>

#include "tests/unit/corpus.h"
#include "tests/unit/chunks.h"
#include "tests/unit/tars.h"

/* An archive of the corpus, opened, with the present entry. */
struct walk {
	struct buf bytes;
	tar_reader *tar;
	const struct tar_entry *entry;
};

static void walk_end(struct walk *walk)
{
	tar_free(walk->tar);
	buf_free(&walk->bytes);
}

#define auto_walk __attribute__((cleanup(walk_end)))

/* Opens the archive ok-NAME.aci and goes on to the INDEX-th member; 2 is the first after manifest
 * and rootfs. */
static struct walk walk_to(const struct corpus *corpus, const char *name, unsigned index)
{
	struct walk walk = { 0 };
	char file[128];
	rkt_error *err = NULL;

	snprintf(file, sizeof file, "ok-%s.aci", name);
	corpus_read(corpus, file, &walk.bytes);
	walk.tar = tar_open(source_from_memory(buf_slice(&walk.bytes)), NULL);
	for (unsigned i = 0; i <= index; i++) {
		assert_ok(tar_next(walk.tar, &walk.entry, &err), err);
		assert_non_null(walk.entry);
	}
	return walk;
}

static void assert_mtime(const struct corpus *corpus, const char *name, int64_t sec, uint32_t nsec)
{
	auto_walk struct walk walk = walk_to(corpus, name, 2);

	assert_int_equal(walk.entry->mtime_sec, sec);
	assert_int_equal(walk.entry->mtime_nsec, nsec);
}

static void times_have_nanoseconds_and_are_floored(void **state)
{
	assert_mtime(*state, "pax-mtime-fraction", 1418290200, 123456789);
	assert_mtime(*state, "pax-mtime-negative", -2, 500000000);
	assert_mtime(*state, "pax-mtime-long-fraction", -2, 999999999);
	assert_mtime(*state, "base256-mtime-negative", -1, 0);
}

static void global_header_holds_until_voided(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-global-mtime", 2);

	assert_int_equal(walk.entry->mtime_sec, 5);
	assert_int_equal(walk.entry->mtime_nsec, 500000000);
	assert_int_equal(walk.entry->uid, 7);
	/* an empty value in the member's own header voids it */
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 1);
	assert_int_equal(walk.entry->mtime_sec, 1418290200);
	assert_int_equal(walk.entry->uid, 7);
}

static void global_header_belongs_to_no_member(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-global-comment", 2);

	assert_int_equal(walk.entry->header_offset, 3 * 512 + 2 * 512);
	assert_int_equal(walk.entry->data_offset, walk.entry->header_offset + 512);
}

static void xattrs_are_sorted_and_raw(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-xattr-schily", 2);
	const struct tar_xattr *xattrs = walk.entry->xattrs;

	assert_int_equal(walk.entry->xattr_count, 2);
	assert_string_equal(xattrs[0].name, "user.a");
	assert_string_equal(xattrs[1].name, "user.b");
	assert_int_equal(xattrs[1].value.len, 4);
	assert_memory_equal(xattrs[1].value.data, "\0\1\n=", 4);
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 0);
}

static void assert_one_xattr(
	const struct corpus *corpus, const char *archive, const char *name, const char *value)
{
	auto_walk struct walk walk = walk_to(corpus, archive, 2);

	assert_int_equal(walk.entry->xattr_count, 1);
	assert_string_equal(walk.entry->xattrs[0].name, name);
	assert_int_equal(walk.entry->xattrs[0].value.len, strlen(value));
	assert_memory_equal(walk.entry->xattrs[0].value.data, value, strlen(value));
}

static void xattrs_of_all_writers_are_read(void **state)
{
	assert_one_xattr(*state, "pax-xattr-libarchive", "user.a", "hello");
	assert_one_xattr(*state, "pax-xattr-both", "user.a", "hello");
	assert_one_xattr(*state, "pax-xattr-empty-value", "user.a", "");
	assert_one_xattr(*state, "pax-xattr-encoded-name", "user.a=b%", "1");
	assert_one_xattr(*state, "pax-acl", "SCHILY.acl.access", "user::rw-,group::r--,other::r--");
}

static void xattrs_end_with_their_member(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-xattr-schily", 1);

	assert_int_equal(walk.entry->xattr_count, 0);
}

static void long_names_are_whole(void **state)
{
	static const char *const archives[] = { "gnu-long-name", "pax-path",
		"pax-agrees-with-gnu" };

	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		auto_walk struct walk walk = walk_to(*state, archives[i], 2);

		assert_int_equal(walk.entry->path_len, 7 + 3 * 80 + 2);
		assert_int_equal(strlen(walk.entry->path), walk.entry->path_len);
		assert_memory_equal(walk.entry->path, "rootfs/longlong", 15);
	}
}

static void names_are_normalised(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "name-dot-slash", 0);

	assert_string_equal(walk.entry->path, "manifest");
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 1);
	assert_string_equal(walk.entry->path, "");
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 1);
	assert_string_equal(walk.entry->path, "rootfs");
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 1);
	assert_string_equal(walk.entry->path, "rootfs/a/b");
}

static void hard_link_targets_are_normalised(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "hardlink-dot-slash", 3);

	assert_int_equal(walk.entry->type, TAR_HARDLINK);
	assert_string_equal(walk.entry->link, "rootfs/file");
}

static void symlink_targets_are_as_written(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "symlink", 2);

	assert_int_equal(walk.entry->type, TAR_SYMLINK);
	assert_string_equal(walk.entry->link, "/etc/../anything");
}

static void v7_directories_are_directories(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "v7-directory", 2);

	assert_int_equal(walk.entry->type, TAR_DIR);
	assert_string_equal(walk.entry->path, "rootfs/dir");
}

static void devices_have_numbers(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "devices", 2);

	assert_int_equal(walk.entry->type, TAR_CHAR);
	assert_int_equal(walk.entry->major, 1);
	assert_int_equal(walk.entry->minor, 3);
}

static void ids_go_to_the_last_but_one(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-ids", 2);
	auto_walk struct walk gnu = walk_to(*state, "base256-uid", 2);

	assert_int_equal(walk.entry->uid, UINT32_MAX - 1);
	assert_int_equal(walk.entry->gid, 3000000);
	assert_int_equal(gnu.entry->uid, UINT32_MAX - 1);
}

static void pax_size_counts(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "pax-size", 2);
	struct slice data;

	assert_int_equal(walk.entry->size, 5);
	assert_int_equal(tar_data(walk.tar, &data, NULL), 1);
	assert_int_equal(data.len, 5);
	assert_memory_equal(data.data, "12345", 5);
	assert_int_equal(tar_data(walk.tar, &data, NULL), 0);
}

static void data_are_lent_from_the_stream(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "ustar", 2);
	struct slice data;

	assert_int_equal(tar_data(walk.tar, &data, NULL), 1);
	assert_ptr_equal(data.data, walk.bytes.data + walk.entry->data_offset);
	assert_int_equal(data.len, 6);
}

static void offset_at_the_end_is_the_size(void **state)
{
	auto_walk struct walk walk = walk_to(*state, "end-megabyte", 2);

	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 0);
	assert_int_equal(tar_offset(walk.tar), walk.bytes.len);
	assert_int_equal(tar_next(walk.tar, &walk.entry, NULL), 0);
}

static void error_says_where(void **state)
{
	auto_buf struct buf bytes = { 0 };
	auto_tar tar_reader *tar = NULL;
	auto_error rkt_error *err = NULL;
	const struct tar_entry *entry;

	corpus_read(*state, "bad-name-dotdot-start.aci", &bytes);
	tar = tar_open(chunks(buf_slice(&bytes), 100, NULL), NULL);
	assert_int_equal(tar_next(tar, &entry, &err), 1);
	assert_int_equal(tar_next(tar, &entry, &err), 1);
	assert_int_equal(tar_next(tar, &entry, &err), -1);
	assert_string_equal(rkt_error_message(err), "tar offset 1536: ../x: a \"..\" in the path");
}

static void error_of_the_stream_is_its_own(void **state)
{
	auto_buf struct buf bytes = { 0 };
	auto_tar tar_reader *tar = NULL;
	auto_error rkt_error *err = NULL;
	const struct tar_entry *entry;

	corpus_read(*state, "ok-ustar.aci", &bytes);
	tar = tar_open(chunks((struct slice){ bytes.data, 700 }, 100, "no more tape"), NULL);
	assert_int_equal(tar_next(tar, &entry, &err), 1);
	assert_int_equal(tar_next(tar, &entry, &err), -1);
	assert_string_equal(rkt_error_message(err), "no more tape");
}

/* S-012 */
static void limit_of_members_holds(void **state)
{
	struct tar_limits limits = tar_limits_default;
	auto_buf struct buf bytes = { 0 };
	auto_tar tar_reader *tar = NULL;
	const struct tar_entry *entry;

	limits.entries_max = 2;
	corpus_read(*state, "ok-ustar.aci", &bytes);
	tar = tar_open(source_from_memory(buf_slice(&bytes)), &limits);
	assert_int_equal(tar_next(tar, &entry, NULL), 1);
	assert_int_equal(tar_next(tar, &entry, NULL), 1);
	assert_int_equal(tar_next(tar, &entry, NULL), -1);
}

/* ---- the same as other readers ------------------------------------------------------------- */

static void list_entry(const struct tar_entry *entry, struct buf *out)
{
	static const char *const types[] = {
		[TAR_FILE] = "file",
		[TAR_HARDLINK] = "hardlink",
		[TAR_SYMLINK] = "symlink",
		[TAR_CHAR] = "char",
		[TAR_BLOCKDEV] = "block",
		[TAR_DIR] = "dir",
		[TAR_FIFO] = "fifo",
	};

	buf_printf(out, "%s|%s|%s|%o|%u|%u|%" PRIu64 "|%" PRId64 "|%" PRIu64 "|%" PRIu64 "|",
		entry->path, entry->link ? entry->link : "", types[entry->type], entry->mode,
		entry->uid, entry->gid, entry->size, entry->mtime_sec, entry->header_offset,
		entry->data_offset);
	for (size_t i = 0; i < entry->xattr_count; i++)
		buf_printf(out, "%s%s=%.*s", i ? "," : "", entry->xattrs[i].name,
			(int)entry->xattrs[i].value.len, (const char *)entry->xattrs[i].value.data);
	buf_append_text(out, "\n");
}

static void list_as_we(int dir, struct buf *out)
{
	int fd = openat(dir, "tree.tar", O_RDONLY | O_CLOEXEC);
	auto_tar tar_reader *tar = tar_open(source_from_fd(fd), NULL);
	auto_error rkt_error *err = NULL;
	const struct tar_entry *entry;
	int got;

	while ((got = tar_next(tar, &entry, &err)) > 0)
		list_entry(entry, out);
	assert_ok(got, err);
}

static void list_as_python(const char *path, int dir, struct buf *out)
{
	auto_fd int list = openat(dir, "list", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const char *top = getenv("top_srcdir");
	char script[512], tar[512];
	rkt_error *err = NULL;

	snprintf(script, sizeof script, "%s/tests/unit/list-tar.py", top ? top : ".");
	snprintf(tar, sizeof tar, "%s/tree.tar", path);
	assert_int_equal(run((const char *const[]){ "python3", script, tar, NULL }, list), 0);
	assert_int_equal(lseek(list, 0, SEEK_SET), 0);
	assert_ok(fd_read_rest(list, 1 << 20, out, &err), err);
}

/* A tree with every kind of member that needs no root, packed by GNU tar in FORMAT. */
static const char make_tree[] =
	"set -e; umask 022; cd \"$0\"; rm -rf tree tree.tar; mkdir -p tree/empty; cd tree;"
	"long=$(printf 'n%.0s' $(seq 1 90));"
	"case $1 in v7) ;; *) mkdir -p $long; echo deep >$long/file;; esac;"
	"case $1 in gnu|posix) mkdir -p $long/$long/$long; echo deeper >$long/$long/$long/$long;"
	"	ln -s $long/$long/$long/$long far; ln $long/$long/$long/$long other;; esac;"
	"echo hello >file; ln file hard; ln -s file soft; mkfifo fifo; : >nothing; chmod 4755 file;"
	"head -c 1000000 /dev/zero >zeros; touch -d '1969-12-31 23:59:58.25 UTC' nothing;"
	"case $1 in posix|gnu) ;; *) touch -d '2001-01-01' nothing;; esac;"
	"setfattr -n user.test -v value file 2>/dev/null || :;"
	"cd ..; tar --format=$1 --sort=name --xattrs --xattrs-include=user.\\* -C tree -cf tree.tar . "
	"	2>/dev/null || tar --format=$1 --sort=name -C tree -cf tree.tar .";

static void walk_agrees_with_tarfile(const char *format)
{
	auto_buf struct buf ours = { 0 }, theirs = { 0 };
	char path[256];
	auto_fd int dir = scratch_make(path);

	assert_int_equal(
		run((const char *const[]){ "sh", "-c", make_tree, path, format, NULL }, -1), 0);
	list_as_we(dir, &ours);
	list_as_python(path, dir, &theirs);
	assert_string_equal(buf_text(&ours), buf_text(&theirs));
	assert_true(ours.len > 300);
	scratch_remove(path);
}

static void gnu_tar_in_gnu_format_reads_the_same(void **state)
{
	(void)state;
	walk_agrees_with_tarfile("gnu");
}

static void gnu_tar_in_posix_format_reads_the_same(void **state)
{
	(void)state;
	walk_agrees_with_tarfile("posix");
}

static void gnu_tar_in_ustar_format_reads_the_same(void **state)
{
	(void)state;
	walk_agrees_with_tarfile("ustar");
}

static void gnu_tar_in_v7_format_reads_the_same(void **state)
{
	(void)state;
	walk_agrees_with_tarfile("v7");
}

/* HEAD, ZEROS bytes of zeros, TAIL: more than memory or disk would want to hold. */
struct large_source {
	source base;
	struct slice head, tail;
	uint64_t zeros;
};

static int large_next(source *base, struct slice *ret, rkt_error **err)
{
	static const uint8_t zeros[SOURCE_BLOCK];
	struct large_source *self = (struct large_source *)base;

	(void)err;
	*ret = self->head;
	self->head = (struct slice){ 0 };
	if (!ret->len && self->zeros) {
		*ret = (struct slice){ zeros,
			self->zeros < SOURCE_BLOCK ? self->zeros : SOURCE_BLOCK };
		self->zeros -= ret->len;
	} else if (!ret->len) {
		*ret = self->tail;
		self->tail = (struct slice){ 0 };
	}
	return ret->len > 0;
}

static void large_release(source *base)
{
	(void)base;
}

/* A member of 8 GiB and a byte: the octal field cannot hold it. HEADER says so, in whatever
 * form. */
static void assert_large_member_is_read(struct buf *header)
{
	static const struct source_ops ops = { .next = large_next, .release = large_release };
	const uint64_t size = (UINT64_C(8) << 30) + 1;
	auto_buf struct buf tail = { 0 };
	struct large_source large = { .base.ops = &ops };
	const struct tar_entry *entry = NULL;
	rkt_error *err = NULL;

	tars_add(&tail, TAR_FILE, "after", "x");
	tars_end(&tail);
	large.head = buf_slice(header);
	large.tail = buf_slice(&tail);
	large.zeros = size + -size % TAR_BLOCK;
	auto_tar tar_reader *tar = tar_open(&large.base, NULL);
	assert_ok(tar_next(tar, &entry, &err), err);
	assert_int_equal(entry->size, size);
	assert_ok(tar_next(tar, &entry, &err), err);
	assert_string_equal(entry->path, "after");
	assert_int_equal(entry->size, 1);
	assert_int_equal(tar_next(tar, &entry, NULL), 0);
}

static void members_beyond_8_gib_are_read(void **state)
{
	const struct tar_entry entry = {
		.path = "large",
		.path_len = 5,
		.type = TAR_FILE,
		.size = (UINT64_C(8) << 30) + 1,
	};
	auto_buf struct buf by_us = { 0 }, by_gnu = { 0 };
	const struct tar_sink sink = { tars_append, &by_us };
	uint8_t *header;
	unsigned sum = 0;

	(void)state;
	assert_int_equal(tar_write_header(&sink, &entry, NULL), 0);
	assert_large_member_is_read(&by_us);
	/* base-256, as GNU tar writes it */
	tars_add(&by_gnu, TAR_FILE, "large", "");
	header = by_gnu.data;
	memcpy(header + 124, "\x80\0\0\0\0\0\0\x02\0\0\0\x01", 12);
	memset(header + 148, ' ', 8);
	for (unsigned i = 0; i < TAR_BLOCK; i++)
		sum += header[i];
	snprintf((char *)header + 148, 7, "%06o", sum);
	assert_large_member_is_read(&by_gnu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_have_nanoseconds_and_are_floored),
		cmocka_unit_test(global_header_holds_until_voided),
		cmocka_unit_test(global_header_belongs_to_no_member),
		cmocka_unit_test(xattrs_are_sorted_and_raw),
		cmocka_unit_test(xattrs_of_all_writers_are_read),
		cmocka_unit_test(xattrs_end_with_their_member),
		cmocka_unit_test(long_names_are_whole),
		cmocka_unit_test(names_are_normalised),
		cmocka_unit_test(hard_link_targets_are_normalised),
		cmocka_unit_test(symlink_targets_are_as_written),
		cmocka_unit_test(v7_directories_are_directories),
		cmocka_unit_test(devices_have_numbers),
		cmocka_unit_test(ids_go_to_the_last_but_one),
		cmocka_unit_test(pax_size_counts),
		cmocka_unit_test(members_beyond_8_gib_are_read),
		cmocka_unit_test(data_are_lent_from_the_stream),
		cmocka_unit_test(offset_at_the_end_is_the_size),
		cmocka_unit_test(error_says_where),
		cmocka_unit_test(error_of_the_stream_is_its_own),
		cmocka_unit_test(limit_of_members_holds),
		cmocka_unit_test(gnu_tar_in_gnu_format_reads_the_same),
		cmocka_unit_test(gnu_tar_in_posix_format_reads_the_same),
		cmocka_unit_test(gnu_tar_in_ustar_format_reads_the_same),
		cmocka_unit_test(gnu_tar_in_v7_format_reads_the_same),
	};

	return cmocka_run_group_tests_name("tar", tests, corpus_make, corpus_remove);
}
