/* Looking for zeros, and keeping lists of runs short. */
#include "aci/holes.h"

#include <stdlib.h>
#include <unistd.h>

#include "aci/chunking.h"
#include "aci/tar_header.h"
#include "base/alloc.h"
#include "base/fd.h"

#define UNIT_MAX ((uint64_t)2 * 1024 * 1024)
/* A file has no more pieces than this, as long as a piece may grow. */
#define UNITS_MAX ((uint64_t)1 << 20)

void holes_free(struct holes *self)
{
	free(self->runs);
	*self = (struct holes){ 0 };
}

/* Takes in the run from OFFSET to END, rounded out to multiples of UNIT but not beyond SIZE.
 * Offsets rise. */
static void add_run(struct holes *self, uint64_t offset, uint64_t end, uint64_t unit, uint64_t size)
{
	struct tar_extent *last = self->count ? &self->runs[self->count - 1] : NULL;
	uint64_t over = end % unit, start = offset - offset % unit;

	if (over)
		end = unit - over < size - end ? end + unit - over : size;
	if (last && start <= last->offset + last->len) {
		self->stored += end - (last->offset + last->len);
		last->len = end - last->offset;
		return;
	}
	if (self->count == self->room) {
		self->room = self->room ? self->room * 2 : 16;
		self->runs = xreallocarray(self->runs, self->room, sizeof *self->runs);
	}
	self->runs[self->count++] = (struct tar_extent){ start, end - start };
	self->stored += end - start;
}

/* Gives up holes, the short ones first, until readers take the list: with the empty run that marks
 * the end of a file. */
static void shorten(struct holes *self, uint64_t unit, uint64_t size)
{
	while (self->count >= tar_limits_default.extents_max) {
		size_t count = self->count;

		unit *= 2;
		self->count = 0;
		self->stored = 0;
		for (size_t i = 0; i < count; i++) {
			const struct tar_extent run = self->runs[i];

			add_run(self, run.offset, run.offset + run.len, unit, size);
		}
	}
}

static uint64_t unit_of(uint64_t size)
{
	uint64_t unit = HOLE_MIN;

	while (unit < UNIT_MAX && size / unit >= UNITS_MAX)
		unit *= 2;
	return unit;
}

/* Where after AT the file system has bytes, and in *RET_END the end of these. One that does not
 * know has them everywhere. */
static uint64_t next_data(int fd, uint64_t at, uint64_t size, uint64_t *ret_end)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA), end;

	if (data < 0 && errno == ENXIO)
		return size;
	if (data > (off_t)size) /* somebody appended meanwhile */
		return size;
	end = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
	*ret_end = end < 0 ? size : (uint64_t)end;
	return data < 0 ? at : (uint64_t)data;
}

int holes_find(int fd, uint64_t size, struct holes *ret, rkt_error **err)
{
	uint64_t unit = unit_of(size), data_end = 0;
	auto_free uint8_t *bytes = size < HOLE_MIN ? NULL : xmalloc(unit);

	if (size < HOLE_MIN) {
		ret->stored = size;
		return 0;
	}
	for (uint64_t at = 0; at < size; at += unit) {
		size_t len;
		ssize_t got;

		if (at >= data_end)
			at = next_data(fd, at, size, &data_end) / unit * unit;
		len = unit < size - at ? unit : (size_t)(size - at);
		got = fd_pread_full(fd, bytes, len, at, err);
		if (got < 0)
			return -1;
		if ((size_t)got < len)
			return rkt_fail(err, RKT_FAILED, "became shorter while it was read");
		if (!tar_is_zero(bytes, len))
			add_run(ret, at, at + len, unit, size);
	}
	if (size - ret->stored < HOLE_MIN) { /* nothing but a short end */
		ret->count = 0;
		ret->stored = 0;
		add_run(ret, 0, size, unit, size);
	}
	shorten(ret, unit, size);
	return 0;
}

void holes_of_entry(const struct tar_entry *entry, struct holes *ret)
{
	for (size_t i = 0; i < entry->extent_count; i++) {
		const struct tar_extent *run = &entry->extents[i];

		add_run(ret, run->offset, run->offset + run->len, CHUNK_BLOCK, entry->size);
	}
	if (!entry->sparse)
		ret->stored = entry->size;
	shorten(ret, CHUNK_BLOCK, entry->size);
}

void holes_apply(const struct holes *self, struct tar_entry *entry)
{
	entry->sparse = self->stored < entry->size;
	entry->extents = entry->sparse ? self->runs : NULL;
	entry->extent_count = entry->sparse ? self->count : 0;
	entry->stored = self->stored;
}
