/*
 * Reading what is newest, also behind a writer that was killed at the wrong moment.
 *
 * LMDB writes a commit to the disk and then tells the others its number, by which they read. Who is
 * killed between the two leaves a commit that the next writer goes on from and that no reader sees
 * until then. A reader that is behind so takes over: it begins to write, by which LMDB sees to it.
 *
 * The same is seen of a living writer, for as long as the disk takes; who writes holds a lock
 * meanwhile, so that nobody waits for him.
 */
#include "store/db_inside.h"

#include "base/lock.h"

/* ---- who writes ------------------------------------------------------------------------------ */

/* All threads of a handle have one lock: the last one gives it back. Without it, readers wait for
 * us. */
static void change_writers(db *self, int by)
{
	pthread_mutex_lock(&self->writing);
	self->writers += by;
	if (self->writers == 0)
		(void)lock_byte_drop(self->data, DB_BYTE_WRITING, NULL);
	else if (self->writers == 1 && by == 1)
		(void)lock_byte_try(self->data, DB_BYTE_WRITING, LOCK_EXCLUSIVE, NULL);
	pthread_mutex_unlock(&self->writing);
}

void db_writing_begins(db *self)
{
	change_writers(self, 1);
}

void db_writing_ends(db *self)
{
	change_writers(self, -1);
}

/* A living one, of this process or another. */
static bool somebody_writes(db *self)
{
	bool writes;

	pthread_mutex_lock(&self->writing);
	writes = self->writers > 0;
	pthread_mutex_unlock(&self->writing);
	return writes || lock_byte_look(self->data, DB_BYTE_WRITING, LOCK_SHARED, NULL) == 0;
}

/* ---- who is behind --------------------------------------------------------------------------- */

/* Whether there is a commit that TXN, which only reads, does not see. */
static bool is_behind(MDB_txn *txn)
{
	MDB_envinfo info;

	return mdb_env_info(mdb_txn_env(txn), &info) == 0 && info.me_last_txnid > mdb_txn_id(txn);
}

int db_take_over(db *self, rkt_error **err)
{
	MDB_txn *txn;

	if (db_begin(self, 0, &txn, err) < 0)
		return -1;
	mdb_txn_abort(txn);
	db_let_go(self);
	return 0;
}

int db_is_behind(db *self, bool *ret, rkt_error **err)
{
	MDB_txn *txn;

	if (db_begin(self, MDB_RDONLY, &txn, err) < 0)
		return -1;
	*ret = is_behind(txn) && !somebody_writes(self);
	mdb_txn_abort(txn);
	db_let_go(self);
	return 0;
}

int db_begin_read(db *self, MDB_txn **ret, rkt_error **err)
{
	bool written =
		false; /* by somebody who had seen to the dead when this snapshot was taken */

	for (int tries = 0;; tries++) {
		if (db_begin(self, MDB_RDONLY, ret, err) < 0)
			return -1;
		if (self->mode == DB_READ || tries == 2 || written || !is_behind(*ret))
			return 0;
		mdb_txn_abort(*ret);
		db_let_go(self);
		written = somebody_writes(self);
		/* the first time it may be a commit that ended this moment */
		if (!written && tries == 1 && db_take_over(self, err) < 0)
			return -1;
	}
}
