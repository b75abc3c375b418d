/* The image that is being written: what building from a directory, from a tar and from another
 * image have in common. */
#pragma once

#include "aci/build.h"
#include "aci/pack.h"
#include "aci/tar_write.h"

struct build_out {
	const struct build_options *options; /* lent */
	int fd;                              /* lent */
	packer *packer;
	struct tar_sink sink; /* of the packer */
};

/* RKT_INVALID when BYTES are not the manifest of an image. To be asked before anything is
 * written. */
int build_out_check_manifest(struct slice bytes, rkt_error **err);
/* Begins an image in FD, open for reading and writing and empty. */
int build_out_begin(
	struct build_out *self, int fd, const struct build_options *options, rkt_error **err);
/* Sets owner and time of ENTRY as the options want them. */
void build_out_settle(const struct build_out *self, struct tar_entry *entry);
/* Writes the manifest with the time and the other properties of LIKE. */
int build_out_manifest(
	struct build_out *self, struct slice bytes, const struct tar_entry *like, rkt_error **err);
/* Writes bytes of data, as they are. */
int build_out_data(struct build_out *self, struct slice bytes, rkt_error **err);
/* Ends the stream (the end marker is written already) and reads the image back as an import would:
 * RKT_INVALID when it is not a good one. */
int build_out_finish(struct build_out *self, rkt_image_id *ret_id, rkt_error **err);
void build_out_free(struct build_out *self);

#define auto_build_out __attribute__((cleanup(build_out_free)))
