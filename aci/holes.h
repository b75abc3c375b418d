/*
 * Which bytes of a file go into a tar, and which are holes. Spans of zeros are holes whether a file
 * system keeps them as such or not: the same content gives the same runs, on every host.
 */
#pragma once

#include "aci/tar.h"

/* Zeros are a hole from this many bytes on, at a multiple of it in the file; shorter ones compress
 * well enough, and each hole costs every reader. Twice, four times... as many in files above 64
 * GiB, up to 2 MiB: the chunks of an index are as long as the shortest hole (chunking.h). */
#define HOLE_MIN ((uint64_t)64 * 1024)

struct holes {
	/* What is between the holes: as in struct tar_entry; every run begins at a multiple of 512
	 * of the file, and of the runs put together. */
	struct tar_extent *runs; /* owned */
	size_t count, room;
	uint64_t stored; /* bytes of all runs together; the size of the file where it has no hole */
};

/* Reads the SIZE bytes of FD, except what the file system says are holes, and sets RET, all zero
 * before, to what has to be stored. The position moves. RKT_FAILED when bytes are gone that were to
 * be read. */
int holes_find(int fd, uint64_t size, struct holes *ret, rkt_error **err);

/* Sets RET, all zero before, to the runs of the sparse member ENTRY, rounded out to multiples of
 * 512: what another program made of a file may lie anywhere. */
void holes_of_entry(const struct tar_entry *entry, struct holes *ret);

/* Makes a sparse member of ENTRY, which lends SELF, where there are holes; else one that is not. */
void holes_apply(const struct holes *self, struct tar_entry *entry);
void holes_free(struct holes *self);

#define auto_holes __attribute__((cleanup(holes_free)))
