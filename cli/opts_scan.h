/*
 * Cuts an argument vector into options with their values, and operands. Knows how things are spelt,
 * not what they mean. Private to cli/.
 */
#pragma once

#include "cli/opts.h"

enum opts_request {
	REQUEST_NONE,
	REQUEST_HELP,
	REQUEST_VERSION,
	REQUEST_PRINT_MAN,
	REQUEST_COMPLETION, /* and the shell's number: enum complete_shell */
};

/* OWN (may be NULL) followed by the standard options it does not have itself. The standard ones
 * that ask for an answer note it in *REQUEST. The caller frees the table. */
struct opt *opts_table(const struct opt *own, enum opts_request *request);

/* Whether an option wants a value. */
bool opts_takes_value(const struct opt *opt);

#define SINGLE_DASH_MIN 3 /* letters of a long name that one dash may introduce */

enum scan_dashes {
	SCAN_TO_END,    /* what follows "--" is operands, to the end */
	SCAN_TO_DASHES, /* ... up to "---", after which there are options again */
};

/* Set TABLE, ARGC, ARGV, INDEX (the first argument to look at) and DASHES; the rest starts as
 * zero. */
struct scan {
	const struct opt *table;
	int argc;
	char **argv;
	int index; /* the next argument */
	enum scan_dashes dashes;
	const char *cluster; /* letters of "-abc" still to come, or NULL */
	bool after_dashes;
	/* the thing found */
	const struct opt *opt; /* NULL: an operand */
	const char *text;      /* the value (NULL for flags) or the operand; lent by ARGV */
};

/* Returns 1 when something was found, 0 at the end, -1 on error (RKT_USAGE, naming the option). */
int scan_next(struct scan *self, rkt_error **err);
