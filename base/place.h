/* Where what people name by a path is to be made. */
#pragma once

#include "base/error.h"

/* A place to make something: an open directory and a name in it. */
struct place {
	int dir;    /* -1: none */
	char *name; /* without a slash, never "." or ".." */
};

/* Finds the place that PATH means. A directory above that is missing is RKT_MISSING; a PATH that
 * ends in "." or "..", or is "/", names no place: RKT_USAGE. */
int place_find(struct place *place, const char *path, rkt_error **err);
void place_free(struct place *place);
#define auto_place __attribute__((cleanup(place_free)))
