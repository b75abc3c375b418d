/* One file or directory that aci-validate looks at. */
#pragma once

#include "aci-tools/signature.h"
#include "aci/image.h"
#include "base/buf.h"

enum subject_type {
	SUBJECT_AUTO,
	SUBJECT_IMAGE,
	SUBJECT_IMAGE_MANIFEST,
	SUBJECT_POD_MANIFEST,
	SUBJECT_LAYOUT,
};
/* Their names, in this order; ended by NULL. */
extern const char *const subject_types[];

struct subject {
	const char *file;       /* "-" is standard input */
	enum subject_type type; /* SUBJECT_AUTO becomes what was found, as far as it was */
	bool render;            /* also by the rules of trees: aci/render_rules.h */
	const struct signature *signature; /* NULL: none is asked for */
	const struct image_limits *limits; /* lent */
	check *found;                      /* owned */

	/* private */
	int fd;
	struct buf start; /* what was read to find out the type */
	digest *seen;     /* with a signature: of all bytes that were read */
	char signed_hex[DIGEST_HEX_MAX + 1];
};

/* Looks at it; all findings are in FOUND. Returns 0 when it was read to its end; -1 with
 * RKT_INVALID when that makes no sense any more, the reason being among the findings; -1 with
 * another kind when it could not be judged. */
int subject_look(struct subject *self, rkt_error **err);
void subject_free(struct subject *self);
