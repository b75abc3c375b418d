/*
 * The map of the index file. Transactions hold it where it is; who needs a larger one waits until
 * none is under way in this process, because LMDB takes the old one away before it makes the new
 * one. The file is never shorter than a map of it.
 */
#include "store/db_guard.h"
#include "store/db_inside.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"

#define MAP_STEP (1024ull * 1024 * 1024) /* the map doubles up to this, then grows by it */

/* ---- holding it ------------------------------------------------------------------------------ */

int db_hold(db *self, rkt_error **err)
{
	int lost;

	pthread_rwlock_rdlock(&self->map);
	lost = self->lost;
	if (lost) {
		pthread_rwlock_unlock(&self->map);
		return db_fail(err, lost, "make the map larger");
	}
	db_guard_enter();
	return 0;
}

void db_let_go(db *self)
{
	db_guard_leave();
	pthread_rwlock_unlock(&self->map);
}

int db_map_size(db *self, size_t *ret, rkt_error **err)
{
	MDB_envinfo info;
	int code = mdb_env_info(self->env, &info);

	*ret = info.me_mapsize;
	return code ? db_fail(err, code, "size") : 0;
}

/* ---- the file below it ----------------------------------------------------------------------- */

static int lengthen(int fd, off_t size, rkt_error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "index: stat");
	if (st.st_size < size && ftruncate(fd, size) < 0)
		return rkt_fail_errno(err, "index: grow");
	return 0;
}

/* Makes the file SIZE bytes long, or leaves it longer. The lock is for other processes that do the
 * same: they may lengthen it, and write there, between our look and what would then cut it. */
static int lengthen_alone(db *self, off_t size, rkt_error **err)
{
	int result;

	if (lock_byte_wait(self->data, DB_BYTE_LENGTH, LOCK_EXCLUSIVE, err) < 0)
		return -1;
	result = lengthen(self->data, size, err);
	(void)lock_byte_drop(self->data, DB_BYTE_LENGTH, NULL); /* what is locked can be unlocked */
	return result;
}

int db_map_stretch(db *self, rkt_error **err)
{
	size_t size;

	return db_map_size(self, &size, err) < 0 ? -1 : lengthen_alone(self, (off_t)size, err);
}

/* ---- moving it ------------------------------------------------------------------------------- */

/* With the map held alone. When there is no room in memory for a new one, the old one is gone all
 * the same, and nothing more can be done with this handle. SIZE 0 is what other processes made of
 * it. */
static int move(db *self, size_t size)
{
	if (!self->lost)
		self->lost = mdb_env_set_mapsize(self->env, size);
	return self->lost;
}

/* With the map held alone. Another thread that found the same may have made it larger meanwhile. */
static int grow(db *self, size_t full, rkt_error **err)
{
	size_t now, wanted;
	int code;

	if (self->lost)
		return db_fail(err, self->lost, "make the map larger");
	if (db_map_size(self, &now, err) < 0)
		return -1;
	if (now > full)
		return 0;
	wanted = now + (now < MAP_STEP ? now : MAP_STEP);
	if (lengthen_alone(self, (off_t)wanted, err) < 0)
		return -1;
	code = move(self, wanted);
	return code ? db_fail(err, code, "make the map larger") : 0;
}

int db_map_grow(db *self, size_t full, rkt_error **err)
{
	int result;

	pthread_rwlock_wrlock(&self->map);
	result = grow(self, full, err);
	pthread_rwlock_unlock(&self->map);
	return result;
}

int db_map_adopt(db *self)
{
	int code;

	pthread_rwlock_wrlock(&self->map);
	code = move(self, 0);
	pthread_rwlock_unlock(&self->map);
	return code;
}
