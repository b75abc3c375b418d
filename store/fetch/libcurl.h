/*
 * libcurl, loaded when something is asked of the web: with the thirty libraries it brings along
 * that takes longer than most commands run.
 */
#pragma once

/* Its checks of types would call what is not linked; the functions below are ours. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/error.h"
#include "base/library.h"

#define CURL_CALLS(CALL, of)               \
	CALL(of, curl_easy_cleanup)        \
	CALL(of, curl_easy_getinfo)        \
	CALL(of, curl_easy_init)           \
	CALL(of, curl_easy_setopt)         \
	CALL(of, curl_easy_strerror)       \
	CALL(of, curl_free)                \
	CALL(of, curl_global_init)         \
	CALL(of, curl_multi_add_handle)    \
	CALL(of, curl_multi_cleanup)       \
	CALL(of, curl_multi_info_read)     \
	CALL(of, curl_multi_init)          \
	CALL(of, curl_multi_perform)       \
	CALL(of, curl_multi_poll)          \
	CALL(of, curl_multi_remove_handle) \
	CALL(of, curl_slist_append)        \
	CALL(of, curl_slist_free_all)      \
	CALL(of, curl_url)                 \
	CALL(of, curl_url_cleanup)         \
	CALL(of, curl_url_get)             \
	CALL(of, curl_url_set)             \
	CALL(of, curl_version_info)
/* Its functions, once libcurl_load() has succeeded. */
extern LIBRARY_STRUCT(libcurl, CURL_CALLS) libcurl;

/* Loads it, the first time. Threads may come at once. */
int libcurl_load(rkt_error **err);

/* Options that are being set. The first fault is kept, and nothing is set after it. */
struct libcurl_options {
	CURL *easy;
	CURLcode fault;
};
/* For the CURLOPT_ that take a long, a text (copied), or any other pointer (lent). */
void libcurl_set_number(struct libcurl_options *self, CURLoption option, long value);
void libcurl_set_text(struct libcurl_options *self, CURLoption option, const char *value);
void libcurl_set_lent(struct libcurl_options *self, CURLoption option, const void *value);
/* For CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION. */
typedef size_t libcurl_take_fn(char *bytes, size_t size, size_t count, void *context);
void libcurl_set_taker(struct libcurl_options *self, CURLoption option, libcurl_take_fn *value);
