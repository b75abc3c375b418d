/*
 * What a command costs: cost ROUNDS COMMAND [ARGUMENT...]
 *
 * Runs it ROUNDS times, its output thrown away, and prints one line: microseconds of wall time and
 * of processor time from fork to exit, and the kB of its largest resident size; each the least of
 * all rounds. time(1) counts in hundredths of a second, longer than most of our commands.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/str.h"

struct cost {
	long wall_us, cpu_us, resident_kb;
};

static long us_of(struct timeval time)
{
	return time.tv_sec * 1000000 + time.tv_usec;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* False, with a word about it, when it could not be run or failed. */
static bool run(char **command, const posix_spawn_file_actions_t *silence, struct cost *ret)
{
	long before = now_us();
	struct rusage used;
	int status, code;
	pid_t child;

	code = posix_spawnp(&child, command[0], silence, NULL, command, environ);
	if (code || wait4(child, &status, 0, &used) != child) {
		fprintf(stderr, "cost: cannot run %s\n", command[0]);
		return false;
	}
	*ret = (struct cost){ now_us() - before, us_of(used.ru_utime) + us_of(used.ru_stime),
		used.ru_maxrss };
	if (status)
		fprintf(stderr, "cost: %s failed\n", command[0]);
	return status == 0;
}

static long least(long one, long other)
{
	return one < other ? one : other;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t silence;
	struct cost best, next;
	uint64_t rounds;

	if (argc < 3 || str_parse_u64(argv[1], 1000000, "ROUNDS", &rounds, NULL) < 0 || !rounds) {
		fprintf(stderr, "usage: cost ROUNDS COMMAND [ARGUMENT...]\n");
		return 2;
	}
	if (posix_spawn_file_actions_init(&silence) ||
		posix_spawn_file_actions_addopen(&silence, 1, "/dev/null", O_WRONLY, 0) ||
		posix_spawn_file_actions_addopen(&silence, 2, "/dev/null", O_WRONLY, 0))
		return 1;
	if (!run(argv + 2, &silence, &best))
		return 1;
	while (--rounds) {
		if (!run(argv + 2, &silence, &next))
			return 1;
		best.wall_us = least(best.wall_us, next.wall_us);
		best.cpu_us = least(best.cpu_us, next.cpu_us);
		best.resident_kb = least(best.resident_kb, next.resident_kb);
	}
	posix_spawn_file_actions_destroy(&silence);
	printf("%ld %ld %ld\n", best.wall_us, best.cpu_us, best.resident_kb);
	return 0;
}
