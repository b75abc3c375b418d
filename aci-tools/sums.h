/* Lists of digests in the formats of coreutils: "HEX  FILE" and the tagged "SHA256 (FILE) = HEX". A
 * name with a backslash, newline or carriage return is escaped, and its line begins with a
 * backslash. */
#pragma once

#include "aci/digest.h"
#include "base/buf.h"

/* Print a line to stdout. */
void sums_print(const char *hex, const char *file);
void sums_print_tagged(const char *algorithm, const char *hex, const char *file);
/* "FILE: VERDICT" */
void sums_print_verdict(const char *file, const char *verdict);

struct sum {
	enum digest_kind kind;
	char hex[DIGEST_HEX_MAX + 1]; /* lower case */
	char *file;
};

enum sums_style { SUMS_UNKNOWN, SUMS_ONE, SUMS_TWO }; /* characters between digits and name */

struct sums {
	struct sum *items;
	size_t count;
	size_t *bad_lines; /* numbers, from 1 */
	size_t bad_line_count;
	enum sums_style style; /* private */
};

/* Reads TEXT into SUMS, empty before. Comments (#) and empty lines are passed over. */
void sums_parse(struct sums *sums, struct slice text);
void sums_free(struct sums *sums);
