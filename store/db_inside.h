/* What the files behind db.h share: LMDB's handles. */
#pragma once

#include <lmdb.h>
#include <pthread.h>

#include "store/db.h"

extern const char *const db_table_names[DB_TABLE_COUNT];

#define TABLE_ABSENT UINT32_MAX
#define DB_READERS   1022

struct db {
	MDB_env *env;
	MDB_dbi tables[DB_TABLE_COUNT]; /* TABLE_ABSENT: an older environment, read only */
	enum db_mode mode;
	/* LMDB moves the map only while no transaction of this process is running: each holds this
	 * shared, whoever changes the size holds it alone. */
	pthread_rwlock_t map;
	/* The errno of the commit that failed, after which LMDB lets nobody go on; 0: none did. Set
	 * with the map held shared, read by who holds it alone. */
	int broken;
	int cleared; /* slots of killed readers, when it was opened */
};

struct db_txn {
	db *db;
	MDB_txn *txn;
	bool full;
};

/* Fails with the words for CODE, LMDB's or an errno. */
int db_fail(rkt_error **err, int code, const char *doing);

/* Takes the room of the file with the locks in DIR: LMDB writes through a map of it, which a full
 * file system answers with SIGBUS. */
int db_make_room_for_locks(int dir, rkt_error **err);
/* Takes room for commits which make room: else nothing could be removed from a full disk. Where the
 * file system cannot do so, none is taken. */
int db_keep_room(db *self, rkt_error **err);
