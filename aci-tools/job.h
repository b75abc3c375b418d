/* What aci-build is asked to do: an image made of one of three things. */
#pragma once

#include "aci-tools/compose.h"
#include "aci/build.h"

/* As the command line says it. */
struct settings {
	const char *manifest, *from_dir, *from_tar, *sign;
	struct compose compose;
	struct opts_list excludes, operands;
	enum compression compression;
	struct image_limits limits;
	bool root_owned, overwrite, patch, verify_reproducible;
};

struct job {
	const struct settings *settings; /* lent */
	struct buf manifest;
	int rootfs;        /* a directory of files, or -1 */
	const char *tar;   /* ... or a tar of them, */
	const char *image; /* ... or an image that gets another manifest */
	const char *out;   /* where the image goes; "-" is standard output */
	int64_t mtime_max_sec;
};

/* Finds out what SETTINGS ask for, and opens what is not a stream. RKT_USAGE when they make no
 * sense together. The caller calls job_free() either way. */
int job_open(struct job *ret, const struct settings *settings, rkt_error **err);
void job_free(struct job *job);

/* Makes the image in OUT, as build_image() does. May be called again with another OUT, unless
 * job_is_once(): standard input can be read but once. */
int job_build(const struct job *job, int out, rkt_image_id *ret_id, rkt_error **err);
bool job_is_once(const struct job *job);
