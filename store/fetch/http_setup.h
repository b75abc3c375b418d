/* What a request goes with, as options of libcurl: TLS, credentials and limits. For http.c. */
#pragma once

#include "store/fetch/http.h"
#include "store/fetch/libcurl.h"

struct http_setup {
	const struct http_options *options;
	const struct address *address; /* where it goes */
	const struct address *asked;   /* where it would have gone, were there no redirects */
	bool is_named;                 /* the user named that host */
	bool all_authorities;          /* the system's folder of them did not do */
};

/* Faults are kept in SET. */
void http_set_up(struct libcurl_options *set, const struct http_setup *setup);

/* Whether the authority that is needed is looked up in the system's folder of them. Then it may
 * still be in the file of them all. */
bool http_looks_up_authority(CURL *easy, const struct http_setup *setup);
