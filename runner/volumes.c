/* Volumes of the command line: reading them and writing them into a pod manifest. */
#include "runner/volumes.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"

/* Ids are 32 bits; the last one means "none" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

static int take_kind(struct volume *volume, const char *value, rkt_error **err)
{
	if (strcmp(value, "host") == 0)
		volume->kind = VOLUME_HOST;
	else if (strcmp(value, "empty") == 0)
		volume->kind = VOLUME_EMPTY;
	else
		return rkt_fail(err, RKT_USAGE, "kind must be host or empty, not \"%s\"", value);
	return 0;
}

static int take_source(struct volume *volume, const char *value, rkt_error **err)
{
	if (value[0] != '/')
		return rkt_fail(
			err, RKT_USAGE, "source must be an absolute path, not \"%s\"", value);
	volume->source = xstrdup(value);
	return 0;
}

static int read_switch(const char *key, const char *value, enum volume_switch *ret, rkt_error **err)
{
	if (strcmp(value, "true") == 0)
		*ret = VOLUME_TRUE;
	else if (strcmp(value, "false") == 0)
		*ret = VOLUME_FALSE;
	else
		return rkt_fail(err, RKT_USAGE, "%s must be true or false, not \"%s\"", key, value);
	return 0;
}

static int take_read_only(struct volume *volume, const char *value, rkt_error **err)
{
	return read_switch("readOnly", value, &volume->read_only, err);
}

static int take_recursive(struct volume *volume, const char *value, rkt_error **err)
{
	return read_switch("recursive", value, &volume->recursive, err);
}

static int take_mode(struct volume *volume, const char *value, rkt_error **err)
{
	size_t len = strlen(value);

	if (len < 3 || len > 4 || strspn(value, "01234567") != len)
		return rkt_fail(err, RKT_USAGE,
			"mode must be three or four octal digits, not \"%s\"", value);
	volume->mode = xstrdup(value);
	return 0;
}

static int read_id(const char *key, const char *value, int64_t *ret, rkt_error **err)
{
	uint64_t id;

	if (str_parse_u64(value, ID_MAX, key, &id, err) < 0)
		return -1;
	*ret = (int64_t)id;
	return 0;
}

static int take_uid(struct volume *volume, const char *value, rkt_error **err)
{
	return read_id("uid", value, &volume->uid, err);
}

static int take_gid(struct volume *volume, const char *value, rkt_error **err)
{
	return read_id("gid", value, &volume->gid, err);
}

/* The keys of the second form, and the kinds of volume each is for. */
static const struct field {
	const char *key;
	int (*take)(struct volume *volume, const char *value, rkt_error **err);
	unsigned kinds; /* bits: 1 << kind */
} fields[] = {
	{ "kind", take_kind, 1 << VOLUME_HOST | 1 << VOLUME_EMPTY },
	{ "source", take_source, 1 << VOLUME_HOST },
	{ "readOnly", take_read_only, 1 << VOLUME_HOST },
	{ "recursive", take_recursive, 1 << VOLUME_HOST },
	{ "mode", take_mode, 1 << VOLUME_EMPTY },
	{ "uid", take_uid, 1 << VOLUME_EMPTY },
	{ "gid", take_gid, 1 << VOLUME_EMPTY },
};

static int take_field(struct volume *volume, char *field, unsigned *seen, rkt_error **err)
{
	char *value = strchr(field, '=');

	if (!value)
		return rkt_fail(err, RKT_USAGE, "\"%s\" is not KEY=VALUE", field);
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strcmp(fields[i].key, field) != 0)
			continue;
		if (*seen & 1u << i)
			return rkt_fail(err, RKT_USAGE, "%s is given twice", field);
		*seen |= 1u << i;
		return fields[i].take(volume, value, err);
	}
	return rkt_fail(err, RKT_USAGE, "unknown key \"%s\"", field);
}

/* REST is what follows the name and its comma. */
static int take_fields(struct volume *volume, char *rest, rkt_error **err)
{
	unsigned seen = 0;

	for (char *field; (field = strsep(&rest, ","));)
		if (take_field(volume, field, &seen, err) < 0)
			return -1;
	if (!(seen & 1)) /* the first of the table */
		return rkt_fail(err, RKT_USAGE, "kind= is missing: host or empty");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (seen & 1u << i && !(fields[i].kinds & 1u << volume->kind))
			return rkt_fail(err, RKT_USAGE, "%s= is not for kind=%s", fields[i].key,
				volume->kind == VOLUME_HOST ? "host" : "empty");
	if (volume->kind == VOLUME_HOST && !volume->source)
		return rkt_fail(err, RKT_USAGE, "source= is missing");
	return 0;
}

int volume_parse(const char *text, struct volume *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "volume", text);
	auto_volume struct volume volume = { .uid = -1, .gid = -1 };
	size_t name_len = strcspn(text, ":,");
	auto_free char *rest = NULL;
	const char *why = NULL;

	if (!text[name_len])
		return rkt_fail(err, RKT_USAGE, "must be NAME:PATH or NAME,kind=host,source=PATH");
	volume.name = xmemdup(text, name_len);
	rest = xstrdup(text + name_len + 1);
	if (!ac_name_is(volume.name, &why))
		return rkt_fail(err, RKT_USAGE, "name \"%s\": %s", volume.name, why);
	if (str_check_utf8(text, err) < 0)
		return -1;
	if (text[name_len] == ':' ? take_source(&volume, rest, err) < 0
				  : take_fields(&volume, rest, err) < 0)
		return -1;
	*ret = volume;
	volume = (struct volume){ 0 };
	return 0;
}

void volume_clear(struct volume *volume)
{
	free(volume->name);
	free(volume->source);
	free(volume->mode);
	*volume = (struct volume){ 0 };
}

int volumes_parse(const char *const *texts, size_t count, struct volumes *ret, rkt_error **err)
{
	auto_volumes struct volumes volumes = { .items =
							xcalloc(count + 1, sizeof(struct volume)) };

	for (size_t i = 0; i < count; i++) {
		auto_volume struct volume volume = { 0 };

		if (volume_parse(texts[i], &volume, err) < 0)
			return -1;
		if (volumes_find(&volumes, volume.name))
			return rkt_fail(err, RKT_USAGE, "volume %s is given twice", volume.name);
		volumes.items[volumes.count++] = volume;
		volume = (struct volume){ 0 };
	}
	*ret = volumes;
	volumes = (struct volumes){ 0 };
	return 0;
}

void volumes_clear(struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++)
		volume_clear(&volumes->items[i]);
	free(volumes->items);
	*volumes = (struct volumes){ 0 };
}

const struct volume *volumes_find(const struct volumes *volumes, const char *name)
{
	for (size_t i = 0; i < volumes->count; i++)
		if (strcmp(volumes->items[i].name, name) == 0)
			return &volumes->items[i];
	return NULL;
}

static void set_switch(json *object, const char *key, enum volume_switch value)
{
	if (value != VOLUME_UNSAID)
		json_set(object, key, json_new_bool(value == VOLUME_TRUE));
}

json *volume_to_json(const struct volume *volume)
{
	json *object = json_new_object();

	json_set(object, "name", json_new_string(volume->name));
	json_set(object, "kind", json_new_string(volume->kind == VOLUME_HOST ? "host" : "empty"));
	if (volume->source)
		json_set(object, "source", json_new_string(volume->source));
	set_switch(object, "readOnly", volume->read_only);
	set_switch(object, "recursive", volume->recursive);
	if (volume->mode)
		json_set(object, "mode", json_new_string(volume->mode));
	if (volume->uid >= 0)
		json_set(object, "uid", json_new_integer(volume->uid));
	if (volume->gid >= 0)
		json_set(object, "gid", json_new_integer(volume->gid));
	return object;
}
