/*
 * The environment of an app's processes, exactly as appc ace.md (Execution Environment) says:
 * nothing of the caller's comes in.
 */
#pragma once

#include "aci/manifest_app.h"
#include "stage1/common/users.h"

#define ENVIRONMENT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* The value of `container`: who runs the app. */
#define ENVIRONMENT_CONTAINER "rocket"

struct environment_facts {
	const char *app_name;
	const char *metadata_url; /* NULL: there is no metadata service */
	const char *term;         /* NULL: there is no terminal */
	/* Images of the 0.1 era expect HOME, USER, LOGNAME and SHELL; NULL for later ones. */
	const struct identity *login;
	/* The manifest's variables; they win over PATH, TERM and the login's, not over what only
	 * the executor knows (AC_APP_NAME, AC_METADATA_URL, container). */
	const struct app_env *variables;
	size_t variable_count;
};

/* A NULL-terminated array of "NAME=value", each name once; freed with environment_free(). */
char **environment_make(const struct environment_facts *facts);
void environment_free(char **environment);

/* The value of NAME, lent by ENVIRONMENT, or NULL. */
const char *environment_get(char *const *environment, const char *name);

SCOPE_DEFINE(environment, char **, environment_free)
#define auto_environment __attribute__((cleanup(scope_environment)))
