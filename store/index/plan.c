/* Where everything goes in an index. */
#include "store/index/plan.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "store/index/chunks.h"

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

uint32_t plan_block(const struct plan *plan, uint32_t first, uint32_t end, uint32_t *ret_size)
{
	const struct nodes *nodes = plan->nodes;
	uint32_t size = 0, at = first;

	for (; at < end; at++) {
		uint32_t len = nodes->names[plan->listing[at]].len;

		if (size + sizeof(struct erofs_dirent) + len > EROFS_BLOCK)
			break;
		size += (uint32_t)sizeof(struct erofs_dirent) + len;
	}
	*ret_size = size;
	return at - first;
}

/* Appends the names of the directory DIR to the listing, from AT on, and inodes seen for the first
 * time to the order. Every name counts as a link: for directories "." and the children's ".." do
 * too. */
static void list_dir(struct plan *plan, uint32_t dir, uint32_t *at)
{
	struct place *place = &plan->places[dir];
	struct nodes_walk walk = nodes_walk_start(plan->nodes, dir);

	place->first = *at;
	for (uint32_t name; (name = nodes_walk_next(&walk)) != NODES_NO_NAME;) {
		uint32_t inode = plan->nodes->names[name].inode;

		plan->listing[(*at)++] = name;
		if (plan->places[inode].nlink++ == 0 && inode != NODES_ROOT)
			plan->order[plan->count++] = inode;
	}
	place->count = *at - place->first;
	for (uint32_t first = place->first; first < *at;) {
		uint32_t size, fitting = plan_block(plan, first, *at, &size);

		place->last = first;
		first += fitting;
		place->size += first < *at ? EROFS_BLOCK : size;
	}
}

/*
 * A directory's tail must lie in one block, whichever; a symlink's together with its inode, which
 * is the kernel's fast path and the only one for a symlink. HEAD bytes come between the inode's
 * start and the tail. Returns the first place from AT on for the inode, or 0 when there is none.
 */
static uint64_t fit_dir(uint64_t at, uint32_t head, uint32_t tail)
{
	for (uint64_t start = at; start < at + EROFS_BLOCK; start += EROFS_SLOT)
		if ((start + head) % EROFS_BLOCK + tail <= EROFS_BLOCK)
			return start;
	return 0;
}

static uint64_t fit_symlink(uint64_t at, uint32_t head, uint32_t tail)
{
	if (head + tail > EROFS_BLOCK)
		return 0;
	if (at % EROFS_BLOCK + head + tail > EROFS_BLOCK)
		return round_up(at, EROFS_BLOCK);
	return at;
}

struct positions {
	uint64_t at;          /* where the next inode may begin */
	uint32_t data_blocks; /* given out so far */
};

/* Gives the INODE its place and moves on behind it. */
static void place_inode(struct positions *next, const struct inode *inode, struct place *place)
{
	uint32_t head = (uint32_t)sizeof(struct erofs_inode) + plan_xattr_size(inode);
	uint32_t size = 0, tail = 0;
	uint64_t start = next->at, fitting = 0, end = start + head;

	if (S_ISREG(inode->mode) && inode->file.size) {
		place->layout = EROFS_CHUNKS;
		end = round_up(end, sizeof(struct erofs_chunk)) +
		      chunking_count(inode->file.size, inode->file.chunk_bits) *
			      sizeof(struct erofs_chunk);
	} else if (S_ISDIR(inode->mode)) {
		size = place->size;
		tail = size % EROFS_BLOCK;
		fitting = tail ? fit_dir(start, head, tail) : 0;
	} else if (S_ISLNK(inode->mode)) {
		size = inode->symlink.len;
		tail = size % EROFS_BLOCK;
		fitting = tail == size ? fit_symlink(start, head, tail) : 0;
	}
	if (fitting) {
		place->layout = EROFS_INLINE;
		start = fitting;
		end = start + head + tail;
		size -= tail;
	}
	place->nid = (uint32_t)(start / EROFS_SLOT);
	place->data = next->data_blocks;
	next->data_blocks += (uint32_t)(round_up(size, EROFS_BLOCK) / EROFS_BLOCK);
	next->at = round_up(end, EROFS_SLOT);
}

void plan_make(struct plan *plan, const struct nodes *nodes, uint32_t tar_count)
{
	struct positions next = {
		.at = EROFS_DEVICES_OFFSET + (uint64_t)tar_count * sizeof(struct erofs_device),
	};
	uint32_t listed = 0;
	uint64_t size;

	*plan = (struct plan){ .nodes = nodes };
	plan->places = xcalloc(nodes->inode_count, sizeof *plan->places);
	plan->order = xreallocarray(NULL, nodes->inode_count, sizeof *plan->order);
	plan->listing = xreallocarray(NULL, nodes->name_count, sizeof *plan->listing);
	plan->order[plan->count++] = NODES_ROOT;
	for (uint32_t i = 0; i < plan->count; i++)
		if (S_ISDIR(nodes->inodes[plan->order[i]].mode))
			list_dir(plan, plan->order[i], &listed);
	for (uint32_t i = 0; i < plan->count; i++) {
		uint32_t inode = plan->order[i];

		place_inode(&next, &nodes->inodes[inode], &plan->places[inode]);
	}
	plan->first_data_block = (uint32_t)(round_up(next.at, EROFS_BLOCK) / EROFS_BLOCK);
	size = ((uint64_t)plan->first_data_block + next.data_blocks) * EROFS_BLOCK;
	plan->blocks = (uint32_t)(round_up(size, EROFS_ALIGN) / EROFS_BLOCK);
}

void plan_free(struct plan *plan)
{
	free(plan->places);
	free(plan->order);
	free(plan->listing);
}
