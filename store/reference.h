/*
 * Names people give images by: NAME[:VERSION][,LABEL=VALUE...], as in
 * example.com/app:1.0.0,os=linux. The version is the label "version". Labels are those of the
 * manifest, whatever they are called.
 */
#pragma once

#include "aci/manifest.h"

struct reference {
	char *name;
	struct ac_pair *labels; /* they lie in TEXT */
	size_t label_count;
	char *text;
};

/* Splits TEXT. RKT_USAGE: a label without a value, or given twice. REFERENCE_EMPTY before; freed by
 * the caller, whatever comes out. */
int reference_parse(const char *text, struct reference *ret, rkt_error **err);
void reference_free(struct reference *self);

/* Whether an image with MANIFEST (JSON) has all the labels asked for, its name aside: 1, 0, or
 * -1. */
int reference_labels_fit(const struct reference *self, struct slice manifest, rkt_error **err);
/* Fails with RKT_INVALID, saying how, when MANIFEST's name or labels are not those asked for
 * (S-025). */
int reference_check(
	const struct reference *self, const struct image_manifest *manifest, rkt_error **err);

#define auto_reference __attribute__((cleanup(reference_free)))
