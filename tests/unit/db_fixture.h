/* An index of the test's own, and enough for it to make the map grow. */
#pragma once

#include "tests/unit/scratch.h"

#include "store/db.h"

struct fixture {
	char path[256];
	int dir;
	db *db;
};

static inline int setup(void **state)
{
	struct fixture *self = calloc(1, sizeof *self);
	rkt_error *err = NULL;

	self->dir = scratch_make(self->path);
	self->db = db_open(self->dir, DB_WRITE, &err);
	if (!self->db)
		fail_msg("%s", rkt_error_message(err));
	*state = self;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *self = *state;

	db_close(self->db);
	close(self->dir);
	scratch_remove(self->path);
	free(self);
	return 0;
}

/* So many records of 1 KiB. */
static inline int put_records(db_txn *txn, enum db_table table, uint32_t count, rkt_error **err)
{
	static const uint8_t bytes[1024];

	for (uint32_t i = 0; i < count; i++) {
		struct slice key = { (const uint8_t *)&i, sizeof i };

		if (db_put(txn, table, key, (struct slice){ bytes, sizeof bytes }, err) < 0)
			return -1;
	}
	return 0;
}

/* 8 MiB in one transaction. */
static inline int put_much(db_txn *txn, void *context, rkt_error **err)
{
	(void)context;
	return put_records(txn, DB_NAME, 8192, err);
}

static inline int count_names(db_txn *txn, void *context, rkt_error **err)
{
	return db_count(txn, DB_NAME, context, err);
}

static inline uint64_t name_count(db *index)
{
	uint64_t count = 0;
	rkt_error *err = NULL;

	assert_ok(db_read(index, count_names, &count, &err), err);
	return count;
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
