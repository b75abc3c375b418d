/*
 * The index writer. An input is a script of entries, as a walker could yield them in any order: a
 * few names, again and again. A model that knows only paths follows the script; the index that was
 * written is read back by its grammar (index_walk.h) and must show what the model says.
 *
 * With RKT_FUZZ_KEEP=DIR every index is kept there, as N.index with the number of its tar's blocks
 * in N.blocks, for fsck.erofs.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/draft.h"
#include "base/fd.h"
#include "base/str.h"
#include "store/index/erofs.h"
#include "store/index/index.h"
#include "tests/fuzz/index_walk.h"

#define ENTRIES_MAX 64u
#define EXTENTS_MAX 4u

/* ---- the script ------------------------------------------------------------------------------ */

static unsigned take(struct slice *script)
{
	if (!script->len)
		return 0;
	script->len--;
	return *script->data++;
}

/* Up to three parts out of few, so that scripts come back to what they made. */
static void take_path(struct slice *script, char *out, size_t room)
{
	static char long_a[256], long_b[256];
	const char *const parts[] = { "a", "b", "!", ".a", "+", "\xff", long_a, long_b };
	unsigned byte = take(script), more = take(script), count = byte >> 6;

	memset(long_a, 'l', 255);
	memset(long_b, 'l', 254);
	*out = '\0';
	for (unsigned i = 0; i < count; i++, byte >>= 3) {
		size_t len = strlen(out);

		snprintf(out + len, room - len, "%s%s", i ? "/" : "", parts[byte & 7]);
	}
	if (more & 1 && count) { /* one of many, for directories of several blocks */
		size_t len = strlen(out);

		snprintf(out + len, room - len, "%u", more >> 1);
	}
}

static void take_xattrs(struct slice *script, struct tar_entry *entry)
{
	static const char *const names[] = { "SCHILY.acl.access", "security.capability",
		"system.posix_acl_access", "trusted.overlay.opaque", "trusted.t", "user.a",
		"user.aa", "user.empty" };
	static struct tar_xattr xattrs[ARRAY_LEN(names)];
	static const uint8_t value[65536];
	unsigned which = take(script);

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		size_t len;

		if (!(which & 1u << i))
			continue;
		len = i < ARRAY_LEN(names) - 1 ? take(script) * (i == 5 ? 200u : 3u) : 0;
		xattrs[entry->xattr_count++] = (struct tar_xattr){ names[i], { value, len } };
	}
	if (which & 1 && script->len >= 40) { /* an ACL as text */
		xattrs[0].value = (struct slice){ script->data, 40 };
		script->data += 40;
		script->len -= 40;
	}
	entry->xattrs = xattrs;
}

/* Runs of data and the holes between them, in units of a block or some power of two of it; the last
 * run, and now and then a first, end between two blocks. */
static void take_sparse(struct slice *script, struct tar_entry *entry, struct tar_extent *extents)
{
	unsigned head = take(script), unit = head % 9 + 9, count = head >> 4 & 3, odd = head >> 6;

	entry->sparse = true;
	entry->size = entry->stored = 0;
	for (unsigned i = 0; i < count; i++) {
		struct tar_extent *run = &extents[entry->extent_count++];

		run->offset = entry->size + ((uint64_t)take(script) << unit);
		run->len = ((uint64_t)take(script) + 1) << unit;
		if (odd == 1 && !i)
			run->offset += 1;
		if (odd == 2 ? !i : i + 1 == count)
			run->len -= take(script);
		entry->size = run->offset + run->len;
		entry->stored += run->len;
	}
	entry->size += (uint64_t)take(script) << unit;
	entry->extents = extents;
}

/* The next entry of the script, its path in PATH and, for links, its target in LINK. */
static struct tar_entry take_entry(struct slice *script, char *path, char *link, size_t room)
{
	static struct tar_extent extents[EXTENTS_MAX];
	unsigned head = take(script), shift;
	struct tar_entry entry = { .type = head % 7, .mode = take(script) * 16 + head };

	take_path(script, path, room);
	entry.path = path;
	entry.path_len = strlen(path);
	if (entry.type == TAR_HARDLINK)
		take_path(script, link, room);
	if (entry.type == TAR_SYMLINK) {
		size_t len = (take(script) << 4 | take(script) >> 4) % 4095 + 1;

		memset(link, 't', len);
		link[len] = '\0';
	}
	entry.link = entry.type == TAR_HARDLINK || entry.type == TAR_SYMLINK ? link : NULL;
	shift = take(script) % 42;
	if (entry.type == TAR_FILE)
		entry.size = entry.stored = ((uint64_t)take(script) << shift) + head;
	if (entry.type == TAR_FILE && shift == 41)
		take_sparse(script, &entry, extents);
	if (entry.type == TAR_CHAR || entry.type == TAR_BLOCKDEV) {
		entry.major = take(script) << 4;
		entry.minor = take(script) << 12 | head;
	}
	entry.uid = take(script) << 24 | head;
	entry.gid = head;
	entry.mtime_sec = (int64_t)take(script) << shift;
	entry.mtime_nsec = shift * 1000;
	if (head & 128)
		take_xattrs(script, &entry);
	entry.mode &= 07777;
	return entry;
}

/* ---- the model ------------------------------------------------------------------------------- */

/* A name and what it leads to; hard links share a number. */
struct known {
	char *path;
	struct tar_entry entry; /* without what it points to */
	struct tar_extent extents[EXTENTS_MAX];
	char *link;
	unsigned number;
};

struct model {
	struct known *items;
	size_t count;
	unsigned numbers;
};

static struct known *model_find(struct model *model, const char *path, size_t len)
{
	for (size_t i = 0; i < model->count; i++)
		if (strlen(model->items[i].path) == len && !memcmp(model->items[i].path, path, len))
			return &model->items[i];
	return NULL;
}

/* Takes away PATH and what is below it. */
static void model_remove(struct model *model, const char *path, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->count; i++) {
		struct known *known = &model->items[i];

		if (!strncmp(known->path, path, len) &&
			(!known->path[len] || known->path[len] == '/')) {
			free(known->path);
			free(known->link);
			continue;
		}
		model->items[kept++] = *known;
	}
	model->count = kept;
}

static void model_put(struct model *model, const char *path, size_t len,
	const struct tar_entry *entry, unsigned number)
{
	struct known *known;

	model->items = xreallocarray(model->items, model->count + 1, sizeof *known);
	known = &model->items[model->count++];
	*known = (struct known){ .path = xmemdup(path, len), .entry = *entry, .number = number };
	if (entry->type == TAR_SYMLINK)
		known->link = xstrdup(entry->link);
	if (entry->extent_count)
		memcpy(known->extents, entry->extents,
			entry->extent_count * sizeof *entry->extents);
	known->entry.link = NULL;
	known->entry.extents = NULL;
}

/* Whether the entry can be added by its name: nothing but a directory or symlink is above it, and
 * what it links to is there and is no directory. */
static bool model_takes(struct model *model, const struct tar_entry *entry)
{
	const struct known *known;

	if (!entry->path_len)
		return entry->type == TAR_DIR;
	if (entry->type == TAR_HARDLINK) {
		known = model_find(model, entry->link, strlen(entry->link));
		if (!known || known->entry.type == TAR_DIR)
			return false;
	}
	for (size_t len = 0; len < entry->path_len; len++) {
		known = entry->path[len] == '/' ? model_find(model, entry->path, len) : NULL;
		if (known && known->entry.type == TAR_SYMLINK)
			return true; /* will be an empty directory */
		if (known && known->entry.type != TAR_DIR)
			return false;
	}
	return true;
}

static void model_add(struct model *model, const struct tar_entry *entry)
{
	const struct tar_entry invented = { .type = TAR_DIR, .mode = 0755 };
	struct known *old = model_find(model, entry->path, entry->path_len);
	struct tar_extent extents[EXTENTS_MAX];
	struct tar_entry target = *entry;
	unsigned number = model->numbers++;

	if (entry->type == TAR_HARDLINK) {
		const struct known *known = model_find(model, entry->link, strlen(entry->link));

		PROMISE(known);
		target = known->entry;
		target.link = known->link ? xstrdup(known->link) : NULL; /* it may go away below */
		memcpy(extents, known->extents, sizeof extents);
		target.extents = extents;
		number = known->number;
	}
	for (size_t len = 0; len < entry->path_len; len++) {
		const struct known *above;

		if (entry->path[len] != '/')
			continue;
		above = model_find(model, entry->path, len);
		if (above && above->entry.type == TAR_DIR)
			continue;
		model_remove(model, entry->path, len);
		model_put(model, entry->path, len, &invented, model->numbers++);
	}
	old = model_find(model, entry->path, entry->path_len);
	if (old && old->entry.type == TAR_DIR && entry->type == TAR_DIR) {
		old->entry = *entry;
		old->entry.link = NULL;
		return;
	}
	model_remove(model, entry->path, entry->path_len);
	model_put(model, entry->path, entry->path_len, &target, number);
	if (entry->type == TAR_HARDLINK)
		free((char *)(uintptr_t)target.link);
}

static void model_free(struct model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		free(model->items[i].path);
		free(model->items[i].link);
	}
	free(model->items);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static mode_t mode_of(const struct tar_entry *entry)
{
	static const mode_t types[] = {
		[TAR_FILE] = S_IFREG,
		[TAR_SYMLINK] = S_IFLNK,
		[TAR_CHAR] = S_IFCHR,
		[TAR_BLOCKDEV] = S_IFBLK,
		[TAR_DIR] = S_IFDIR,
		[TAR_FIFO] = S_IFIFO,
	};

	return types[entry->type] | entry->mode | (entry->type == TAR_SYMLINK ? 0777 : 0);
}

/* Where the COUNT blocks of a file from FIRST on are in the tar, or EROFS_HOLE; all of them must be
 * there, one after the other. */
static uint32_t blocks_of(const struct known *known, uint64_t first, uint64_t count)
{
	const struct tar_extent whole = { 0, known->entry.size };
	const struct tar_extent *runs = known->entry.sparse ? known->extents : &whole;
	size_t run_count = known->entry.sparse ? known->entry.extent_count : 1;
	uint64_t at = known->entry.data_offset / TAR_BLOCK;

	for (size_t i = 0; i < run_count; i++) {
		uint64_t start = runs[i].offset / TAR_BLOCK,
			 len = (runs[i].len + TAR_BLOCK - 1) / TAR_BLOCK;

		if (first >= start && first < start + len) {
			PROMISE(first + count <= start + len);
			return (uint32_t)(at + first - start);
		}
		PROMISE(first >= start || first + count <= start);
		at += len;
	}
	return EROFS_HOLE;
}

static void compare_data(const struct walked *walked, const struct known *known)
{
	uint64_t blocks = (walked->size + TAR_BLOCK - 1) / TAR_BLOCK;

	for (uint64_t i = 0; i < walked->chunks; i++) {
		uint64_t first = i << walked->bits, each = UINT64_C(1) << walked->bits;
		uint64_t left = blocks - first;

		PROMISE(walked->blocks[i] == blocks_of(known, first, left < each ? left : each));
	}
}

static void compare(const struct walked *walked, const struct known *known)
{
	const struct tar_entry *entry = &known->entry;
	bool acl = entry->xattr_count; /* an ACL may change the permissions */

	PROMISE(acl ? (walked->mode & ~0777u) == (mode_of(entry) & ~0777u)
		    : walked->mode == mode_of(entry));
	PROMISE(walked->uid == entry->uid && walked->gid == entry->gid);
	PROMISE(walked->mtime_sec == entry->mtime_sec && walked->mtime_nsec == entry->mtime_nsec);
	PROMISE(entry->type != TAR_FILE || walked->size == entry->size);
	compare_data(walked, known);
	PROMISE(entry->type != TAR_SYMLINK ||
		(walked->target.len == strlen(known->link) &&
			!memcmp(walked->target.data, known->link, walked->target.len)));
	PROMISE(entry->xattr_count || !walked->xattr_icount);
}

static void compare_all(const struct walked_list *list, struct model *model)
{
	PROMISE(list->count == model->count);
	for (size_t i = 0; i < list->count; i++) {
		const struct known *known =
			model_find(model, list->items[i].path, strlen(list->items[i].path));

		PROMISE(known);
		compare(&list->items[i], known);
		for (size_t k = 0; k < i; k++) {
			const struct walked *other = &list->items[k];
			const struct known *before =
				model_find(model, other->path, strlen(other->path));

			PROMISE(before);
			PROMISE((other->nid == list->items[i].nid) ==
				(before->number == known->number));
		}
	}
}

static void keep_for_fsck(struct slice index, uint64_t blocks)
{
	const char *where = getenv("RKT_FUZZ_KEEP");
	auto_fd int dir = where ? open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	static unsigned number;
	char name[32], note[32], text[32];
	int len;

	if (!where)
		return;
	snprintf(name, sizeof name, "%u.index", number);
	snprintf(note, sizeof note, "%u.blocks", number++);
	len = snprintf(text, sizeof text, "%ju\n", (uintmax_t)blocks);
	PROMISE(draft_write(dir, name, index, 0600, NULL) == 0);
	PROMISE(draft_write(dir, note, (struct slice){ (const uint8_t *)text, (size_t)len }, 0600,
			NULL) == 0);
}

static void check_index(index_builder *builder, uint64_t blocks, struct model *model)
{
	auto_fd int fd = memfd_create("index", MFD_CLOEXEC);
	auto_buf struct buf index = { 0 };
	auto_error rkt_error *err = NULL;
	struct walked_list list = { 0 };
	struct index_stats stats;

	PROMISE(fd >= 0);
	if (index_write(builder, blocks * TAR_BLOCK, fd, &stats, &err) < 0) {
		promise_invalid(err);
		return;
	}
	PROMISE(lseek(fd, 0, SEEK_SET) == 0 && fd_read_rest(fd, 1u << 30, &index, NULL) == 0);
	PROMISE(stats.size == index.len);
	index_walk(buf_slice(&index), blocks, &list);
	PROMISE(stats.inodes <= list.count);
	compare_all(&list, model);
	keep_for_fsck(buf_slice(&index), blocks);
	walked_list_free(&list);
}

/* Adds what the script says. False at an entry that was refused for more than its name: the model
 * does not know what has become of the directories above it. */
static bool run_script(
	struct slice script, index_builder *builder, struct model *model, uint64_t *blocks)
{
	char path[1024], link[4096];

	for (unsigned i = 0; i < ENTRIES_MAX && script.len; i++) {
		auto_error rkt_error *err = NULL;
		struct tar_entry entry = take_entry(&script, path, link, sizeof path);
		struct image_entry member = { .path = path, .tar = &entry };

		entry.data_offset = *blocks * TAR_BLOCK;
		if (entry.type == TAR_HARDLINK)
			member.hard_link = link;
		if (index_add(builder, &member, &err) < 0) {
			promise_invalid(err);
			if (model_takes(model, &entry))
				return false;
			continue;
		}
		PROMISE(model_takes(model, &entry));
		for (size_t k = 0; k < entry.extent_count; k++) /* else no index can show it */
			PROMISE(entry.extents[k].offset % TAR_BLOCK == 0 &&
				(k + 1 == entry.extent_count ||
					entry.extents[k].len % TAR_BLOCK == 0));
		*blocks += (entry.stored + TAR_BLOCK - 1) / TAR_BLOCK;
		model_add(model, &entry);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tar_entry root = { .type = TAR_DIR, .mode = 0755 };
	auto_index index_builder *builder = index_new();
	struct model model = { 0 };
	uint64_t blocks = 1;

	model_put(&model, "", 0, &root, model.numbers++);
	if (run_script((struct slice){ data, size }, builder, &model, &blocks))
		check_index(builder, blocks, &model);
	model_free(&model);
	return 0;
}
