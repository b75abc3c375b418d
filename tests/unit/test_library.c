/* Libraries that are loaded where they are needed. */
#include "base/library.h"

#include <bzlib.h>
#include <dlfcn.h>
#include <pthread.h>

#include "tests/unit/scratch.h"

#define THREADS 8
#define ROUNDS  200

#define BZIP2_CALLS(CALL, of) CALL(of, BZ2_bzlibVersion) CALL(of, BZ2_bzBuffToBuffCompress)
static LIBRARY_STRUCT(bzip2, BZIP2_CALLS) bzip2;
static LIBRARY_DEFINE(bzip2, BZ2_SONAME, BZIP2_CALLS);

static bool is_in_memory(const char *soname)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_NOLOAD);

	return handle && dlclose(handle) == 0;
}

static void is_there_from_when_it_is_asked_for(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_false(is_in_memory(BZ2_SONAME));
	assert_null(bzip2.BZ2_bzlibVersion);
	assert_int_equal(library_load(&bzip2_library, &err), 0);
	assert_true(is_in_memory(BZ2_SONAME));
	assert_int_equal(*bzip2.BZ2_bzlibVersion(), '1');
	assert_int_equal(library_load(&bzip2_library, &err), 0);
	assert_null(err);
}

static int load_one(const char *file, const char *function, rkt_error **err)
{
	void (*pointer)(void) = NULL;
	const struct library_call calls[] = { { function, &pointer }, { 0 } };
	struct library library = { .file = file, .calls = calls };
	int result = library_load(&library, err);

	assert_true(result == 0 ? pointer != NULL : pointer == NULL);
	return result;
}

static void what_is_not_there_is_named(void **state)
{
	rkt_error *err = NULL;

	(void)state;
	assert_int_equal(load_one("librkt-none.so.7", "anything", &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_FAILED);
	assert_non_null(strstr(rkt_error_message(err), "librkt-none.so.7"));
	rkt_error_free(err);
	err = NULL;
	assert_int_equal(load_one(BZ2_SONAME, "BZ2_of_another_day", &err), -1);
	assert_non_null(strstr(rkt_error_message(err), "BZ2_of_another_day"));
	assert_non_null(strstr(rkt_error_message(err), BZ2_SONAME));
	rkt_error_free(err);
}

struct round {
	struct library library;
	pthread_barrier_t start;
	__typeof__(BZ2_bzlibVersion) *version;
};

/* Whoever comes back first may call it. Returns its argument when that is so. */
static void *load_and_call(void *context)
{
	struct round *round = context;

	pthread_barrier_wait(&round->start);
	if (library_load(&round->library, NULL) < 0)
		return NULL;
	return round->version && *round->version() == '1' ? round : NULL;
}

static void threads_that_come_at_once_all_find_it(void **state)
{
	pthread_t threads[THREADS];
	void *done;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct round round = { 0 };
		const struct library_call calls[] = { { "BZ2_bzlibVersion", &round.version },
			{ 0 } };

		round.library.file = BZ2_SONAME;
		round.library.calls = calls;
		pthread_barrier_init(&round.start, NULL, THREADS);
		for (int at = 0; at < THREADS; at++)
			assert_int_equal(
				pthread_create(&threads[at], NULL, load_and_call, &round), 0);
		for (int at = 0; at < THREADS; at++) {
			assert_int_equal(pthread_join(threads[at], &done), 0);
			assert_ptr_equal(done, &round);
		}
		pthread_barrier_destroy(&round.start);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(is_there_from_when_it_is_asked_for),
		cmocka_unit_test(what_is_not_there_is_named),
		cmocka_unit_test(threads_that_come_at_once_all_find_it),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
