/* Files as the command line names them. */
#include "aci-tools/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

int file_open(const char *file, rkt_error **err)
{
	int fd;

	if (strcmp(file, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	return fd < 0 ? rkt_fail_errno(err, "open") : fd;
}

source *file_unpack(int fd, const struct unpack_limits *limits, rkt_error **err)
{
	return source_unpack_threaded(source_from_fd(fd), limits, NULL, err);
}

int file_nameless(rkt_error **err)
{
	const char *dir = getenv("TMPDIR");
	auto_fd int place = -1;
	int fd;

	if (!dir || !*dir)
		dir = "/var/tmp";
	place = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		return rkt_fail_errno(err, "make a file in %s", dir);
	fd = fd_scratch(place, err);
	return fd < 0 ? rkt_fail_outer(err, "make a file in %s", dir) : fd;
}

struct joined_source {
	source base;
	struct slice start;
	source *rest;
};

static int joined_next(source *base, struct slice *ret, rkt_error **err)
{
	struct joined_source *self = (struct joined_source *)base;

	if (!self->start.len)
		return source_next(self->rest, ret, err);
	*ret = self->start;
	self->start.len = 0;
	return 1;
}

static bool joined_keep(source *base, unsigned count)
{
	return source_keep(((struct joined_source *)base)->rest, count);
}

static void joined_interrupt(source *base)
{
	source_interrupt(((struct joined_source *)base)->rest);
}

static void joined_release(source *base)
{
	source_free(((struct joined_source *)base)->rest);
	free(base);
}

source *file_source_joined(struct slice start, source *rest)
{
	static const struct source_ops ops = {
		.next = joined_next,
		.keep = joined_keep,
		.interrupt = joined_interrupt,
		.release = joined_release,
	};
	struct joined_source *self = xcalloc(1, sizeof *self);

	*self = (struct joined_source){ .base.ops = &ops, .start = start, .rest = rest };
	return &self->base;
}
