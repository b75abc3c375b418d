/* Findings as JUnit's XML, which most services for continuous integration read: a suite for each
 * file, in it a case for each finding, or one that passes when there is none. */
#include "aci-tools/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"

/* The text of an attribute or element. TEXT is escaped for display, so what is left are XML's own
 * characters and two that XML has no place for. */
static void print_xml(const char *text)
{
	static const char *const references[] = {
		['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&apos;",
	};
	size_t len = strlen(text);

	while (len) {
		unsigned char first = (unsigned char)*text;
		const char *reference = first < ARRAY_LEN(references) ? references[first] : NULL;
		uint32_t code = 0;
		size_t step = str_utf8_next((const uint8_t *)text, len, &code);

		if (reference)
			fputs(reference, stdout);
		else if (!step || code == 0xfffe || code == 0xffff)
			fputs("\xef\xbf\xbd", stdout); /* U+FFFD */
		else
			fwrite(text, 1, step, stdout);
		text += step ? step : 1;
		len -= step ? step : 1;
	}
}

static void print_attribute(const char *name, const char *text)
{
	printf(" %s=\"", name);
	print_xml(text);
	putchar('"');
}

static void start_case(const char *file, const char *name)
{
	fputs("    <testcase", stdout);
	print_attribute("classname", file);
	print_attribute("name", name);
}

/* A warning is a case that was skipped: it is shown, and fails nothing. */
static void print_finding(const char *file, const struct finding *f, bool fails)
{
	auto_free char *place = findings_place(f);
	auto_free char *name = xasprintf("%s%s%s", f->rule->name, *place ? ": " : "", place);

	start_case(file, name);
	fputs(">\n      ", stdout);
	fputs(fails ? "<failure" : "<skipped", stdout);
	if (fails)
		print_attribute("type", f->rule->name);
	print_attribute("message", f->text);
	putchar('>');
	print_xml(f->rule->means);
	fputs(" (", stdout);
	print_xml(f->rule->origin);
	printf(")</%s>\n    </testcase>\n", fails ? "failure" : "skipped");
}

static bool is_failure(const struct verdict *v, const struct finding *f)
{
	return v->strict || f->rule->severity == SEVERITY_ERROR;
}

static void start(struct report *report)
{
	(void)report;
	puts("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"aci-validate\">");
}

static void add(struct report *report, const struct verdict *v)
{
	auto_free char *file = str_escape(v->file, strlen(v->file));
	size_t count = 0, failures = 0, unknown = v->unknown_why != NULL;
	const struct finding *f;

	(void)report;
	for (; (f = check_get(v->found, count)); count++)
		failures += is_failure(v, f);
	fputs("  <testsuite", stdout);
	print_attribute("name", file);
	printf(" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
		count + unknown ?: 1, failures, unknown, count - failures);
	for (size_t i = 0; (f = check_get(v->found, i)); i++)
		print_finding(file, f, is_failure(v, f));
	if (unknown) {
		start_case(file, v->type);
		fputs(">\n      <error", stdout);
		print_attribute("message", v->unknown_why);
		fputs("/>\n    </testcase>\n", stdout);
	} else if (!count) {
		start_case(file, v->type);
		fputs("/>\n", stdout);
	}
	puts("  </testsuite>");
}

static void end(struct report *report)
{
	(void)report;
	puts("</testsuites>");
}

const struct report_format report_junit = { start, add, end };
