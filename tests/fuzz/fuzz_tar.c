/*
 * The tar walker under any bytes. Besides what the sanitizers see, two promises are tested:
 * whatever the walker yields keeps to what tar.h says of an entry, and what it says does not depend
 * on how the stream is cut into blocks.
 */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "aci/tar.h"
#include "base/alloc.h"
#include "tests/unit/chunks.h"

static void check_path(const char *path, size_t len)
{
	size_t part_len = 0;

	PROMISE(strlen(path) == len);
	PROMISE(len <= 4096);
	PROMISE(path[0] != '/');
	for (size_t i = 0; i <= len; i++) {
		if (i < len && path[i] != '/') {
			part_len++;
			continue;
		}
		PROMISE(part_len <= 255);
		PROMISE(part_len || !len);
		PROMISE(part_len != 1 || path[i - 1] != '.');
		PROMISE(part_len != 2 || path[i - 1] != '.' || path[i - 2] != '.');
		part_len = 0;
	}
}

static void check_runs(const struct tar_entry *entry)
{
	uint64_t end = 0, sum = 0;

	PROMISE(entry->sparse || (entry->stored == entry->size && !entry->extent_count));
	for (size_t i = 0; i < entry->extent_count; i++) {
		const struct tar_extent *run = &entry->extents[i];

		PROMISE(run->len && run->offset >= end);
		PROMISE(run->len <= entry->size && run->offset <= entry->size - run->len);
		end = run->offset + run->len;
		sum += run->len;
	}
	PROMISE(!entry->sparse || sum == entry->stored);
}

static void check_entry(const struct tar_entry *entry, size_t stream_len)
{
	bool is_link = entry->type == TAR_HARDLINK || entry->type == TAR_SYMLINK;

	check_path(entry->path, entry->path_len);
	PROMISE(entry->path_len || entry->type == TAR_DIR);
	PROMISE(is_link == !!entry->link);
	if (entry->type == TAR_HARDLINK)
		check_path(entry->link, strlen(entry->link));
	if (entry->type == TAR_SYMLINK)
		PROMISE(*entry->link && strlen(entry->link) <= 4095);
	PROMISE(entry->mode <= 07777);
	PROMISE(entry->uid < UINT32_MAX && entry->gid < UINT32_MAX);
	PROMISE(entry->mtime_nsec < 1000000000);
	PROMISE(!entry->size || entry->type == TAR_FILE);
	check_runs(entry);
	PROMISE(entry->major < 1 << 12 && entry->minor < 1 << 20);
	PROMISE(entry->header_offset % TAR_BLOCK == 0 && entry->data_offset % TAR_BLOCK == 0);
	PROMISE(entry->header_offset < entry->data_offset && entry->data_offset <= stream_len);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		PROMISE(*entry->xattrs[i].name && strlen(entry->xattrs[i].name) <= 255);
		PROMISE(!i || strcmp(entry->xattrs[i - 1].name, entry->xattrs[i].name) < 0);
	}
}

static void tell_entry(const struct tar_entry *entry, struct buf *out)
{
	buf_printf(out, "%s|%s|%d|%o|%u|%u|%" PRIu64 "|%" PRId64 ".%09u|%u,%u|%" PRIu64 "|%" PRIu64,
		entry->path, entry->link ? entry->link : "", entry->type, entry->mode, entry->uid,
		entry->gid, entry->size, entry->mtime_sec, entry->mtime_nsec, entry->major,
		entry->minor, entry->header_offset, entry->data_offset);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		buf_printf(out, "|%s=", entry->xattrs[i].name);
		buf_append(out, entry->xattrs[i].value.data, entry->xattrs[i].value.len);
	}
}

/* Reads the data of every second member, so that passing over them is tested, too. */
static void read_data(tar_reader *tar, const struct tar_entry *entry, struct buf *out)
{
	struct slice piece;
	uint64_t total = 0;
	int got;

	if (entry->header_offset / TAR_BLOCK % 2)
		return;
	while ((got = tar_data(tar, &piece, NULL)) > 0) {
		PROMISE(piece.len);
		buf_append(out, piece.data, piece.len);
		total += piece.len;
	}
	PROMISE(total == entry->stored || got < 0);
}

/* Writes down all the walker says of the stream. */
static void walk(struct slice bytes, size_t chunk_len, struct buf *out)
{
	auto_tar tar_reader *tar = tar_open(chunks(bytes, chunk_len, NULL), NULL);
	auto_error rkt_error *err = NULL;
	const struct tar_entry *entry;
	int got;

	while ((got = tar_next(tar, &entry, &err)) > 0) {
		check_entry(entry, bytes.len);
		tell_entry(entry, out);
		read_data(tar, entry, out);
	}
	if (got < 0)
		promise_invalid(err);
	else
		PROMISE(tar_offset(tar) == bytes.len);
	buf_append_text(out, err ? rkt_error_message(err) : "the end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf whole = { 0 }, pieces = { 0 };
	struct slice bytes = { data, size };

	walk(bytes, SIZE_MAX, &whole);
	walk(bytes, size % 600 + 1, &pieces);
	PROMISE(whole.len == pieces.len);
	PROMISE(!memcmp(whole.data, pieces.data, whole.len));
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	return tar_mutate(data, size, max_size, seed);
}
