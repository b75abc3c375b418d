/* The bytes of an index, one after the other, as erofs.h says. */
#include "store/index/write.h"

#include <sys/stat.h>

#include "base/fd.h"
#include "store/index/chunks.h"
#include "store/index/plan.h"

/* The index is written in pieces of about this size. */
#define PIECE 262144u

/* A file written from its start to its end. After the first error, which it keeps, it ignores
 * all. */
struct output {
	int fd;
	struct buf piece;
	uint64_t before; /* bytes before the piece */
	rkt_error *error;
};

static void flush(struct output *out)
{
	if (!out->error)
		fd_write_all(out->fd, out->piece.data, out->piece.len, &out->error);
	out->before += out->piece.len;
	out->piece.len = 0;
}

static void put(struct output *out, const void *bytes, size_t len)
{
	buf_append(&out->piece, bytes, len);
	if (out->piece.len >= PIECE)
		flush(out);
}

static void put_zeros_to(struct output *out, uint64_t offset)
{
	buf_append_zeros(&out->piece, (size_t)(offset - out->before - out->piece.len));
}

static void put_zeros_to_multiple(struct output *out, uint32_t multiple)
{
	uint64_t at = out->before + out->piece.len;

	put_zeros_to(out, (at + multiple - 1) / multiple * multiple);
}

static void put_super(struct output *out, const struct plan *plan, const struct write_input *input)
{
	struct erofs_super super = {
		.magic = htole32(EROFS_MAGIC),
		.feature_compat = htole32(EROFS_COMPAT_MTIME),
		.block_bits = EROFS_BLOCK_BITS,
		.root_nid = htole16((uint16_t)plan->places[NODES_ROOT].nid),
		.inodes = htole64(plan->count),
		.blocks = htole32(plan->blocks),
		.feature_incompat =
			htole32(EROFS_INCOMPAT_CHUNKED_FILE | EROFS_INCOMPAT_DEVICE_TABLE),
		.devices = htole16((uint16_t)input->tar_count),
		.device_slot = htole16(EROFS_DEVICES_OFFSET / sizeof(struct erofs_device)),
	};

	put_zeros_to(out, EROFS_SUPER_OFFSET);
	put(out, &super, sizeof super);
}

/* The tars' addresses follow the index's own blocks: a device that overlapped them would capture
 * the kernel's reads of directories. Where 32 bits end a tar has no address, which only chunks need
 * not. */
static void put_devices(
	struct output *out, const struct plan *plan, const struct write_input *input)
{
	uint64_t address = plan->blocks;

	for (uint32_t i = 0; i < input->tar_count; i++) {
		struct erofs_device device = { .blocks = htole32(input->tar_blocks[i]) };

		if (address + input->tar_blocks[i] <= UINT32_MAX)
			device.address = htole32((uint32_t)address);
		address += input->tar_blocks[i];
		put(out, &device, sizeof device);
	}
}

static uint8_t type_of(mode_t mode)
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
	default:
		return EROFS_SOCKET;
	}
}

/* COUNT names of the listing from FIRST on as the used part of one directory block. */
static void put_dir_block(
	struct output *out, const struct plan *plan, uint32_t first, uint32_t count)
{
	const struct nodes *nodes = plan->nodes;
	uint32_t offset = count * (uint32_t)sizeof(struct erofs_dirent);

	for (uint32_t i = first; i < first + count; i++) {
		const struct name *name = &nodes->names[plan->listing[i]];
		struct erofs_dirent dirent = {
			.nid = htole64(plan->places[name->inode].nid),
			.name_offset = htole16((uint16_t)offset),
			.type = type_of(nodes->inodes[name->inode].mode),
		};

		put(out, &dirent, sizeof dirent);
		offset += name->len;
	}
	for (uint32_t i = first; i < first + count; i++) {
		const struct name *name = &nodes->names[plan->listing[i]];

		put(out, nodes_text(nodes, name), name->len);
	}
}

static void put_chunks(struct output *out, const struct nodes *nodes, const struct inode *inode)
{
	struct chunks_walk walk = chunks_walk_start(nodes, inode);

	put_zeros_to_multiple(out, sizeof(struct erofs_chunk));
	for (uint32_t block; chunks_walk_next(&walk, &block);) {
		struct erofs_chunk chunk = {
			.device = htole16(block == EROFS_HOLE ? 0 : inode->file.device),
			.block = htole32(block),
		};

		put(out, &chunk, sizeof chunk);
	}
}

/* What i_u and i_size hold. */
static void fill_data(struct erofs_inode *disk, const struct plan *plan, uint32_t number)
{
	const struct inode *inode = &plan->nodes->inodes[number];
	const struct place *place = &plan->places[number];
	uint32_t data = 0;
	uint64_t size = 0;

	if (place->layout == EROFS_CHUNKS) {
		data = EROFS_CHUNK_INDEXES | inode->file.chunk_bits;
		size = inode->file.size;
	} else if (S_ISDIR(inode->mode) || S_ISLNK(inode->mode)) {
		data = plan->first_data_block + place->data;
		size = S_ISDIR(inode->mode) ? place->size : inode->symlink.len;
	} else if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) {
		data = inode->device_number;
	}
	disk->data = htole32(data);
	disk->size = htole64(size);
}

static void put_inode(struct output *out, const struct plan *plan, uint32_t index)
{
	uint32_t number = plan->order[index];
	const struct nodes *nodes = plan->nodes;
	const struct inode *inode = &nodes->inodes[number];
	const struct place *place = &plan->places[number];
	struct erofs_inode disk = {
		.format = htole16((uint16_t)(EROFS_INODE_LONG | place->layout << 1)),
		.xattr_icount = htole16(inode->xattr_icount),
		.mode = htole16(inode->mode),
		.ino = htole32(index + 1),
		.uid = htole32(inode->uid),
		.gid = htole32(inode->gid),
		.mtime_sec = (int64_t)htole64((uint64_t)inode->mtime_sec),
		.mtime_nsec = htole32(inode->mtime_nsec),
		.nlink = htole32(place->nlink),
	};

	fill_data(&disk, plan, number);
	put_zeros_to(out, (uint64_t)place->nid * EROFS_SLOT);
	put(out, &disk, sizeof disk);
	if (inode->xattr_icount)
		put(out, nodes->bytes.data + inode->xattr_bytes, plan_xattr_size(inode));
	if (place->layout == EROFS_CHUNKS)
		put_chunks(out, nodes, inode);
	else if (place->layout == EROFS_INLINE && S_ISDIR(inode->mode))
		put_dir_block(out, plan, place->last, place->first + place->count - place->last);
	else if (place->layout == EROFS_INLINE)
		put(out, nodes->bytes.data + inode->symlink.target, inode->symlink.len);
}

/* The whole blocks of an inode; of a plain one also the partial last block. */
static void put_data(struct output *out, const struct plan *plan, uint32_t number)
{
	const struct inode *inode = &plan->nodes->inodes[number];
	const struct place *place = &plan->places[number];
	uint32_t end = place->layout == EROFS_INLINE ? place->last : place->first + place->count;
	uint32_t size, count;

	if (S_ISLNK(inode->mode) && place->layout == EROFS_PLAIN) {
		put(out, plan->nodes->bytes.data + inode->symlink.target, inode->symlink.len);
		put_zeros_to_multiple(out, EROFS_BLOCK);
	}
	if (!S_ISDIR(inode->mode))
		return;
	for (uint32_t first = place->first; first < end; first += count) {
		count = plan_block(plan, first, end, &size);
		put_dir_block(out, plan, first, count);
		put_zeros_to_multiple(out, EROFS_BLOCK);
	}
}

int write_index(
	const struct write_input *input, int fd, struct index_stats *ret_stats, rkt_error **err)
{
	struct output out = { .fd = fd };
	struct plan plan;
	uint64_t size;

	plan_make(&plan, input->nodes, input->tar_count);
	size = (uint64_t)plan.blocks * EROFS_BLOCK;
	put_super(&out, &plan, input);
	put_devices(&out, &plan, input);
	for (uint32_t i = 0; i < plan.count; i++)
		put_inode(&out, &plan, i);
	put_zeros_to(&out, (uint64_t)plan.first_data_block * EROFS_BLOCK);
	for (uint32_t i = 0; i < plan.count; i++)
		put_data(&out, &plan, plan.order[i]);
	flush(&out);
	if (!out.error && ftruncate(fd, (off_t)size) < 0) /* the padding is a hole */
		rkt_fail_errno(&out.error, "truncate to %ju bytes", (uintmax_t)size);
	buf_free(&out.piece);
	ret_stats->inodes = plan.count;
	ret_stats->size = size;
	plan_free(&plan);
	return out.error ? rkt_fail_with(err, out.error) : 0;
}
