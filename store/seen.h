/*
 * A file that was read before, known again without reading all of it: by what the kernel writes
 * down whenever somebody writes into a file, and by samples of its bytes.
 *
 * Size, time of modification and inode number would not do: anybody may set that time, and numbers
 * are given again. The change time nobody sets: the kernel does, at every write, truncation and
 * utimes(2), on the file systems below also for memory maps. So what counts is the boot, device,
 * inode, size, both times, and the bytes of 32 places. Whatever differs, and wherever the kernel's
 * word is not good enough, the SHA-256 of all bytes decides as ever (packed.h).
 *
 * A fact about one moment, unlike other aliases; and never taken where somebody asks what the bytes
 * are: a signature or an expected digest is about all of them.
 */
#pragma once

#include "store/alias.h"

struct seen {
	int fd; /* lent */
	uint64_t at;
	struct alias mark; /* empty: the kernel's word will not do */
};

/* Marks FD, a regular file that will be read from AT to its end. There is no mark on other file
 * systems, and none of what changed in the last two seconds: another change may leave the same
 * time.
 *
 * What of the file is in memory only begins to be written, without waiting for it: from there on
 * writes through a memory map change the time again. */
int seen_begin(struct seen *self, int fd, uint64_t at, rkt_error **err);
/* All was read. The mark is empty from here on if the file did not lie there the same all the
 * time. */
int seen_confirm(struct seen *self, rkt_error **err);
