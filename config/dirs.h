/*
 * Configuration directories, as rkt has them: of the system (/usr/lib/rkt, or $RKT_SYSTEM_CONFIG),
 * of the administrator (/etc/rkt, or $RKT_LOCAL_CONFIG), and of the user ($RKT_USER_CONFIG; for
 * ordinary users without it $XDG_CONFIG_HOME/rkt, else ~/.config/rkt). What a later one says wins.
 *
 * In each a folder "KIND.d" has files "*.json", read in the order of their names; each is an object
 * with "rktKind" and "rktVersion". Folders and directories that are not there say nothing.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

enum config_level { CONFIG_SYSTEM, CONFIG_LOCAL, CONFIG_USER, CONFIG_LEVEL_COUNT };

/* The directory of LEVEL, which need not be there; NULL when there is none of that level. The
 * caller frees it. */
char *config_dir(enum config_level level);
/* The highest level that has a directory: where programs write what is to hold. The administrator's
 * for root, the user's for others. */
enum config_level config_own_level(void);
/* "system", "local", "user". */
const char *config_level_name(enum config_level level);

/* Lent to the visitor. */
struct config_file {
	enum config_level level;
	const char *path; /* for messages */
	const char *kind; /* its "rktKind" */
	const json *root; /* an object, of "rktVersion" "v1" */
	bool is_open;     /* everybody on this machine may read it */
};
typedef int config_visit(void *context, const struct config_file *file, rkt_error **err);

/* Shows VISIT all files in the folder FOLDER ("paths.d") of all directories, what wins last. A file
 * that cannot be read, is no JSON object or has another version is an error that names it: nothing
 * is left out silently. VISIT's errors are told with the path of the file. */
int config_each(const char *folder, config_visit *visit, void *context, rkt_error **err);
