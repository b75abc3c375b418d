/* The last steps of a process on its way to becoming an app's program. */
#pragma once

#include "aci/manifest_app.h"
#include "stage1/common/users.h"
#include "stage1/native/caps.h"

/* As shells say it. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

struct exec_context {
	const struct app *app;
	const struct identity *identity;
	cap_set caps; /* the bounding set */
	bool no_new_privileges;
	char *const *environment;
};

/* Takes on everything CONTEXT says (working directory, groups, user, capabilities, no_new_privs,
 * umask, default signals) and executes ARGV; a name without a slash is searched in PATH of the
 * app's environment. Returns only on failure: the exit status to end with, and *err. */
int exec_program(const struct exec_context *context, const char *const *argv, rkt_error **err);
