/*
 * Users and groups as the image itself knows them (appc aci.md, "user, group"): first its own
 * /etc/passwd and /etc/group, then as a number; a path means the owner of that file. The host's
 * accounts play no part.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* Who an app runs as. All strings are owned. */
struct identity {
	uid_t uid;
	gid_t gid;
	/* Of the account with this uid in /etc/passwd; NULL where there is none. */
	char *name, *home, *shell;
};

/* Resolves USER and GROUP inside the assembled root file system ROOT (a directory descriptor) into
 * the all-zero *RET. "root" is 0 also in an image without accounts. RKT_MISSING, naming USER or
 * GROUP, when the image does not know it and it is no number. */
int identity_resolve(
	int root, const char *user, const char *group, struct identity *ret, rkt_error **err);
void identity_free(struct identity *identity);

#define auto_identity __attribute__((cleanup(identity_free)))
