/*
 * From what auth.d says of a host to what goes with a request to it.
 *
 * Pure: strings for whoever makes the request. They are overwritten when they are freed (S-029).
 */
#pragma once

#include "config/auth.h"

enum fetch_auth_kind { FETCH_AUTH_NONE, FETCH_AUTH_BASIC, FETCH_AUTH_BEARER, FETCH_AUTH_SIGV4 };

struct fetch_auth {
	enum fetch_auth_kind kind;
	char *user;     /* BASIC; SIGV4: the ID of the key */
	char *password; /* BASIC; SIGV4: the secret key */
	char *token;    /* BEARER */
	char *region;   /* SIGV4: of the service s3, for signatures of version 4 */
};

/* What goes to HOST ("example.com", "example.com:8443", as in the URL of the request; after a
 * redirect that one's, S-026). FETCH_AUTH_NONE where nothing is configured. The caller frees it. */
struct fetch_auth fetch_auth_for(const struct config_auth *config, const char *host);
void fetch_auth_free(struct fetch_auth *self);

#define auto_fetch_auth __attribute__((cleanup(fetch_auth_free)))
