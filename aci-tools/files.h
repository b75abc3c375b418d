/* Files as the command line names them: where images come from, and where results go. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "aci/unpack.h"

/* Opens FILE for reading; "-" is standard input (duplicated: the caller closes it either way). A
 * missing FILE is RKT_MISSING. */
int file_open(const char *file, rkt_error **err);

/* A source of what FD has, uncompressed within LIMITS in a thread of its own. Takes over FD. */
source *file_unpack(int fd, const struct unpack_limits *limits, rkt_error **err);

/* A source of START (lent, until the source is freed) and then of all that REST gives, which it
 * takes over: what was looked at is not lost. */
source *file_source_joined(struct slice start, source *rest);

/* A file without a name in $TMPDIR, or /var/tmp, open for reading and writing: for what only passes
 * through. */
int file_nameless(rkt_error **err);
