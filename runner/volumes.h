/*
 * Volumes as they are asked for on the command line, on their way into the pod manifest. Attaching
 * them is stage1's work.
 *
 *	NAME:PATH				a directory of the host (the original README)
 *	NAME,kind=host,source=PATH[,readOnly=true|false][,recursive=true|false]
 *	NAME,kind=empty[,mode=OCTAL][,uid=N][,gid=N]
 *
 * NAME is an AC Name. In the second form a comma ends PATH; the first form takes any PATH.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum volume_kind { VOLUME_HOST, VOLUME_EMPTY };

/* What was not said is left to who reads the pod manifest (appc pods.md). */
enum volume_switch { VOLUME_UNSAID, VOLUME_FALSE, VOLUME_TRUE };

struct volume {
	char *name;
	enum volume_kind kind;
	char *source; /* absolute; NULL for empty ones */
	enum volume_switch read_only, recursive;
	char *mode;       /* octal digits, or NULL */
	int64_t uid, gid; /* -1: not said */
};

struct volumes {
	struct volume *items;
	size_t count;
};

/* Reads one volume. RKT_USAGE with a sentence; *RET is released with volume_clear(). */
int volume_parse(const char *text, struct volume *ret, rkt_error **err);
void volume_clear(struct volume *volume);

/* Reads COUNT of them; names must be unique. Released with volumes_clear(). */
int volumes_parse(const char *const *texts, size_t count, struct volumes *ret, rkt_error **err);
void volumes_clear(struct volumes *volumes);

/* The volume NAME, or NULL. */
const struct volume *volumes_find(const struct volumes *volumes, const char *name);

/* VOLUME as an element of a pod manifest's "volumes", fields in the order of the specification; the
 * caller owns it. */
json *volume_to_json(const struct volume *volume);

#define auto_volume  __attribute__((cleanup(volume_clear)))
#define auto_volumes __attribute__((cleanup(volumes_clear)))
