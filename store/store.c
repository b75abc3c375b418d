/* The handle: opening and closing a store, and turning its records into what the world sees. */
#include "store/store.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "store/origin.h"

/* An image record and the copies its strings point into. */
struct record {
	rkt_image_record shown;
	struct buf row, manifest, origin;
};

/* An index that is gone while images are there is damage, not a new store: beginning anew would
 * make every blob a left-over for gc (S-047). */
static int check_lost_index(const struct layout *layout, rkt_error **err)
{
	int images = layout_has_entries(layout->blob, err);

	if (images > 0)
		return rkt_fail(err, RKT_INVALID,
			"the index is damaged: cas/index/data.mdb is missing or empty, but images are there");
	return images;
}

/* Makes the index, alone: an empty file of somebody who was killed while doing so is replaced. */
static int make_index(rkt_store *self, rkt_error **err)
{
	auto_fd int alone = layout_lock(&self->layout, LAYOUT_REMOVING, err);
	enum db_file state;

	if (alone < 0 || db_look(self->layout.index, &state, err) < 0)
		return -1;
	if (state == DB_FILE_ABSENT && (check_lost_index(&self->layout, err) < 0 ||
					       db_forget(self->layout.index, err) < 0))
		return -1;
	self->db = db_open(self->layout.index, DB_WRITE, err);
	return self->db ? 0 : -1;
}

/* What looks damaged may be half made, by somebody who holds the lock for that. */
static int look_at_index(const rkt_store *self, enum db_file *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int naming = -1;

	if (db_look(self->layout.index, ret, &why) == 0)
		return 0;
	if (rkt_error_kind(why) == RKT_INVALID)
		naming = layout_lock(&self->layout, LAYOUT_NAMING, NULL);
	return naming < 0 ? rkt_fail_with(err, pass_ptr(why))
			  : db_look(self->layout.index, ret, err);
}

static int open_index(rkt_store *self, rkt_error **err)
{
	enum db_file state;

	if (look_at_index(self, &state, err) < 0)
		return -1;
	if (state == DB_FILE_ABSENT && self->mode == RKT_STORE_WRITE)
		return make_index(self, err);
	if (state == DB_FILE_ABSENT)
		return check_lost_index(&self->layout, err) < 0
			       ? -1
			       : rkt_fail(err, RKT_MISSING, "there is no store at %s",
					 self->layout.path);
	self->db =
		db_open(self->layout.index, self->mode == RKT_STORE_READ ? DB_READ : DB_WRITE, err);
	return self->db ? 0 : -1;
}

static int open_store(rkt_store *self, const char *path, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	if (layout_open(&self->layout, path, self->mode, err) < 0)
		return -1;
	if (opened_enter(&self->opened, self->layout.index, &why) == 0 &&
		open_index(self, &why) == 0)
		return 0;
	if (rkt_error_kind(why) == RKT_MISSING)
		return rkt_fail(err, RKT_MISSING, "there is no store at %s", self->layout.path);
	rkt_fail_with(err, pass_ptr(why));
	return rkt_fail_outer(err, "store %s", self->layout.path);
}

rkt_store *rkt_store_open(const char *path, enum rkt_store_mode mode, rkt_error **err)
{
	rkt_store *self = xcalloc(1, sizeof *self);

	self->layout = (struct layout)LAYOUT_EMPTY;
	self->mode = mode;
	pthread_mutex_init(&self->lock, NULL);
	if (open_store(self, path, err) == 0)
		return self;
	rkt_store_close(self);
	return NULL;
}

void rkt_store_close(rkt_store *self)
{
	if (!self)
		return;
	db_close(self->db);
	opened_leave(&self->opened);
	layout_close(&self->layout);
	free(self->tree_reason);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

const char *rkt_store_path(const rkt_store *self)
{
	return self->layout.path;
}

uint64_t store_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int store_check_options(size_t size, size_t known, rkt_error **err)
{
	return size == known ? 0
			     : rkt_fail(err, RKT_USAGE,
				       "options of %zu bytes; this library knows %zu", size, known);
}

int store_read_options(const void *options, size_t first, void *ret, size_t known, rkt_error **err)
{
	size_t size;

	memcpy(&size, options, sizeof size);
	if (size != first && store_check_options(size, known, err) < 0)
		return -1;
	memset(ret, 0, known);
	memcpy(ret, options, size);
	return 0;
}

int store_no_image(const char *reference, rkt_error **err)
{
	return rkt_fail(err, RKT_MISSING, "no image %s", reference);
}

int store_get_image(db_txn *txn, const rkt_image_id *id, struct image_row *ret, rkt_error **err)
{
	struct key key = key_of_id(id);
	struct slice value = { 0 };
	int got = db_get(txn, DB_IMAGE, key_slice(&key), &value, err);

	if (got <= 0)
		return got;
	return image_row_read(value, ret, err) < 0 ? -1 : 1;
}

int store_get_manifest(db_txn *txn, const rkt_image_id *id, struct slice *ret, rkt_error **err)
{
	struct key key = key_of_id(id);
	struct slice value;
	int got = db_get(txn, DB_MANIFEST, key_slice(&key), &value, err);

	if (!got)
		return rkt_fail(
			err, RKT_INVALID, "the index is damaged: %s has no manifest", id->text);
	return got < 0 ? -1 : manifest_row_read(value, ret, err);
}

/* Whether ROW tells the value of the label NAME; NULL is one: there is no such label. */
static bool row_tells(const struct image_row *row, const char *name, const char **ret)
{
	if (strcmp(name, "version") == 0)
		*ret = row->version;
	else if (strcmp(name, "os") == 0)
		*ret = row->os;
	else if (strcmp(name, "arch") == 0)
		*ret = row->arch;
	else
		return false;
	return true;
}

int store_has_labels(db_txn *txn, const rkt_image_id *id, const struct image_row *row,
	const struct ac_pair *wanted, size_t count, rkt_error **err)
{
	auto_image_manifest struct image_manifest *manifest = NULL;
	struct slice text;

	for (size_t i = 0; i < count; i++) {
		const char *value;

		if (!row_tells(row, wanted[i].name, &value)) {
			if (!manifest && store_get_manifest(txn, id, &text, err) < 0)
				return -1;
			if (!manifest)
				manifest = image_manifest_parse(text, NULL, err);
			if (!manifest)
				return -1;
			value = image_manifest_label(manifest, wanted[i].name);
		}
		if (!value || strcmp(value, wanted[i].value) != 0)
			return 0;
	}
	return 1;
}

int store_get_tree(db_txn *txn, enum record_form form, const rkt_image_id *id, struct tree_row *ret,
	rkt_error **err)
{
	struct key key = key_of_tree(form, id);
	struct slice value = { 0 };
	int got = db_get(txn, DB_TREE, key_slice(&key), &value, err);

	if (got <= 0)
		return got;
	return tree_row_read(value, ret, err) < 0 ? -1 : 1;
}

int store_get_used(db_txn *txn, const rkt_image_id *id, uint64_t *ret_ns, rkt_error **err)
{
	struct key key = key_of_id(id);
	struct slice value = { 0 };
	int got = db_get(txn, DB_USED, key_slice(&key), &value, err);

	if (got <= 0)
		return got;
	return used_row_read(value, ret_ns, err) < 0 ? -1 : 1;
}

int store_put_used(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	auto_buf struct buf value = { 0 };
	struct key key = key_of_id(id);

	used_row_write(store_now_ns(), &value);
	return db_put(txn, DB_USED, key_slice(&key), buf_slice(&value), err);
}

static int fill_origin(struct record *self, struct slice bytes, rkt_error **err)
{
	struct origin_row row;

	buf_append(&self->origin, bytes.data, bytes.len);
	if (origin_row_read(buf_slice(&self->origin), &row, err) < 0)
		return -1;
	self->shown.source = row.source;
	self->shown.signed_by = row.signed_by;
	return 0;
}

/* Copies the raw record into SELF, so that its strings outlive the transaction. */
static int fill_row(struct record *self, struct slice bytes, rkt_error **err)
{
	rkt_image_record *shown = &self->shown;
	struct image_row row;

	buf_append(&self->row, bytes.data, bytes.len);
	if (image_row_read(buf_slice(&self->row), &row, err) < 0)
		return -1;
	shown->name = row.name;
	shown->version = row.version;
	shown->os = row.os;
	shown->arch = row.arch;
	shown->size = row.size;
	shown->entries = row.entries;
	shown->imported_sec = (int64_t)(row.imported_ns / 1000000000u);
	shown->imported_nsec = (uint32_t)(row.imported_ns % 1000000000u);
	shown->index_fault = row.index_fault;
	return 0;
}

static int fill_manifest(struct record *self, db_txn *txn, rkt_error **err)
{
	struct slice text;

	if (store_get_manifest(txn, &self->shown.id, &text, err) < 0)
		return -1;
	buf_append(&self->manifest, text.data, text.len);
	self->shown.manifest = buf_text(&self->manifest);
	self->shown.manifest_len = self->manifest.len;
	return 0;
}

/* What is not in the tables that every image has a record in. */
static int fill_more(struct record *self, db_txn *txn, rkt_error **err)
{
	const rkt_image_id *id = &self->shown.id;
	struct slice origin = { 0 };
	struct tree_row tree = { 0 };
	uint64_t used_ns = 0;
	int has_index = store_get_tree(txn, RECORD_EROFS, id, &tree, err), has_origin;

	if (has_index < 0 || store_get_used(txn, id, &used_ns, err) < 0)
		return -1;
	self->shown.index_size = has_index ? tree.size : 0;
	self->shown.used_sec = (int64_t)(used_ns / 1000000000u);
	has_origin = origin_get(txn, id, &origin, err);
	return has_origin > 0 ? fill_origin(self, origin, err) : has_origin;
}

int store_get_record(db_txn *txn, const rkt_image_id *id, enum record_parts parts,
	rkt_image_record **ret, rkt_error **err)
{
	struct key key = key_of_id(id);
	struct slice row = { 0 };
	auto_image_record rkt_image_record *record = NULL;
	struct record *self;
	int got = db_get(txn, DB_IMAGE, key_slice(&key), &row, err);

	if (got <= 0)
		return got;
	self = xcalloc(1, sizeof *self);
	record = &self->shown;
	record->id = *id;
	if (fill_row(self, row, err) < 0)
		return -1;
	if (parts == RECORD_WHOLE &&
		(fill_manifest(self, txn, err) < 0 || fill_more(self, txn, err) < 0))
		return -1;
	*ret = pass_ptr(record);
	return 1;
}

void rkt_image_record_free(rkt_image_record *shown)
{
	struct record *self = (struct record *)shown;

	if (!self)
		return;
	buf_free(&self->row);
	buf_free(&self->manifest);
	buf_free(&self->origin);
	free(self);
}
