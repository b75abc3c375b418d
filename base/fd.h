/* Whole reads and writes on file descriptors. All functions retry EINTR and short counts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Writes all LEN bytes, or fails. */
int fd_write_all(int fd, const void *bytes, size_t len, rkt_error **err);
/* Writes all LEN bytes at OFFSET, or fails; the file position does not move. */
int fd_pwrite_all(int fd, const void *bytes, size_t len, uint64_t offset, rkt_error **err);
/* Reads up to LEN bytes, fewer only at the end of the file. Returns the count or -1. */
ssize_t fd_read_full(int fd, void *bytes, size_t len, rkt_error **err);
ssize_t fd_pread_full(int fd, void *bytes, size_t len, uint64_t offset, rkt_error **err);

/* Whether the files ONE and OTHER have the same bytes: 1, 0 with *RET_AT an offset of at most 64
 * KiB before the first that differs, or -1. Positions do not move. */
int fd_same(int one, int other, uint64_t *ret_at, rkt_error **err);
/* Writes the rest of FROM to TO. */
int fd_copy(int from, int to, rkt_error **err);
/* All of the file FROM into TO, which is empty and is to have holes where FROM has some. */
int fd_copy_sparse(int from, int to, rkt_error **err);

/* Appends the rest of FD to BUF. More than MAX bytes is RKT_INVALID. */
int fd_read_rest(int fd, size_t max, struct buf *buf, rkt_error **err);
/* Reads the regular file NAME below DIR (O_NOFOLLOW); more than MAX bytes is RKT_INVALID, a missing
 * file RKT_MISSING. NAME may be a path only when the caller made every part of it itself. */
int fd_read_file(int dir, const char *name, size_t max, struct buf *buf, rkt_error **err);
/* An empty file in memory, open for reading and writing, that is no program; NAME is for /proc. */
int fd_in_memory(const char *name, rkt_error **err);
/* BYTES as an unnamed file in memory, to be read from its start. */
int fd_of_bytes(struct slice bytes, rkt_error **err);
/* An unnamed file in DIR, open for reading and writing, mode 0600 until chmod-ed. Not every file
 * system makes such: draft.h has files that appear on any. */
int fd_tmpfile(int dir, rkt_error **err);
/* Whether ERROR, an errno of fd_tmpfile(), is that the file system, or a kernel that does not know
 * O_TMPFILE (open(2)), makes no file without a name. */
bool fd_needs_name(int error);
/* The same as fd_tmpfile() on every file system, for what is never to be linked. */
int fd_scratch(int dir, rkt_error **err);
/* What NAME in DIR is, or leads to, that no file of ours shall take the place of: "a device", "a
 * directory", "a FIFO", "a socket"; NULL: a file, or nothing. */
const char *fd_not_replaced(int dir, const char *name);
/* Gives the unnamed file FD the name NAME below DIR. Returns 0, 1 when the name exists already
 * (nothing changed), or -1. */
int fd_link(int fd, int dir, const char *name, rkt_error **err);
/* Opens the directory NAME below DIR, O_NOFOLLOW. RKT_MISSING when it is not there. */
int fd_open_dir(int dir, const char *name, rkt_error **err);
/* Makes the directory NAME below DIR with exactly MODE (no umask) unless it exists, opens it, and
 * sets *RET_MADE (may be NULL) to whether it was made here. The parent is not synced. */
int fd_make_dir(int dir, const char *name, mode_t mode, bool *ret_made, rkt_error **err);
