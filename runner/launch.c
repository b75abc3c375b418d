/* Handing the pod over to stage1. */
#include "runner/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "stage1/contract.h"

/* Every descriptor goes at exec but the lock. Ours do so anyway; those our caller left open would
 * not, and an app could reach the host through them (S-060). */
static int keep_only_lock(int lock, rkt_error **err)
{
	char number[16];

	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS &&
		errno != EINVAL)
		return rkt_fail_errno(err, "close_range");
	if (fcntl(lock, F_SETFD, 0) < 0)
		return rkt_fail_errno(err, "keep lock");
	snprintf(number, sizeof number, "%d", lock);
	if (setenv(STAGE1_LOCK_FD_ENV, number, 1) < 0)
		return rkt_fail_errno(err, "setenv");
	return 0;
}

int launch_stage1(const struct launch *self, rkt_error **err)
{
	ERROR_SCOPE(err, "starting pod", self->pod->uuid);
	auto_free char *net = xasprintf("--net=%s", self->net);
	auto_free char *hostname = xasprintf("--hostname=%s", self->hostname ?: "");
	char init[] = STAGE1_INIT, debug[] = "--debug", interactive[] = "--interactive";
	char uuid[UUID_TEXT_LEN + 1];
	char *argv[7] = { init };
	size_t count = 1;

	snprintf(uuid, sizeof uuid, "%s", self->pod->uuid);
	if (self->debug)
		argv[count++] = debug;
	if (self->interactive)
		argv[count++] = interactive;
	argv[count++] = net;
	if (self->hostname)
		argv[count++] = hostname;
	argv[count] = uuid;
	if (keep_only_lock(self->pod->fd, err) < 0)
		return -1;
	execv(STAGE1_INIT, argv);
	return rkt_fail_errno(err, "execute %s", STAGE1_INIT);
}
