/* The simple sources: a descriptor, memory, a block put back, and a tap. source_threaded.c has the
 * one with a thread. */
#include "aci/source.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aci/blocks.h"
#include "base/alloc.h"
#include "base/fd.h"

bool source_keep(source *self, unsigned count)
{
	return self->ops->keep && self->ops->keep(self, count);
}

void source_interrupt(source *self)
{
	if (self->ops->interrupt)
		self->ops->interrupt(self);
}

void source_free(source *self)
{
	if (self)
		self->ops->release(self);
}

/* ---- a descriptor -------------------------------------------------------------------------- */

struct fd_source {
	source base;
	int fd;
	bool waits; /* not for regular files */
	int wake;   /* readable once somebody interrupts; or -1 */
	int until;  /* the same, the caller's; or -1 */
	struct blocks blocks;
	bool ended;
};

/* Waits until FD has something to read or the end. Returns -1 when interrupted. */
static int fd_source_wait(struct fd_source *s, rkt_error **err)
{
	struct pollfd polls[] = {
		{ .fd = s->fd, .events = POLLIN },
		{ .fd = s->wake, .events = POLLIN },
		{ .fd = s->until, .events = POLLIN },
	};

	while (poll(polls, ARRAY_LEN(polls), -1) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "poll");
	if (polls[1].revents || polls[2].revents)
		return rkt_fail(err, RKT_FAILED, "reading was given up");
	return 0;
}

/* As fd_read_full(), for what may keep us waiting. */
static ssize_t fd_source_read_stream(struct fd_source *s, uint8_t *out, size_t len, rkt_error **err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got;

		if (fd_source_wait(s, err) < 0)
			return -1;
		got = read(s->fd, out + done, len - done);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return rkt_fail_errno(err, "read");
		if (!got)
			break;
		if (got > 0)
			done += (size_t)got;
	}
	return (ssize_t)done;
}

static int fd_source_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct fd_source *s = (struct fd_source *)self;
	uint8_t *out;
	ssize_t got;

	if (s->ended)
		return 0;
	out = blocks_next(&s->blocks);
	if (s->waits)
		got = fd_source_read_stream(s, out, SOURCE_BLOCK, err);
	else
		got = fd_read_full(s->fd, out, SOURCE_BLOCK, err);
	if (got < 0)
		return -1;
	s->ended = got < (ssize_t)SOURCE_BLOCK;
	*ret_block = (struct slice){ out, (size_t)got };
	return got > 0;
}

static bool fd_source_keep(source *self, unsigned count)
{
	blocks_keep(&((struct fd_source *)self)->blocks, count);
	return true;
}

static void fd_source_interrupt(source *self)
{
	const struct fd_source *s = (const struct fd_source *)self;

	if (s->wake >= 0)
		eventfd_write(s->wake, 1);
}

static void fd_source_release(source *self)
{
	struct fd_source *s = (struct fd_source *)self;

	close(s->fd);
	if (s->wake >= 0)
		close(s->wake);
	blocks_free(&s->blocks);
	free(s);
}

static const struct source_ops fd_source_ops = {
	.next = fd_source_next,
	.keep = fd_source_keep,
	.interrupt = fd_source_interrupt,
	.release = fd_source_release,
};

source *source_from_fd(int fd)
{
	return source_from_fd_until(fd, -1);
}

source *source_from_fd_until(int fd, int wake)
{
	struct fd_source *s = xcalloc(1, sizeof *s);
	struct stat status;

	s->base.ops = &fd_source_ops;
	s->fd = fd;
	s->wake = -1;
	s->until = wake;
	s->waits = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
	if (s->waits)
		s->wake = eventfd(0, EFD_CLOEXEC); /* without one, it only cannot be interrupted */
	else
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return &s->base;
}

/* ---- memory -------------------------------------------------------------------------------- */

struct memory_source {
	source base;
	struct slice bytes;
};

static int memory_source_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct memory_source *s = (struct memory_source *)self;

	(void)err;
	if (!s->bytes.len)
		return 0;
	*ret_block = s->bytes;
	s->bytes.len = 0;
	return 1;
}

static bool memory_source_keep(source *self, unsigned count)
{
	(void)self, (void)count;
	return true; /* the bytes outlive the source anyway */
}

static void memory_source_release(source *self)
{
	free(self);
}

static const struct source_ops memory_source_ops = {
	.next = memory_source_next,
	.keep = memory_source_keep,
	.release = memory_source_release,
};

source *source_from_memory(struct slice bytes)
{
	struct memory_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &memory_source_ops;
	s->bytes = bytes;
	return &s->base;
}

/* ---- a block put back ---------------------------------------------------------------------- */

struct put_back_source {
	source base;
	source *below;
	struct slice block; /* empty once it was handed out */
};

static int put_back_source_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct put_back_source *s = (struct put_back_source *)self;

	if (!s->block.len)
		return source_next(s->below, ret_block, err);
	*ret_block = s->block;
	s->block.len = 0;
	return 1;
}

static bool put_back_source_keep(source *self, unsigned count)
{
	return source_keep(((struct put_back_source *)self)->below, count);
}

static void put_back_source_interrupt(source *self)
{
	source_interrupt(((struct put_back_source *)self)->below);
}

static void put_back_source_release(source *self)
{
	source_free(((struct put_back_source *)self)->below);
	free(self);
}

static const struct source_ops put_back_source_ops = {
	.next = put_back_source_next,
	.keep = put_back_source_keep,
	.interrupt = put_back_source_interrupt,
	.release = put_back_source_release,
};

source *source_put_back(source *below, struct slice block)
{
	struct put_back_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &put_back_source_ops;
	s->below = below;
	s->block = block;
	return &s->base;
}

/* ---- a tap --------------------------------------------------------------------------------- */

struct tap_source {
	source base;
	source *below;
	source_tap_fn *tap;
	void *context;
};

static int tap_source_next(source *self, struct slice *ret_block, rkt_error **err)
{
	struct tap_source *s = (struct tap_source *)self;
	int got = source_next(s->below, ret_block, err);

	if (got > 0 && s->tap(s->context, *ret_block, err) < 0)
		return -1;
	return got;
}

static bool tap_source_keep(source *self, unsigned count)
{
	return source_keep(((struct tap_source *)self)->below, count);
}

static void tap_source_interrupt(source *self)
{
	source_interrupt(((struct tap_source *)self)->below);
}

static void tap_source_release(source *self)
{
	source_free(((struct tap_source *)self)->below);
	free(self);
}

static const struct source_ops tap_source_ops = {
	.next = tap_source_next,
	.keep = tap_source_keep,
	.interrupt = tap_source_interrupt,
	.release = tap_source_release,
};

source *source_tap(source *below, source_tap_fn *tap, void *context)
{
	struct tap_source *s = xcalloc(1, sizeof *s);

	s->base.ops = &tap_source_ops;
	s->below = below;
	s->tap = tap;
	s->context = context;
	return &s->base;
}
