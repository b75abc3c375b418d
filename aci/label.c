/* Lists of names with values, and what the known ones among them must look like. */
#include "aci/label.h"

#include <string.h>
#include <strings.h>

#include "aci/name.h"
#include "base/str.h"

static const struct {
	const char *os;
	const char *archs[11];
} platforms[] = {
	{ "linux", { "amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b",
			   "ppc64", "ppc64le", "s390x" } },
	{ "freebsd", { "amd64", "i386", "arm" } },
	{ "darwin", { "x86_64", "i386" } },
};

bool label_os_arch_is(const char *os, const char *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(platforms); i++) {
		if (strcmp(os, platforms[i].os) != 0)
			continue;
		if (!arch)
			return true;
		for (const char *const *known = platforms[i].archs; *known; known++) {
			if (strcmp(arch, *known) == 0)
				return true;
		}
	}
	return false;
}

const char *label_host_arch(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	return "amd64";
#elif defined(__i386__)
	return "i386";
#elif defined(__aarch64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "aarch64_be" : "aarch64";
#elif defined(__arm__)
	if (__ARM_ARCH < 7)
		return "armv6l";
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "armv7b" : "armv7l";
#elif defined(__powerpc64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "ppc64" : "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#else
	return NULL;
#endif
}

const char *ac_pairs_get(const struct ac_pair *items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].name && strcmp(items[i].name, name) == 0)
			return items[i].value;
	}
	return NULL;
}

static void read_pair(struct schema *schema, const struct spot *at, struct ac_pair *ret)
{
	static const char *const fields[] = { "name", "value", "val", NULL };
	struct spot name = spot_get(at, "name"), value;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return;
	value = schema_field(schema, at, "value", "val");
	if (strcmp(value.key, "val") == 0)
		schema_old(schema, &value, "is the name texts before 0.2 had for 'value'");
	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_identifier_is);
	ret->value = schema_string(schema, &value);
	if (!value.value)
		schema_breach(schema, &value, "field-missing", "is required");
}

/* { "name": "value", ... }, as annotations were written in 0.1. */
static struct ac_pairs read_map(struct schema *schema, const struct spot *at)
{
	size_t count = json_count(at->value), i = 0;
	struct ac_pair *items = schema_new(schema, count, sizeof *items);

	schema_old(schema, at, "is an object, as in early texts, where a list is expected");
	for (struct json_iter it = json_iter_start(at->value); json_iter_next(&it); i++) {
		struct spot item = { .parent = at, .key = it.key, .value = it.value };
		const char *why = NULL;

		items[i].name = it.key;
		if (!ac_identifier_is(it.key, &why))
			schema_breach(schema, &item, "name-syntax", "'%.100s' %s", it.key, why);
		if (schema_is_item(schema, &item, JSON_STRING))
			items[i].value = json_string(item.value);
	}
	return (struct ac_pairs){ items, count };
}

static struct ac_pairs read_list(
	struct schema *schema, const struct spot *at, const char *duplicate_rule)
{
	size_t count = schema_count(schema, at);
	struct ac_pair *items = schema_new(schema, count, sizeof *items);

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		read_pair(schema, &item, &items[i]);
	}
	schema_unique(
		schema, at, &(struct schema_items){ items, count, sizeof *items }, duplicate_rule);
	return (struct ac_pairs){ items, count };
}

/* ---- labels ---------------------------------------------------------------------------------- */

static void check_os_arch(struct schema *schema, const struct spot *at, struct ac_pairs labels)
{
	const char *os = ac_pairs_get(labels.items, labels.count, "os");
	const char *arch = ac_pairs_get(labels.items, labels.count, "arch");

	if (arch && !os)
		schema_breach(schema, at, "label-arch", "arch has no meaning without os");
	else if (os && !label_os_arch_is(os, NULL))
		schema_breach(schema, at, "label-os-arch", "'%.100s' is no known os", os);
	else if (os && !label_os_arch_is(os, arch))
		schema_breach(
			schema, at, "label-os-arch", "'%.100s' is no known arch of %s", arch, os);
}

struct ac_pairs labels_read(struct schema *schema, const struct spot *at)
{
	struct ac_pairs labels = read_list(schema, at, "label-duplicate");

	for (size_t i = 0; i < labels.count; i++) {
		struct spot item = spot_at(at, i);

		if (labels.items[i].name && strcmp(labels.items[i].name, "name") == 0)
			schema_breach(
				schema, &item, "label-name", "a label must not be called 'name'");
	}
	check_os_arch(schema, at, labels);
	return labels;
}

/* ---- annotations ----------------------------------------------------------------------------- */

/* Reads exactly LEN digits of *AT as a number from MIN to MAX and steps over them. */
static bool take_number(const char **at, int len, int min, int max)
{
	int value = 0;

	for (int i = 0; i < len; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	return value >= min && value <= max;
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at)
{
	const char *start = *at;
	int year, month;

	if (!take_number(at, 4, 0, 9999) || !take_char(at, '-') || !take_number(at, 2, 1, 12) ||
		!take_char(at, '-'))
		return false;
	year = (start[0] - '0') * 1000 + (start[1] - '0') * 100 + (start[2] - '0') * 10 +
	       (start[3] - '0');
	month = (start[5] - '0') * 10 + (start[6] - '0');
	return take_number(at, 2, 1, days_of(year, month));
}

/* RFC 3339 date-time; a leap second is 60. T and Z are capitals, as the text wants the T. */
static bool is_timestamp(const char *at)
{
	if (!take_date(&at) || !take_char(&at, 'T') || !take_number(&at, 2, 0, 23) ||
		!take_char(&at, ':') || !take_number(&at, 2, 0, 59) || !take_char(&at, ':') ||
		!take_number(&at, 2, 0, 60))
		return false;
	if (*at == '.') {
		size_t digits = strspn(++at, "0123456789");

		if (!digits)
			return false;
		at += digits;
	}
	if (take_char(&at, 'Z'))
		return !*at;
	if (!take_char(&at, '+') && !take_char(&at, '-'))
		return false;
	return take_number(&at, 2, 0, 23) && take_char(&at, ':') && take_number(&at, 2, 0, 59) &&
	       !*at;
}

static bool is_web_url(const char *text)
{
	const char *rest;

	if (strncasecmp(text, "http://", 7) == 0)
		rest = text + 7;
	else if (strncasecmp(text, "https://", 8) == 0)
		rest = text + 8;
	else
		return false;
	if (!*rest || strchr("/?#:", *rest))
		return false;
	for (; *rest; rest++) {
		if ((unsigned char)*rest <= ' ' || *rest == 0x7f)
			return false;
	}
	return true;
}

static bool is_truth(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static const struct {
	const char *name;
	bool (*is_good)(const char *value);
	const char *rule, *wanted;
} known_annotations[] = {
	{ "created", is_timestamp, "annotation-created", "a time like 2014-10-27T19:32:27Z" },
	{ "homepage", is_web_url, "annotation-url", "an http or https URL" },
	{ "documentation", is_web_url, "annotation-url", "an http or https URL" },
	{ "appc.io/executor/supports-systemd-notify", is_truth, "annotation-notify",
		"\"true\" or \"false\"" },
};

static void check_known(struct schema *schema, const struct spot *at, const struct ac_pair *pair)
{
	for (size_t i = 0; i < ARRAY_LEN(known_annotations); i++) {
		if (strcmp(pair->name, known_annotations[i].name) == 0 &&
			!known_annotations[i].is_good(pair->value))
			schema_breach(schema, at, known_annotations[i].rule, "'%.100s' is not %s",
				pair->value, known_annotations[i].wanted);
	}
}

struct ac_pairs annotations_read(struct schema *schema, const struct spot *at)
{
	bool is_map = json_kind_of(at->value) == JSON_OBJECT;
	struct ac_pairs pairs =
		is_map ? read_map(schema, at) : read_list(schema, at, "annotation-duplicate");

	for (size_t i = 0; i < pairs.count; i++) {
		struct spot item = is_map ? spot_get(at, pairs.items[i].name) : spot_at(at, i);

		if (pairs.items[i].name && pairs.items[i].value)
			check_known(schema, &item, &pairs.items[i]);
	}
	return pairs;
}
