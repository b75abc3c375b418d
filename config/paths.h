/*
 * paths.d, kind "paths": where things lie on this machine.
 *
 *	{ "rktKind": "paths", "rktVersion": "v1",
 *	  "data": "/srv/rkt",                      unless --dir or RKT_DIR say another
 *	  "stage1-images": "/srv/stage1-images" }  where stage1 images are looked for
 *
 * Both may be left out, and must be absolute. Two files of one directory that say the same thing
 * are an error (as in rkt), because which of them holds would depend on their names.
 */
#pragma once

#include "base/error.h"

struct config_path {
	char *path; /* NULL: nobody said so */
	char *from; /* the file that says so */
};
struct config_paths {
	struct config_path data, stage1_images;
};

/* RET is all zero before, and freed by the caller whatever comes out. */
int config_paths_read(struct config_paths *ret, rkt_error **err);
void config_paths_free(struct config_paths *paths);

#define auto_config_paths __attribute__((cleanup(config_paths_free)))
