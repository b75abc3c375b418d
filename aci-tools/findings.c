/* Findings as text for people, as JSON, and as annotations of GitHub workflows; and reports. */
#include "aci-tools/findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"

const char *findings_severity(const struct check_rule *rule)
{
	return rule->severity == SEVERITY_ERROR ? "error" : "warning";
}

const char *findings_outcome(enum outcome outcome)
{
	static const char *const names[] = { "valid", "invalid", "unknown" };

	return names[outcome];
}

char *findings_place(const struct finding *f)
{
	struct buf text = { 0 };

	if (f->entry && *f->entry)
		buf_append_text(&text, f->entry);
	if (f->pointer && *f->pointer)
		buf_printf(&text, "%s%s", text.len ? ", " : "", f->pointer);
	if (f->line)
		buf_printf(&text, "%sline %u, column %u", text.len ? ", " : "", f->line, f->column);
	else if (f->has_offset)
		buf_printf(&text, "%soffset %" PRIu64, text.len ? ", " : "", f->offset);
	return buf_steal_text(&text);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_text_finding(const char *file, const struct finding *f)
{
	auto_free char *place = findings_place(f);

	if (f->rule->severity == SEVERITY_WARNING && out_is_quiet())
		return;
	out_escaped(file);
	printf(": %s: %s%s%s [%s]\n", findings_severity(f->rule), place, *place ? ": " : "",
		f->text, f->rule->name);
	if (!out_is_quiet())
		printf("    %s (%s)\n", f->rule->means, f->rule->origin);
}

static void print_text(struct report *report, const struct verdict *v)
{
	size_t errors = check_count(v->found, SEVERITY_ERROR);
	size_t warnings = check_count(v->found, SEVERITY_WARNING);
	const struct finding *f;

	(void)report;
	for (size_t i = 0; (f = check_get(v->found, i)); i++)
		print_text_finding(v->file, f);
	if (v->outcome == OUTCOME_UNKNOWN) {
		out_error(v->unknown_why);
		return;
	}
	if (out_is_quiet())
		return;
	out_escaped(v->file);
	printf(": %s %s", findings_outcome(v->outcome), v->type);
	if (errors || warnings)
		printf(" (%zu error%s, %zu warning%s)", errors, str_plural(errors), warnings,
			str_plural(warnings));
	putchar('\n');
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json *json_finding(const struct finding *f)
{
	json *object = json_new_object();

	json_set(object, "severity", json_new_string(findings_severity(f->rule)));
	json_set(object, "rule", json_new_string(f->rule->name));
	if (f->entry)
		json_set(object, "entry", json_new_string(f->entry));
	if (f->pointer)
		json_set(object, "pointer", json_new_string(f->pointer));
	if (f->has_offset)
		json_set(object, "offset", json_new_integer((int64_t)f->offset));
	if (f->line) {
		json_set(object, "line", json_new_integer(f->line));
		json_set(object, "column", json_new_integer(f->column));
	}
	json_set(object, "text", json_new_string(f->text));
	json_set(object, "means", json_new_string(f->rule->means));
	json_set(object, "origin", json_new_string(f->rule->origin));
	return object;
}

/* One object a line: a reader needs not wait for the last file. */
static void print_json(struct report *report, const struct verdict *v)
{
	auto_json json *object = json_new_object();
	json *findings = json_new_array();
	const struct finding *f;

	(void)report;
	json_set(object, "file", json_new_string(v->file));
	json_set(object, "type", json_new_string(v->type));
	json_set(object, "verdict", json_new_string(findings_outcome(v->outcome)));
	if (v->unknown_why)
		json_set(object, "error", json_new_string(v->unknown_why));
	json_set(
		object, "errors", json_new_integer((int64_t)check_count(v->found, SEVERITY_ERROR)));
	json_set(object, "warnings",
		json_new_integer((int64_t)check_count(v->found, SEVERITY_WARNING)));
	for (size_t i = 0; (f = check_get(v->found, i)); i++)
		json_append(findings, json_finding(f));
	json_set(object, "findings", findings);
	out_json(object);
}

/* ---- GitHub workflow commands ---------------------------------------------------------------- */

/* Their own escapes, besides those for display: percent, and in properties what ends them. */
static void print_command_text(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '%' || strchr(special, *text))
			printf("%%%02X", *text);
		else
			putchar(*text);
	}
}

static void print_command(const struct verdict *v, const char *severity, const char *title)
{
	auto_free char *file = str_escape(v->file, strlen(v->file));

	printf("::%s file=", severity);
	print_command_text(file, ":,");
	printf(",title=");
	print_command_text(title, ":,");
}

static void print_github(struct report *report, const struct verdict *v)
{
	const struct finding *f;

	(void)report;
	for (size_t i = 0; (f = check_get(v->found, i)); i++) {
		auto_free char *place = findings_place(f);

		print_command(v, findings_severity(f->rule), f->rule->name);
		printf("::");
		print_command_text(place, "");
		printf("%s", *place ? ": " : "");
		print_command_text(f->text, "");
		putchar('\n');
	}
	if (v->unknown_why) {
		print_command(v, "error", "unreadable");
		printf("::");
		print_command_text(v->unknown_why, "");
		putchar('\n');
	}
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void list_rules_json(void)
{
	auto_json json *array = json_new_array();

	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		json *object = json_new_object();

		json_set(object, "rule", json_new_string(rule->name));
		json_set(object, "severity", json_new_string(findings_severity(rule)));
		json_set(object, "means", json_new_string(rule->means));
		json_set(object, "origin", json_new_string(rule->origin));
		json_append(array, object);
	}
	out_json(array);
}

static void list_rules_text(void)
{
	static const char *const headings[] = { "RULE", "SEVERITY", "WHAT IS RIGHT", "ORIGIN",
		NULL };
	struct out_table *table = out_table_new(headings);

	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		out_table_cell(table, rule->name);
		out_table_cell(table, findings_severity(rule));
		out_table_cell(table, rule->means);
		out_table_cell(table, rule->origin);
	}
	out_table_end(table);
}

void findings_list_rules(enum format format)
{
	if (format == FORMAT_JSON)
		list_rules_json();
	else
		list_rules_text();
}

/* ---- reports --------------------------------------------------------------------------------- */

void report_start(struct report *report, enum format format)
{
	static const struct report_format text = { .add = print_text },
					  lines = { .add = print_json },
					  github = { .add = print_github };
	static const struct report_format *const formats[] = {
		[FORMAT_TEXT] = &text,
		[FORMAT_JSON] = &lines,
		[FORMAT_GITHUB] = &github,
		[FORMAT_JUNIT] = &report_junit,
		[FORMAT_SARIF] = &report_sarif,
	};

	*report = (struct report){ .format = formats[format] };
	if (report->format->start)
		report->format->start(report);
}

void report_add(struct report *report, const struct verdict *verdict)
{
	report->format->add(report, verdict);
}

void report_end(struct report *report)
{
	if (report->format->end)
		report->format->end(report);
}
