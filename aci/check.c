/* Findings: kept, counted, and turned into an error when the reading must end. */
#include "aci/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct check {
	enum check_mode mode;
	size_t counts[SEVERITY_ERROR + 1];
	struct finding *findings;
	size_t kept;
	const char *text_entry; /* the entry that JSON text is in, lent; or NULL */
	uint64_t text_offset;
	bool has_text_offset;
};

/* Where a finding is, in the one form all reports are turned into. */
struct place {
	const char *entry, *pointer;
	const uint64_t *offset;
	unsigned line, column;
};

const struct check_rule *check_rule_find(const char *name)
{
	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		if (strcmp(rule->name, name) == 0)
			return rule;
	}
	return NULL;
}

check *check_new(enum check_mode mode)
{
	check *self = xcalloc(1, sizeof *self);

	self->mode = mode;
	return self;
}

void check_free(check *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->kept; i++) {
		free(self->findings[i].entry);
		free(self->findings[i].pointer);
		free(self->findings[i].text);
	}
	free(self->findings);
	free(self);
}

enum check_mode check_mode_of(const check *self)
{
	return self->mode;
}

bool check_has_room(const check *self, enum severity severity)
{
	return self && self->counts[severity] < CHECK_FINDINGS_MAX;
}

size_t check_count(const check *self, enum severity severity)
{
	return self->counts[severity];
}

const struct finding *check_get(const check *self, size_t index)
{
	return index < self->kept ? &self->findings[index] : NULL;
}

void check_within(check *self, const char *entry, const uint64_t *offset)
{
	if (!self)
		return;
	self->text_entry = entry;
	self->has_text_offset = offset;
	self->text_offset = offset ? *offset : 0;
}

static char *escaped(const char *text)
{
	return text ? str_escape(text, strlen(text)) : NULL;
}

static void keep(
	check *self, const struct check_rule *rule, const struct place *place, const char *text)
{
	struct finding *finding;

	self->findings = xreallocarray(self->findings, self->kept + 1, sizeof *self->findings);
	finding = &self->findings[self->kept++];
	*finding = (struct finding){
		.rule = rule,
		.entry = escaped(place->entry),
		.pointer = escaped(place->pointer),
		.offset = place->offset ? *place->offset : 0,
		.has_offset = place->offset,
		.line = place->line,
		.column = place->column,
		.text = escaped(text),
	};
}

/* What was said about text that is the content of an entry is also about the entry. */
static void place_in_entry(const check *self, struct place *place)
{
	if (!place->pointer)
		return;
	place->entry = self->text_entry;
	if (self->has_text_offset)
		place->offset = &self->text_offset;
}

static int fail_in(const struct place *place, const char *text, rkt_error **err)
{
	const char *name = place->entry ?: place->pointer;

	if (name && !*name)
		name = NULL;

	if (place->line)
		return rkt_fail(err, RKT_INVALID, "%s%sline %u, column %u: %s", name ? name : "",
			name ? " in " : "", place->line, place->column, text);
	return rkt_fail(err, RKT_INVALID, "%s%s%s", name ? name : "", name ? ": " : "", text);
}

static int report(
	check *self, const char *name, const struct place *place, rkt_error **err, const char *text)
{
	const struct check_rule *rule = check_rule_find(name);
	struct place kept = *place;
	bool is_error, room = false;

	if (!rule)
		abort(); /* every rule stands in the table, so that --list-rules tells all */
	is_error = rule->severity == SEVERITY_ERROR;
	if (self) {
		room = check_has_room(self, rule->severity);
		self->counts[rule->severity]++;
		place_in_entry(self, &kept);
		if (room)
			keep(self, rule, &kept, text);
	}
	if (!is_error || (room && self->mode == CHECK_ALL))
		return 0;
	return fail_in(place, text, err);
}

__attribute__((format(printf, 1, 0))) static char *text_of(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

int check_report(
	check *self, const char *rule, const char *place, rkt_error **err, const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule, &(struct place){ .entry = place }, err, text);
}

int check_report_at(check *self, const char *rule, const char *place, uint64_t offset,
	rkt_error **err, const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule, &(struct place){ .entry = place, .offset = &offset }, err, text);
}

int check_report_in(check *self, const char *rule, const struct check_spot *spot, rkt_error **err,
	const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule,
		&(struct place){
			.pointer = spot->pointer, .line = spot->line, .column = spot->column },
		err, text);
}
