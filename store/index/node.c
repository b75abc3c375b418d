/* The tree of an image in memory. */
#include "store/index/node.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/index/erofs.h"

/* The first bytes kept are "..", which serve as the name "." too. */
#define DOTS_BYTES 0u
static const struct slice dot = { (const uint8_t *)".", 1 };
static const struct slice dotdot = { (const uint8_t *)"..", 2 };

/* Makes room in the array *ITEMS for one more of SIZE bytes. */
static void *make_room(void *items, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 64;
	return xreallocarray(items, *room, size);
}

static uint32_t add_name(struct nodes *nodes, uint32_t bytes, size_t len, uint32_t inode)
{
	nodes->names =
		make_room(nodes->names, nodes->name_count, &nodes->name_room, sizeof *nodes->names);
	nodes->names[nodes->name_count] =
		(struct name){ .bytes = bytes, .inode = inode, .len = (uint8_t)len };
	return nodes->name_count++;
}

static int compare(const struct nodes *nodes, struct slice text, const struct name *name)
{
	size_t common = text.len < name->len ? text.len : name->len;
	int order = memcmp(text.data, nodes_text(nodes, name), common);

	return order ? order : (int)text.len - (int)name->len;
}

static bool is_dots(struct slice text)
{
	return text.len && text.len <= dotdot.len && memcmp(text.data, dotdot.data, text.len) == 0;
}

uint32_t nodes_find(const struct nodes *nodes, uint32_t dir, struct slice text)
{
	uint32_t at = nodes->inodes[dir].dir.names;

	if (is_dots(text))
		return NODES_NO_NAME;
	while (at != NODES_NO_NAME) {
		const struct name *name = &nodes->names[at];
		int order = compare(nodes, text, name);

		if (!order)
			return at;
		at = name->child[order > 0];
	}
	return NODES_NO_NAME;
}

/* Brings the tree below TOP, one of whose sides is two higher than the other, into balance, and
 * returns its new top. */
static uint32_t rotate(struct name *names, uint32_t top)
{
	int high = names[top].balance > 0;
	int8_t lean = high ? 1 : -1;
	uint32_t below = names[top].child[high], middle;

	if (names[below].balance == lean) {
		names[top].child[high] = names[below].child[!high];
		names[below].child[!high] = top;
		names[top].balance = names[below].balance = 0;
		return below;
	}
	middle = names[below].child[!high];
	names[below].child[!high] = names[middle].child[high];
	names[middle].child[high] = below;
	names[top].child[high] = names[middle].child[!high];
	names[middle].child[!high] = top;
	names[top].balance = names[middle].balance == lean ? (int8_t)-lean : 0;
	names[below].balance = names[middle].balance == -lean ? lean : 0;
	names[middle].balance = 0;
	return middle;
}

/* Hangs the name ADDED, which is not there yet, into the balanced tree of DIR. */
static void insert(struct nodes *nodes, uint32_t dir, uint32_t added)
{
	struct name *names = nodes->names;
	struct slice text = { (const uint8_t *)nodes_text(nodes, &names[added]), names[added].len };
	uint32_t *link = &nodes->inodes[dir].dir.names, *links[NODES_HEIGHT_MAX];
	int sides[NODES_HEIGHT_MAX];
	unsigned depth = 0;

	while (*link != NODES_NO_NAME) {
		links[depth] = link;
		sides[depth] = compare(nodes, text, &names[*link]) > 0;
		link = &names[*link].child[sides[depth++]];
	}
	*link = added;
	while (depth--) {
		struct name *above = &names[*links[depth]];

		above->balance = (int8_t)(above->balance + (sides[depth] ? 1 : -1));
		if (above->balance == 0)
			return; /* as high as before */
		if (above->balance == 2 || above->balance == -2) {
			*links[depth] = rotate(names, *links[depth]);
			return;
		}
	}
}

void nodes_init(struct nodes *nodes)
{
	struct inode root = { .mode = S_IFDIR | 0755 };
	uint32_t number;

	*nodes = (struct nodes){ 0 };
	buf_append(&nodes->bytes, dotdot.data, dotdot.len);
	add_name(nodes, DOTS_BYTES, 0, 0); /* NODES_NO_NAME */
	nodes_add(nodes, &root, &number, NULL);
	insert(nodes, NODES_ROOT, add_name(nodes, DOTS_BYTES, dotdot.len, NODES_ROOT));
}

void nodes_free(struct nodes *nodes)
{
	free(nodes->inodes);
	free(nodes->names);
	buf_free(&nodes->bytes);
}

int nodes_add(struct nodes *nodes, const struct inode *inode, uint32_t *ret, rkt_error **err)
{
	uint32_t number = nodes->inode_count;

	if (number >= NODES_MAX)
		return rkt_fail(err, RKT_INVALID, "more than %u files and directories", NODES_MAX);
	nodes->inodes = make_room(nodes->inodes, number, &nodes->inode_room, sizeof *nodes->inodes);
	nodes->inodes[number] = *inode;
	nodes->inode_count++;
	if (S_ISDIR(inode->mode)) {
		nodes->inodes[number].dir.names = NODES_NO_NAME;
		insert(nodes, number, add_name(nodes, DOTS_BYTES, dot.len, number));
	}
	*ret = number;
	return 0;
}

int nodes_keep(struct nodes *nodes, struct slice bytes, uint32_t *ret, rkt_error **err)
{
	if (bytes.len > NODES_BYTES_MAX - nodes->bytes.len)
		return rkt_fail(err, RKT_INVALID,
			"names, link targets and attributes of all files exceed %u MiB",
			NODES_BYTES_MAX >> 20);
	*ret = (uint32_t)nodes->bytes.len;
	buf_append(&nodes->bytes, bytes.data, bytes.len);
	return 0;
}

static int check_name(struct slice text, rkt_error **err)
{
	if (text.len == 0 || is_dots(text))
		return rkt_fail(err, RKT_INVALID, "a file name is empty, \".\" or \"..\"");
	if (text.len > EROFS_NAME_MAX)
		return rkt_fail(
			err, RKT_INVALID, "a file name is longer than %u bytes", EROFS_NAME_MAX);
	if (memchr(text.data, '/', text.len) || memchr(text.data, '\0', text.len))
		return rkt_fail(err, RKT_INVALID, "a file name holds a slash or a NUL");
	return 0;
}

int nodes_set(struct nodes *nodes, uint32_t dir, struct slice text, uint32_t inode, rkt_error **err)
{
	uint32_t name = nodes_find(nodes, dir, text), bytes = 0;

	if (check_name(text, err) < 0)
		return -1;
	if (name != NODES_NO_NAME) {
		nodes->names[name].inode = inode;
	} else {
		if (nodes->name_count >= NODES_NAMES_MAX)
			return rkt_fail(err, RKT_INVALID, "more than %u names", NODES_NAMES_MAX);
		if (nodes_keep(nodes, text, &bytes, err) < 0)
			return -1;
		insert(nodes, dir, add_name(nodes, bytes, text.len, inode));
	}
	if (!S_ISDIR(nodes->inodes[inode].mode))
		return 0;
	insert(nodes, inode, add_name(nodes, DOTS_BYTES, dotdot.len, dir));
	return 0;
}

static void descend(struct nodes_walk *walk, uint32_t name)
{
	while (name != NODES_NO_NAME) {
		walk->above[walk->depth++] = name;
		name = walk->nodes->names[name].child[0];
	}
}

struct nodes_walk nodes_walk_start(const struct nodes *nodes, uint32_t dir)
{
	struct nodes_walk walk = { .nodes = nodes };

	descend(&walk, nodes->inodes[dir].dir.names);
	return walk;
}

uint32_t nodes_walk_next(struct nodes_walk *walk)
{
	uint32_t name;

	if (!walk->depth)
		return NODES_NO_NAME;
	name = walk->above[--walk->depth];
	descend(walk, walk->nodes->names[name].child[1]);
	return name;
}
