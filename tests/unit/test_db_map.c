/* The index among threads and processes: a map that grows, is lost, and is not inherited. */
#include "tests/unit/db_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/sanitized.h"

static int change_nothing(db_txn *txn, void *context, rkt_error **err)
{
	(void)txn;
	(void)context;
	return rkt_fail(err, RKT_FAILED, "nothing is to be changed");
}

struct asker {
	db *index;
	pthread_t thread;
	atomic_bool stop;
};

static void *begin_over_and_over(void *context)
{
	struct asker *self = context;

	while (!self->stop)
		db_write(self->index, change_nothing, NULL, NULL);
	return NULL;
}

static void grow_among_others(db *index)
{
	struct asker askers[16];
	rkt_error *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		askers[i].index = index;
		askers[i].stop = false;
		assert_int_equal(
			pthread_create(&askers[i].thread, NULL, begin_over_and_over, &askers[i]),
			0);
	}
	assert_ok(db_write(index, put_much, NULL, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		askers[i].stop = true;
		pthread_join(askers[i].thread, NULL);
	}
	assert_int_equal(name_count(index), 8192);
}

/* LMDB takes the old map away before it makes the new one: who looks at it then is lost, but not
 * each time. */
static void others_may_begin_to_write_while_the_map_grows(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;

	for (int round = 0; round < 20; round++) {
		grow_among_others(self->db);
		db_close(self->db);
		unlinkat(self->dir, "data.mdb", 0);
		unlinkat(self->dir, "lock.mdb", 0);
		self->db = db_open(self->dir, DB_WRITE, &err);
		assert_non_null(self->db);
	}
}

/* In the place of libc's: what a test does in between. */
static void (*before_ftruncate)(void);

int ftruncate(int fd, off_t size)
{
	if (before_ftruncate)
		before_ftruncate();
	return (int)syscall(SYS_ftruncate, fd, size);
}

static struct {
	const struct fixture *fixture;
	pid_t child;
} other;

/* Gives another process, which grows the index further, half a second: all it needs unless it is
 * kept waiting. */
static void let_another_grow(void)
{
	before_ftruncate = NULL;
	other.child = fork();
	if (other.child == 0) {
		int dir = open(other.fixture->path, O_RDONLY | O_DIRECTORY);
		db *index = db_open(dir, DB_WRITE, NULL);

		_exit(index && db_write(index, put_much, NULL, NULL) == 0 ? 0 : 1);
	}
	usleep(500000);
}

static int put_two_mib(db_txn *txn, void *context, rkt_error **err)
{
	(void)context;
	return put_records(txn, DB_MANIFEST, 2048, err);
}

static void who_grows_the_file_does_not_cut_what_another_has_grown_it_to(void **state)
{
	struct fixture *self = *state;
	enum db_file found;
	rkt_error *err = NULL;
	int status;

	other.fixture = self;
	before_ftruncate = let_another_grow;
	assert_ok(db_write(self->db, put_two_mib, NULL, &err), err);
	assert_int_equal(waitpid(other.child, &status, 0), other.child);
	assert_int_equal(status, 0);
	assert_int_equal(name_count(self->db), 8192);
	assert_ok(db_look(self->dir, &found, &err), err);
	assert_int_equal(found, DB_FILE_GOOD);
}

static void what_is_executed_does_not_inherit_the_index(void **state)
{
	auto_dir DIR *open_ones = opendir("/proc/self/fd");
	const struct dirent *entry;
	int seen = 0;

	(void)state; /* has it open */
	while ((entry = readdir(open_ones))) {
		int fd = atoi(entry->d_name);
		char name[32], file[256];
		ssize_t len;

		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		len = readlink(name, file, sizeof file - 1);
		if (len < 0 || fd == dirfd(open_ones))
			continue;
		file[len] = '\0';
		if (!strstr(file, "/data.mdb") && !strstr(file, "/lock.mdb"))
			continue;
		seen++;
		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			fail_msg("%s stays open", file);
	}
	assert_true(seen >= 2);
}

/* From here on the process gets no more address space than it has. */
static void forbid_more_memory(void)
{
	auto_file FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) == 1) {
		limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE);
		setrlimit(RLIMIT_AS, &limit);
	}
}

/* Fills the map, and takes care that there will be no larger one. */
static int fill_the_map(db_txn *txn, void *context, rkt_error **err)
{
	int result = put_much(txn, context, err);

	if (result < 0)
		forbid_more_memory();
	return result;
}

/* 0 when all goes as it should. */
static int lose_the_map(const struct fixture *fixture)
{
	int dir = open(fixture->path, O_RDONLY | O_DIRECTORY);
	db *index = db_open(dir, DB_WRITE, NULL);
	rkt_error *first = NULL, *second = NULL;
	uint64_t count;

	if (!index || db_write(index, fill_the_map, NULL, &first) == 0 ||
		!strstr(rkt_error_message(first), "Cannot allocate memory"))
		return 1;
	if (db_read(index, count_names, &count, &second) == 0 ||
		!strstr(rkt_error_message(second), "Cannot allocate memory"))
		return 2;
	if (db_write(index, change_nothing, NULL, NULL) == 0)
		return 3;
	db_close(index);
	return 0;
}

static void without_memory_for_a_larger_map_nothing_more_is_done(void **state)
{
	struct fixture *self = *state;
	pid_t child;
	int status;

	if (IS_SANITIZED)
		skip(); /* AddressSanitizer needs more of the address space than it is given */
	child = fork();
	if (child == 0)
		_exit(lose_the_map(self));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(name_count(self->db), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		WITH_DB(others_may_begin_to_write_while_the_map_grows),
		WITH_DB(who_grows_the_file_does_not_cut_what_another_has_grown_it_to),
		WITH_DB(what_is_executed_does_not_inherit_the_index),
		WITH_DB(without_memory_for_a_larger_map_nothing_more_is_done),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
