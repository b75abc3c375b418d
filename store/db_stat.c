/* What the environment takes, table by table; free pages and readers. */
#include "store/db_inside.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREE_TABLE 0 /* LMDB's own: transaction -> a list of pages that it gave back */

static int look_at_tables(db_txn *txn, struct db_stat *ret, rkt_error **err)
{
	for (int i = 0; i < DB_TABLE_COUNT; i++) {
		struct db_table_stat *table = &ret->tables[i];
		MDB_stat stat;
		int code;

		*table = (struct db_table_stat){ .name = db_table_names[i] };
		if (txn->db->tables[i] == TABLE_ABSENT)
			continue;
		code = mdb_stat(txn->txn, txn->db->tables[i], &stat);
		if (code)
			return db_fail(err, code, table->name);
		table->entries = stat.ms_entries;
		table->depth = stat.ms_depth;
		table->pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
	}
	return 0;
}

/* Each list begins with its length. */
static int count_free_pages(db_txn *txn, struct db_stat *ret, rkt_error **err)
{
	MDB_cursor *cursor;
	MDB_val key, list;
	int code = mdb_cursor_open(txn->txn, FREE_TABLE, &cursor);

	ret->pages_free = 0;
	if (code)
		return db_fail(err, code, "free pages");
	while (!(code = mdb_cursor_get(cursor, &key, &list, MDB_NEXT))) {
		size_t count = 0;

		if (list.mv_size >= sizeof count)
			memcpy(&count, list.mv_data, sizeof count);
		ret->pages_free += count;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : db_fail(err, code, "free pages");
}

/* LMDB tells its readers as text: a head line, then one a line, its process first. */
static int count_reader(const char *line, void *context)
{
	unsigned *count = context;

	while (*line == ' ')
		line++;
	if (isdigit((unsigned char)*line) && strtol(line, NULL, 10) != getpid())
		(*count)++;
	return 0;
}

int db_stat(db_txn *txn, struct db_stat *ret, rkt_error **err)
{
	MDB_env *env = txn->db->env;
	MDB_envinfo info;
	MDB_stat stat;
	struct stat file;
	int code;

	if ((code = mdb_env_info(env, &info)) || (code = mdb_env_stat(env, &stat)))
		return db_fail(err, code, "size");
	if (fstat(txn->db->data, &file) < 0)
		return rkt_fail_errno(err, "index: stat");
	*ret = (struct db_stat){ .file_bytes = (uint64_t)file.st_blocks * 512,
		.map_bytes = info.me_mapsize,
		.page_bytes = stat.ms_psize,
		.pages = info.me_last_pgno + 1,
		.readers_max = info.me_maxreaders,
		.readers_cleared = (unsigned)txn->db->cleared };
	if (mdb_reader_list(env, count_reader, &ret->readers) < 0)
		return rkt_fail(err, RKT_FAILED, "index: the readers could not be listed");
	return look_at_tables(txn, ret, err) < 0 ? -1 : count_free_pages(txn, ret, err);
}
