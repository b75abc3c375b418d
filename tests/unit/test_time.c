/* time: waiting for points in time that nobody moves. */
#include "base/time.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

/* In the place of libc's: a clock that was an hour ahead when it was looked at. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += 3600;
	return (int)result;
}

static void who_sets_the_clock_back_prolongs_no_waiting(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec until = time_in_ns(50000000);
	int result = 0;

	(void)state;
	alarm(20);
	pthread_mutex_lock(&lock);
	while (result == 0) /* woken without a reason */
		result = time_wait(&never, &lock, &until);
	pthread_mutex_unlock(&lock);
	alarm(0);
	assert_int_equal(result, ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(who_sets_the_clock_back_prolongs_no_waiting),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
