/* The help of a command, from its option table: to standard output, at most 80 columns. */
#pragma once

#include "cli/opts.h"

/* Lines of two columns: the commands of a program, say. */
struct manual_item {
	const char *name, *says;
};

struct manual_section {
	const char *title;               /* "Commands"; NULL ends a list of sections */
	const struct manual_item *items; /* ended by one without a name */
	const char
		*pages; /* NULL, or "rkt-store": the item "import" has a page rkt-store-import(1) */
};

/* What help and man page are made from. */
struct manual {
	const struct command *command;
	const struct manual_section *sections; /* or NULL */
};

void help_print(const struct manual *manual);
/* "NAME VERSION", NAME being the first word of PROGRAM. */
void help_print_version(const char *program);

/* ---- for help and man page alike; private to cli/ ------------------------------------------- */

/* What the value of an option is called: its argument, or its choices. The caller frees it; NULL
 * for flags. */
char *help_value_name(const struct opt *opt);
/* The usual exit statuses, one line each; ended by one without a name. */
extern const struct manual_item help_exit_statuses[];
