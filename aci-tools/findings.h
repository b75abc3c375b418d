/* What aci-validate found out about files, and the ways to print it. */
#pragma once

#include "aci/check.h"
#include "base/json.h"

enum outcome { OUTCOME_VALID, OUTCOME_INVALID, OUTCOME_UNKNOWN }; /* the exit statuses */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB, FORMAT_JUNIT, FORMAT_SARIF };

struct verdict {
	const char *file;
	const char *type; /* "image", "image-manifest", "pod-manifest", "layout" */
	enum outcome outcome;
	bool strict; /* warnings count as errors */
	const check *found;
	const char *unknown_why; /* OUTCOME_UNKNOWN: an error message; else NULL */
};

/* A report on any number of files. */
struct report {
	const struct report_format *format;
	json *results, *failures; /* what FORMAT_SARIF collects */
};

void report_start(struct report *report, enum format format);
void report_add(struct report *report, const struct verdict *verdict);
/* Prints what comes last, and frees what REPORT holds. */
void report_end(struct report *report);

/* Prints the table of all rules, as JSON or for people. */
void findings_list_rules(enum format format);

/* ---- for the formats; private to findings*.c ------------------------------------------------- */

struct report_format {
	void (*start)(struct report *report); /* or NULL */
	void (*add)(struct report *report, const struct verdict *verdict);
	void (*end)(struct report *report); /* or NULL */
};
extern const struct report_format report_junit, report_sarif;

/* "error" or "warning". */
const char *findings_severity(const struct check_rule *rule);
/* "valid", "invalid" or "unknown". */
const char *findings_outcome(enum outcome outcome);
/* Where F is, in one phrase, or "": "manifest, /app/user, line 3, column 14", "rootfs/a, offset
 * 1024". The caller frees it. */
char *findings_place(const struct finding *f);
