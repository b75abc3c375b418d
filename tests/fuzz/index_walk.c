/* Reading an index back: inodes from the root down, each byte claimed by who it belongs to. */
#include "tests/fuzz/index_walk.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/index/erofs.h"
#include "tests/fuzz/fuzz.h"

struct walk {
	struct slice index;
	uint64_t tar_blocks;
	uint64_t inodes, seen; /* as the superblock says, and so far */
	uint8_t *claimed;      /* a byte for each of INDEX: 1 when it belongs to something */
	uint32_t *links;       /* by nid: names seen so far */
	struct walked_list *found;
};

/* The LEN bytes at OFFSET, which are nobody else's. */
static const void *claim(struct walk *walk, uint64_t offset, uint64_t len)
{
	PROMISE(offset <= walk->index.len && len <= walk->index.len - offset);
	PROMISE(!len || !memchr(walk->claimed + offset, 1, len));
	memset(walk->claimed + offset, 1, len);
	return walk->index.data + offset;
}

static bool is_zero(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len && !*at) {
		at++;
		len--;
	}
	return !len;
}

static void check_super(struct walk *walk)
{
	struct erofs_super super;
	struct erofs_device device;

	PROMISE(walk->index.len % EROFS_ALIGN == 0);
	memcpy(&super, claim(walk, EROFS_SUPER_OFFSET, sizeof super), sizeof super);
	memcpy(&device, claim(walk, EROFS_DEVICES_OFFSET, sizeof device), sizeof device);
	PROMISE(le32toh(super.magic) == EROFS_MAGIC && super.block_bits == EROFS_BLOCK_BITS);
	PROMISE(le32toh(super.blocks) == walk->index.len / EROFS_BLOCK);
	PROMISE(le16toh(super.devices) == 1 &&
		le16toh(super.device_slot) * 128u == EROFS_DEVICES_OFFSET);
	PROMISE(!super.checksum && !super.epoch && !super.epoch_nsec && !super.meta_block);
	PROMISE(is_zero(super.uuid, 16) && is_zero(super.volume_name, 16) && !super.xattr_block);
	PROMISE(is_zero(super.zero2, sizeof super.zero2) && !super.zero0 && !super.zero1);
	PROMISE(le32toh(device.blocks) == walk->tar_blocks && is_zero(device.zero, 56));
	PROMISE(!device.address || le32toh(device.address) >= le32toh(super.blocks));
	walk->inodes = le64toh(super.inodes);
}

static void check_xattrs(struct walk *walk, uint64_t offset, uint32_t icount)
{
	uint64_t len = sizeof(struct erofs_xattr_header) + 4 * (icount - UINT64_C(1)), at = 12;
	const uint8_t *body = claim(walk, offset, len);

	PROMISE(is_zero(body, 12) && icount > 1);
	while (at < len) {
		struct erofs_xattr xattr;

		PROMISE(len - at >= sizeof xattr);
		memcpy(&xattr, body + at, sizeof xattr);
		at += sizeof xattr + xattr.name_len + le16toh(xattr.value_size);
		PROMISE(at <= len && xattr.index >= EROFS_XATTR_USER &&
			xattr.index <= EROFS_XATTR_SECURITY && xattr.index != 5);
		PROMISE(is_zero(body + at, -at % 4));
		at += -at % 4;
	}
	PROMISE(at == len);
}

/* The data of a directory or symlink: whole blocks elsewhere, a tail behind the inode. */
static void read_data(
	struct walk *walk, const struct erofs_inode *inode, uint64_t body, struct buf *out)
{
	uint64_t size = le64toh(inode->size), whole = size, first = le32toh(inode->data);
	unsigned layout = le16toh(inode->format) >> 1;

	PROMISE(size && size <= walk->index.len && layout != EROFS_CHUNKS);
	if (layout == EROFS_INLINE) {
		whole = (size - 1) / EROFS_BLOCK * EROFS_BLOCK;
		PROMISE(body % EROFS_BLOCK + (size - whole) <= EROFS_BLOCK);
	}
	for (uint64_t at = 0; at < whole; at += EROFS_BLOCK) {
		uint64_t used = whole - at < EROFS_BLOCK ? whole - at : EROFS_BLOCK;
		const uint8_t *block = claim(walk, first * EROFS_BLOCK + at, EROFS_BLOCK);

		PROMISE(is_zero(block + used, EROFS_BLOCK - used));
		buf_append(out, block, used);
	}
	if (whole < size)
		buf_append(out, claim(walk, body, size - whole), size - whole);
}

static void check_chunks(
	struct walk *walk, const struct erofs_inode *inode, uint64_t body, struct walked *ret)
{
	uint32_t format = le32toh(inode->data);
	uint64_t blocks = ret->size / EROFS_BLOCK + (ret->size % EROFS_BLOCK != 0), each;
	struct erofs_chunk chunk;

	PROMISE((format & ~0x1fu) == EROFS_CHUNK_INDEXES && ret->size);
	ret->bits = format & 0x1f;
	each = UINT64_C(1) << ret->bits;
	ret->chunks = (blocks + each - 1) / each;
	PROMISE(ret->chunks <= walk->index.len / sizeof chunk);
	ret->blocks = xreallocarray(NULL, ret->chunks, sizeof *ret->blocks);
	body += -body % sizeof chunk;
	for (uint64_t i = 0; i < ret->chunks; i++, body += sizeof chunk) {
		uint64_t left = blocks - i * each, here = left < each ? left : each;
		bool hole;

		memcpy(&chunk, claim(walk, body, sizeof chunk), sizeof chunk);
		ret->blocks[i] = le32toh(chunk.block);
		hole = ret->blocks[i] == EROFS_HOLE;
		PROMISE(!chunk.zero && le16toh(chunk.device) == (hole ? 0 : 1));
		PROMISE(hole || ret->blocks[i] + here <= walk->tar_blocks);
	}
}

static unsigned type_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_FILE;
	case S_IFDIR:
		return EROFS_DIR;
	case S_IFCHR:
		return EROFS_CHAR;
	case S_IFBLK:
		return EROFS_BLOCKDEV;
	case S_IFIFO:
		return EROFS_FIFO;
	case S_IFLNK:
		return EROFS_SYMLINK;
	}
	return 0;
}

/* The inode NID, seen for the first time; DATA gets a directory's listing. */
static void read_inode(struct walk *walk, uint64_t nid, struct walked *ret, struct buf *data)
{
	struct erofs_inode inode;
	uint64_t body = nid * EROFS_SLOT + sizeof inode;

	memcpy(&inode, claim(walk, nid * EROFS_SLOT, sizeof inode), sizeof inode);
	PROMISE((le16toh(inode.format) & ~0xeu) == EROFS_INODE_LONG);
	PROMISE(!inode.zero0 && is_zero(inode.zero1, sizeof inode.zero1));
	PROMISE(le32toh(inode.ino) ==
		++walk->seen); /* the list is breadth first, as the index is */
	ret->mode = le16toh(inode.mode);
	ret->size = le64toh(inode.size);
	ret->uid = le32toh(inode.uid);
	ret->gid = le32toh(inode.gid);
	ret->mtime_sec = (int64_t)le64toh((uint64_t)inode.mtime_sec);
	ret->mtime_nsec = le32toh(inode.mtime_nsec);
	ret->nlink = le32toh(inode.nlink);
	ret->xattr_icount = le16toh(inode.xattr_icount);
	PROMISE(type_of(ret->mode) && ret->mtime_nsec < 1000000000);
	PROMISE(ret->uid <= EROFS_ID_MAX && ret->gid <= EROFS_ID_MAX);
	if (ret->xattr_icount) {
		check_xattrs(walk, body, ret->xattr_icount);
		body += 12 + 4 * (ret->xattr_icount - UINT64_C(1));
	}
	if (S_ISDIR(ret->mode))
		read_data(walk, &inode, body, data);
	else if (S_ISLNK(ret->mode))
		read_data(walk, &inode, body, &ret->target);
	else if (le16toh(inode.format) >> 1 == EROFS_CHUNKS)
		check_chunks(walk, &inode, body, ret);
	PROMISE(le16toh(inode.format) >> 1 != EROFS_CHUNKS || S_ISREG(ret->mode));
	PROMISE(S_ISREG(ret->mode) || S_ISDIR(ret->mode) || S_ISLNK(ret->mode) || !ret->size);
}

static void add_name(
	struct walk *walk, size_t parent, uint64_t nid, struct slice name, unsigned type);

/* The dirents of one block; LAST is the greatest name before, and becomes the block's greatest. */
static void read_block(struct walk *walk, size_t dir, struct slice block, struct buf *last)
{
	size_t count = block.len < 12 ? 0 : (block.data[8] | (size_t)block.data[9] << 8) / 12;

	PROMISE(count && count * 12 <= block.len);
	for (size_t i = 0; i < count; i++) {
		struct erofs_dirent dirents[2];
		size_t from, end = block.len;
		struct slice name;
		int order;

		memcpy(dirents, block.data + i * 12, i + 1 < count ? 24 : 12);
		from = le16toh(dirents[0].name_offset);
		if (i + 1 < count)
			end = le16toh(dirents[1].name_offset);
		PROMISE(i || from == count * 12);
		PROMISE(from < end && end <= block.len);
		name = (struct slice){ block.data + from,
			strnlen((const char *)block.data + from, end - from) };
		PROMISE(name.len && name.len <= EROFS_NAME_MAX &&
			!memchr(name.data, '/', name.len));
		PROMISE(i + 1 == count ? is_zero(name.data + name.len, end - from - name.len)
				       : name.len == end - from);
		order = memcmp(last->data ?: name.data, name.data,
			last->len < name.len ? last->len : name.len);
		PROMISE(order < 0 || (!order && last->len < name.len));
		last->len = 0;
		buf_append(last, name.data, name.len);
		PROMISE(!dirents[0].zero);
		add_name(walk, dir, le64toh(dirents[0].nid), name, dirents[0].type);
	}
}

/* NAME in the directory number PARENT of those found leads to NID. */
static void add_name(
	struct walk *walk, size_t parent, uint64_t nid, struct slice name, unsigned type)
{
	const struct walked *dir = &walk->found->items[parent];
	struct walked *self;
	bool dots =
		name.data[0] == '.' && (name.len == 1 || (name.len == 2 && name.data[1] == '.'));

	PROMISE(nid && nid < walk->index.len / EROFS_SLOT);
	walk->links[nid]++;
	if (dots) {
		PROMISE(type == EROFS_DIR);
		PROMISE(nid == (name.len == 1 ? dir->nid : walk->found->items[dir->parent].nid));
		return;
	}
	walk->found->items =
		xreallocarray(walk->found->items, walk->found->count + 1, sizeof *self);
	dir = &walk->found->items[parent];
	self = &walk->found->items[walk->found->count++];
	*self = (struct walked){ .nid = nid,
		.parent = parent,
		.path = xasprintf("%s%s%.*s", dir->path, *dir->path ? "/" : "", (int)name.len,
			(const char *)name.data),
		.mode = (uint16_t)type /* for now */ };
}

/* Reads what ITEM leads to: its inode, or what was found there under another name. */
static void read_item(struct walk *walk, size_t number)
{
	auto_buf struct buf data = { 0 }, last = { 0 };
	struct walked *self = &walk->found->items[number];
	unsigned type = self->mode;
	size_t parent = self->parent;
	char *path = self->path;

	for (size_t i = 0; i < number; i++) {
		if (walk->found->items[i].nid != self->nid)
			continue;
		PROMISE(!S_ISDIR(walk->found->items[i].mode));
		*self = walk->found->items[i];
		self->path = path;
		self->parent = parent;
		self->blocks = NULL; /* those of the other name will do */
		self->chunks = 0;
		self->target = (struct buf){ 0 };
		buf_append(&self->target, walk->found->items[i].target.data,
			walk->found->items[i].target.len);
		return;
	}
	read_inode(walk, self->nid, self, &data);
	PROMISE(type_of(self->mode) == type);
	for (size_t at = 0; at < data.len; at += EROFS_BLOCK)
		read_block(walk, number,
			(struct slice){ data.data + at,
				data.len - at < EROFS_BLOCK ? data.len - at : EROFS_BLOCK },
			&last);
}

void index_walk(struct slice index, uint64_t tar_blocks, struct walked_list *ret)
{
	struct walk walk = { .index = index, .tar_blocks = tar_blocks, .found = ret };
	uint64_t root;

	walk.claimed = xcalloc(index.len, 1);
	walk.links = xcalloc(index.len / EROFS_SLOT, sizeof *walk.links);
	check_super(&walk);
	root = index.data[EROFS_SUPER_OFFSET + 14] | (uint64_t)index.data[EROFS_SUPER_OFFSET + 15]
							     << 8;
	ret->items = xcalloc(1, sizeof *ret->items);
	ret->items[ret->count++] =
		(struct walked){ .path = xstrdup(""), .nid = root, .mode = EROFS_DIR };
	for (size_t i = 0; i < ret->count; i++)
		read_item(&walk, i);
	PROMISE(walk.seen == walk.inodes);
	for (size_t i = 0; i < ret->count; i++)
		PROMISE(ret->items[i].nlink == walk.links[ret->items[i].nid]);
	for (size_t i = 0; i < index.len; i++)
		PROMISE(walk.claimed[i] || !index.data[i]);
	free(walk.claimed);
	free(walk.links);
}

void walked_list_free(struct walked_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].blocks);
		buf_free(&list->items[i].target);
	}
	free(list->items);
}
