/* Laying out man pages. No date in them: the same sources give the same bytes. */
#include "cli/man.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/opts_scan.h"

/* Text that groff shall print as it is: no requests, no escapes, and dashes that can be copied into
 * a shell (groff_char(7), "minus sign"). */
static void append_text(struct buf *out, const char *text, size_t len)
{
	bool line_start = true;

	for (size_t i = 0; i < len; i++) {
		char letter = text[i];

		if (line_start && (letter == '.' || letter == '\''))
			buf_append_text(out, "\\&");
		line_start = letter == '\n';
		switch (letter) {
		case '\\':
			buf_append_text(out, "\\e");
			break;
		case '-':
			buf_append_text(out, "\\-");
			break;
		case '^':
			buf_append_text(out, "\\(ha");
			break;
		case '~':
			buf_append_text(out, "\\(ti");
			break;
		case '`':
			buf_append_text(out, "\\(ga");
			break;
		case '\'':
			buf_append_text(out, "\\(aq");
			break;
		case '"':
			buf_append_text(out, "\\(dq");
			break;
		default:
			buf_append(out, &letter, 1);
		}
	}
}

static void append_string(struct buf *out, const char *text)
{
	append_text(out, text, strlen(text));
}

/* .MACRO "text" */
static void append_macro(struct buf *out, const char *macro, const char *text)
{
	buf_printf(out, ".%s \"", macro);
	append_string(out, text);
	buf_append_text(out, "\"\n");
}

static void append_upper(struct buf *out, const char *text)
{
	for (; *text; text++) {
		char letter = *text == ' ' ? '-' : (char)toupper((unsigned char)*text);

		append_text(out, &letter, 1);
	}
}

/* "rkt-store import" is described by the page rkt-store-import. */
static void append_page_name(struct buf *out, const char *program)
{
	for (; *program; program++)
		append_text(out, *program == ' ' ? "-" : program, 1);
}

static void append_head(struct buf *out, const struct command *command)
{
	buf_append_text(out, ".TH \"");
	append_upper(out, command->program);
	buf_printf(out, "\" 1 \"\" \"%s %s\" \"Rocket\"\n", PACKAGE_NAME, PACKAGE_VERSION);
	/* ragged right and no hyphens: options and paths stay whole */
	buf_append_text(out, ".nh\n.ad l\n.SH NAME\n");
	append_page_name(out, command->program);
	buf_append_text(out, " \\- ");
	append_string(out, command->summary ?: "");
	buf_append_text(out, "\n");
}

static void append_synopsis(struct buf *out, const struct command *command)
{
	static const char *const any[] = { "[OPTIONS]", NULL };
	const char *const *usage = command->usage ?: any;

	buf_append_text(out, ".SH SYNOPSIS\n");
	for (size_t i = 0; usage[i]; i++) {
		if (i)
			buf_append_text(out, ".br\n");
		append_macro(out, "B", command->program);
		append_string(out, usage[i]);
		buf_append_text(out, "\n");
	}
}

/* Paragraphs are separated by an empty line; one that begins with a space is printed as it is. */
static void append_paragraphs(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		buf_append_text(out, *text == ' ' ? ".PP\n.nf\n" : ".PP\n");
		append_text(out, text, len);
		buf_append_text(out, *text == ' ' ? "\n.fi\n" : "\n");
		text += len + (end ? 2 : 0);
	}
}

static void append_items(struct buf *out, const struct manual_item *items, const char *pages)
{
	for (; items->name; items++) {
		buf_append_text(out, ".TP\n");
		append_macro(out, "B", items->name);
		append_string(out, items->says);
		if (pages) {
			buf_append_text(out, "; see\n\\fB");
			append_string(out, pages);
			append_string(out, "-");
			append_string(out, items->name);
			buf_append_text(out, "\\fR(1)");
		}
		buf_append_text(out, "\n");
	}
}

static void append_option(struct buf *out, const struct opt *opt)
{
	auto_free char *value = help_value_name(opt);

	buf_append_text(out, ".TP\n");
	if (opt->letter)
		buf_printf(out, "\\fB\\-%c\\fR, ", opt->letter);
	buf_append_text(out, "\\fB\\-\\-");
	append_string(out, opt->name);
	buf_append_text(out, "\\fR");
	if (value) {
		buf_append_text(out, "=\\fI");
		append_string(out, value);
		buf_append_text(out, "\\fR");
	}
	buf_append_text(out, "\n");
	append_string(out, opt->help);
	buf_append_text(out, "\n");
}

static void append_options(struct buf *out, const struct command *command)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);

	buf_append_text(out, ".SH OPTIONS\n");
	for (const struct opt *opt = table; opt->name; opt++)
		if (opt->help)
			append_option(out, opt);
}

static void append_examples(struct buf *out, const struct command_example *examples)
{
	buf_append_text(out, ".SH EXAMPLES\n");
	for (; examples->line; examples++) {
		buf_append_text(out, ".TP\n");
		append_macro(out, "B", examples->line);
		append_string(out, examples->says ?: "");
		buf_append_text(out, "\n");
	}
}

static void append_see_also(struct buf *out, const char *const *pages)
{
	buf_append_text(out, ".SH \"SEE ALSO\"\n");
	for (size_t i = 0; pages[i]; i++) {
		buf_append_text(out, "\\fB");
		append_text(out, pages[i], strcspn(pages[i], "("));
		buf_printf(
			out, "\\fR%s%s\n", strchr(pages[i], '(') ?: "(1)", pages[i + 1] ? "," : "");
	}
}

void man_print(const struct manual *manual)
{
	const struct command *command = manual->command;
	const struct manual_section *section = manual->sections;
	auto_buf struct buf out = { 0 };

	append_head(&out, command);
	append_synopsis(&out, command);
	buf_append_text(&out, ".SH DESCRIPTION\n");
	append_paragraphs(&out, command->description ?: command->summary ?: "");
	for (; section && section->title; section++) {
		buf_append_text(&out, ".SH \"");
		append_upper(&out, section->title);
		buf_append_text(&out, "\"\n");
		append_items(&out, section->items, section->pages);
	}
	append_options(&out, command);
	buf_append_text(&out, ".SH \"EXIT STATUS\"\n");
	if (command->exit_status)
		append_paragraphs(&out, command->exit_status);
	else
		append_items(&out, help_exit_statuses, NULL);
	if (command->examples)
		append_examples(&out, command->examples);
	if (command->see_also)
		append_see_also(&out, command->see_also);
	fwrite(out.data, 1, out.len, stdout);
}
