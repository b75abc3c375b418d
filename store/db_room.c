/* Room on the disk that the index takes before it needs it. */
#include "store/db_inside.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"

#define LOCK_FILE "lock.mdb"
#define LOCK_SIZE (64 * 1024) /* what LMDB makes of DB_READERS */
#define ROOM_MIN  (64 * 1024) /* a removal writes some twenty pages */
#define ROOM_MAX  (1024 * 1024)

/* Has LEN bytes of FD from AT on taken from the disk, where the file system can do so. */
static int allocate(int fd, int mode, off_t at, off_t len, rkt_error **err)
{
	int result;

	do
		result = fallocate(fd, mode, at, len);
	while (result < 0 && errno == EINTR);
	if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
		return 0;
	return rkt_fail_errno(err, "index: make room");
}

int db_make_room_for_locks(int dir, rkt_error **err)
{
	auto_fd int fd = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "open cas/index/%s", LOCK_FILE);
	return st.st_blocks * 512 >= LOCK_SIZE ? 0 : allocate(fd, 0, 0, LOCK_SIZE, err);
}

/* What is used of the file. Asked with the map held, which another thread may be growing. */
static int used_bytes(db *self, off_t *ret, rkt_error **err)
{
	MDB_envinfo info;
	MDB_stat stat;
	int code;

	if (db_hold(self, err) < 0)
		return -1;
	code = mdb_env_info(self->env, &info);
	if (!code)
		code = mdb_env_stat(self->env, &stat);
	db_let_go(self);
	if (code)
		return db_fail(err, code, "size");
	*ret = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
	return 0;
}

int db_keep_room(db *self, rkt_error **err)
{
	off_t used = 0, room;

	if (used_bytes(self, &used, err) < 0)
		return -1;
	room = used / 16 < ROOM_MIN ? ROOM_MIN : used / 16 > ROOM_MAX ? ROOM_MAX : used / 16;
	return allocate(self->data, FALLOC_FL_KEEP_SIZE, used, room, err);
}
