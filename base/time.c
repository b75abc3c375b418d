/* Points in time as people and JSON read them. */
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"

int64_t time_now_sec(void)
{
	return (int64_t)time(NULL);
}

char *time_rfc3339(int64_t sec, char out[static TIME_TEXT_SIZE])
{
	time_t clock = (time_t)sec;
	struct tm tm;

	if (!gmtime_r(&clock, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900)
		snprintf(out, TIME_TEXT_SIZE, "@%lld", (long long)sec);
	else
		strftime(out, TIME_TEXT_SIZE, "%04Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

static const struct unit {
	char letter;
	const char *name;
	int64_t sec;
} units[] = {
	{ 'd', "day", 86400 },
	{ 'h', "hour", 3600 },
	{ 'm', "minute", 60 },
	{ 's', "second", 1 },
};

char *time_ago(int64_t sec, int64_t now_sec, char out[static TIME_TEXT_SIZE])
{
	int64_t age = now_sec - sec;

	snprintf(out, TIME_TEXT_SIZE, age < 0 ? "in the future" : "now");
	for (size_t i = 0; i < ARRAY_LEN(units) && age > 0; i++) {
		if (age < units[i].sec)
			continue;
		snprintf(out, TIME_TEXT_SIZE, "%lld %s%s ago", (long long)(age / units[i].sec),
			units[i].name, str_plural((uint64_t)age / units[i].sec));
		break;
	}
	return out;
}

int time_parse_duration(const char *text, const char *what, int64_t *ret_sec, rkt_error **err)
{
	size_t len = strlen(text);
	auto_free char *digits = xstrdup(text);
	int64_t factor = 1;
	uint64_t count;

	for (size_t i = 0; len && i < ARRAY_LEN(units); i++) {
		if (text[len - 1] != units[i].letter)
			continue;
		factor = units[i].sec;
		digits[len - 1] = '\0';
	}
	if (digits[strspn(digits, "0123456789")] || !*digits)
		return rkt_fail(err, RKT_USAGE,
			"%s: '%s' is not a time: 90s, 30m, 12h, 7d, or seconds", what, text);
	if (str_parse_u64(digits, (uint64_t)(INT64_MAX / factor), what, &count, err) < 0)
		return -1;
	*ret_sec = (int64_t)count * factor;
	return 0;
}

struct timespec time_in_ns(long ns)
{
	struct timespec point;

	clock_gettime(CLOCK_MONOTONIC, &point);
	point.tv_nsec += ns;
	point.tv_sec += point.tv_nsec / 1000000000;
	point.tv_nsec %= 1000000000;
	return point;
}

int time_wait(pthread_cond_t *condition, pthread_mutex_t *lock, const struct timespec *until)
{
	return pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, until);
}
