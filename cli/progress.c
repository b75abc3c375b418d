/* The progress line: silent unless a person is likely to be waiting for it. */
#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/out.h"

#define FIRST_NS    500000000
#define INTERVAL_NS 100000000
#define CALLS       8 /* a look at the clock every so many calls */

struct progress {
	char *what; /* escaped */
	uint64_t total, done;
	int64_t start_ns, shown_ns;
	unsigned int calls;
	bool silent;
};

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct progress *progress_start(const char *what, uint64_t total)
{
	struct progress *self = xcalloc(1, sizeof *self);

	self->what = str_escape(what, strlen(what));
	self->total = total;
	self->start_ns = clock_ns();
	self->shown_ns = self->start_ns + FIRST_NS - INTERVAL_NS;
	self->silent = out_is_quiet() || !isatty(STDERR_FILENO);
	return self;
}

bool progress_is_shown(const struct progress *self)
{
	return !self->silent;
}

static void append_share(struct buf *line, const struct progress *self, double rate)
{
	char size[16];
	uint64_t left_sec;

	buf_printf(line, " of %s  %3.0f%%", str_size(self->total, size),
		100.0 * (double)self->done / (double)self->total);
	if (rate < 1)
		return;
	left_sec = (uint64_t)((double)(self->total - self->done) / rate);
	buf_printf(line, "  %s/s  %u:%02u left", str_size((uint64_t)rate, size),
		(unsigned int)(left_sec / 60 % 6000), (unsigned int)(left_sec % 60));
}

/* A line longer than the screen would wrap, and could not be wiped. */
static void cut_to_screen(struct buf *line)
{
	struct winsize screen = { 0 };
	size_t columns = 79, at = 0;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &screen) == 0 && screen.ws_col > 0)
		columns = screen.ws_col - 1u;
	while (at < line->len && columns-- > 0)
		at += str_utf8_next(line->data + at, line->len - at, NULL);
	line->len = at;
}

static void show(const struct progress *self, int64_t now_ns)
{
	auto_buf struct buf line = { 0 };
	double rate = (double)self->done * 1e9 / (double)(now_ns - self->start_ns);
	char size[16];

	buf_printf(&line, "%s  %s", self->what, str_size(self->done, size));
	if (self->total >= self->done && self->total)
		append_share(&line, self, rate);
	else
		buf_printf(&line, "  %s/s", str_size((uint64_t)rate, size));
	cut_to_screen(&line);
	out_transient(buf_text(&line));
}

void progress_total(struct progress *self, uint64_t total)
{
	self->total = total;
}

void progress_now(struct progress *self, uint64_t done)
{
	int64_t now_ns;

	self->done = done;
	if (self->silent)
		return;
	now_ns = clock_ns();
	if (now_ns - self->shown_ns < INTERVAL_NS)
		return;
	self->shown_ns = now_ns;
	show(self, now_ns);
}

void progress_at(struct progress *self, uint64_t done)
{
	self->done = done;
	if (!self->silent && self->calls++ % CALLS == 0)
		progress_now(self, done);
}

void progress_callback(void *self, uint64_t done)
{
	progress_at(self, done);
}

void progress_end(struct progress *self)
{
	if (!self)
		return;
	if (!self->silent)
		out_transient(NULL);
	free(self->what);
	free(self);
}
