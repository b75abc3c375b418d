/*
 * GET over HTTP and TLS, by libcurl: one request, whose redirects are followed here.
 *
 * https only, unless the options allow http; certificates and host names are verified; a redirect
 * never leads from https to http nor to another scheme. Credentials and the user's own headers go
 * to the host that was asked for and to no host that a redirect names, but for credentials that are
 * configured for that host (S-026), which never go without TLS. User and password in a URL are
 * credentials for its host, and in no text of ours (S-029).
 *
 * A handle keeps connections and serves one thread at a time. The process must ignore SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/names.h"
#include "store/fetch/address.h"
#include "store/fetch/auth.h"
#include "store/fetch/header.h"

#define HTTP_REDIRECTS_MAX 10
#define HTTP_HEADERS_MAX   (256u * 1024) /* bytes of all header lines of an answer */

typedef struct http http;

/* Lent for the life of the handle. Zero is the usual. */
struct http_options {
	const char *cacert;         /* PEM file of the CAs that count instead of the system's */
	const char *certificate;    /* of the client, a PEM file, */
	const char *key;            /* and its key, where that is another file; and */
	const char *const *headers; /* "Name: value", NULL at the end: these for hosts asked for, */
	const struct names *hosts;  /* and only if they are of these, as http_url_origin() has them;
				     * NULL: any */
	bool allow_http;            /* without TLS too */
	const char *http_hint;      /* how to ask for that, for an error; NULL: nothing does */
	bool skip_tls_checks;       /* any certificate will do */
	unsigned connect_sec;       /* to be connected */
	unsigned answer_sec;        /* until the answer begins */
	unsigned slow_sec;          /* below slow_bytes a second for so long is too slow */
	unsigned slow_bytes;
	const struct config_auth *auth; /* what goes to which host; NULL: nothing is configured */
};

/* Fails when a file that the options name cannot be read: libcurl would find that out once a server
 * is connected to, tell less, and be asked again. */
int http_check_files(const struct http_options *options, rkt_error **err);
http *http_new(const struct http_options *options);
/* To be called before there are threads, to make the first request cheaper. */
void http_prepare(void);
/* Lent. */
const struct http_options *http_own_options(const http *self);
/* NULL is allowed. */
void http_free(http *self);

struct http_answer {
	int status;
	char *url;         /* that answered, without user and password */
	int64_t length;    /* of the body, as announced; -1: not announced */
	struct buf fields; /* of the header */
	bool may_pass;     /* what went wrong, or the status, often is another one the next time */
};
/* Whether an answer with STATUS often is another one the next time. */
bool http_status_may_pass(int status);
/* The value of the header field NAME, in lower case; NULL when there is none. Of several the
 * last. */
const char *http_field(const struct http_answer *answer, const char *name);
/* The values of all of them: the first with AFTER NULL, then the one after AFTER; NULL at the
 * end. */
const char *http_next_field(const struct http_answer *answer, const char *name, const char *after);
/* What the answer says of the part it is; false: nothing, or nothing that makes sense. */
bool http_content_range(const struct http_answer *answer, struct content_range *ret);
void http_answer_free(struct http_answer *answer);

struct http_request {
	const char *url;
	const char *const
		*fields;    /* "Name: value", NULL at the end, for whoever answers in the end */
	uint64_t max_bytes; /* a longer body is RKT_INVALID */
	/* Called before the body of the final answer, whatever its status. May be NULL. The body of
	 * one that is not 200 or 206 is thrown away. */
	int (*begin)(void *context, const struct http_answer *answer, rkt_error **err);
	int (*body)(void *context, struct slice bytes, rkt_error **err);
	void *context;
};

/* 0 when an answer came, whatever its status, and its body wholly; -1 else. *RET is set in both
 * cases, as far as the answer came, and the caller frees it. */
int http_get(
	http *self, const struct http_request *request, struct http_answer *ret, rkt_error **err);

SCOPE_DEFINE(http, http *, http_free)
#define auto_http        __attribute__((cleanup(scope_http)))
#define auto_http_answer __attribute__((cleanup(http_answer_free)))
