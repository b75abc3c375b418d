/* The process's face: words on stderr (one write a line), JSON and escaped text on stdout. */
#include "cli/out.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/stop.h"

#define BOLD_RED   "\033[1;31m"
#define BOLD_BROWN "\033[1;33m"
#define PLAIN      "\033[0m"

/* The one state of cli/ that outlives a call: how this process talks, settled before it works. */
static struct {
	const char *program;
	bool debug, quiet, plain;
	bool transient; /* a line of out_transient() is on the screen */
	int lost;       /* the first errno of writing to stdout; 0: nothing was lost */
} face = { .program = "rkt" };

void out_set_program(const char *name)
{
	face.program = name;
}

void out_set_debug(bool debug)
{
	face.debug = debug;
}

void out_set_quiet(bool quiet)
{
	face.quiet = quiet;
}

void out_set_plain(void)
{
	face.plain = true;
}

const char *out_program(void)
{
	return face.program;
}

bool out_is_debug(void)
{
	return face.debug;
}

bool out_is_quiet(void)
{
	return face.quiet;
}

/* Colour is wanted on a terminal, unless --no-color, NO_COLOR (https://no-color.org: present and
 * not empty) or a terminal without any says otherwise. */
static bool stderr_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (face.plain || (no_color && *no_color) || !term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(STDERR_FILENO);
}

/* There is nowhere left to complain when stderr itself fails. */
static void write_stderr(const struct buf *text)
{
	(void)out_flush(NULL); /* where both are one file, lines stay in the order they were said */
	(void)fd_write_all(STDERR_FILENO, text->data, text->len, NULL);
}

static void set_transient(bool stands)
{
	face.transient = stands;
	stop_set_line(stands);
}

struct tone {
	const char *label,
		*colour; /* COLOUR for the label, or for the program's name without one */
};

/* MESSAGE is escaped. */
static void say_escaped(struct tone tone, const char *message)
{
	auto_buf struct buf line = { 0 };
	const char *on = "", *off = "";

	if (tone.colour && stderr_has_colour())
		on = tone.colour, off = PLAIN;
	if (face.transient)
		buf_append_text(&line, STOP_WIPE);
	set_transient(false);
	buf_printf(&line, "%s%.*s:%s ", tone.label ? "" : on, (int)strcspn(face.program, " "),
		face.program, tone.label ? "" : off);
	if (tone.label)
		buf_printf(&line, "%s%s:%s ", on, tone.label, off);
	buf_printf(&line, "%s\n", message);
	write_stderr(&line);
}

__attribute__((format(printf, 2, 0))) static void say(
	struct tone tone, const char *format, va_list args)
{
	auto_free char *raw = NULL, *shown = NULL;

	if (vasprintf(&raw, format, args) < 0)
		out_of_memory();
	shown = str_escape(raw, strlen(raw));
	say_escaped(tone, shown);
}

void out_error(const char *message)
{
	say_escaped((struct tone){ NULL, BOLD_RED }, message);
}

void out_hint(const char *line)
{
	auto_buf struct buf text = { 0 };

	buf_printf(&text, "%s\n", line);
	write_stderr(&text);
}

void out_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say((struct tone){ "warning", BOLD_BROWN }, format, args);
	va_end(args);
}

void out_debug(const char *format, ...)
{
	va_list args;

	if (!face.debug)
		return;
	va_start(args, format);
	say((struct tone){ 0 }, format, args);
	va_end(args);
}

void out_note(const char *format, ...)
{
	va_list args;

	if (face.quiet)
		return;
	va_start(args, format);
	say((struct tone){ 0 }, format, args);
	va_end(args);
}

void out_transient(const char *line)
{
	auto_buf struct buf text = { 0 };

	if (!line && !face.transient)
		return;
	set_transient(line != NULL);
	buf_printf(&text, "%s%s", STOP_WIPE, line ?: "");
	write_stderr(&text);
}

void out_escaped(const char *text)
{
	auto_free char *shown = str_escape(text, strlen(text));

	fputs(shown, stdout);
}

void out_json(const json *value)
{
	auto_buf struct buf text = { 0 };

	json_write(value, isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_COMPACT, &text);
	buf_append_text(&text, "\n");
	fwrite(text.data, 1, text.len, stdout);
}

int out_flush(rkt_error **err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (!face.lost)
		face.lost = errno;
	errno = face.lost;
	return errno ? rkt_fail_errno(err, "write to standard output")
		     : rkt_fail(err, RKT_FAILED, "write to standard output failed");
}

bool out_is_unread(void)
{
	return face.lost == EPIPE;
}

bool out_would_be_unread(void)
{
	struct pollfd pipe = { .fd = STDOUT_FILENO }; /* errors come unasked */

	return poll(&pipe, 1, 0) > 0 && pipe.revents & (POLLERR | POLLHUP);
}
