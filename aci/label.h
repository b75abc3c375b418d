/*
 * Labels and annotations: lists of names with values (appc aci.md "labels", "annotations").
 *
 * Texts before 0.2 call a value `val`; texts before 0.4 or so write annotations as one object.
 */
#pragma once

#include "aci/schema.h"

struct ac_pair { /* a label or an annotation */
	const char *name, *value;
};

struct ac_pairs {
	const struct ac_pair *items;
	size_t count;
};

/* Reads the list of labels at AT, which may be absent: names are AC Identifiers, unique and never
 * `name`; os and arch a known pair. */
struct ac_pairs labels_read(struct schema *schema, const struct spot *at);

/* Reads the annotations at AT: names are AC Identifiers, unique; known ones have their form. */
struct ac_pairs annotations_read(struct schema *schema, const struct spot *at);

/* The value of NAME, or NULL. */
const char *ac_pairs_get(const struct ac_pair *items, size_t count, const char *name);

/* Whether the images for OS exist at all, and for ARCH on it (ARCH NULL: any). The list is the
 * reference tool's, which is longer than the text's. */
bool label_os_arch_is(const char *os, const char *arch);

/* The platform this program was built for, as labels say it. The arch is NULL where the list has
 * none for it. */
#define LABEL_HOST_OS "linux"
const char *label_host_arch(void);
