/* Laying out help: wrapped paragraphs and two-column lists in 80 columns. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/opts_scan.h"

#define WIDTH       80
#define LIST_INDENT 2
#define LEFT_MAX    28 /* a longer left column has its text below it */

const struct manual_item help_exit_statuses[] = {
	{ "0", "success" },
	{ "1", "the system refused: input or output, permission, space" },
	{ "2", "wrong usage" },
	{ "3", "what was named does not exist" },
	{ "4", "bytes from outside break a rule" },
	{ "5", "no trusted key speaks for it" },
	{ 0 },
};

/* Whether a list ("a,b", "a|b", "a[,b]") or a path may be broken after its first LEN bytes. */
static bool may_break(const char *word, size_t len)
{
	if (word[len - 1] == ',')
		return len > 1 && word[len - 2] != '[';
	return strchr("]/|", word[len - 1]) != NULL;
}

/* How much of a word of LEN bytes goes on a line of ROOM columns of its own: all of it where it
 * fits, else up to the last place where it may be broken. */
static size_t piece_len(const char *word, size_t len, size_t room)
{
	size_t piece = room;

	if (len <= room)
		return len;
	while (piece && !may_break(word, piece))
		piece--;
	return piece ? piece : room;
}

/* Appends the words of TEXT[0..LEN), broken before column WIDTH. The first line goes on at column
 * AT, the others begin at INDENT. */
static void append_wrapped(struct buf *out, const char *text, size_t len, size_t at, size_t indent)
{
	const char *end = text + len;
	bool glued = true; /* no space comes before the next word */

	for (;;) {
		size_t word, piece;

		while (text < end && (*text == ' ' || *text == '\n'))
			text++;
		word = strcspn(text, " \n");
		word = word > (size_t)(end - text) ? (size_t)(end - text) : word;
		if (!word)
			break;
		if (!glued && at + 1 + word > WIDTH) {
			buf_printf(out, "\n%*s", (int)indent, "");
			at = indent;
			glued = true;
		}
		piece = piece_len(text, word, WIDTH - at - !glued);
		buf_printf(out, "%s%.*s", glued ? "" : " ", (int)piece, text);
		/* what is left of a broken word finds no room, and so begins a line */
		at = piece < word ? WIDTH : at + piece + !glued;
		glued = false;
		text += piece;
	}
	buf_append_text(out, "\n");
}

/* Paragraphs are separated by an empty line. A line that begins with a space is kept as it is. */
static void append_paragraphs(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		buf_append_text(out, "\n");
		if (*text == ' ')
			buf_printf(out, "%.*s\n", (int)len, text);
		else
			append_wrapped(out, text, len, 0, 0);
		text += len + (end ? 2 : 0);
	}
}

static void append_item(struct buf *out, const char *left, const char *right, size_t left_width)
{
	size_t column = LIST_INDENT + left_width + 2;

	if (strlen(left) > left_width)
		buf_printf(out, "%*s%s\n%*s", LIST_INDENT, "", left, (int)column, "");
	else
		buf_printf(out, "%*s%-*s  ", LIST_INDENT, "", (int)left_width, left);
	append_wrapped(out, right, strlen(right), column, column);
}

static size_t wider(size_t width, const char *left)
{
	size_t len = strlen(left);

	return len > width && len <= LEFT_MAX ? len : width;
}

static void append_usage(struct buf *out, const struct command *command)
{
	static const char *const any[] = { "[OPTIONS]", NULL };
	const char *const *usage = command->usage ?: any;

	for (size_t i = 0; usage[i]; i++) {
		buf_printf(out, "%s%s ", i ? "       " : "Usage: ", command->program);
		append_wrapped(out, usage[i], strlen(usage[i]), 8 + strlen(command->program), 11);
	}
}

char *help_value_name(const struct opt *opt)
{
	struct buf name = { 0 };

	if (!opts_takes_value(opt))
		return NULL;
	if (opt->argument || opt->kind != OPT_CHOICE)
		return xstrdup(opt->argument ?: "VALUE");
	for (size_t i = 0; opt->choices[i]; i++)
		buf_printf(&name, "%s%s", i ? "|" : "", opt->choices[i]);
	return buf_steal_text(&name);
}

/* "-f, --force", "    --dir=DIR". The caller frees it. */
static char *option_left(const struct opt *opt)
{
	auto_free char *value = help_value_name(opt);
	char letter[] = { '-', opt->letter, ',', '\0' };

	return xasprintf("%-3s --%s%s%s", opt->letter ? letter : "", opt->name, value ? "=" : "",
		value ?: "");
}

static void append_options(struct buf *out, const struct command *command)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);
	size_t width = 0;

	for (const struct opt *opt = table; opt->name; opt++) {
		auto_free char *left = option_left(opt);

		width = opt->help ? wider(width, left) : width;
	}
	buf_append_text(out, "\nOptions:\n");
	for (const struct opt *opt = table; opt->name; opt++) {
		auto_free char *left = option_left(opt);

		if (opt->help)
			append_item(out, left, opt->help, width);
	}
}

static void append_section(struct buf *out, const char *title, const struct manual_item *items)
{
	size_t width = 0;

	buf_printf(out, "\n%s:\n", title);
	for (const struct manual_item *item = items; item->name; item++)
		width = wider(width, item->name);
	for (const struct manual_item *item = items; item->name; item++)
		append_item(out, item->name, item->says, width);
}

static void append_examples(struct buf *out, const struct command_example *examples)
{
	buf_append_text(out, "\nExamples:\n");
	for (; examples->line; examples++) {
		buf_printf(out, "  %s\n", examples->line);
		if (!examples->says)
			continue;
		buf_append_text(out, "      ");
		append_wrapped(out, examples->says, strlen(examples->says), 6, 6);
	}
}

static void append_see_also(struct buf *out, const char *const *pages)
{
	struct buf line = { 0 };

	buf_append_text(&line, "See also:");
	for (size_t i = 0; pages[i]; i++)
		buf_printf(&line, " %s%s", pages[i], pages[i + 1] ? "," : "");
	buf_append_text(out, "\n");
	append_wrapped(out, buf_text(&line), line.len, 0, 10);
	buf_free(&line);
}

void help_print(const struct manual *manual)
{
	const struct command *command = manual->command;
	const struct manual_section *section = manual->sections;
	auto_buf struct buf out = { 0 };

	append_usage(&out, command);
	if (command->description)
		append_paragraphs(&out, command->description);
	for (; section && section->title; section++)
		append_section(&out, section->title, section->items);
	append_options(&out, command);
	if (command->examples)
		append_examples(&out, command->examples);
	if (command->exit_status) {
		buf_append_text(&out, "\nExit status:\n  ");
		append_wrapped(&out, command->exit_status, strlen(command->exit_status), 2, 2);
	}
	if (command->see_also)
		append_see_also(&out, command->see_also);
	fwrite(out.data, 1, out.len, stdout);
}

void help_print_version(const char *program)
{
	printf("%.*s %s\n", (int)strcspn(program, " "), program, PACKAGE_VERSION);
}
