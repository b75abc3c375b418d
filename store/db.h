/*
 * The one door to LMDB: environment, tables, transactions. What the records mean is db_record.h's.
 *
 * A process opens an environment once (LMDB's rule). Readers neither block nor are blocked; there
 * is one writer at a time across all processes, and a killed writer wedges nobody (robust mutex).
 * The map grows by itself. Bytes handed out point into the map and die with their transaction.
 *
 * Threads share a handle; db_open() and db_close() are for one of them, alone. A thread that waits
 * for the map to grow lets no new transaction begin, so work in a transaction never begins another,
 * nor waits for a thread that may.
 *
 * Traps minded here: reader slots are tied to transactions, not threads (MDB_NOTLS); slots of
 * killed readers are cleared on open; data.mdb is checked before LMDB maps it, because LMDB trusts
 * its meta pages and dies by SIGBUS on a truncated file; the file is always at least as long as the
 * map, so that this check is exact.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum db_table {
	DB_META,
	DB_IMAGE,
	DB_MANIFEST,
	DB_NAME,
	DB_TREE,
	DB_LEASE,
	DB_LAST_OF_FIRST = DB_LEASE, /* what follows came later: older indexes lack it */
	DB_ALIAS,
	DB_USED,
	DB_ORIGIN,
	DB_REMOTE,
	DB_TABLE_COUNT,
};

/* Written into new environments; environments with a larger one are refused (S-047). History: 1. */
#define DB_FORMAT 1

enum db_mode {
	DB_READ, /* works on a read-only file system too */
	DB_WRITE,
};

typedef struct db db;
typedef struct db_txn db_txn;

enum db_file {
	DB_FILE_ABSENT, /* not there, empty, or never written to: an environment that was never made
			 */
	DB_FILE_GOOD,
};

/* Looks at data.mdb in the folder DIR without LMDB. Damaged, truncated or foreign: RKT_INVALID. */
int db_look(int dir, enum db_file *ret, rkt_error **err);
/* Removes what an unfinished db_open() may have left, so that the next begins anew. */
int db_forget(int dir, rkt_error **err);

/* Opens the environment in the folder DIR, which stays the caller's. DB_WRITE makes what is
 * missing. RKT_INVALID: damaged, or a newer format. */
db *db_open(int dir, enum db_mode mode, rkt_error **err);
void db_close(db *self);

/* The work of one transaction: 0, or -1 with *err set. It may be run more than once (the map was
 * full and has been grown), so it must only set its results, never add to them. It must not call
 * db_read() or db_write(). */
typedef int db_work(db_txn *txn, void *context, rkt_error **err);

/* Runs WORK in a read transaction: one consistent snapshot. Never do I/O on blobs in there. */
int db_read(db *self, db_work *work, void *context, rkt_error **err);
/* Runs WORK in a write transaction and commits it durably when it returns 0; else nothing
 * happened. */
int db_write(db *self, db_work *work, void *context, rkt_error **err);
/* The same for WORK that makes room: it may use some that db_write() keeps free on the disk. */
int db_write_less(db *self, db_work *work, void *context, rkt_error **err);

/* 1 with the value, 0 when there is none, -1 on error. */
int db_get(db_txn *txn, enum db_table table, struct slice key, struct slice *ret, rkt_error **err);
/* Adds or replaces. */
int db_put(db_txn *txn, enum db_table table, struct slice key, struct slice value, rkt_error **err);
/* A missing key is success. */
int db_delete(db_txn *txn, enum db_table table, struct slice key, rkt_error **err);
int db_count(db_txn *txn, enum db_table table, uint64_t *ret, rkt_error **err);

struct db_table_stat {
	const char *name;
	uint64_t entries, pages; /* 0: also a table that is not there */
	unsigned depth;          /* of its tree of pages */
};

struct db_stat {
	uint64_t file_bytes,
		map_bytes; /* that data.mdb takes on the disk; that it may grow to now */
	uint64_t page_bytes;
	uint64_t pages, pages_free; /* in the file; of these, to be used again */
	unsigned readers;           /* slots that other processes have */
	unsigned readers_max;
	unsigned readers_cleared; /* slots of killed processes, when this one opened the file */
	struct db_table_stat tables[DB_TABLE_COUNT];
};

/* What the environment takes. Reads the list of free pages, nothing else. */
int db_stat(db_txn *txn, struct db_stat *ret, rkt_error **err);

/* Goes through a table in the byte-wise order of the keys, from the first that is not below
 * FROM. */
typedef struct db_cursor db_cursor;
db_cursor *db_seek(db_txn *txn, enum db_table table, struct slice from, rkt_error **err);
/* 1 with key and value, 0 at the end, -1 on error. */
int db_next(db_cursor *self, struct slice *ret_key, struct slice *ret_value, rkt_error **err);
void db_cursor_free(db_cursor *self);

SCOPE_DEFINE(db, db *, db_close)
SCOPE_DEFINE(db_cursor, db_cursor *, db_cursor_free)
#define auto_db        __attribute__((cleanup(scope_db)))
#define auto_db_cursor __attribute__((cleanup(scope_db_cursor)))
