/* A store of the test's own, in a folder that goes with it. */
#pragma once

#include "tests/unit/tars.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "rkt/store.h"

struct fixture {
	char path[256];
	int dir;
	rkt_store *store;
};

static inline int store_setup(void **state)
{
	struct fixture *self = calloc(1, sizeof *self);
	rkt_error *err = NULL;

	self->dir = scratch_make(self->path);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
	if (!self->store)
		fail_msg("%s", rkt_error_message(err));
	*state = self;
	return 0;
}

static inline int store_teardown(void **state)
{
	struct fixture *self = *state;

	rkt_store_close(self->store);
	close(self->dir);
	scratch_remove(self->path);
	free(self);
	return 0;
}

static inline int file_of(const struct buf *tar)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_int_equal(fd_pwrite_all(fd, tar->data, tar->len, 0, NULL), 0);
	return fd;
}
