/*
 * Completion of command lines for bash, zsh and fish, from the tables that feed parser and help: a
 * script for each program, printed by the program itself ("--print-completion=bash").
 *
 * Completed are long options, the values they may have, files where a value or operand is one,
 * images and pods that are there, and commands. A program with commands prints a function for each
 * and one that finds them (fish: lines with a condition).
 */
#pragma once

#include "cli/opts.h"

/* For CANDIDATES_COMMAND of a command: names of images, alone and with ":VERSION", and IDs; names;
 * UUIDs of pods. They have no characters that mean anything to a shell: versions that have some are
 * left out. The scripts put the directory of a --dir in the line into RKT_DIR first, and offer
 * versions only where there is a ':' already. */
#define COMPLETE_IMAGES                                                                    \
	"rkt-store list --no-legend --full --fields=name,version,id 2>/dev/null | sed -E " \
	"-e \"s/^([^\\t]*)\\t([0-9A-Za-z][0-9A-Za-z._+~-]*)\\t/\\1\\t\\1:\\2\\t/\" -e t "  \
	"-e \"s/\\t[^\\t]*//\""
#define COMPLETE_NAMES "rkt-store list --no-legend --full --fields=name 2>/dev/null"
#define COMPLETE_PODS  "rkt-pod list --no-legend --full 2>/dev/null | cut -d\" \" -f1"

enum complete_shell { COMPLETE_BASH, COMPLETE_ZSH, COMPLETE_FISH };

/* A command of a program with commands. */
struct complete_item {
	const char *name; /* "import"; two words: "image list"; NULL ends a list */
	const char *says;
	/* NULL: it is the program's own, printed by itself. Else the program and, unless NULL, its
	 * command that this one becomes; "" is no program: nothing is known of what follows. */
	const char *program, *subcommand;
};

/* Sets *RET to the shell of this name; RKT_USAGE when there is no such. */
int complete_find(const char *name, enum complete_shell *ret, rkt_error **err);

/* What the script of a program with commands begins with; its commands come next. */
void complete_start(enum complete_shell shell, const char *program);
/* The part of COMMAND: all of the script for a program without commands (ITEMS is NULL), a function
 * for a command ("rkt-store import"), and the end of a script for a program with commands. */
void complete_print(enum complete_shell shell, const struct command *command,
	const struct complete_item *items);

/* ---- for the shells; private to cli/complete*.c ---------------------------------------------- */

enum complete_value {
	VALUE_NONE, /* a flag */
	VALUE_CHOICES,
	VALUE_FILE,
	VALUE_DIR,
	VALUE_OTHER, /* nothing can be said */
};
enum complete_value complete_value_of(const struct opt *opt);
/* Prints the words of LIST with spaces between them. */
void complete_list(const char *const *list);
/* Whether OPT names the data directory. */
bool complete_is_dir(const struct opt *opt);
/* Prints what an option may be written as: "--dir", SEPARATOR, "-dir", SEPARATOR, "-d". */
void complete_spellings(const struct opt *opt, const char *separator);
/* Whether operands of COMMAND may be files: all, or those after the one candidates are for. */
bool complete_takes_files(const struct command *command);
/* "_rkt_store_import" */
char *complete_function(const char *program);
/* The first sentence of TEXT, without a full stop. The caller frees it. */
char *complete_says(const char *text);
/* Prints TEXT between single quotes; ESCAPED, and a quote itself, get the escape of the shell. */
void complete_quote(const char *text, const char *escaped, const char *quote);
/* Prints the first word of each item, and of those that begin with the word FIRST, the second. */
void complete_words(const struct complete_item *items, const char *first, const char *separator);
/* The first items with each first word: whether ITEMS[INDEX] is one. */
bool complete_is_first(const struct complete_item *items, size_t index);

void complete_bash(const struct command *command, const struct complete_item *items);
void complete_zsh(const struct command *command, const struct complete_item *items);
void complete_fish(const struct command *command, const struct complete_item *items);
