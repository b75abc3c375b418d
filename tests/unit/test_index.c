/* The bytes of an index, by arithmetic: no kernel is asked. */
#include "tests/unit/index_read.h"

#include "store/index/chunks.h"
#include "store/index/plan.h"

static void the_size_is_a_multiple_of_65536(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char name[32];

		snprintf(name, sizeof name, "file-%d", i);
		add_file(&f, name, 1);
		if (i % 300)
			continue;
		write_out(&f);
		assert_int_equal(f.index.len % 65536, 0);
		assert_int_equal(super_of(&f).blocks * 512u, f.index.len);
		assert_int_equal(f.stats.size, f.index.len);
	}
	fixture_free(&f);
}

static void the_superblock_holds_nothing_of_the_host(void **state)
{
	static const uint8_t zero[64];
	struct fixture f = fixture_new();
	struct erofs_super super;

	(void)state;
	add_file(&f, "file", 1);
	write_out(&f);
	super = super_of(&f);
	assert_int_equal(super.magic, 0xe0f5e1e2);
	assert_int_equal(super.checksum, 0);
	assert_int_equal(super.feature_compat, 2);
	assert_int_equal(super.feature_incompat, 0xc);
	assert_int_equal(super.block_bits, 9);
	assert_int_equal(super.inodes, 2);
	assert_int_equal(super.epoch, 0);
	assert_int_equal(super.devices, 1);
	assert_int_equal(super.device_slot * 128, 1152);
	assert_memory_equal(super.uuid, zero, 16);
	assert_memory_equal(super.volume_name, zero, 16);
	assert_memory_equal(f.index.data, zero, sizeof zero);
	fixture_free(&f);
}

static void the_device_begins_where_the_index_ends(void **state)
{
	struct fixture f = fixture_new();
	const struct erofs_device *device;

	(void)state;
	add_file(&f, "file", 10000);
	write_out(&f);
	device = bytes_at(&f, 1152, sizeof *device);
	assert_int_equal(device->blocks, f.blocks);
	assert_int_equal(device->address, super_of(&f).blocks);
	fixture_free(&f);
}

static void the_root_comes_first(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof name, "d%d/file", i);
		add_file(&f, name, 1);
	}
	write_out(&f);
	assert_in_range(super_of(&f).root_nid, 1280 / 32, 1280 / 32 + 15);
	assert_int_equal(inode_at(&f, super_of(&f).root_nid).ino, 1);
	assert_int_equal(inode_at(&f, super_of(&f).root_nid).nlink, 102);
	fixture_free(&f);
}

/* Holds every name against the one before: strictly ascending, as unsigned bytes. */
struct order {
	struct found last;
	size_t count;
};

static void check_order(const struct found *found, void *context)
{
	struct order *order = context;
	size_t common = found->len < order->last.len ? found->len : order->last.len;
	int sign = memcmp(order->last.name, found->name, common);

	if (order->count++)
		assert_true(sign < 0 || (sign == 0 && order->last.len < found->len));
	order->last = *found;
}

static void names_are_in_one_order_over_all_blocks(void **state)
{
	struct fixture f = fixture_new();
	struct order order = { 0 };
	unsigned random = 1;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char one[] = { (char)byte, 0 }, dotted[] = { '.', (char)byte, 'x', 0 };

		if (byte == '/')
			continue;
		if (byte != '.')
			add_file(&f, one, 0);
		add_file(&f, dotted, 0);
	}
	for (int i = 0; i < 2000; i++) {
		char name[256];

		random = random * 1103515245 + 12345;
		snprintf(name, sizeof name, "%x-%0*d", random, 1 + i % 240, i);
		add_file(&f, name, 0);
	}
	write_out(&f);
	for_each_dirent(&f, super_of(&f).root_nid, check_order, &order);
	assert_int_equal(order.count, 2 + 253 + 254 + 2000);
	fixture_free(&f);
}

static void dot_and_dotdot_sort_with_the_others(void **state)
{
	struct fixture f = fixture_new();
	static const char *const expected[] = { "!", "-", ".", ".!", "..", "...", ".a", "a" };
	struct erofs_inode root;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		if (strcmp(expected[i], ".") != 0 && strcmp(expected[i], "..") != 0)
			add_file(&f, expected[i], 0);
	write_out(&f);
	root = inode_of(&f, "");
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct found found;

		assert_true(read_dirent(
			&f, data_offset(&f, super_of(&f).root_nid, 0), root.size, i, &found));
		assert_int_equal(found.len, strlen(expected[i]));
		assert_memory_equal(found.name, expected[i], found.len);
	}
	assert_int_equal(find(&f, "."), super_of(&f).root_nid);
	assert_int_equal(find(&f, ".."), super_of(&f).root_nid);
	fixture_free(&f);
}

static void a_block_is_filled_until_the_next_name_does_not_fit(void **state)
{
	struct fixture f = fixture_new();
	struct found found;
	size_t count = 0;

	(void)state;
	/* "." and ".." take 27 bytes, each of the others 12 + 18 = 30: 16 of them fit, not 17 */
	for (int i = 0; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof name, "name-%013d", i);
		add_file(&f, name, 0);
	}
	write_out(&f);
	while (read_dirent(&f, data_offset(&f, super_of(&f).root_nid, 0), 512, count, &found))
		count++;
	assert_int_equal(count, 2 + 16);
	/* 24 are left: 17 in the second block, 7 in the third */
	assert_int_equal(inode_of(&f, "").size, 2 * 512 + 7 * 30);
	fixture_free(&f);
}

static void the_longest_names_come_one_a_block(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	for (char first = 'a'; first < 'f'; first++) {
		char name[256];

		memset(name, 'n', 255);
		name[0] = first;
		name[255] = '\0';
		add_file(&f, name, 0);
	}
	write_out(&f);
	assert_int_equal(inode_of(&f, "").size, 4 * 512 + 12 + 255);
	fixture_free(&f);
}

static void every_symlink_length_reads_back_and_keeps_to_one_block(void **state)
{
	struct fixture f = fixture_new();
	char target[4096], path[32];

	(void)state;
	memset(target, 't', sizeof target);
	for (int len = 1; len <= 4095; len++) {
		target[len] = '\0';
		snprintf(path, sizeof path, "d%d/%d", len / 64, len);
		add_symlink(&f, path, target);
		target[len] = 't';
	}
	write_out(&f);
	for (int len = 1; len <= 4095; len++) {
		struct erofs_inode inode;
		uint64_t nid, at;

		snprintf(path, sizeof path, "d%d/%d", len / 64, len);
		nid = find(&f, path);
		inode = inode_at(&f, nid);
		at = data_offset(&f, nid, 0);
		assert_int_equal(inode.size, len);
		assert_memory_equal(bytes_at(&f, at, len), target, len);
		assert_int_equal(inode.mode, S_IFLNK | 0777);
		if (layout_of(&inode) == 2)
			assert_int_equal(nid * 32 / 512, (at + (uint64_t)len - 1) / 512);
		assert_int_equal(layout_of(&inode), len <= 448 ? 2 : 0);
	}
	fixture_free(&f);
}

static void a_directory_tail_lies_in_one_block(void **state)
{
	struct fixture f = fixture_new();
	char path[300];

	(void)state;
	for (int count = 1; count < 90; count++)
		for (int i = 0; i < count; i++) {
			snprintf(path, sizeof path, "d%d/%0*d", count, 3 + count % 11, i);
			add_file(&f, path, 0);
		}
	write_out(&f);
	for (int count = 1; count < 90; count++) {
		struct erofs_inode inode;
		uint64_t nid, at;

		snprintf(path, sizeof path, "d%d", count);
		nid = find(&f, path);
		inode = inode_at(&f, nid);
		if (layout_of(&inode) != 2)
			continue;
		at = data_offset(&f, nid, (inode.size - 1) / 512 * 512);
		assert_int_not_equal(inode.size % 512, 0);
		assert_true(at % 512 + inode.size % 512 <= 512);
	}
	fixture_free(&f);
}

static void a_directory_of_whole_blocks_has_no_tail(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;

	(void)state;
	/* 27 bytes for the dots, then 12 + 255 and 12 + 206: 512 */
	for (int len = 206; len <= 255; len += 49) {
		char path[300] = "d/";

		memset(path + 2, 'n', (size_t)len);
		path[2 + len] = '\0';
		add_file(&f, path, 0);
	}
	write_out(&f);
	inode = inode_of(&f, "d");
	assert_int_equal(inode.size, 512);
	assert_int_equal(layout_of(&inode), 0);
	fixture_free(&f);
}

static void a_file_is_one_aligned_chunk_of_the_tar(void **state)
{
	struct fixture f = fixture_new();
	static const uint64_t sizes[] = { 1, 511, 512, 513, 1024, 1025, 5000000 };
	static const unsigned bits[] = { 0, 0, 0, 1, 1, 2, 14 };
	uint64_t block = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char name[] = { (char)('a' + i), 0 };

		add_file(&f, name, sizes[i]);
	}
	write_out(&f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char name[] = { (char)('a' + i), 0 };
		struct erofs_inode inode = inode_of(&f, name);
		uint64_t at = (body_of(&inode, find(&f, name)) + 7) / 8 * 8;
		const struct erofs_chunk *chunk = bytes_at(&f, at, sizeof *chunk);

		assert_int_equal(layout_of(&inode), 4);
		assert_int_equal(inode.data, 0x20 | bits[i]);
		assert_int_equal(inode.size, sizes[i]);
		assert_int_equal(chunk->device, 1);
		assert_int_equal(chunk->block, block);
		block += (sizes[i] + 511) / 512;
	}
	fixture_free(&f);
}

static void an_empty_file_is_plain_and_has_no_chunk(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;

	(void)state;
	add_file(&f, "empty", 0);
	write_out(&f);
	inode = inode_of(&f, "empty");
	assert_int_equal(layout_of(&inode), 0);
	assert_int_equal(inode.size, 0);
	assert_int_equal(inode.data, 0);
	fixture_free(&f);
}

static void only_files_above_1_tib_have_more_than_one_chunk(void **state)
{
	const uint64_t tib = UINT64_C(1) << 40;

	(void)state;
	assert_int_equal(chunking_bits(tib), 31);
	assert_int_equal(chunking_count(tib, 31), 1);
	assert_int_equal(chunking_bits(tib + 1), 31);
	assert_int_equal(chunking_count(tib + 1, 31), 2);
	assert_int_equal(chunking_count(2 * tib - 1024, 31), 2);
}

static void chunks_of_a_large_file_follow_each_other(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;
	const struct erofs_chunk *chunks;

	(void)state;
	add_file(&f, "large", (UINT64_C(1) << 40) + 1);
	write_out(&f);
	inode = inode_of(&f, "large");
	chunks = bytes_at(&f, body_of(&inode, find(&f, "large")), 2 * sizeof *chunks);
	assert_int_equal(chunks[0].block, 1);
	assert_int_equal(chunks[1].block, 1 + (UINT32_C(1) << 31));
	fixture_free(&f);
}

static void times_and_owners_are_kept_whole(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;

	(void)state;
	add(&f, "file",
		(struct tar_entry){ .type = TAR_FILE,
			.mode = 06755,
			.uid = 4294967294u,
			.gid = 65536,
			.mtime_sec = -2,
			.mtime_nsec = 500000000 });
	write_out(&f);
	inode = inode_of(&f, "file");
	assert_int_equal(inode.mode, S_IFREG | 06755);
	assert_int_equal(inode.uid, 4294967294u);
	assert_int_equal(inode.gid, 65536);
	assert_int_equal(inode.mtime_sec, -2);
	assert_int_equal(inode.mtime_nsec, 500000000);
	fixture_free(&f);
}

static void a_device_number_is_split_as_linux_does(void **state)
{
	struct fixture f = fixture_new();
	struct erofs_inode inode;

	(void)state;
	add(&f, "dev",
		(struct tar_entry){
			.type = TAR_BLOCKDEV, .mode = 0600, .major = 0xabc, .minor = 0x12345 });
	write_out(&f);
	inode = inode_of(&f, "dev");
	assert_int_equal(inode.mode, S_IFBLK | 0600);
	assert_int_equal(inode.data, 0x123abc45u);
	fixture_free(&f);
}

static void inodes_come_breadth_first(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	add_file(&f, "a/deep", 0);
	add_file(&f, "b", 0);
	write_out(&f);
	assert_int_equal(inode_of(&f, "a").ino, 2);
	assert_int_equal(inode_of(&f, "b").ino, 3);
	assert_int_equal(inode_of(&f, "a/deep").ino, 4);
	assert_true(find(&f, "a") < find(&f, "b") && find(&f, "b") < find(&f, "a/deep"));
	fixture_free(&f);
}

static void the_order_of_arrival_changes_no_byte(void **state)
{
	struct fixture first = fixture_new(), second = fixture_new();
	char path[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof path, "d%d/%d", i % 7, i);
		add_symlink(&first, path, path);
		snprintf(path, sizeof path, "d%d/%d", (999 - i) % 7, 999 - i);
		add_symlink(&second, path, path);
	}
	write_out(&first);
	write_out(&second);
	assert_int_equal(first.index.len, second.index.len);
	assert_memory_equal(first.index.data, second.index.data, first.index.len);
	fixture_free(&first);
	fixture_free(&second);
}

static void writing_twice_gives_the_same_bytes(void **state)
{
	struct fixture f = fixture_new();
	struct buf first;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char path[16];

		snprintf(path, sizeof path, "%d", i);
		add_file(&f, path, (uint64_t)i * 100);
	}
	write_out(&f);
	first = f.index;
	f.index = (struct buf){ 0 };
	write_out(&f);
	assert_int_equal(first.len, f.index.len);
	assert_memory_equal(first.data, f.index.data, first.len);
	buf_free(&first);
	fixture_free(&f);
}

static void a_tar_that_ends_before_a_file_is_refused(void **state)
{
	struct fixture f = fixture_new();
	rkt_error *err = NULL;

	(void)state;
	add_file(&f, "file", 1);
	/* the byte is there, its padding is not */
	assert_int_equal(index_write(f.builder, 512 + 511, -1, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_INVALID);
	assert_non_null(strstr(rkt_error_message(err), "truncated"));
	rkt_error_free(err);
	fixture_free(&f);
}

static void a_tar_above_2_tib_is_refused(void **state)
{
	struct fixture f = fixture_new();
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(index_write(f.builder, UINT64_C(1) << 41, -1, NULL, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "2 TiB"));
	rkt_error_free(err);
	fixture_free(&f);
}

static void a_failing_write_is_told(void **state)
{
	struct fixture f = fixture_new();
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(index_write(f.builder, 1024, full, NULL, &err), -1);
	assert_int_equal(rkt_error_errno(err), ENOSPC);
	rkt_error_free(err);
	close(full);
	fixture_free(&f);
}

static void probe_works_or_says_why_not(void **state)
{
	char path[256];
	int dir = scratch_make(path);
	rkt_error *err = NULL;

	(void)state;
	if (index_probe(dir, &err) < 0) {
		print_message("# %s\n", rkt_error_message(err));
		rkt_error_free(err);
		close(dir);
		scratch_remove(path);
		skip();
	}
	close(dir);
	scratch_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_size_is_a_multiple_of_65536),
		cmocka_unit_test(the_superblock_holds_nothing_of_the_host),
		cmocka_unit_test(the_device_begins_where_the_index_ends),
		cmocka_unit_test(the_root_comes_first),
		cmocka_unit_test(names_are_in_one_order_over_all_blocks),
		cmocka_unit_test(dot_and_dotdot_sort_with_the_others),
		cmocka_unit_test(a_block_is_filled_until_the_next_name_does_not_fit),
		cmocka_unit_test(the_longest_names_come_one_a_block),
		cmocka_unit_test(every_symlink_length_reads_back_and_keeps_to_one_block),
		cmocka_unit_test(a_directory_tail_lies_in_one_block),
		cmocka_unit_test(a_directory_of_whole_blocks_has_no_tail),
		cmocka_unit_test(a_file_is_one_aligned_chunk_of_the_tar),
		cmocka_unit_test(an_empty_file_is_plain_and_has_no_chunk),
		cmocka_unit_test(only_files_above_1_tib_have_more_than_one_chunk),
		cmocka_unit_test(chunks_of_a_large_file_follow_each_other),
		cmocka_unit_test(times_and_owners_are_kept_whole),
		cmocka_unit_test(a_device_number_is_split_as_linux_does),
		cmocka_unit_test(inodes_come_breadth_first),
		cmocka_unit_test(the_order_of_arrival_changes_no_byte),
		cmocka_unit_test(writing_twice_gives_the_same_bytes),
		cmocka_unit_test(a_tar_that_ends_before_a_file_is_refused),
		cmocka_unit_test(a_tar_above_2_tib_is_refused),
		cmocka_unit_test(a_failing_write_is_told),
		cmocka_unit_test(probe_works_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
