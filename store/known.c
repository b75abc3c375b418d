/* Looking an image and its files up. */
#include "store/known.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/alias.h"

struct known {
	const rkt_image_id *id;
	bool recorded, has_index;
	uint64_t size, index_size;
};

static int look_up(db_txn *txn, void *context, rkt_error **err)
{
	struct known *known = context;
	struct image_row row;
	struct tree_row tree;
	int image = store_get_image(txn, known->id, &row, err), index;

	if (image < 0)
		return -1;
	index = store_get_tree(txn, RECORD_EROFS, known->id, &tree, err);
	if (index < 0)
		return -1;
	known->recorded = image;
	known->has_index = index;
	known->size = image ? row.size : 0;
	known->index_size = index ? tree.size : 0;
	return 0;
}

static bool file_has_size(int shelf, const rkt_image_id *id, uint64_t size)
{
	auto_fd int shard = layout_shard_open(shelf, id, NULL);
	struct stat st;

	return shard >= 0 && fstatat(shard, id->text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

int known_is_there(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	const struct layout *layout = &store->layout;
	struct known known = { .id = id };

	if (db_read(store->db, look_up, &known, err) < 0)
		return -1;
	return known.recorded && file_has_size(layout->blob, id, known.size) &&
	       (!known.has_index || file_has_size(layout->erofs, id, known.index_size));
}

struct alias_question {
	const struct alias *alias;
	rkt_image_id id;
	int known;
};

static int ask_alias(db_txn *txn, void *context, rkt_error **err)
{
	struct alias_question *self = context;

	self->known = alias_get(txn, self->alias, &self->id, err);
	return self->known < 0 ? -1 : 0;
}

int known_by_alias(rkt_store *store, const struct alias *alias, rkt_image_id *ret, rkt_error **err)
{
	struct alias_question question = { .alias = alias };

	if (db_read(store->db, ask_alias, &question, err) < 0)
		return -1;
	if (question.known)
		*ret = question.id;
	return question.known;
}

#define USE_NS (3600 * 1000000000ull)

struct use {
	const rkt_image_id *id;
	bool is_news;
};

static int look_at_use(db_txn *txn, void *context, rkt_error **err)
{
	struct use *self = context;
	struct image_row row;
	uint64_t used_ns = 0, now_ns = store_now_ns();
	int got = store_get_image(txn, self->id, &row, err);

	self->is_news = false;
	if (got <= 0)
		return got;
	if (store_get_used(txn, self->id, &used_ns, err) < 0)
		return -1;
	if (used_ns < row.imported_ns)
		used_ns = row.imported_ns;
	self->is_news = used_ns + USE_NS < now_ns;
	return 0;
}

static int write_use(db_txn *txn, void *context, rkt_error **err)
{
	const struct use *self = context;
	struct image_row row;
	int got = store_get_image(txn, self->id, &row, err);

	return got > 0 ? store_put_used(txn, self->id, err) : got;
}

int known_used_in(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct use use = { .id = id };

	if (look_at_use(txn, &use, err) < 0)
		return -1;
	return use.is_news ? store_put_used(txn, id, err) : 0;
}

int known_used(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	struct use use = { .id = id };

	if (db_read(store->db, look_at_use, &use, err) < 0)
		return -1;
	return use.is_news ? db_write(store->db, write_use, &use, err) : 0;
}
