/* Names to URLs: filling in templates, and what may come out. */
#include "store/fetch/template.h"

#include <string.h>
#include <strings.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- what is asked for ----------------------------------------------------------------------- */

/* example.com:5000/app, taken apart at the colon: a version that begins as a port does. */
static bool is_port_and_path(const char *version)
{
	size_t digits = strspn(version, DIGITS);

	return digits && digits <= 5 && version[digits] == '/';
}

static int check_name(const char *name, rkt_error **err)
{
	const char *why = NULL;

	if (ac_identifier_is(name, &why))
		return 0;
	if (strchr(name, '['))
		why = "has an address in brackets, which no name of an image can have: fetch it by its URL";
	else if (strchr(name, ':'))
		why = "has a port, which no name of an image can have: fetch it by its URL";
	return rkt_fail(err, RKT_USAGE, "'%.200s' %s", name, why);
}

static int check_labels(
	const char *name, const struct ac_pair *labels, size_t count, rkt_error **err)
{
	const char *version = ac_pairs_get(labels, count, "version"), *why = NULL;

	if (version && is_port_and_path(version))
		return rkt_fail(err, RKT_USAGE,
			"'%.200s:%.200s' has a port, which no name of an image can have: fetch it by its URL",
			name, version);
	for (size_t i = 0; i < count; i++) {
		if (!ac_identifier_is(labels[i].name, &why))
			return rkt_fail(err, RKT_USAGE, "label '%.200s' %s", labels[i].name, why);
		if (strcmp(labels[i].name, "name") == 0)
			return rkt_fail(err, RKT_USAGE, "a label cannot be called 'name'");
	}
	return 0;
}

int wanted_make(const char *name, const struct ac_pair *labels, size_t label_count,
	struct wanted *ret, rkt_error **err)
{
	const char *arch = label_host_arch();

	if (check_name(name, err) < 0 || check_labels(name, labels, label_count, err) < 0)
		return -1;
	*ret = (struct wanted){
		.name = name, .label_count = label_count, .given_count = label_count
	};
	ret->labels = ret->own = xreallocarray(NULL, label_count + 2, sizeof *ret->own);
	if (label_count)
		memcpy(ret->own, labels, label_count * sizeof *labels);
	if (!ac_pairs_get(labels, label_count, "os"))
		ret->own[ret->label_count++] = (struct ac_pair){ "os", LABEL_HOST_OS };
	if (arch && !ac_pairs_get(labels, label_count, "arch"))
		ret->own[ret->label_count++] = (struct ac_pair){ "arch", arch };
	return 0;
}

void wanted_free(struct wanted *self)
{
	free(self->own);
	*self = (struct wanted){ 0 };
}

/* ---- URLs ------------------------------------------------------------------------------------ */

/* What follows the scheme; NULL when it is none of ours. */
static const char *after_scheme(const char *text)
{
	if (strncasecmp(text, "https://", 8) == 0)
		return text + 8;
	return strncasecmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

static bool is_port(const char *text, size_t len)
{
	unsigned port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!strchr(DIGITS, text[i]) || port > 65535)
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return len && port >= 1 && port <= 65535;
}

static const char *authority_fault(const char *text, size_t len)
{
	size_t host;

	if (memchr(text, '@', len))
		return "it has a user before the host";
	if (len && *text == '[') {
		host = strspn(text + 1, DIGITS "abcdefABCDEF:.") + 1;
		if (host < 4 || host >= len || text[host++] != ']')
			return "its address in brackets is none";
	} else {
		host = strspn(text, LETTERS DIGITS "-._");
		if (!host || !strchr(LETTERS DIGITS, *text))
			return "it has no host";
	}
	if (host == len)
		return NULL;
	if (text[host] != ':')
		return "its host has characters that no host has";
	return is_port(text + host + 1, len - host - 1) ? NULL : "its port is no port";
}

/* A character of the path or query as it is, or the two digits after a percent sign. */
static size_t url_character(const char *at)
{
	static const char hex[] = DIGITS "abcdefABCDEF";

	if (*at == '%')
		return at[1] && strchr(hex, at[1]) && at[2] && strchr(hex, at[2]) ? 3 : 0;
	return strchr(LETTERS DIGITS "-._~!$&'()*+,;=:@/?", *at) ? 1 : 0;
}

/* Dots alone between slashes, percent-encoded or not: whoever reads the URL steps out of a
 * directory. */
static bool has_dots(const char *path)
{
	size_t dots = 0;
	bool only_dots = true;

	for (const char *at = path;; at += url_character(at)) {
		bool ends = !*at || *at == '?';

		if (ends || *at == '/') {
			if (only_dots && (dots == 1 || dots == 2))
				return true;
			dots = 0;
			only_dots = true;
		} else if (*at == '.' || strncasecmp(at, "%2e", 3) == 0) {
			dots++;
		} else {
			only_dots = false;
		}
		if (ends)
			return false;
	}
}

const char *url_fault(const char *text)
{
	const char *authority = after_scheme(text), *path, *fault;
	size_t step;

	if (!authority)
		return "it is no http or https URL";
	path = authority + strcspn(authority, "/?#");
	fault = authority_fault(authority, (size_t)(path - authority));
	if (fault)
		return fault;
	for (const char *at = path; *at; at += step) {
		step = url_character(at);
		if (*at == '#')
			return "it has a fragment";
		if (!step)
			return "it has characters that no URL has";
	}
	return has_dots(path) ? "it has . or .. between slashes" : NULL;
}

/* ---- filling in ------------------------------------------------------------------------------ */

static void append_encoded(struct buf *url, const char *value)
{
	for (; *value; value++) {
		if (strchr(LETTERS DIGITS "-._~", *value))
			buf_append(url, value, 1);
		else
			buf_printf(url, "%%%02X", (unsigned char)*value);
	}
}

/* Whether what comes next goes into the scheme or the host. */
static bool is_before_path(struct buf *url)
{
	const char *authority = strstr(buf_text(url), "://");

	return !authority || !authority[3 + strcspn(authority + 3, "/?#")];
}

struct filling {
	const struct wanted *wanted;
	const char *ext;
	bool has_ext;
	struct buf url;
};

static const char *value_of(struct filling *self, struct slice variable, bool *ret_is_name)
{
	auto_free char *name = xmemdup(variable.data, variable.len);
	const char *value;

	*ret_is_name = strcmp(name, "name") == 0;
	if (*ret_is_name)
		return self->wanted->name;
	if (strcmp(name, "ext") == 0) {
		self->has_ext = true;
		return self->ext;
	}
	value = ac_pairs_get(self->wanted->labels, self->wanted->label_count, name);
	if (strcmp(name, "version") == 0 && (!value || !*value))
		return "latest";
	return value;
}

/* One variable, without its braces. */
static const char *fill(struct filling *self, struct slice variable)
{
	bool is_name;
	const char *value = value_of(self, variable, &is_name);

	if (!value)
		return "it has a variable that no label was given for";
	if (is_name) /* an AC Identifier: nothing in it needs encoding, and its slashes stay */
		buf_append_text(&self->url, value);
	else if (is_before_path(&self->url))
		return "it has a label in its host name";
	else
		append_encoded(&self->url, value);
	return NULL;
}

static const char *fill_all(struct filling *self, const char *template)
{
	const char *fault = NULL;

	for (const char *at = template; *at && !fault;) {
		size_t plain = strcspn(at, "{}"), len;

		buf_append(&self->url, at, plain);
		at += plain;
		if (!*at)
			break;
		len = strcspn(at + 1, "{}");
		if (*at != '{' || at[1 + len] != '}')
			return "its braces do not match";
		fault = fill(self, (struct slice){ (const uint8_t *)at + 1, len });
		at += len + 2;
		if (self->url.len > TEMPLATE_URL_MAX)
			break;
	}
	if (fault)
		return fault;
	if (self->url.len > TEMPLATE_URL_MAX)
		return "it is too long";
	return self->has_ext ? url_fault(buf_text(&self->url)) : "it has no {ext}";
}

char *template_expand(const char *template, const struct wanted *wanted, enum template_for what,
	const char **ret_why)
{
	struct filling filling = { .wanted = wanted };

	filling.ext = what == TEMPLATE_IMAGE ? "aci" : "aci.asc";
	*ret_why = fill_all(&filling, template);
	if (!*ret_why)
		return buf_steal_text(&filling.url);
	buf_free(&filling.url);
	return NULL;
}
