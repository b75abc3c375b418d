/* acKind, acVersion, and IDs of images as manifests write them. */
#include "aci/manifest_head.h"

#include <string.h>

#include "aci/id.h"

#define VERSION_OLDEST SCHEMA_VERSION(0, 1, 0)
#define VERSION_LATEST SCHEMA_VERSION(0, 8, 11)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-';
}

/* One number of the three: no leading zero, at most 999. */
static bool take_number(const char **at, unsigned *ret)
{
	const char *start = *at;

	*ret = 0;
	while (is_digit(**at) && *at - start < 4)
		*ret = *ret * 10 + (unsigned)(*(*at)++ - '0');
	return *at > start && *ret < 1000 && !(*start == '0' && *at - start > 1);
}

/* Words with dots between, as they stand behind '-' and '+'. */
static bool take_words(const char **at)
{
	do {
		const char *start = ++*at; /* over the sign or the dot before it */

		while (is_word(**at))
			(*at)++;
		if (*at == start)
			return false;
	} while (**at == '.');
	return true;
}

bool ac_version_parse(const char *text, unsigned *ret, const char **ret_why)
{
	const char *at = text;
	unsigned numbers[3];

	*ret_why = "is not a semantic version like 0.8.11";
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (i && *at++ != '.')
			return false;
		if (!take_number(&at, &numbers[i]))
			return false;
	}
	if (*at == '-' && !take_words(&at))
		return false;
	if (*at == '+' && !take_words(&at))
		return false;
	if (*at)
		return false;
	*ret = SCHEMA_VERSION(numbers[0], numbers[1], numbers[2]);
	return true;
}

static void check_version(struct schema *schema, const struct spot *at, const char *text)
{
	const char *why = NULL;
	unsigned version = 0;

	if (!ac_version_parse(text, &version, &why))
		schema_breach(schema, at, "manifest-version", "'%.100s' %s", text, why);
	else if (version > VERSION_LATEST)
		schema_breach(schema, at, "manifest-version",
			"%.100s is newer than " AC_VERSION_LATEST
			", the latest specification this program knows",
			text);
	else if (version < VERSION_OLDEST)
		schema_breach(schema, at, "manifest-version",
			"%.100s is older than 0.1.0, the first specification", text);
	schema->version = version;
}

const char *manifest_head_read(struct schema *schema, const struct spot *at,
	const char *const kinds[], const char **ret_kind)
{
	struct spot kind = spot_get(at, "acKind"), version = spot_get(at, "acVersion");
	const char *ac_version = schema_required(schema, &version, "manifest-version");
	const char *ac_kind = schema_required(schema, &kind, "manifest-kind");

	if (ac_version)
		check_version(schema, &version, ac_version);
	for (size_t i = 0; ac_kind && kinds[i]; i++) {
		if (strcmp(ac_kind, kinds[i]) == 0) {
			if (ret_kind)
				*ret_kind = kinds[i];
			return ac_version;
		}
	}
	if (ac_kind)
		schema_breach(
			schema, &kind, "manifest-kind", "is '%.100s', not %s", ac_kind, kinds[0]);
	if (ret_kind)
		*ret_kind = NULL;
	return ac_version;
}

const char *manifest_image_id_read(struct schema *schema, const struct spot *at)
{
	const char *id = schema_string(schema, at), *digits = NULL;
	enum id_form form;

	if (!id)
		return NULL;
	form = id_form_of(id, &digits);
	if (form == ID_SHA256)
		return id;
	if (form == ID_SHA512 && (strlen(digits) == 128 || strlen(digits) == 64))
		return id;
	schema_breach(schema, at, "image-id",
		"'%.140s' is neither sha512- with 128 or 64 digits nor sha256- with 64", id);
	return NULL;
}
