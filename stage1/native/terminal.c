/* Two buffers between the caller's terminal and the apps' ptys, and the three keys that end a
 * pod. */
#include "stage1/native/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "base/alloc.h"

#define ESCAPE_KEY     0x1d /* ^] */
#define ESCAPE_TIMES   3
#define ESCAPE_TIME_MS 1000

#define BUFFER_SIZE 16384u

/* How long a terminal that takes nothing may hold up the end. A slow one, as on a serial line,
 * takes something all the time. */
#define DRAIN_TIME_MS 5000

struct queue {
	char bytes[BUFFER_SIZE];
	size_t at, len;
};

struct terminal {
	int in;  /* where keys come from, or -1 */
	int out; /* where output goes, or -1 when the terminal has hung up */
	struct termios saved;
	bool raw, started; /* STARTED: SAVED is set, and the caller knows the way out */
	int *masters;
	int *slaves; /* kept open, so that an app may close its own and a master never sees an end
		      */
	size_t count;
	struct queue to_app, to_caller;
	int64_t escape_ms[ESCAPE_TIMES]; /* when the last ^] were typed, oldest first */
	size_t escape_count;
};

unsigned terminal_find(void)
{
	unsigned found = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			found |= 1u << fd;
	return found;
}

/* The same terminal by a description of its own, so that O_NONBLOCK is ours alone. */
static int reopen(int fd, rkt_error **err)
{
	char path[32];
	int own;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return own < 0 ? rkt_fail_errno(err, "open the terminal") : own;
}

terminal *terminal_open(unsigned terminals, size_t app_count, rkt_error **err)
{
	static const int output_order[] = { STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO };
	auto_terminal terminal *self = xcalloc(1, sizeof *self);

	self->in = self->out = -1;
	self->masters = xcalloc(app_count, sizeof *self->masters);
	self->slaves = xcalloc(app_count, sizeof *self->slaves);
	for (size_t i = 0; i < ARRAY_LEN(output_order) && self->out < 0; i++)
		if (terminals & 1u << output_order[i]) {
			self->out = reopen(output_order[i], err);
			if (self->out < 0)
				return NULL;
		}
	if (terminals & 1u << STDIN_FILENO) {
		self->in = reopen(STDIN_FILENO, err);
		if (self->in < 0)
			return NULL;
	}
	return pass_ptr(self);
}

void terminal_close(terminal *self)
{
	if (!self)
		return;
	if (self->raw)
		tcsetattr(self->in, TCSANOW, &self->saved);
	for (size_t i = 0; i < self->count; i++) {
		close(self->masters[i]);
		close(self->slaves[i]);
	}
	if (self->in >= 0)
		close(self->in);
	if (self->out >= 0)
		close(self->out);
	free(self->masters);
	free(self->slaves);
	free(self);
}

/* A job in the background leaves the terminal alone: changing it would stop us (SIGTTOU). */
static void make_raw(terminal *self)
{
	struct termios mode;

	if (self->in < 0 || self->raw || tcgetpgrp(self->in) != getpgrp())
		return;
	if (!self->started && tcgetattr(self->in, &self->saved) < 0)
		return;
	if (!self->started && isatty(STDERR_FILENO))
		dprintf(STDERR_FILENO, "Press ^] three times to kill container\n");
	self->started = true;
	mode = self->saved;
	cfmakeraw(&mode);
	self->raw = tcsetattr(self->in, TCSANOW, &mode) == 0;
}

int terminal_add(terminal *self, int master, rkt_error **err)
{
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0) {
		rkt_fail_errno(err, "terminal: open the other end");
		close(master);
		return -1;
	}
	self->masters[self->count] = master;
	self->slaves[self->count++] = slave;
	terminal_resized(self); /* it may have been while MASTER was on its way */
	make_raw(self);
	return 0;
}

void terminal_continued(terminal *self)
{
	/* whoever had the terminal meanwhile has set it to his liking, and may have it still */
	self->raw = false;
	make_raw(self);
	terminal_resized(self);
}

void terminal_resized(terminal *self)
{
	struct winsize size;

	if (ioctl(self->out, TIOCGWINSZ, &size) < 0)
		return;
	for (size_t i = 0; i < self->count; i++)
		ioctl(self->masters[i], TIOCSWINSZ, &size);
}

size_t terminal_poll_count(const terminal *self)
{
	return self->count + 2;
}

size_t terminal_poll(const terminal *self, struct pollfd *fds)
{
	size_t count = 0;

	/* keys are always read, else ^] would not be seen while the app does not read */
	if (self->in >= 0 && self->raw)
		fds[count++] = (struct pollfd){ self->in, POLLIN, 0 };
	if (self->out >= 0 && self->to_caller.len)
		fds[count++] = (struct pollfd){ self->out, POLLOUT, 0 };
	for (size_t i = 0; i < self->count; i++) {
		short events = self->to_caller.len ? 0 : POLLIN;

		if (i == 0 && self->to_app.len)
			events |= POLLOUT;
		if (events)
			fds[count++] = (struct pollfd){ self->masters[i], events, 0 };
	}
	return count;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether KEY, typed now, is the last of three ^] in a row within a second. */
static bool is_escape(terminal *self, char key)
{
	if (key != ESCAPE_KEY) {
		self->escape_count = 0;
		return false;
	}
	if (self->escape_count == ESCAPE_TIMES) {
		memmove(self->escape_ms, self->escape_ms + 1,
			(ESCAPE_TIMES - 1) * sizeof *self->escape_ms);
		self->escape_count--;
	}
	self->escape_ms[self->escape_count++] = now_ms();
	return self->escape_count == ESCAPE_TIMES &&
	       self->escape_ms[ESCAPE_TIMES - 1] - self->escape_ms[0] <= ESCAPE_TIME_MS;
}

/* Takes the keys typed. What an app does not read in time is lost, as on any terminal. */
static bool read_keys(terminal *self)
{
	char keys[256];
	ssize_t got = self->in >= 0 && self->raw ? read(self->in, keys, sizeof keys) : -1;
	bool escaped = false;
	struct queue *queue = &self->to_app;

	if (got == 0 || (got < 0 && errno == EIO && self->raw)) { /* the terminal has hung up */
		close(self->in);
		self->in = -1;
		self->raw = false;
	}
	for (ssize_t i = 0; i < got; i++)
		escaped |= is_escape(self, keys[i]);
	if (got > 0 && self->count == 1 && queue->at + queue->len + (size_t)got <= BUFFER_SIZE) {
		memcpy(queue->bytes + queue->at + queue->len, keys, (size_t)got);
		queue->len += (size_t)got;
	}
	return escaped;
}

/* Writes what FD takes. A target that is gone empties the queue. */
static bool queue_write(struct queue *queue, int fd)
{
	ssize_t put = fd < 0 ? -1 : write(fd, queue->bytes + queue->at, queue->len);

	if (put < 0 && fd >= 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	queue->at += put < 0 ? 0 : (size_t)put;
	queue->len -= put < 0 ? queue->len : (size_t)put;
	if (!queue->len)
		queue->at = 0;
	return put >= 0;
}

static void write_out(terminal *self)
{
	if (self->to_caller.len && !queue_write(&self->to_caller, self->out) && self->out >= 0) {
		close(self->out);
		self->out = -1;
	}
}

/* Takes output of the first app that has some; false when none has. */
static bool read_apps(terminal *self)
{
	for (size_t i = 0; i < self->count && !self->to_caller.len; i++) {
		ssize_t got = read(self->masters[i], self->to_caller.bytes, BUFFER_SIZE);

		if (got > 0)
			self->to_caller.len = (size_t)got;
	}
	return self->to_caller.len > 0;
}

bool terminal_copy(terminal *self)
{
	bool escaped = read_keys(self);

	if (self->to_app.len && self->count)
		queue_write(&self->to_app, self->masters[0]);
	read_apps(self);
	write_out(self);
	return escaped;
}

void terminal_drain(terminal *self)
{
	while (self->to_caller.len || read_apps(self)) {
		struct pollfd out = { self->out, POLLOUT, 0 };

		if (self->out < 0 || poll(&out, 1, DRAIN_TIME_MS) <= 0)
			return;
		write_out(self);
	}
}
