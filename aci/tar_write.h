/*
 * Writing tar: the opposite of tar.h, and its shape. ustar headers, with a pax header before those
 * that need one (long names, large numbers, parts of seconds, extended attributes) and only there.
 * Sparse members are written in the form pax 1.0 (tar_sparse.h). The bytes depend on the entry
 * alone.
 */
#pragma once

#include "aci/tar.h"

/* Where the tar goes. WRITE takes all of BYTES and returns 0, or -1 with *err set. */
struct tar_sink {
	int (*write)(void *context, struct slice bytes, rkt_error **err);
	void *context;
};

/* Writes the headers of ENTRY (its offsets in a tar are not looked at), and what else stands before
 * the data. The data must follow: ENTRY->size bytes, or the ENTRY->stored ones of the runs of a
 * sparse file; then tar_write_padding() of as many. */
int tar_write_header(const struct tar_sink *sink, const struct tar_entry *entry, rkt_error **err);
/* Fills up the last block of SIZE bytes of data. */
int tar_write_padding(const struct tar_sink *sink, uint64_t size, rkt_error **err);
/* Writes the end marker: two blocks of zeros. */
int tar_write_end(const struct tar_sink *sink, rkt_error **err);
