/* Compressing what is written: the opposite of unpack.h, and the one door to libarchive. */
#pragma once

#include "aci/unpack.h"

typedef struct packer packer;

/* Compresses to OUT (lent) with NONE, GZIP, XZ or ZSTD. The bytes depend on what is written alone:
 * a gzip header has no name and no time. NULL with *err set when the library has no such
 * compressor. */
packer *packer_open(int out, enum compression compression, rkt_error **err);
/* Takes all of BYTES. Of the shape of tar_sink.write: CONTEXT is the packer. */
int packer_write(void *context, struct slice bytes, rkt_error **err);
/* Writes what is still held back. Nothing may be written after it. */
int packer_finish(packer *self, rkt_error **err);
void packer_free(packer *self);

SCOPE_DEFINE(packer, packer *, packer_free)
#define auto_packer __attribute__((cleanup(scope_packer)))
