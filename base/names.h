/* Lists of names, and those in a directory. */
#pragma once

#include "base/error.h"

struct names {
	char **items; /* each owned */
	size_t count, capacity;
};

/* Adds NAME, which it takes over, at the end. */
void names_add(struct names *names, char *name);
void names_free(struct names *names);

/* Adds all names in the directory FD but "." and "..", and sorts the list by bytes: the same directory
 * gives the same list. Takes over FD, also on error. */
int names_of_dir(int fd, struct names *names, rkt_error **err);

#define auto_names __attribute__((cleanup(names_free)))
