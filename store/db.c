/* LMDB: opening, checking, growing, transactions, cursors. */
#include "store/db_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"

#define FORMAT_KEY "format"

const char *const db_table_names[DB_TABLE_COUNT] = { "meta", "image", "manifest", "name", "tree",
	"lease", "alias", "used", "origin", "remote" };

struct db_cursor {
	MDB_cursor *cursor;
	MDB_cursor_op next;
	MDB_val from;
};

int db_fail(rkt_error **err, int code, const char *doing)
{
	switch (code) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_BAD_TXN:
	case MDB_INCOMPATIBLE:
	case MDB_VERSION_MISMATCH:
		return rkt_fail(err, RKT_INVALID, "the index is damaged: %s: %s", doing,
			mdb_strerror(code));
	default:
		if (code < 0)
			return rkt_fail(
				err, RKT_FAILED, "index: %s: %s", doing, mdb_strerror(code));
		errno = code;
		/* LMDB says EIO of a write that was cut short, too */
		return rkt_fail_errno(
			err, "index: %s%s", doing, code == EIO ? " (the disk may be full)" : "");
	}
}

/* ---- the environment ------------------------------------------------------------------------- */

/* Another thread could not write, and all that LMDB says is that it will not go on: why not is what
 * people need. */
static int fail_broken(db *self, rkt_error **err)
{
	pthread_rwlock_wrlock(&self->map); /* when he has ended */
	errno = self->broken;
	pthread_rwlock_unlock(&self->map);
	return errno ? rkt_fail_errno(err, "index: writing failed before")
		     : db_fail(err, MDB_PANIC, "begin");
}

/* LMDB knows processes by their numbers. */
static int fail_begin(int code, rkt_error **err)
{
	if (code != EAGAIN && code != EACCES)
		return db_fail(err, code, "begin");
	return rkt_fail(err, RKT_FAILED,
		"index: a process with the same number as this one, %d, in another PID namespace, "
		"is using it; try again when that has ended",
		(int)getpid());
}

int db_begin(db *self, unsigned flags, MDB_txn **ret, rkt_error **err)
{
	bool checked = false;
	int code;

	for (;;) {
		if (db_hold(self, err) < 0)
			return -1;
		code = mdb_txn_begin(self->env, NULL, flags, ret);
		if (!code)
			return 0;
		db_let_go(self);
		if (code == MDB_MAP_RESIZED) {
			code = db_map_adopt(self);
		} else if (code == MDB_READERS_FULL && !checked) {
			checked = true;
			code = mdb_reader_check(self->env, NULL);
		}
		if (code == MDB_PANIC)
			return fail_broken(self, err);
		if (code)
			return fail_begin(code, err);
	}
}

static int open_table(db *self, MDB_txn *txn, enum db_table table, unsigned flags, rkt_error **err)
{
	int code = mdb_dbi_open(txn, db_table_names[table], flags, &self->tables[table]);

	if (code == MDB_NOTFOUND) {
		self->tables[table] = TABLE_ABSENT;
		return 0;
	}
	return code ? db_fail(err, code, db_table_names[table]) : 0;
}

/* Only what came later may be missing where anything is: an index that lost a table is damaged. To
 * make it anew, empty, would be the end of all images. */
static int check_tables(const db *self, MDB_txn *txn, rkt_error **err)
{
	MDB_dbi all;
	MDB_stat stat;
	int code = mdb_dbi_open(txn, NULL, 0, &all);

	if (code || (code = mdb_stat(txn, all, &stat)))
		return db_fail(err, code, "tables");
	for (int i = 0; stat.ms_entries && i <= DB_LAST_OF_FIRST; i++)
		if (self->tables[i] == TABLE_ABSENT)
			return rkt_fail(err, RKT_INVALID,
				"the index is damaged: the table %s is missing", db_table_names[i]);
	return 0;
}

static int open_tables_in(db *self, MDB_txn *txn, bool *ret_complete, rkt_error **err)
{
	*ret_complete = true;
	for (int i = 0; i < DB_TABLE_COUNT; i++) {
		if (open_table(self, txn, (enum db_table)i, 0, err) < 0)
			return -1;
		if (self->tables[i] == TABLE_ABSENT)
			*ret_complete = false;
	}
	return check_tables(self, txn, err);
}

/* Opens the tables there are; *RET_COMPLETE says whether that is all of them. */
static int open_tables(db *self, bool *ret_complete, rkt_error **err)
{
	MDB_txn *txn;
	int result;

	if (db_begin(self, MDB_RDONLY, &txn, err) < 0)
		return -1;
	result = open_tables_in(self, txn, ret_complete, err);
	if (result < 0)
		mdb_txn_abort(txn);
	else
		mdb_txn_commit(txn); /* not abort: that would close the tables again */
	db_let_go(self);
	return result;
}

static struct slice format_key(void)
{
	return (struct slice){ (const uint8_t *)FORMAT_KEY, sizeof FORMAT_KEY - 1 };
}

/* Makes the tables that are missing, and says which format they are. */
static int make_tables(db_txn *txn, void *context, rkt_error **err)
{
	static const uint8_t format[] = { 1, DB_FORMAT, 0, 0, 0 }; /* version, then u32 */

	(void)context;
	for (int i = 0; i < DB_TABLE_COUNT; i++)
		if (open_table(txn->db, txn->txn, (enum db_table)i, MDB_CREATE, err) < 0)
			return -1;
	return db_put(txn, DB_META, format_key(), (struct slice){ format, sizeof format }, err);
}

static int read_format(db_txn *txn, void *context, rkt_error **err)
{
	int64_t *format = context;
	struct slice value = { 0 };
	int got = db_get(txn, DB_META, format_key(), &value, err);

	*format = -1;
	if (got < 0)
		return -1;
	if (got && value.len == 5 && value.data[0] == 1)
		*format = (int64_t)((uint32_t)value.data[1] | (uint32_t)value.data[2] << 8 |
				    (uint32_t)value.data[3] << 16 | (uint32_t)value.data[4] << 24);
	return 0;
}

static int check_format(db *self, rkt_error **err)
{
	int64_t format;

	if (self->tables[DB_META] == TABLE_ABSENT)
		return self->mode == DB_READ
			       ? rkt_fail(err, RKT_MISSING, "the index is not made yet")
			       : 0;
	if (db_read(self, read_format, &format, err) < 0)
		return -1;
	if (format < 0)
		return rkt_fail(err, RKT_INVALID, "the index does not say which format it has");
	if (format > DB_FORMAT)
		return rkt_fail(err, RKT_INVALID,
			"the index has format %lld, newer than the %d this program knows",
			(long long)format, DB_FORMAT);
	return 0;
}

/* LMDB could not open what db_look() had no fault to find with. Of its locks it takes for damaged
 * what it could not lock alone and nobody has set up. */
static int fail_open(int code, rkt_error **err)
{
	if (code != MDB_INVALID && code != MDB_VERSION_MISMATCH)
		return db_fail(err, code, "open");
	return rkt_fail(err, RKT_FAILED,
		"index: the locks in cas/index/lock.mdb cannot be used: none can be had there, or "
		"another program has the file open; try again when no other has");
}

static int open_env(db *self, int dir, enum db_mode mode, rkt_error **err)
{
	unsigned flags = MDB_NOTLS | (mode == DB_READ ? MDB_RDONLY : 0);
	char path[32];
	int code = mdb_env_create(&self->env);

	if (code)
		return db_fail(err, code, "create");
	if (mode == DB_WRITE && db_make_room_for_locks(dir, err) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
	if ((code = mdb_env_set_maxdbs(self->env, DB_TABLE_COUNT)) ||
		(code = mdb_env_set_maxreaders(self->env, DB_READERS)) ||
		(code = mdb_env_open(self->env, path, flags, 0600)))
		return fail_open(code, err);
	if ((code = mdb_env_get_fd(self->env, &self->data)))
		return db_fail(err, code, "open");
	if (fcntl(self->data, F_SETFD, FD_CLOEXEC) < 0) /* LMDB leaves that to us */
		return rkt_fail_errno(err, "index: open");
	code = mdb_reader_check(self->env, &self->cleared);
	return code ? db_fail(err, code, "clear stale readers") : 0;
}

static void close_env(db *self)
{
	if (self->env)
		mdb_env_close(self->env);
	self->env = NULL;
}

/* Who opens the index for reading cannot take over from a killed writer: it is opened for writing
 * for that moment, where that is allowed. */
static int read_newest(db *self, int dir, rkt_error **err)
{
	bool behind;

	if (db_is_behind(self, &behind, err) < 0)
		return -1;
	if (!behind)
		return 0;
	close_env(self);
	if (open_env(self, dir, DB_WRITE, NULL) == 0)
		(void)db_take_over(self, NULL);
	close_env(self);
	return open_env(self, dir, DB_READ, err);
}

static int open_all(db *self, int dir, rkt_error **err)
{
	bool complete;

	if (open_env(self, dir, self->mode, err) < 0)
		return -1;
	if (self->mode == DB_READ && read_newest(self, dir, err) < 0)
		return -1;
	if (self->mode == DB_WRITE && db_map_stretch(self, err) < 0)
		return -1;
	if (open_tables(self, &complete, err) < 0 || check_format(self, err) < 0)
		return -1;
	return self->mode == DB_READ || complete ? 0 : db_write(self, make_tables, NULL, err);
}

db *db_open(int dir, enum db_mode mode, rkt_error **err)
{
	db *self = xcalloc(1, sizeof *self);
	pthread_rwlockattr_t kind;

	self->mode = mode;
	/* readers that follow each other must not keep a writer from growing the map for ever */
	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&self->map, &kind);
	pthread_rwlockattr_destroy(&kind);
	pthread_mutex_init(&self->writing, NULL);
	if (open_all(self, dir, err) == 0)
		return self;
	db_close(self);
	return NULL;
}

void db_close(db *self)
{
	if (!self)
		return;
	close_env(self);
	pthread_mutex_destroy(&self->writing);
	pthread_rwlock_destroy(&self->map);
	free(self);
}

/* ---- transactions ---------------------------------------------------------------------------- */

int db_read(db *self, db_work *work, void *context, rkt_error **err)
{
	db_txn txn = { .db = self };
	int result;

	if (db_begin_read(self, &txn.txn, err) < 0)
		return -1;
	result = work(&txn, context, err);
	mdb_txn_abort(txn.txn);
	db_let_go(self);
	return result;
}

/* The work of a transaction that has begun: 0 committed, 1 the map of *RET_SIZE is full, -1 on
 * error. */
static int work_and_commit(
	db_txn *txn, db_work *work, void *context, size_t *ret_size, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	int code;

	if (db_map_size(txn->db, ret_size, &why) < 0 || work(txn, context, &why) < 0) {
		mdb_txn_abort(txn->txn);
		return txn->full ? 1 : rkt_fail_with(err, pass_ptr(why));
	}
	code = mdb_txn_commit(txn->txn);
	if (code == MDB_MAP_FULL)
		return 1;
	if (code > 0)
		txn->db->broken = code;
	return code ? db_fail(err, code, "commit") : 0;
}

static int try_write(db *self, db_work *work, void *context, size_t *ret_size, rkt_error **err)
{
	db_txn txn = { .db = self };
	int result;

	if (db_begin(self, 0, &txn.txn, err) < 0)
		return -1;
	db_writing_begins(self);
	result = work_and_commit(&txn, work, context, ret_size, err);
	db_writing_ends(self);
	db_let_go(self);
	return result;
}

int db_write(db *self, db_work *work, void *context, rkt_error **err)
{
	if (self->mode == DB_WRITE && db_keep_room(self, err) < 0)
		return -1;
	return db_write_less(self, work, context, err);
}

int db_write_less(db *self, db_work *work, void *context, rkt_error **err)
{
	if (self->mode == DB_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	for (;;) {
		size_t size = 0;
		int done = try_write(self, work, context, &size, err);

		if (done <= 0)
			return done;
		if (db_map_grow(self, size, err) < 0)
			return -1;
	}
}

static MDB_val to_val(struct slice bytes)
{
	return (MDB_val){ bytes.len, (void *)(uintptr_t)bytes.data };
}

static struct slice from_val(MDB_val value)
{
	return (struct slice){ value.mv_data, value.mv_size };
}

int db_get(db_txn *txn, enum db_table table, struct slice key, struct slice *ret, rkt_error **err)
{
	MDB_val wanted = to_val(key), value;
	int code;

	if (txn->db->tables[table] == TABLE_ABSENT)
		return 0;
	code = mdb_get(txn->txn, txn->db->tables[table], &wanted, &value);
	if (code == MDB_NOTFOUND)
		return 0;
	if (code)
		return db_fail(err, code, db_table_names[table]);
	*ret = from_val(value);
	return 1;
}

int db_put(db_txn *txn, enum db_table table, struct slice key, struct slice value, rkt_error **err)
{
	MDB_val at = to_val(key), what = to_val(value);
	int code = mdb_put(txn->txn, txn->db->tables[table], &at, &what, 0);

	txn->full = txn->full || code == MDB_MAP_FULL;
	return code ? db_fail(err, code, db_table_names[table]) : 0;
}

int db_delete(db_txn *txn, enum db_table table, struct slice key, rkt_error **err)
{
	MDB_val at = to_val(key);
	int code = mdb_del(txn->txn, txn->db->tables[table], &at, NULL);

	txn->full = txn->full || code == MDB_MAP_FULL;
	return code && code != MDB_NOTFOUND ? db_fail(err, code, db_table_names[table]) : 0;
}

int db_count(db_txn *txn, enum db_table table, uint64_t *ret, rkt_error **err)
{
	MDB_stat stat = { 0 };
	int code = txn->db->tables[table] == TABLE_ABSENT
			   ? 0
			   : mdb_stat(txn->txn, txn->db->tables[table], &stat);

	if (code)
		return db_fail(err, code, db_table_names[table]);
	*ret = stat.ms_entries;
	return 0;
}

/* ---- cursors --------------------------------------------------------------------------------- */

db_cursor *db_seek(db_txn *txn, enum db_table table, struct slice from, rkt_error **err)
{
	db_cursor *self = xcalloc(1, sizeof *self);
	int code = 0;

	self->next = from.len ? MDB_SET_RANGE : MDB_FIRST;
	self->from = to_val(from);
	if (txn->db->tables[table] != TABLE_ABSENT)
		code = mdb_cursor_open(txn->txn, txn->db->tables[table], &self->cursor);
	if (!code)
		return self;
	db_cursor_free(self);
	db_fail(err, code, db_table_names[table]);
	return NULL;
}

int db_next(db_cursor *self, struct slice *ret_key, struct slice *ret_value, rkt_error **err)
{
	MDB_val key = self->from, value;
	int code = self->cursor ? mdb_cursor_get(self->cursor, &key, &value, self->next)
				: MDB_NOTFOUND;

	if (code == MDB_NOTFOUND)
		return 0;
	if (code)
		return db_fail(err, code, "read on");
	self->next = MDB_NEXT;
	*ret_key = from_val(key);
	*ret_value = from_val(value);
	return 1;
}

void db_cursor_free(db_cursor *self)
{
	if (self && self->cursor)
		mdb_cursor_close(self->cursor);
	free(self);
}
