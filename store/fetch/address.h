/*
 * Where a request goes: a URL, its host, and what the URL says to prove who asks, which is no part
 * of what is shown (S-029).
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct address {
	char *url;  /* without user, password and fragment */
	char *host; /* with the port, where one is written */
	bool is_https;
	char *user, *password; /* NULL: none in the URL */
};

/* RKT_USAGE: TEXT is no URL of http or https with a host; it is not in the message. *RET is freed
 * by the caller in any case. */
int address_parse(const char *text, struct address *ret, rkt_error **err);
/* The same of where LOCATION leads, which an answer from FROM has in its header: it may be
 * relative, and what is not allowed in a URL is encoded. RKT_USAGE also when that is FROM
 * itself. */
int address_follow(
	const struct address *from, const char *location, struct address *ret, rkt_error **err);
/* The password is overwritten. */
void address_free(struct address *self);
/* As http_url_origin(); the caller frees it. */
char *address_origin(const struct address *self);
bool address_same_host(const struct address *one, const struct address *other);

/* URL as it may be shown: without user and password; the caller frees it. NULL: it is none. */
char *http_url_shown(const char *url, rkt_error **err);
/* Its scheme and host, and the port where one is written, as in https://example.com:8443; the
 * caller frees it. NULL: as above. */
char *http_url_origin(const char *url, rkt_error **err);

#define auto_address __attribute__((cleanup(address_free)))
