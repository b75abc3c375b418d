/*
 * The one tar walker of the project (S-004): whatever hashes, validates, indexes or extracts an
 * image sees the entries this file yields and no others.
 *
 * Read are ustar, GNU (long names and links, base-256 numbers) and pax (size, path, linkpath,
 * mtime, uid, gid, xattrs; global headers); sparse members in all forms of GNU tar (tar_sparse.h);
 * the v7 form as far as ustar covers it. Refused, by name, as RKT_INVALID, because readers disagree
 * about them or bytes would go unseen:
 *  - multi-volume and unknown member types;
 *  - headers that contradict each other: GNU and pax names or links that differ, a pax size that is
 *    not the header's (0 and the octal maximum there mean "see pax"), two of a kind for a member;
 *  - numbers that are negative where they must not be, or overflow;
 *  - a size other than 0 for what is not a file. Hard links with data (pax allows them, GNU tar
 *    ignores the size) are among these: one reader's data would be another's headers;
 *  - a file named like a directory ("dir/"), except in the oldest form, where it is one;
 *  - padding that is not zero: the kernel shows it to who maps the file out of a mounted image;
 *  - a missing or half end marker, anything but zeros after it (S-005), and a last member without
 *    its padding (the index needs whole blocks).
 * tar_pax.h says what is refused in pax headers, tar_safe.h what in names.
 *
 * The walker keeps memory for one entry only, within the limits below (S-012).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "aci/source.h"

#define TAR_BLOCK 512u

enum tar_type {
	TAR_FILE,
	TAR_HARDLINK,
	TAR_SYMLINK,
	TAR_CHAR,
	TAR_BLOCKDEV,
	TAR_DIR,
	TAR_FIFO,
};

struct tar_xattr {
	const char *name; /* with its namespace: "user.x", "security.capability" */
	struct slice value;
};

/* A run of a file's bytes that is in the tar. */
struct tar_extent {
	uint64_t offset, len; /* in the file, in bytes */
};

struct tar_entry {
	/* Normalised (tar_safe.h): relative, no "." parts, no doubled or trailing slashes; "" is the
	 * top itself ("./"). Never NULL inside, no ".." part, and within the limits: 4096 bytes
	 * and 255 a part, which is what Linux can name, unless the caller set others. */
	const char *path;
	size_t path_len;
	/* Symlinks: the target as written, 1 to 4095 bytes. Hard links: normalised like PATH. Else
	 * NULL. */
	const char *link;
	enum tar_type type;
	mode_t mode;       /* the 12 permission bits */
	uint32_t uid, gid; /* at most 2^32-2 */
	uint64_t size;     /* bytes of the file; 0 for all types but TAR_FILE */
	int64_t mtime_sec; /* floored: -1.5 s is -2 s and 500000000 ns */
	uint32_t mtime_nsec;
	uint32_t major, minor;          /* devices only; at most 12 and 20 bits */
	const struct tar_xattr *xattrs; /* sorted by name, names unique */
	size_t xattr_count;
	uint64_t header_offset; /* where its first header (also long name, pax) starts in the tar */
	uint64_t data_offset;   /* where its data start: a multiple of 512 */
	/* Sparse files: the data in the tar are these runs, one after the other without gaps,
	 * rising, not empty, within SIZE; the rest of the file is holes. Lent until the next
	 * call. */
	bool sparse;
	const struct tar_extent *extents;
	size_t extent_count;
	uint64_t stored; /* bytes of data in the tar: SIZE, or the sum of the runs */
};

struct tar_limits {
	uint64_t entries_max; /* 4 million */
	uint64_t path_max;    /* 4096 bytes of a path */
	uint64_t part_max;    /* 255 bytes of a part of it */
	uint64_t depth_max;   /* 1024 parts of a path */
	uint64_t pax_max;     /* 1 MiB: one pax or GNU long header */
	uint64_t xattrs_max;  /* 64 KiB: names and values of one entry together */
	uint64_t extents_max; /* 262144 runs of one sparse file */
};
extern const struct tar_limits tar_limits_default;

typedef struct tar_reader tar_reader;

/* Takes over IN. LIMITS NULL: the defaults. Never fails; errors come from tar_next(). */
tar_reader *tar_open(source *in, const struct tar_limits *limits);
void tar_free(tar_reader *self);

/* Skips what is left of the present entry and reads the next. Returns 1 with *RET, which is lent
 * until the next call; 0 after the end marker, when everything after it was read to the end of the
 * stream and found to be zero; -1 on error, with the place in the text ("tar offset N"). */
int tar_next(tar_reader *self, const struct tar_entry **ret, rkt_error **err);

/* The next block of the present entry's data: 1 with *RET (lent until the next call on SELF), 0
 * when all ENTRY->stored bytes were given, -1 on error. Padding is not shown. */
int tar_data(tar_reader *self, struct slice *ret, rkt_error **err);

/* Bytes of the stream consumed so far; after the end, the size of the tar. */
uint64_t tar_offset(const tar_reader *self);

/* After a call failed: the place that its text names, or, where that names none because the stream
 * below failed, how far it came. */
uint64_t tar_fault_offset(const tar_reader *self);

SCOPE_DEFINE(tar, tar_reader *, tar_free)
#define auto_tar __attribute__((cleanup(scope_tar)))
