/* Names: one walk over the text, told which separators are allowed. */
#include "aci/name.h"

#include <string.h>

#include "base/buf.h"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_separator(char c, const char *separators)
{
	return c && strchr(separators, c);
}

static bool refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return false;
}

static bool follows(
	const char *text, const char *separators, const char *charset, const char **ret_why)
{
	if (!*text)
		return refuse(ret_why, "must not be empty");
	for (const char *at = text; *at; at++) {
		if (!is_alphanumeric(*at) && !is_separator(*at, separators))
			return refuse(ret_why, charset);
	}
	if (!is_alphanumeric(text[0]) || !is_alphanumeric(text[strlen(text) - 1]))
		return refuse(ret_why, "must begin and end with a lower-case letter or a digit");
	for (const char *at = text; *at; at++) {
		if (is_separator(at[0], separators) && is_separator(at[1], separators))
			return refuse(ret_why, "must not have two separators in a row");
	}
	return true;
}

bool ac_identifier_is(const char *text, const char **ret_why)
{
	return follows(text, "-._~/",
		"must consist of lower-case letters, digits and the separators - . _ ~ /", ret_why);
}

bool ac_name_is(const char *text, const char **ret_why)
{
	return follows(text, "-", "must consist of lower-case letters, digits and the separator -",
		ret_why);
}

bool env_name_is(const char *text, const char **ret_why)
{
	if (!*text)
		return refuse(ret_why, "must not be empty");
	if (*text >= '0' && *text <= '9')
		return refuse(ret_why, "must not begin with a digit");
	if (*text == '.' || *text == '-')
		return refuse(ret_why, "must begin with a letter or _");
	for (const char *at = text; *at; at++) {
		char lower = (char)(*at >= 'A' && *at <= 'Z' ? *at | 0x20 : *at);

		if (!is_alphanumeric(lower) && !strchr("_.-", *at))
			return refuse(ret_why, "must consist of letters, digits, _ . and -");
	}
	return true;
}

bool ac_identifier_has_prefix(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return ac_identifier_is(prefix, NULL) && strncmp(name, prefix, len) == 0 &&
	       (!name[len] || name[len] == '/');
}

char *ac_name_from_identifier(const char *identifier)
{
	const char *slash = strrchr(identifier, '/');
	struct buf name = { 0 };

	for (const char *at = slash ? slash + 1 : identifier; *at; at++) {
		if (is_alphanumeric(*at))
			buf_append(&name, at, 1);
		else if (name.len && is_alphanumeric(at[1]))
			buf_append_text(&name, "-");
	}
	return buf_steal_text(&name);
}
