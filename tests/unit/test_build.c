/* Claims about building: what goes in comes out, and the same content gives the same bytes. */
#include "aci/build.h"

#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "tests/unit/tars.h"
#include "aci/build_attrs.h"
#include "base/fd.h"

struct bench {
	char path[256];
	int dir, out;
	struct build_options options;
	rkt_image_id id;
	rkt_error *err;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	b->dir = scratch_make(b->path);
	b->out = -1;
	b->options.compression = COMPRESSION_GZIP;
	b->options.mtime_max_sec = INT64_MAX;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	scratch_remove(b->path);
	close(b->dir);
	scope_close(&b->out);
	rkt_error_free(b->err);
	free(b);
	return 0;
}

static void make_file(const struct bench *b, const char *path, const char *content)
{
	auto_fd int fd = openat(b->dir, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
}

static int build(struct bench *b)
{
	const struct slice manifest = { (const uint8_t *)tars_manifest, strlen(tars_manifest) };

	scope_close(&b->out);
	b->out = fileno(tmpfile());
	return build_image(manifest, b->dir, b->out, &b->options, &b->id, &b->err);
}

static void must_build(struct bench *b)
{
	assert_ok(build(b), b->err);
}

/* Opens what was built. */
static image_reader *open_built(const struct bench *b)
{
	source *in;

	assert_int_equal(lseek(b->out, 0, SEEK_SET), 0);
	in = source_unpack(source_from_fd(dup(b->out)), &unpack_limits_default, NULL, NULL);
	assert_non_null(in);
	return image_open(in, NULL);
}

/* Goes to the entry PATH of what was built, which must be there. Lent by IMAGE. */
static const struct image_entry *find(image_reader *image, const char *path)
{
	const struct image_entry *entry;

	while (image_next(image, &entry, NULL) > 0)
		if (strcmp(entry->path, path) == 0)
			return entry;
	fail_msg("no entry %s", path);
	abort(); /* cmocka does not tell the compiler that a failure ends the test */
}

static void names_are_sorted_and_the_manifest_is_first(void **state)
{
	static const char *const expected[] = { "", "a", "a/z", "a-b", "b" };
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;

	make_file(b, "b", "");
	make_file(b, "a-b", "");
	assert_int_equal(mkdirat(b->dir, "a", 0755), 0);
	make_file(b, "a/z", "");
	must_build(b);
	image = open_built(b);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_int_equal(image_next(image, &entry, NULL), 1);
		assert_string_equal(entry->path, expected[i]);
		assert_true(image_manifest_bytes(image).len > 0);
	}
	assert_int_equal(image_next(image, &entry, NULL), 0);
}

static void the_id_is_that_of_the_file(void **state)
{
	struct bench *b = *state;
	rkt_image_id id;

	make_file(b, "a", "x");
	must_build(b);
	assert_int_equal(lseek(b->out, 0, SEEK_SET), 0);
	assert_int_equal(rkt_image_id_of_fd(b->out, &id, NULL), 0);
	assert_string_equal(id.text, b->id.text);
}

static void compression_does_not_change_the_id(void **state)
{
	struct bench *b = *state;
	rkt_image_id id;

	make_file(b, "a", "x");
	must_build(b);
	id = b->id;
	for (int kind = COMPRESSION_NONE; kind <= COMPRESSION_ZSTD; kind++) {
		if (kind == COMPRESSION_BZIP2)
			continue;
		b->options.compression = (enum compression)kind;
		must_build(b);
		assert_string_equal(b->id.text, id.text);
	}
}

static void the_same_content_gives_the_same_bytes(void **state)
{
	struct bench *b = *state;
	auto_buf struct buf first = { 0 }, second = { 0 };

	b->options.mtime_max_sec = TARS_MTIME;
	make_file(b, "a", "x");
	must_build(b);
	assert_int_equal(lseek(b->out, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_rest(b->out, 1 << 20, &first, NULL), 0);
	assert_int_equal(unlinkat(b->dir, "a", 0), 0);
	sleep(1); /* gzip's own time stamp has seconds */
	make_file(b, "a", "x");
	must_build(b);
	assert_int_equal(lseek(b->out, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_rest(b->out, 1 << 20, &second, NULL), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
}

static void times_are_clamped_and_earlier_ones_kept(void **state)
{
	const struct timespec early[2] = { { 5, 7 }, { 5, 7 } };
	struct bench *b = *state;
	auto_image image_reader *image = NULL, *again = NULL;

	b->options.mtime_max_sec = TARS_MTIME;
	make_file(b, "early", "");
	make_file(b, "late", "");
	assert_int_equal(utimensat(b->dir, "early", early, 0), 0);
	must_build(b);
	image = open_built(b);
	assert_int_equal(find(image, "early")->tar->mtime_nsec, 7);
	again = open_built(b);
	assert_int_equal(find(again, "late")->tar->mtime_sec, TARS_MTIME);
}

static void large_and_negative_numbers_come_back(void **state)
{
	const struct timespec times[2] = { { -2, 250000000 }, { -2, 250000000 } };
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;

	make_file(b, "a", "");
	assert_int_equal(utimensat(b->dir, "a", times, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(b->dir, "a", 4294967294u, 2097152, 0), 0);
	must_build(b);
	image = open_built(b);
	entry = find(image, "a");
	assert_int_equal(entry->tar->mtime_sec, -2);
	assert_int_equal(entry->tar->mtime_nsec, 250000000);
	if (geteuid() == 0) {
		assert_int_equal(entry->tar->uid, 4294967294u);
		assert_int_equal(entry->tar->gid, 2097152);
	}
}

static void root_owned_leaves_no_other_owner(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;

	make_file(b, "a", "");
	if (geteuid() == 0)
		assert_int_equal(fchownat(b->dir, "a", 1234, 1234, 0), 0);
	b->options.root_owned = true;
	must_build(b);
	image = open_built(b);
	entry = find(image, "a");
	assert_int_equal(entry->tar->uid + entry->tar->gid, 0);
}

/* Directories and symbolic links around the ustar limits of 100 and 155 bytes. */
static void names_of_every_length_come_back(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	char name[256], below[300];
	size_t count = 0;

	for (size_t len = 80; len <= 250; len += 1) {
		memset(name, 'x', len);
		name[len] = '\0';
		snprintf(below, sizeof below, "%s/link", name);
		assert_int_equal(mkdirat(b->dir, name, 0755), 0);
		assert_int_equal(symlinkat(below, b->dir, below), 0);
	}
	must_build(b);
	image = open_built(b);
	while (image_next(image, &entry, NULL) > 0) {
		if (entry->tar->type == TAR_SYMLINK)
			assert_string_equal(entry->tar->link, entry->path);
		count++;
	}
	assert_int_equal(count, 1 + 2 * 171);
}

static void deep_paths_come_back(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	char path[1024] = "";

	for (int i = 0; i < 20; i++) {
		strcat(path, i ? "/a-directory-with-a-long-name" : "a-directory-with-a-long-name");
		assert_int_equal(mkdirat(b->dir, path, 0755), 0);
	}
	must_build(b);
	image = open_built(b);
	find(image, path);
}

static void names_of_any_bytes_come_back(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;

	make_file(b, "\xff\n\x1b[2J=%", "");
	must_build(b);
	image = open_built(b);
	find(image, "\xff\n\x1b[2J=%");
}

static void hard_links_are_found(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;

	make_file(b, "a", "x");
	assert_int_equal(linkat(b->dir, "a", b->dir, "b", 0), 0);
	must_build(b);
	image = open_built(b);
	entry = find(image, "b");
	assert_int_equal(entry->tar->type, TAR_HARDLINK);
	assert_string_equal(entry->hard_link, "a");
}

static void attributes_come_back(void **state)
{
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	auto_fd int fd = -1;

	make_file(b, "a", "");
	fd = openat(b->dir, "a", O_WRONLY);
	if (fsetxattr(fd, "user.b=%", "\0\n", 2, 0) < 0) {
		print_message("# this file system has no user attributes\n");
		skip();
	}
	must_build(b);
	image = open_built(b);
	entry = find(image, "a");
	assert_int_equal(entry->tar->xattr_count, 1);
	assert_string_equal(entry->tar->xattrs[0].name, "user.b=%");
	assert_memory_equal(entry->tar->xattrs[0].value.data, "\0\n", 2);
}

/* Whatever order the file system has them in: the reader sorts too, so this looks at the writer. */
static void attributes_are_sorted(void **state)
{
	static const char *const names[] = { "user.c", "user.bb", "user.aaa", "user.bbb",
		"user.a" };
	static const char *const sorted[] = { "user.a", "user.aaa", "user.bb", "user.bbb",
		"user.c" };
	struct bench *b = *state;
	__attribute__((cleanup(build_attrs_free))) struct build_attrs attrs = { 0 };
	auto_fd int fd = -1;

	make_file(b, "a", "");
	fd = openat(b->dir, "a", O_WRONLY);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fsetxattr(fd, names[i], "x", 1, 0) < 0) {
			print_message("# this file system has no user attributes\n");
			skip();
		}
	assert_ok(build_attrs_read(fd, &attrs, &b->err), b->err);
	assert_int_equal(attrs.count, ARRAY_LEN(sorted));
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
		assert_string_equal(attrs.items[i].name, sorted[i]);
}

static void acls_become_text(void **state)
{
	/* user::rw- user:7:r-- group::r-- mask::r-- other::--- */
	static const uint8_t acl[] = {
		2,
		0,
		0,
		0,
		0x01,
		0,
		6,
		0,
		255,
		255,
		255,
		255,
		0x02,
		0,
		4,
		0,
		7,
		0,
		0,
		0,
		0x04,
		0,
		4,
		0,
		255,
		255,
		255,
		255,
		0x10,
		0,
		4,
		0,
		255,
		255,
		255,
		255,
		0x20,
		0,
		0,
		0,
		255,
		255,
		255,
		255,
	};
	static const char text[] = "user::rw-,user:7:r--:7,group::r--,mask::r--,other::---";
	struct bench *b = *state;
	__attribute__((cleanup(build_attrs_free))) struct build_attrs attrs = { 0 };
	auto_fd int fd = -1;

	make_file(b, "a", "");
	fd = openat(b->dir, "a", O_WRONLY);
	if (fsetxattr(fd, "system.posix_acl_access", acl, sizeof acl, 0) < 0) {
		print_message("# this file system has no ACLs\n");
		skip();
	}
	assert_ok(build_attrs_read(fd, &attrs, &b->err), b->err);
	assert_int_equal(attrs.count, 1);
	assert_string_equal(attrs.items[0].name, "SCHILY.acl.access");
	assert_int_equal(attrs.items[0].value.len, strlen(text));
	assert_memory_equal(attrs.items[0].value.data, text, strlen(text));
}

static void what_is_excluded_stays_out(void **state)
{
	static const char *const excludes[] = { "*.o", "proc/?*", NULL };
	struct bench *b = *state;
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	size_t count = 0;

	make_file(b, "a.o", "");
	make_file(b, "a.c", "");
	assert_int_equal(mkdirat(b->dir, "proc", 0755), 0);
	make_file(b, "proc/1", "");
	b->options.excludes = excludes;
	must_build(b);
	image = open_built(b);
	while (image_next(image, &entry, NULL) > 0) {
		assert_null(strstr(entry->path, ".o"));
		assert_null(strstr(entry->path, "proc/"));
		count++;
	}
	assert_int_equal(count, 3); /* the root, a.c, proc */
}

static void a_socket_is_refused_by_name(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct bench *b = *state;
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/socket", b->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(build(b), -1);
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	assert_string_equal(rkt_error_message(b->err),
		"adding rootfs/socket: is a socket, which an image cannot hold");
}

static void a_wrong_manifest_is_refused_before_anything_is_written(void **state)
{
	struct bench *b = *state;
	struct stat st;

	b->out = fileno(tmpfile());
	assert_int_equal(build_image((struct slice){ (const uint8_t *)"{}", 2 }, b->dir, b->out,
				 &b->options, &b->id, &b->err),
		-1);
	assert_int_equal(rkt_error_kind(b->err), RKT_INVALID);
	assert_int_equal(fstat(b->out, &st), 0);
	assert_int_equal(st.st_size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_sorted_and_the_manifest_is_first),
		TEST(the_id_is_that_of_the_file),
		TEST(compression_does_not_change_the_id),
		TEST(the_same_content_gives_the_same_bytes),
		TEST(times_are_clamped_and_earlier_ones_kept),
		TEST(large_and_negative_numbers_come_back),
		TEST(root_owned_leaves_no_other_owner),
		TEST(names_of_every_length_come_back),
		TEST(deep_paths_come_back),
		TEST(names_of_any_bytes_come_back),
		TEST(hard_links_are_found),
		TEST(attributes_come_back),
		TEST(attributes_are_sorted),
		TEST(acls_become_text),
		TEST(what_is_excluded_stays_out),
		TEST(a_socket_is_refused_by_name),
		TEST(a_wrong_manifest_is_refused_before_anything_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
