/* What aci-validate found out about one file, and the ways to print it. */
#pragma once

#include "aci/check.h"

enum outcome { OUTCOME_VALID, OUTCOME_INVALID, OUTCOME_UNKNOWN }; /* the exit statuses */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };

struct verdict {
	const char *file;
	const char *type; /* "image", "image-manifest", "pod-manifest" */
	enum outcome outcome;
	const check *found;
	const char *unknown_why; /* OUTCOME_UNKNOWN: an error message; else NULL */
};

void findings_print(enum format format, const struct verdict *verdict);

/* Prints the table of all rules. */
void findings_list_rules(enum format format);
