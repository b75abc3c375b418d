/* Who works, who waits, and for whom. */
#include "store/arrival.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/lock.h"

/* Writes all of IN, taken over, to FD. */
static int write_down(source *in, int fd, rkt_error **err)
{
	auto_source source *from = in;
	struct slice block;
	int got;

	while ((got = source_next(from, &block, err)) > 0)
		if (fd_write_all(fd, block.data, block.len, err) < 0)
			return -1;
	if (got == 0 && lseek(fd, 0, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	return got;
}

/* Lets the pipe IN, taken over, run into a file, and waits until nobody works on one that begins
 * like it. From there on its fingerprint says what it has to wait for. */
static int stand_by(struct arrival *self, const struct layout *layout, source *in,
	uint64_t beginning, rkt_error **err)
{
	if (scratch_open(layout, &self->spool, err) < 0) {
		source_free(in);
		return -1;
	}
	self->fd = self->spool.fd;
	if (write_down(in, self->fd, err) < 0)
		return -1;
	if (lock_byte_wait(self->locks, beginning, LOCK_EXCLUSIVE, err) < 0)
		return -1;
	return lock_byte_drop(self->locks, beginning, err);
}

static int open_pipe(struct arrival *self, const struct layout *layout, source *pipe,
	source_tap_fn *tap, void *context, rkt_error **err)
{
	auto_source source *in = pipe;
	struct slice start = { 0 };
	int got = source_next(in, &start, err), alone;
	uint64_t beginning;

	if (got < 0 || packed_beginning(start, &beginning, err) < 0)
		return -1;
	alone = lock_byte_try(self->locks, beginning, LOCK_EXCLUSIVE, err);
	if (alone < 0)
		return -1;
	if (!got) /* nothing may be asked of a source that has ended */
		self->stream = source_from_memory(start);
	else if (alone)
		self->stream = source_put_back(pass_ptr(in), start);
	else
		return stand_by(self, layout,
			source_tap(source_put_back(pass_ptr(in), start), tap, context), beginning,
			err);
	return 0;
}

int arrival_open(struct arrival *self, const struct layout *layout, int fd, source_tap_fn *tap,
	void *context, rkt_error **err)
{
	auto_fd int own = -1;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	self->locks = layout_open_import_lock(layout, err);
	if (self->locks < 0)
		return -1;
	self->fd = fd;
	if (S_ISREG(st.st_mode))
		return 0;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return rkt_fail_errno(err, "dup");
	return open_pipe(self, layout, source_from_fd(pass_fd(own)), tap, context, err);
}

/* The lock of a fingerprint is the byte its first 8 bytes give. */
static uint64_t byte_of(const struct alias *hint)
{
	uint64_t at;

	memcpy(&at, hint->digest, sizeof at);
	return at;
}

int arrival_wait(struct arrival *self, struct packed_print *ret, rkt_error **err)
{
	int got = packed_print_of_fd(self->fd, ret, err);

	if (got <= 0)
		return got;
	if (lock_byte_wait(self->locks, byte_of(&ret->hint), LOCK_EXCLUSIVE, err) < 0)
		return -1;
	/* so that pipes see that somebody works on it; a pipe that was first has it for itself */
	return lock_byte_try(self->locks, ret->beginning, LOCK_SHARED, err) < 0 ? -1 : 1;
}

bool arrival_is_spool(const struct arrival *self)
{
	return self->spool.fd >= 0;
}

void arrival_close(struct arrival *self)
{
	source_free(self->stream);
	scratch_close(&self->spool);
	scope_close(&self->locks);
	*self = (struct arrival)ARRIVAL_EMPTY;
}
