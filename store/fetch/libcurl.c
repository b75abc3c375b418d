/* dlopen(3) of libcurl, and its options by their types. */
#include "store/fetch/libcurl.h"

struct libcurl_calls libcurl;
static LIBRARY_DEFINE(libcurl, CURL_SONAME, CURL_CALLS);

/* Half of the 10 000 names that come with libcurl are those of OpenSSL, which looks for them in
 * itself alone when it is there first. */
static struct library first_library = { .file = CRYPTO_SONAME,
	.calls = (const struct library_call[]){ { 0 } } };

int libcurl_load(rkt_error **err)
{
	(void)library_load(&first_library, NULL); /* that of libcurl may be another one */
	return library_load(&libcurl_library, err);
}

void libcurl_set_number(struct libcurl_options *self, CURLoption option, long value)
{
	if (!self->fault)
		self->fault = libcurl.curl_easy_setopt(self->easy, option, value);
}

void libcurl_set_text(struct libcurl_options *self, CURLoption option, const char *value)
{
	if (!self->fault)
		self->fault = libcurl.curl_easy_setopt(self->easy, option, value);
}

void libcurl_set_lent(struct libcurl_options *self, CURLoption option, const void *value)
{
	if (!self->fault)
		self->fault = libcurl.curl_easy_setopt(self->easy, option, value);
}

void libcurl_set_taker(struct libcurl_options *self, CURLoption option, libcurl_take_fn *value)
{
	if (!self->fault)
		self->fault = libcurl.curl_easy_setopt(self->easy, option, value);
}
