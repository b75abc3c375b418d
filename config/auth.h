/*
 * auth.d: what proves to servers who we are.
 *
 *	{ "rktKind": "auth", "rktVersion": "v1", "domains": ["example.com", "example.com:8443"],
 *	  "type": "basic", "credentials": { "user": "me", "password": "..." } }
 *	  "type": "oauth", "credentials": { "token": "..." }
 *	  "type": "aws",   "credentials": { "accessKeyID": "...", "secretAccessKey": "...",
 *	                                    "awsRegion": "eu-west-1" }    may be left out
 *	{ "rktKind": "dockerAuth", "rktVersion": "v1", "registries": ["quay.io"],
 *	  "credentials": { "user": "me", "password": "..." } }            kept, not used yet
 *
 * What a later directory says of a host wins, whatever its type; the same host twice in one
 * directory is an error (as in rkt), because which of them holds would depend on names of files.
 *
 * Errors name files, keys and hosts, never what credentials are (S-029). The secrets of an entry
 * are overwritten when it is freed; what the JSON parser copied of them is not.
 */
#pragma once

#include "config/dirs.h"

enum auth_type { AUTH_BASIC, AUTH_OAUTH, AUTH_AWS };

struct auth_entry {
	bool is_docker; /* for a registry: `dockerAuth`, which is AUTH_BASIC */
	char *host;     /* "example.com", "example.com:8443", "[::1]:8443"; lower case */
	enum auth_type type;
	char *user;   /* AUTH_BASIC; AUTH_AWS: the ID of the key */
	char *secret; /* the password, the token, the secret key; only what a header can carry */
	char *region; /* AUTH_AWS, or NULL */
	char *from;   /* the file that says so */
	enum config_level level;
};

struct config_auth {
	struct auth_entry *entries;
	size_t count;
	char *open_file; /* a file with secrets that everybody may read, the first; NULL: none */
};

/* Reads all files, in the order of the hosts' names, registries last. RET is all zero before, and
 * freed by the caller whatever comes out. A file that everybody may read is taken all the same, as
 * rkt does: the caller warns, once, of OPEN_FILE. */
int config_auth_read(struct config_auth *ret, rkt_error **err);
/* Adds what one file says: a config_visit, CONTEXT being a struct config_auth. */
int config_auth_add(void *context, const struct config_file *file, rkt_error **err);
void config_auth_free(struct config_auth *auth);

/* What goes to HOST, as it stands in a URL: with its port where that is not the usual one (":443" is
 * nothing). An entry without a port is for the usual port alone. Lent; NULL: nothing. */
const struct auth_entry *config_auth_for(const struct config_auth *auth, const char *host);
/* The same for a docker registry. */
const struct auth_entry *config_auth_for_registry(
	const struct config_auth *auth, const char *registry);

#define auto_config_auth __attribute__((cleanup(config_auth_free)))
