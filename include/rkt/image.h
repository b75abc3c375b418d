/*
 * Image IDs and what they look like.
 *
 * The ID of an image is "sha256-" and the 64 hexadecimal digits of the SHA-256 of its uncompressed
 * tar, as `gzip -dc x.aci | sha256sum` prints them (README of Rocket v0.1.1). Of the later appc
 * text, "sha512-" with 128 digits, or with its first 64 as rkt shortened it, names the same image.
 */
#pragma once

#include <stddef.h>
#include "rkt/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "sha256-" + 64 digits */
#define RKT_IMAGE_ID_LEN 71

/* A full image ID as a NUL-terminated text. Passed by value or pointer; no ownership. */
typedef struct rkt_image_id {
	char text[RKT_IMAGE_ID_LEN + 1];
} rkt_image_id;

/* Reads a full ID "sha256-<64 lower-case hex>". RKT_USAGE when TEXT is anything else. */
RKT_PUBLIC int rkt_image_id_parse(const char *text, rkt_image_id *ret, rkt_error **err);

/* Computes the ID of the image file open at FD (from its present position to its end; compressed or
 * not; FD stays open) and writes it to *RET. The bytes are walked as a tar: what could not be
 * imported has no ID. RKT_INVALID then. */
RKT_PUBLIC int rkt_image_id_of_fd(int fd, rkt_image_id *ret, rkt_error **err);

#ifdef __cplusplus
}
#endif
