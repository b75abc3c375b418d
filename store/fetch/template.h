/*
 * From the name of an image to URLs (appc discovery.md): what is asked for, the prefixes that tags
 * on discovery pages are for, and the templates they give.
 *
 * Nothing here asks the web.
 */
#pragma once

#include "aci/label.h"
#include "base/error.h"

/* Longer URLs are not made. */
#define TEMPLATE_URL_MAX 4096

/* The image that is asked for. */
struct wanted {
	const char *name;
	const struct ac_pair *labels; /* those given, then os and arch where they were not */
	size_t label_count, given_count;
	struct ac_pair *own; /* what LABELS lie in */
};

/* Completes NAME and LABELS, which are lent and outlive *RET, with the host's os and arch.
 * RKT_USAGE, with a sentence: a name that is no AC Identifier, and so one with a port or an IPv6
 * address; a label that is called as no label can be. The caller frees *RET when 0 was returned. */
int wanted_make(const char *name, const struct ac_pair *labels, size_t label_count,
	struct wanted *ret, rkt_error **err);
void wanted_free(struct wanted *self);

enum template_for {
	TEMPLATE_IMAGE,     /* {ext} is aci */
	TEMPLATE_SIGNATURE, /* {ext} is aci.asc */
};

/* What simple discovery asks first. */
#define TEMPLATE_SIMPLE "https://{name}-{version}-{os}-{arch}.{ext}"

/*
 * The URL that TEMPLATE gives for WANTED; the caller frees it. {name} keeps its slashes; values of
 * labels are percent-encoded, slashes too; {version} without a label is `latest`. One pass: braces
 * in values are characters like others.
 *
 * NULL where there is none, *RET_WHY being a constant sentence: a variable that WANTED has no label
 * for, no {ext} (image and signature would be one file), a result that is no URL as url_fault()
 * wants it (S-030) or longer than TEMPLATE_URL_MAX, and any variable but {name} in the host name:
 * the host is for who wrote the template to choose, not for who wrote the labels.
 */
char *template_expand(const char *template, const struct wanted *wanted, enum template_for what,
	const char **ret_why);

/* NULL when TEXT is an http or https URL that can be asked for as it is; else a constant sentence
 * why not: no host, a user before the host, a port that is none, characters that no URL has, "." or
 * ".." between slashes, a fragment. */
const char *url_fault(const char *text);
