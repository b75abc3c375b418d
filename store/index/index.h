/*
 * The EROFS index over a tar: rendering is indexing (doc/formats.md, "EROFS index").
 *
 * A builder is fed the entries of an image in the order of the tar, during the very walk that
 * writes the blob, and then writes a small EROFS image whose file data stay in the tar. The kernel
 * mounts it with the tar as extra device. Nothing here reads the data, and nothing depends on the
 * host: the same tar gives the same bytes.
 *
 * Several tars, layer over layer, become one index over all of them: dependencies (store/deps.h).
 */
#pragma once

#include "aci/image.h"
#include "aci/path_filter.h"

/* Changes whenever the same tar would give other index bytes; part of a tree's record. */
#define INDEX_VERSION 1

typedef struct index_builder index_builder;

index_builder *index_new(void);
void index_free(index_builder *self);

/*
 * What is added from here on lies over what was added before. It comes from the tar with the number
 * DEVICE, from 1 on; a tar that is used twice keeps its number. Only what FILTER keeps is shown
 * (NULL: all), but hard links still find a file that it leaves out. FILTER must outlive the adding.
 * Without this call all entries are of one tar, number 1. RKT_INVALID: more tars than fit.
 *
 * Between layers anything may replace anything: a directory whose parts have no entry replaces the
 * file below it, where within one archive that is refused.
 */
int index_begin_layer(
	index_builder *self, uint32_t device, const struct path_filter *filter, rkt_error **err);

/* Adds one entry. A later entry of the same path replaces the earlier one (a directory over a
 * directory keeps the children). RKT_INVALID when it cannot be shown faithfully (a number out of
 * EROFS's range, a member below a non-directory, a damaged ACL, ...). */
int index_add(index_builder *self, const struct image_entry *entry, rkt_error **err);

struct index_stats {
	uint64_t inodes;
	uint64_t size;              /* bytes, padding included */
	uint64_t xattrs_dropped;    /* what store/index/xattr.h leaves out (S-011) */
	uint64_t acl_names_dropped; /* ACL entries of users and groups without a number */
};

/* Writes the index to OUT (an empty file, at its start), padded to a multiple of 65536. TAR_SIZES
 * are the sizes of all COUNT tars in bytes, in the order of their numbers. RET_STATS may be NULL.
 */
int index_write_tars(index_builder *self, const uint64_t *tar_sizes, uint32_t count, int out,
	struct index_stats *ret_stats, rkt_error **err);

/* The same for one tar. */
static inline int index_write(index_builder *self, uint64_t tar_size, int out,
	struct index_stats *ret_stats, rkt_error **err)
{
	return index_write_tars(self, &tar_size, 1, out, ret_stats, err);
}

/* A detached, read-only, nodev mount of the index with the tars as its devices in order.
 * Descriptors stay the caller's. Needs CAP_SYS_ADMIN and Linux 6.12. */
int index_mount(int index, const int *tars, size_t tar_count, rkt_error **err);

/* Whether indexes in the directory DIR can be mounted here: writes, mounts, reads and removes a
 * tiny one (erofs.md 9). Returns 0, or -1 with *err saying why not. */
int index_probe(int dir, rkt_error **err);

SCOPE_DEFINE(index, index_builder *, index_free)
#define auto_index __attribute__((cleanup(scope_index)))
