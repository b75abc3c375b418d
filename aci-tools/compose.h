/* An image manifest made of what the command line says, or changed by it. */
#pragma once

#include "base/json.h"
#include "cli/opts.h"

struct compose {
	const char *name;             /* required */
	struct opts_list labels;      /* NAME=VALUE */
	struct opts_list annotations; /* NAME=VALUE */
	struct opts_list exec;
	const char *user, *group;     /* NULL: "0" */
	struct opts_list environment; /* NAME=VALUE */
	const char *working_directory;
	struct opts_list ports;        /* NAME:PORT[/PROTOCOL] */
	struct opts_list mounts;       /* NAME:PATH[:ro] */
	struct opts_list isolators;    /* NAME=JSON */
	struct opts_list dependencies; /* NAME[:VERSION][,LABEL=VALUE...][@ID] */
};

/* Whether anything at all is set. */
bool compose_is_used(const struct compose *compose);
/* Appends the JSON text. RKT_USAGE when a value has not its form; what it means is checked with the
 * manifest as a whole. */
int compose_manifest(const struct compose *compose, struct buf *ret, rkt_error **err);
/* Sets RET to the manifest OLD with what is set in COMPOSE, and else byte for byte as it was
 * (manifest_edit()). RKT_INVALID when OLD is no JSON object. */
int compose_change(
	const struct compose *compose, struct slice old, struct buf *ret, rkt_error **err);
void compose_free(struct compose *compose);
