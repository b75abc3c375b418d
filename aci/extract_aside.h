/*
 * Files that a whitelist leaves out but that hard links name: they are put aside, so that the links
 * have their content (appc.md, Rendering). Which these are, a walk before the extraction finds out.
 */
#pragma once

#include "aci/image.h"
#include "aci/path_filter.h"

struct extract_aside {
	int dir;      /* lent: where the files are meanwhile; one directory for all layers */
	char **paths; /* owned, sorted: those of the present layer */
	size_t count, capacity;
};

#define EXTRACT_ASIDE_NAME_SIZE 24

/* Whether FILTER (NULL: none) keeps ENTRY. */
bool extract_aside_keeps(const struct path_filter *filter, const struct image_entry *entry);

/* Walks IMAGE, which it frees, to find the files of a layer with FILTER. */
int extract_aside_find(struct extract_aside *self, image_reader *image,
	const struct path_filter *filter, rkt_error **err);

/* Whether the file PATH is to be put aside; NAME gets its name there. */
bool extract_aside_has(const struct extract_aside *self, const char *path,
	char name[static EXTRACT_ASIDE_NAME_SIZE]);

/* Removes the files, and forgets them: the layer is done. */
int extract_aside_clear(struct extract_aside *self, rkt_error **err);
void extract_aside_free(struct extract_aside *self);
