/* The environment is set name by name: what is set later replaces what was set before. */
#include "stage1/common/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct variables {
	char **list; /* NULL-terminated */
	size_t count;
};

static char **find(char **list, const char *name)
{
	size_t len = strlen(name);

	for (; list && *list; list++)
		if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
			return list;
	return NULL;
}

static void set(struct variables *all, const char *name, const char *value)
{
	char *text = xasprintf("%s=%s", name, value);
	char **old = find(all->list, name);

	if (old) {
		free(*old);
		*old = text;
		return;
	}
	all->list = xreallocarray(all->list, all->count + 2, sizeof *all->list);
	all->list[all->count++] = text;
	all->list[all->count] = NULL;
}

/* The account's values, or root's where an image has no accounts at all. */
static void set_login(struct variables *all, const struct identity *login)
{
	const char *name = login->name ?: login->uid == 0 ? "root" : NULL;

	set(all, "HOME", login->home ?: login->uid == 0 ? "/root" : "/");
	set(all, "SHELL", login->shell && *login->shell ? login->shell : "/bin/sh");
	if (name) {
		set(all, "USER", name);
		set(all, "LOGNAME", name);
	}
}

char **environment_make(const struct environment_facts *facts)
{
	struct variables all = { 0 };

	set(&all, "PATH", ENVIRONMENT_PATH);
	if (facts->term)
		set(&all, "TERM", facts->term);
	if (facts->login)
		set_login(&all, facts->login);
	for (size_t i = 0; i < facts->variable_count; i++)
		set(&all, facts->variables[i].name, facts->variables[i].value);
	set(&all, "AC_APP_NAME", facts->app_name);
	set(&all, "container", ENVIRONMENT_CONTAINER);
	if (facts->metadata_url)
		set(&all, "AC_METADATA_URL", facts->metadata_url);
	return all.list;
}

void environment_free(char **environment)
{
	for (char **at = environment; at && *at; at++)
		free(*at);
	free(environment);
}

const char *environment_get(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}
