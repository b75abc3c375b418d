/*
 * Findings: what is wrong with an image, each with a stable rule name and its place.
 *
 * Readers that must stop at the first fault (import, extract) and the validator that wants them all
 * run the same rules: a rule calls check_report(), and the check decides whether to go on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum severity { SEVERITY_WARNING, SEVERITY_ERROR };

/* A rule: a stable name ("layout-duplicate") and where it comes from ("appc aci.md, Image Layout").
 * All rules stand in check_rules.c, so that --list-rules is one table. */
struct check_rule {
	const char *name;
	enum severity severity;
	const char *origin;
	const char *means; /* one sentence: what would be right */
};

const struct check_rule *check_rule_find(const char *name);
/* The table, ended by an entry without a name. */
extern const struct check_rule check_rules[];

struct finding {
	const struct check_rule *rule;
	/* Raw bytes are escaped in all texts. */
	char *entry;   /* a member of the archive, or a file of the directory; NULL: none */
	char *pointer; /* RFC 6901, into the JSON text, that of ENTRY if there is one; or NULL */
	/* In the tar, where one is known: where the first header of the entry begins. */
	uint64_t offset;
	bool has_offset;
	unsigned line, column; /* in the manifest, from 1; 0: not known */
	char *text;            /* what was found; escaped */
};

enum check_mode {
	CHECK_FIRST, /* the first error ends the reading; warnings are kept */
	CHECK_ALL,   /* go on as long as the rest can still be understood */
};

/* As many errors are kept, and as many warnings: hostile input must not fill the memory (S-012),
 * nor hide what makes it invalid behind warnings. Warnings beyond are only counted, an error beyond
 * ends the reading in every mode. */
#define CHECK_FINDINGS_MAX 1000

typedef struct check check;

check *check_new(enum check_mode mode);
void check_free(check *self);
enum check_mode check_mode_of(const check *self);

/* Reports a breach of the rule called RULE (a bug if there is none of that name). PLACE may be
 * NULL. Returns 0 when reading shall go on (a warning, or CHECK_ALL), else -1 with *err set to
 * "PLACE: TEXT" of kind RKT_INVALID. SELF NULL acts as CHECK_FIRST without memory. */
int check_report(check *self, const char *rule, const char *place, rkt_error **err,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same with the offset in the tar. */
int check_report_at(check *self, const char *rule, const char *place, uint64_t offset,
	rkt_error **err, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same with a place in JSON text. */
struct check_spot {
	const char *pointer;   /* RFC 6901; "" is the whole text */
	unsigned line, column; /* 0: not known */
};
int check_report_in(check *self, const char *rule, const struct check_spot *spot, rkt_error **err,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* From here on, until it is called with NULL, JSON text that is reported about is the content of
 * ENTRY (lent), which begins at OFFSET (NULL: not known). SELF may be NULL. */
void check_within(check *self, const char *entry, const uint64_t *offset);

/* Whether a finding would be kept: not without a check, nor where there are enough of its kind. */
bool check_has_room(const check *self, enum severity severity);
/* How many were reported. */
size_t check_count(const check *self, enum severity severity);
/* Finding number INDEX, in the order reported, or NULL past the last. Lent until check_free(). */
const struct finding *check_get(const check *self, size_t index);

SCOPE_DEFINE(check, check *, check_free)
#define auto_check __attribute__((cleanup(scope_check)))
