/* What goes to people: words on stderr, tables and JSON on stdout, colour only where it is
 * wanted. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

/* Words on stderr: "PROGRAM: warning: ...". Control characters in arguments are escaped (S-013). */
void out_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without "warning: ", only with --debug. */
void out_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line of plain words on stderr: "PROGRAM: ...", unless --quiet. */
void out_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line on stderr: "PROGRAM: MESSAGE", which is escaped already. For cli_main(), and for those of
 * several errors that cannot be the one that is returned: everybody else returns errors. */
void out_error(const char *message);
/* A line below it: "Try ...", escaped already, without the program's name. */
void out_hint(const char *line);

/* Set by opts_parse() and cli_main(), before the work starts. NAME ("rkt-store import") is lent and
 * must live as long as the process prints; words on stderr begin with its first word. */
void out_set_program(const char *name);
void out_set_debug(bool debug);
void out_set_quiet(bool quiet);
/* No colour from here on, whatever the terminal can do. */
void out_set_plain(void);

/* What out_set_program() got. Never NULL. */
const char *out_program(void);
/* Whether out_debug() prints: for what has to be found out first. */
bool out_is_debug(void);
/* Whether --quiet was given. */
bool out_is_quiet(void);

/* Shows LINE on a terminal's stderr (no newline; escaped already) in place of the last such line;
 * NULL wipes it. Words printed meanwhile go above it. */
void out_transient(const char *line);

/* Prints bytes from outside, escaped, to stdout. */
void out_escaped(const char *text);

/* A JSON value, pretty on a terminal, compact in a pipe, and a newline, to stdout. */
void out_json(const json *value);

/* Writes what stdout still holds. Fails also when an earlier write was lost, with that one's
 * reason. */
int out_flush(rkt_error **err);
/* Whether such a write failed because stdout is a pipe that nobody reads any more. */
bool out_is_unread(void);
/* Whether that would be why the next one fails. */
bool out_would_be_unread(void);

/* A table on stdout: columns as wide as their widest cell, two spaces between, no trailing
 * space. */
struct out_table;
/* HEADINGS is NULL-terminated, one a column, lent until the end. NULL: two columns, name and value,
 * without a head line. */
struct out_table *out_table_new(const char *const *headings);
/* Adds a cell (escaped); cells fill rows from left to right. */
void out_table_cell(struct out_table *table, const char *text);
/* Leaves the head line out: for --no-legend. */
void out_table_hide_head(struct out_table *table);
/* Prints and frees. */
void out_table_end(struct out_table *table);
