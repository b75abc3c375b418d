/* What the commands of rkt-pod share. */
#pragma once

#include "base/json.h"
#include "cli/complete.h"
#include "cli/main.h"
#include "rkt/store.h"
#include "runner/option.h"
#include "runner/pod_state.h"

cli_run_fn cmd_pod_gc, cmd_pod_list, cmd_pod_rm, cmd_pod_status;

/* The pods of a data directory, and its store for those who change something. */
struct pods {
	int fd;           /* containers/; -1 when there is none yet */
	rkt_store *store; /* NULL for those who only look */
};

/* Opens the pods of the data directory DIR (NULL: the default). Neither the data directory nor
 * containers/ being there is no error: FD is -1 then. */
enum pods_mode { PODS_LOOK, PODS_CHANGE };
int pods_enter(const char *dir, enum pods_mode mode, struct pods *ret, rkt_error **err);
void pods_leave(struct pods *pods);

/* As pod_dir_resolve(), also where there is no containers/. */
int pods_resolve(
	const struct pods *pods, const char *text, struct pod_dir_entry *ret, rkt_error **err);

/* INFO as list and status print it with --json: uuid, state, created, started, ended, pid (while it
 * runs), apps [ name, image, imageID, status ]. The caller owns it. */
json *pod_info_to_json(const struct pod_info *info);

#define auto_pods __attribute__((cleanup(pods_leave)))
