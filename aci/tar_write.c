/* tar headers, made from the entry alone. */
#include "aci/tar_write.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* pax(1), ustar Interchange Format */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], unused[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is one block");

#define ID_MAX         07777777u
#define LONG_MAX_OCTAL 077777777777ull

static int put(const struct tar_sink *sink, const void *bytes, size_t len, rkt_error **err)
{
	return sink->write(sink->context, (struct slice){ bytes, len }, err);
}

/* Digits of exactly SIZE - 1 places and a NUL. VALUE fits, or a pax record says what it is. */
static void put_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static void seal(struct ustar *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	unsigned sum = 0;

	memset(header->checksum, ' ', sizeof header->checksum);
	for (size_t i = 0; i < sizeof *header; i++)
		sum += bytes[i];
	put_octal(header->checksum, sizeof header->checksum - 1, sum);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void put_record(struct buf *pax, const char *key, const void *value, size_t len)
{
	size_t rest = 1 + strlen(key) + 1 + len + 1, digits = 1, total;

	for (;;) {
		total = rest + digits;
		if ((size_t)snprintf(NULL, 0, "%zu", total) == digits)
			break;
		digits++;
	}
	buf_printf(pax, "%zu %s=", total, key);
	buf_append(pax, value, len);
	buf_append(pax, "\n", 1);
}

static void put_number(struct buf *pax, const char *key, uint64_t value)
{
	char text[24];

	put_record(pax, key, text,
		(size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)value));
}

static void put_time(struct buf *pax, int64_t sec, uint32_t nsec)
{
	char text[40];
	int len;

	/* -2 s and 500000000 ns are written -1.5 */
	if (sec < 0 && nsec)
		len = snprintf(
			text, sizeof text, "-%lld.%09u", -(long long)(sec + 1), 1000000000 - nsec);
	else
		len = snprintf(
			text, sizeof text, nsec ? "%lld.%09u" : "%lld", (long long)sec, nsec);
	while (nsec && text[len - 1] == '0')
		len--;
	put_record(pax, "mtime", text, (size_t)len);
}

/* Splits PATH between prefix and name where it fits; false when it does not. */
static bool put_path(struct ustar *header, const char *path, size_t len)
{
	const char *slash;

	if (len <= sizeof header->name) {
		memcpy(header->name, path, len);
		return true;
	}
	/* the first slash that leaves a short enough name, but not the trailing one of a
	 * directory */
	slash = memchr(path + len - sizeof header->name - 1, '/', sizeof header->name);
	if (!slash || slash == path || (size_t)(slash - path) > sizeof header->prefix) {
		memcpy(header->name, path, sizeof header->name);
		return false;
	}
	memcpy(header->prefix, path, (size_t)(slash - path));
	memcpy(header->name, slash + 1, len - (size_t)(slash + 1 - path));
	return true;
}

static char type_letter(enum tar_type type)
{
	static const char letters[] = {
		[TAR_FILE] = '0',
		[TAR_HARDLINK] = '1',
		[TAR_SYMLINK] = '2',
		[TAR_CHAR] = '3',
		[TAR_BLOCKDEV] = '4',
		[TAR_DIR] = '5',
		[TAR_FIFO] = '6',
	};

	return letters[type];
}

static void start(struct ustar *header, char type)
{
	memset(header, 0, sizeof *header);
	header->type = type;
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	put_octal(header->major, sizeof header->major, 0);
	put_octal(header->minor, sizeof header->minor, 0);
}

/* SIZE is that of the member: its data, and the list of runs. */
static void put_numbers(
	struct ustar *header, struct buf *pax, const struct tar_entry *e, uint64_t size)
{
	bool time_fits = e->mtime_sec >= 0 && (uint64_t)e->mtime_sec <= LONG_MAX_OCTAL;

	put_octal(header->mode, sizeof header->mode, e->mode);
	put_octal(header->uid, sizeof header->uid, e->uid <= ID_MAX ? e->uid : 0);
	put_octal(header->gid, sizeof header->gid, e->gid <= ID_MAX ? e->gid : 0);
	put_octal(header->size, sizeof header->size, size <= LONG_MAX_OCTAL ? size : 0);
	put_octal(header->mtime, sizeof header->mtime, time_fits ? (uint64_t)e->mtime_sec : 0);
	put_octal(header->major, sizeof header->major, e->major);
	put_octal(header->minor, sizeof header->minor, e->minor);
	if (e->uid > ID_MAX)
		put_number(pax, "uid", e->uid);
	if (e->gid > ID_MAX)
		put_number(pax, "gid", e->gid);
	if (size > LONG_MAX_OCTAL)
		put_number(pax, "size", size);
	if (!time_fits || e->mtime_nsec)
		put_time(pax, e->mtime_sec, e->mtime_nsec);
}

/* Where readers that know nothing of holes put a sparse file, so that they do not make a wrong one
 * in its place: as GNU tar has it, with 0 for the number of a process. */
static void put_place(struct buf *path, const struct tar_entry *e)
{
	const char *slash = memrchr(e->path, '/', e->path_len);
	size_t above = slash ? (size_t)(slash + 1 - e->path) : 0;

	buf_append(path, e->path, above);
	buf_append_text(path, "GNUSparseFile.0/");
	buf_append(path, e->path + above, e->path_len - above);
}

static void put_names(struct ustar *header, struct buf *pax, const struct tar_entry *e)
{
	auto_buf struct buf path = { 0 };
	size_t link_len = e->link ? strlen(e->link) : 0;

	if (e->sparse)
		put_place(&path, e);
	else
		buf_append(&path, e->path, e->path_len);
	if (e->type == TAR_DIR)
		buf_append(&path, "/", 1);
	if (!put_path(header, (const char *)path.data, path.len) && !e->sparse)
		put_record(pax, "path", path.data, path.len);
	if (link_len > sizeof header->link)
		put_record(pax, "linkpath", e->link, link_len);
	if (link_len)
		memcpy(header->link, e->link,
			link_len < sizeof header->link ? link_len : sizeof header->link);
}

/* '=' ends the key of a record; GNU tar writes it, and '%', as %3D and %25. */
static void put_xattr_key(struct buf *key, const char *name)
{
	if (!str_has_prefix(name, "SCHILY."))
		buf_append_text(key, "SCHILY.xattr.");
	for (; *name; name++) {
		if (*name == '=' || *name == '%')
			buf_printf(key, "%%%02X", *name);
		else
			buf_append(key, name, 1);
	}
}

static void put_xattrs(struct buf *pax, const struct tar_entry *e)
{
	for (size_t i = 0; i < e->xattr_count; i++) {
		auto_buf struct buf key = { 0 };

		put_xattr_key(&key, e->xattrs[i].name);
		put_record(pax, buf_text(&key), e->xattrs[i].value.data, e->xattrs[i].value.len);
	}
}

static int write_pax(const struct tar_sink *sink, const struct tar_entry *e, const struct buf *pax,
	rkt_error **err)
{
	const char *base = memrchr(e->path, '/', e->path_len);
	struct ustar header;
	char name[sizeof header.name + 1];

	snprintf(name, sizeof name, "PaxHeaders/%s", base ? base + 1 : e->path);
	start(&header, 'x');
	memcpy(header.name, name, strlen(name));
	put_octal(header.mode, sizeof header.mode, 0644);
	put_octal(header.uid, sizeof header.uid, 0);
	put_octal(header.gid, sizeof header.gid, 0);
	put_octal(header.size, sizeof header.size, pax->len);
	put_octal(header.mtime, sizeof header.mtime, 0);
	seal(&header);
	if (put(sink, &header, sizeof header, err) < 0 || put(sink, pax->data, pax->len, err) < 0)
		return -1;
	return tar_write_padding(sink, pax->len, err);
}

static void put_sparse(struct buf *pax, const struct tar_entry *e)
{
	put_number(pax, "GNU.sparse.major", 1);
	put_number(pax, "GNU.sparse.minor", 0);
	put_record(pax, "GNU.sparse.name", e->path, e->path_len);
	put_number(pax, "GNU.sparse.realsize", e->size);
}

static void put_run(struct buf *map, uint64_t offset, uint64_t len)
{
	buf_printf(map, "%llu\n%llu\n", (unsigned long long)offset, (unsigned long long)len);
}

/* The list of runs. A file that ends in a hole has an empty run there: GNU tar would make it too
 * short without. */
static void put_map(struct buf *map, const struct tar_entry *e)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint64_t end = 0;

	for (size_t i = 0; i < e->extent_count; i++)
		end = e->extents[i].offset + e->extents[i].len;
	buf_printf(map, "%zu\n", e->extent_count + (end < e->size));
	for (size_t i = 0; i < e->extent_count; i++)
		put_run(map, e->extents[i].offset, e->extents[i].len);
	if (end < e->size)
		put_run(map, e->size, 0);
	buf_append(map, zeros, -map->len % TAR_BLOCK);
}

int tar_write_header(const struct tar_sink *sink, const struct tar_entry *e, rkt_error **err)
{
	auto_buf struct buf pax = { 0 }, map = { 0 };
	uint64_t size = e->size;
	struct ustar header;

	if (e->sparse) {
		put_map(&map, e);
		size = map.len + e->stored;
	}
	start(&header, type_letter(e->type));
	put_names(&header, &pax, e);
	put_numbers(&header, &pax, e, size);
	if (e->sparse)
		put_sparse(&pax, e);
	put_xattrs(&pax, e);
	seal(&header);
	if (pax.len && write_pax(sink, e, &pax, err) < 0)
		return -1;
	if (put(sink, &header, sizeof header, err) < 0)
		return -1;
	return map.len ? put(sink, map.data, map.len, err) : 0;
}

int tar_write_padding(const struct tar_sink *sink, uint64_t size, rkt_error **err)
{
	static const uint8_t zeros[TAR_BLOCK];
	size_t over = (size_t)(size % TAR_BLOCK);

	return over ? put(sink, zeros, TAR_BLOCK - over, err) : 0;
}

int tar_write_end(const struct tar_sink *sink, rkt_error **err)
{
	static const uint8_t zeros[2 * TAR_BLOCK];

	return put(sink, zeros, sizeof zeros, err);
}
