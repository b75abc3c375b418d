/* Credentials go in an order in which each step still has the right to its own. */
#include "stage1/native/exec.h"

#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "stage1/common/environment.h"
#include "stage1/contract.h"
#include "stage1/native/signals.h"

static int change_user(const struct exec_context *context, rkt_error **err)
{
	const struct identity *who = context->identity;

	if (setgroups(context->app->supplementary_gid_count, context->app->supplementary_gids) < 0)
		return rkt_fail_errno(err, "setgroups");
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		return rkt_fail_errno(err, "setgid %u", who->gid);
	if (setresuid(who->uid, who->uid, who->uid) < 0)
		return rkt_fail_errno(err, "setuid %u", who->uid);
	return 0;
}

static int confine(const struct exec_context *context, rkt_error **err)
{
	const char *dir = context->app->working_directory ?: "/";

	if (chdir(dir) < 0)
		return rkt_fail_errno(err, "working directory %s", dir);
	umask(022);
	if (caps_bound(context->caps, err) < 0 || change_user(context, err) < 0)
		return -1;
	if (context->identity->uid == 0 && caps_limit(context->caps, err) < 0)
		return -1;
	if (context->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return rkt_fail_errno(err, "no_new_privs");
	signals_reset();
	return 0;
}

/* execve(2) as each part of PATH says. ENOENT and ENOTDIR: look on; EACCES: look on and
 * remember. */
static void try_path(const struct exec_context *context, const char *const *argv)
{
	const char *path = environment_get(context->environment, "PATH") ?: "";
	int worst = ENOENT;

	for (const char *at = path, *end; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, ':');
		auto_free char *file =
			xasprintf("%.*s%s%s", (int)(end - at), at, end > at ? "/" : "./", argv[0]);

		execve(file, (char *const *)(uintptr_t)argv, context->environment);
		if (errno == EACCES)
			worst = errno;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
	}
	errno = worst;
}

int exec_program(const struct exec_context *context, const char *const *argv, rkt_error **err)
{
	if (confine(context, err) < 0)
		return STAGE1_EXIT_FAILED;
	if (strchr(argv[0], '/'))
		execve(argv[0], (char *const *)(uintptr_t)argv, context->environment);
	else
		try_path(context, argv);
	rkt_fail_errno(err, "exec %s", argv[0]);
	return rkt_error_errno(*err) == ENOENT || rkt_error_errno(*err) == ENOTDIR
		       ? EXIT_NOT_FOUND
		       : EXIT_NOT_EXECUTABLE;
}
