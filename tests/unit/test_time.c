/* time: how points in time are written, and waiting for those that nobody moves. */
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

/* RFC 3339 has years of four digits, and no others; archives have any. */
static void years_have_four_digits(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -60000000000, "0068-09-03T13:20:00Z" },
		{ -62167219200, "0000-01-01T00:00:00Z" },
		{ -62167219201, "@-62167219201" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "@253402300800" },
		{ INT64_MAX, "@9223372036854775807" },
		{ INT64_MIN, "@-9223372036854775808" },
	};
	char text[TIME_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(time_rfc3339(cases[i].sec, text), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(years_have_four_digits),
		cmocka_unit_test(who_sets_the_clock_back_prolongs_no_waiting),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
