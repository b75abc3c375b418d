/*
 * Options: one table per command feeds the parser, --help and the man page.
 *
 * Spellings are those of getopt_long(3): "-f", "-fVALUE", "-f VALUE", "-qf", "--force",
 * "--dir=VALUE" and "--dir VALUE", before or after operands; "--" ends them and "-" is an operand.
 * Two differences: a long name is written in full (a script that abbreviates breaks when an option
 * is added), and the single-dash spelling of the original README (-volume NAME:PATH,
 * -volume=NAME:PATH) is accepted for every long name of three letters or more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct opts_list { /* values of an option that may be repeated; the strings are lent by argv */
	/* NULL, or COUNT and a NULL; freed by the caller, whatever opts_parse() returns */
	const char **items;
	size_t count;
};
/* Adds TEXT, lent, at the end. */
void opts_list_add(struct opts_list *list, const char *text);

enum opt_kind {
	OPT_FLAG,     /* bool *INTO becomes true */
	OPT_TEXT,     /* const char **INTO; the last one given counts */
	OPT_LIST,     /* struct opts_list *INTO: one more */
	OPT_NUMBER,   /* uint64_t *INTO, decimal */
	OPT_SIZE,     /* uint64_t *INTO bytes: "500M", "2G" */
	OPT_DURATION, /* int64_t *INTO seconds: "90s", "30m", "7d" */
	OPT_CHOICE,   /* int *INTO: index of the value in CHOICES */
	OPT_CALL,     /* CALL(INTO, value, err): for options whose position matters */
};

struct opt {
	const char *name; /* long name without dashes; NULL ends a table */
	char letter;      /* or 0 */
	enum opt_kind kind;
	void *into;
	const char *argument; /* what --help calls the value: "DIR"; NULL for flags (an OPT_CALL
			       * without takes no value and is called with NULL) and, to have the
			       * choices listed, for OPT_CHOICE */
	const char *help; /* one or two sentences; --help wraps them at 80 columns; NULL: hidden */
	/* NULL-terminated. OPT_CHOICE: all there are; of other kinds, what completion offers. */
	const char *const *choices;
	int (*call)(void *into, const char *value, rkt_error **err);
};

struct command_example {
	const char *line, *says;
};

struct command {
	const char *program; /* "rkt-store import": as the user types it; also names the man page */
	const char *const *usage;  /* NULL-terminated, without the program: "[OPTIONS] FILE..." */
	const char *summary;       /* one line, lower case, no full stop; the man page's NAME too */
	const char *description;   /* paragraphs separated by "\n\n" */
	const struct opt *options; /* or NULL: the standard ones only */
	const struct command_example *examples; /* ended by an empty one; or NULL */
	const char *exit_status;                /* paragraph; NULL: the usual statuses */
	const char *const *see_also;            /* NULL-terminated: "rkt-store(1)"; or NULL */
	const char *const *words; /* NULL-terminated: what the first operand may be; or NULL */
	/* For completion, or NULL: a line for the shell that prints words operands may be
	 * (COMPLETE_IMAGES): each of them when OPERANDS_MAX is -1, else the first. */
	const char *candidates_command;
	/* Operands accepted: at least MIN, at most MAX (-1: any number). */
	int operands_min, operands_max;
	/* When set, operands are handed to this in their place among the options (rkt-run), and
	 * what follows "--" goes to it up to "---"; OPERANDS below is then empty and OPERANDS_MAX
	 * unused. */
	int (*operand)(void *context, const char *text, bool after_dashes, rkt_error **err);
	void *context;
};

struct operands {
	const char **items;
	size_t count;
};

/* May be called twice. */
static inline void operands_free(struct operands *self)
{
	free(pass_ptr(self->items));
}
#define auto_operands __attribute__((cleanup(operands_free)))

/* Parses ARGV[1..ARGC-1], which stays as it is: 1 when the command is to go on; 0 when --help,
 * --version or the like was answered, and all is done; -1 with kind RKT_USAGE unless a callback
 * chose otherwise. Every command understands --help, --version, --print-man and --print-completion
 * (hidden) and, unless its table has its own, --debug, --quiet and --no-color; the letters h and q
 * are theirs unless the table uses them. OPERANDS->items (strings lent by ARGV) is freed by the
 * caller. A command that takes none passes NULL for OPERANDS. */
int opts_parse(const struct command *command, int argc, char **argv, struct operands *ret_operands,
	rkt_error **err);
