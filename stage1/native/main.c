/* stage1/init of the native flavour: the options of stage1/contract.h, then the supervisor. */
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/uuid.h"
#include "stage1/contract.h"
#include "stage1/native/seal.h"
#include "stage1/native/supervisor.h"

#define HOSTNAME_LEN_MAX 64 /* sethostname(2) */

static int parse_network(const char *text, enum plan_network *ret, rkt_error **err)
{
	if (strcmp(text, "none") == 0)
		*ret = PLAN_NETWORK_NONE;
	else if (strcmp(text, "host") == 0)
		*ret = PLAN_NETWORK_HOST;
	else
		return rkt_fail(err, RKT_USAGE, "--net=%s: must be none or host", text);
	return 0;
}

static int take_option(int option, struct supervisor_options *ret, rkt_error **err)
{
	switch (option) {
	case 'd':
		ret->debug = true;
		return 0;
	case 'i':
		ret->interactive = true;
		return 0;
	case 'h':
		ret->hostname = optarg;
		return 0;
	case 'n':
		return parse_network(optarg, &ret->network, err);
	default:
		return rkt_fail(err, RKT_USAGE,
			"usage: " STAGE1_INIT
			" [--debug] [--interactive] [--net=none|host] [--hostname=NAME] UUID");
	}
}

static int parse_options(int argc, char *argv[], struct supervisor_options *ret, rkt_error **err)
{
	static const struct option options[] = {
		{ "debug", no_argument, NULL, 'd' },
		{ "interactive", no_argument, NULL, 'i' },
		{ "net", required_argument, NULL, 'n' },
		{ "hostname", required_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (take_option(option, ret, err) < 0)
			return -1;
	if (optind != argc - 1)
		return take_option('?', ret, err);
	ret->uuid = argv[optind];
	if (!uuid_is(ret->uuid))
		return rkt_fail(err, RKT_USAGE, "%s is no UUID", ret->uuid);
	if (ret->hostname && (!*ret->hostname || strlen(ret->hostname) > HOSTNAME_LEN_MAX))
		return rkt_fail(err, RKT_USAGE, "--hostname: must have 1 to %d characters",
			HOSTNAME_LEN_MAX);
	return 0;
}

/* The lock came through exec open; from here on it is ours alone. */
static int take_lock(int *ret, rkt_error **err)
{
	const char *text = getenv(STAGE1_LOCK_FD_ENV);
	uint64_t fd;

	if (!text)
		return rkt_fail(err, RKT_USAGE, STAGE1_LOCK_FD_ENV " is not set");
	if (str_parse_u64(text, INT32_MAX, STAGE1_LOCK_FD_ENV, &fd, err) < 0)
		return -1;
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return rkt_fail_errno(err, STAGE1_LOCK_FD_ENV "=%s", text);
	*ret = (int)fd;
	return 0;
}

/* A closed stream would get the number of the first file opened, and the app with it. */
static int fill_streams(rkt_error **err)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return rkt_fail_errno(err, "open /dev/null");
	return 0;
}

static int run(int argc, char *argv[], rkt_error **err)
{
	struct supervisor_options options = { .network = PLAN_NETWORK_NONE };
	auto_free char *hostname = NULL;

	if (fill_streams(err) < 0 || seal_program(argv, err) < 0)
		return -1;
	if (parse_options(argc, argv, &options, err) < 0 || take_lock(&options.lock, err) < 0)
		return -1;
	if (!options.hostname)
		options.hostname = hostname = xasprintf("rkt-%s", options.uuid);
	return supervise(&options, err);
}

int main(int argc, char *argv[])
{
	auto_error rkt_error *error = NULL;
	int status = run(argc, argv, &error);

	if (status >= 0)
		return status;
	dprintf(STDERR_FILENO, "stage1: %s\n", rkt_error_message(error));
	return STAGE1_EXIT_FAILED;
}
