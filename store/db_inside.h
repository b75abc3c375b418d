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
	int data;                       /* lent by ENV: data.mdb */
	MDB_dbi tables[DB_TABLE_COUNT]; /* TABLE_ABSENT: an older environment, read only */
	enum db_mode mode;
	/* LMDB moves the map only while no transaction of this process is running: each holds this
	 * shared, whoever changes the size holds it alone. */
	pthread_rwlock_t map;
	/* The errno of the commit that failed, after which LMDB lets nobody go on; 0: none did. Set
	 * with the map held shared, read by who holds it alone. */
	int broken;
	/* Why there is no map any more, an errno; 0: there is one. Set by who holds it alone. */
	int lost;
	pthread_mutex_t writing; /* for what follows */
	int writers; /* threads in a transaction that writes: one, and others that just ended */
	int cleared; /* slots of killed readers, when it was opened */
};

struct db_txn {
	db *db;
	MDB_txn *txn;
	bool full;
};

/* Bytes of data.mdb that are locked; LMDB locks bytes of lock.mdb only. */
#define DB_BYTE_LENGTH  0 /* by who makes the file longer */
#define DB_BYTE_WRITING 1 /* by who is in a transaction that writes, until the commit is told */

/* ---- the map (db_map.c) ---------------------------------------------------------------------- */

/* Keeps the map where it is until db_let_go(). A thread holds it once at a time. */
int db_hold(db *self, rkt_error **err);
void db_let_go(db *self);
/* With the map held: its size. */
int db_map_size(db *self, size_t *ret, rkt_error **err);
/* Makes the map larger than FULL, which was too small for a transaction. */
int db_map_grow(db *self, size_t full, rkt_error **err);
/* Another process has made it larger. Returns 0 or LMDB's code. */
int db_map_adopt(db *self);
/* Makes the file as long as the map (sparse), for who has just opened it. */
int db_map_stretch(db *self, rkt_error **err);

/* ---- transactions ---------------------------------------------------------------------------- */

/* Begins a transaction, and holds the map until db_let_go(). Another process may have grown the
 * map, or left reader slots behind. */
int db_begin(db *self, unsigned flags, MDB_txn **ret, rkt_error **err);
/* Begins to read what is newest (db_newest.c). Who has the index open for reading only has seen to
 * that when it was opened. */
int db_begin_read(db *self, MDB_txn **ret, rkt_error **err);
/* Whether readers are behind a writer who is dead. */
int db_is_behind(db *self, bool *ret, rkt_error **err);
/* Takes over from him. */
int db_take_over(db *self, rkt_error **err);
/* Around a transaction that writes. */
void db_writing_begins(db *self);
void db_writing_ends(db *self);

/* Fails with the words for CODE, LMDB's or an errno. */
int db_fail(rkt_error **err, int code, const char *doing);

/* Takes the room of the file with the locks in DIR: LMDB writes through a map of it, which a full
 * file system answers with SIGBUS. */
int db_make_room_for_locks(int dir, rkt_error **err);
/* Takes room for commits which make room: else nothing could be removed from a full disk. Where the
 * file system cannot do so, none is taken. */
int db_keep_room(db *self, rkt_error **err);
