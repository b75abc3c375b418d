/* URLs, taken apart by libcurl. */
#include "store/fetch/address.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/fetch/libcurl.h"

void address_free(struct address *self)
{
	free(self->url);
	free(self->host);
	free(self->user);
	if (self->password)
		explicit_bzero(self->password, strlen(self->password));
	free(self->password);
	*self = (struct address){ NULL };
}

/* A part of URL as a text of ours; NULL: there is none. */
static char *part_of(CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (libcurl.curl_url_get(url, part, &text, flags))
		return NULL;
	copy = xstrdup(text);
	libcurl.curl_free(text);
	return copy;
}

static int take_apart(CURLU *url, struct address *ret, rkt_error **err)
{
	auto_free char *scheme = part_of(url, CURLUPART_SCHEME, 0);
	auto_free char *host = part_of(url, CURLUPART_HOST, 0);
	auto_free char *port = part_of(url, CURLUPART_PORT, 0);

	if (!scheme || !host || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
		return rkt_fail(err, RKT_USAGE, "no http or https URL with a host");
	ret->is_https = strcmp(scheme, "https") == 0;
	ret->host = port ? xasprintf("%s:%s", host, port) : xstrdup(host);
	ret->user = part_of(url, CURLUPART_USER, CURLU_URLDECODE);
	ret->password = part_of(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	if (libcurl.curl_url_set(url, CURLUPART_USER, NULL, 0) ||
		libcurl.curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) ||
		libcurl.curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0))
		return rkt_fail(err, RKT_FAILED, "cannot take the URL apart");
	ret->url = part_of(url, CURLUPART_URL, 0);
	return ret->url ? 0 : rkt_fail(err, RKT_FAILED, "cannot take the URL apart");
}

char *address_origin(const struct address *self)
{
	return xasprintf("%s://%s", self->is_https ? "https" : "http", self->host);
}

bool address_same_host(const struct address *one, const struct address *other)
{
	return one->is_https == other->is_https && strcmp(one->host, other->host) == 0;
}

/* Whether three slashes are where a host should begin: not in a query, say. */
static bool has_empty_host(const char *text)
{
	const char *scheme_end = text + strcspn(text, ":/?#");

	return str_has_prefix(scheme_end, ":///") || str_has_prefix(text, "///");
}

/* TEXT, relative to BASE if that is not NULL. */
static int parse(
	const char *base, const char *text, unsigned flags, struct address *ret, rkt_error **err)
{
	CURLU *url;
	int result;

	*ret = (struct address){ NULL };
	if (libcurl_load(err) < 0)
		return -1;
	url = libcurl.curl_url();
	if (!url)
		return rkt_fail(err, RKT_FAILED, "no memory for a URL");
	/* The text is not in the message: a password may be in it. After a third slash libcurl
	 * would take the path for the host. */
	if (has_empty_host(text))
		result = rkt_fail(err, RKT_USAGE, "no http or https URL with a host");
	else if ((base && libcurl.curl_url_set(url, CURLUPART_URL, base, 0)) ||
		 libcurl.curl_url_set(url, CURLUPART_URL, text, flags))
		result = rkt_fail(err, RKT_USAGE, "this is no URL");
	else
		result = take_apart(url, ret, err);
	libcurl.curl_url_cleanup(url);
	return result;
}

int address_parse(const char *text, struct address *ret, rkt_error **err)
{
	return parse(NULL, text, 0, ret, err);
}

int address_follow(
	const struct address *from, const char *location, struct address *ret, rkt_error **err)
{
	*ret = (struct address){ NULL };
	if (!*location || *location == '#') /* libcurl would go to the root of the host */
		return rkt_fail(err, RKT_USAGE, "it leads to where it comes from");
	return parse(from->url, location, CURLU_URLENCODE | CURLU_ALLOW_SPACE, ret, err);
}

char *http_url_shown(const char *url, rkt_error **err)
{
	auto_address struct address address = { NULL };

	return address_parse(url, &address, err) < 0 ? NULL : pass_ptr(address.url);
}

char *http_url_origin(const char *url, rkt_error **err)
{
	auto_address struct address address = { NULL };

	return address_parse(url, &address, err) < 0 ? NULL : address_origin(&address);
}
