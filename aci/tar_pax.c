/* Extended headers, record by record. */
#include "aci/tar_pax.h"

#include <stdlib.h>
#include <inttypes.h>
#include <string.h>

#include "aci/entry_acls.h"
#include "aci/tar_digits.h"
#include "aci/xattr_rules.h"
#include "base/alloc.h"
#include "base/base64.h"
#include "base/str.h"

#define ID_MAX        (UINT32_MAX - 1)
#define KEY_QUOTE_MAX 100

/* Where an attribute was written; the same one may come once from each. */
enum xattr_origin { FROM_SCHILY, FROM_LIBARCHIVE };

struct pax_xattr {
	struct tar_xattr xattr;
	enum xattr_origin origin;
};

/* One record. KEY is NUL-terminated, in place. */
struct record {
	char *key;
	uint8_t *value;
	size_t value_len;
};

void tar_pax_reset(struct tar_pax *self)
{
	self->given = self->valued = 0;
	self->xattr_count = self->found_count = 0;
	tar_sparse_reset(&self->sparse);
}

void tar_pax_free(struct tar_pax *self)
{
	free(self->xattrs);
	free(self->found);
	tar_sparse_free(&self->sparse);
	*self = (struct tar_pax){ 0 };
}

static int fail_record(const struct record *record, rkt_error **err, const char *why)
{
	return rkt_fail(err, RKT_INVALID, "pax: %.*s %s", KEY_QUOTE_MAX, record->key, why);
}

/* ---- values -------------------------------------------------------------------------------- */

static int read_number(const struct record *record, uint64_t max, uint64_t *ret, rkt_error **err)
{
	if (!tar_digits_all(record->value, record->value_len, max, ret))
		return fail_record(record, err, "is not a number in range");
	return 0;
}

static int read_id(const struct record *record, uint32_t *ret, rkt_error **err)
{
	uint64_t value = 0;

	if (read_number(record, ID_MAX, &value, err) < 0)
		return -1;
	*ret = (uint32_t)value;
	return 0;
}

/* Reads the digits of a fraction of a second. What is below a nanosecond sets *RET_MORE. */
static bool read_fraction(const uint8_t *at, const uint8_t *end, uint32_t *ret_nsec, bool *ret_more)
{
	uint32_t unit = 100000000;

	if (at == end)
		return false;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		if (!unit && *at != '0')
			*ret_more = true;
		*ret_nsec += unit * (uint32_t)(*at - '0');
		unit /= 10;
	}
	return true;
}

static int read_time(const struct record *record, struct tar_pax *pax, rkt_error **err)
{
	const uint8_t *at = record->value, *end = at + record->value_len;
	bool negative = at < end && *at == '-', below = false;
	uint32_t nsec = 0;
	uint64_t sec;
	bool good;

	at += negative;
	good = tar_digits(&at, end, &sec) && sec < INT64_MAX;
	if (good && at < end)
		good = *at == '.' && read_fraction(at + 1, end, &nsec, &below);
	if (!good)
		return fail_record(record, err, "is not a point in time");
	pax->mtime_sec = negative ? -(int64_t)sec : (int64_t)sec;
	pax->mtime_nsec = nsec;
	if (!negative || (!nsec && !below))
		return 0;
	/* towards the past: -1.5 s is 0.5 s after -2 s */
	pax->mtime_sec--;
	pax->mtime_nsec = 1000000000 - nsec - below;
	return 0;
}

/* ---- extended attributes ------------------------------------------------------------------- */

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes %XX in place; false when a percent sign is followed by something else. */
static bool decode_percent(char *text)
{
	char *out = text;

	for (; *text; text++, out++) {
		int high, low;

		*out = *text;
		if (*text != '%')
			continue;
		high = hex_value(text[1]);
		low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0 || (!high && !low))
			return false;
		*out = (char)(high << 4 | low);
		text += 2;
	}
	*out = '\0';
	return true;
}

/* GNU tar's names: only what would end a key is encoded, and the mark of the encoding. */
static void decode_gnu_name(char *text)
{
	char *out = text;

	for (; *text; text++, out++) {
		*out = *text;
		if (!str_has_prefix(text, "%3D") && !str_has_prefix(text, "%25"))
			continue;
		*out = text[1] == '3' ? '=' : '%';
		text += 2;
	}
	*out = '\0';
}

static int add_xattr(struct tar_pax *self, const struct record *record, char *name,
	enum xattr_origin origin, rkt_error **err)
{
	size_t name_len = strlen(name);

	if (!name_len || name_len > XATTR_NAME_LEN_MAX)
		return fail_record(record, err, "names no attribute, or one above 255 bytes");
	if (self->found_count == self->found_capacity) {
		self->found_capacity = self->found_capacity ? self->found_capacity * 2 : 8;
		self->found = xreallocarray(self->found, self->found_capacity, sizeof *self->found);
	}
	self->found[self->found_count++] = (struct pax_xattr){
		.xattr = { name, { record->value, record->value_len } },
		.origin = origin,
	};
	return 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct pax_xattr *left = a, *right = b;

	return strcmp(left->xattr.name, right->xattr.name);
}

/* Attribute INDEX has the name of the one before it: right only if it is the same in the other
 * form. */
static int check_again(const struct tar_pax *self, size_t index, rkt_error **err)
{
	const struct pax_xattr *one = &self->found[index], *before = one - 1;
	struct slice value = one->xattr.value, other = before->xattr.value;

	if (one->origin == before->origin || (index > 1 && !compare_xattrs(before - 1, one)))
		return rkt_fail(
			err, RKT_INVALID, "pax: attribute %s is given twice", one->xattr.name);
	if (value.len != other.len || (value.len && memcmp(value.data, other.data, value.len) != 0))
		return rkt_fail(
			err, RKT_INVALID, "pax: attribute %s has two values", one->xattr.name);
	return 0;
}

/* Sorts what was found and makes XATTRS of it. */
static int finish_xattrs(struct tar_pax *self, uint64_t xattrs_max, rkt_error **err)
{
	size_t total = 0;

	if (!self->found_count)
		return 0;
	qsort(self->found, self->found_count, sizeof *self->found, compare_xattrs);
	self->xattrs = xreallocarray(self->xattrs, self->found_count, sizeof *self->xattrs);
	for (size_t i = 0; i < self->found_count; i++) {
		const struct pax_xattr *one = &self->found[i];

		if (i && !compare_xattrs(one - 1, one)) {
			if (check_again(self, i, err) < 0)
				return -1;
			continue;
		}
		total += strlen(one->xattr.name) + one->xattr.value.len;
		if (total > xattrs_max)
			return rkt_fail(err, RKT_INVALID,
				"pax: extended attributes of more than %" PRIu64 " bytes",
				xattrs_max);
		self->xattrs[self->xattr_count++] = one->xattr;
	}
	return 0;
}

/* ---- records ------------------------------------------------------------------------------- */

static int set_path(const struct record *record, struct slice *ret, rkt_error **err)
{
	*ret = (struct slice){ record->value, record->value_len };
	if (memchr(record->value, '\0', record->value_len))
		return fail_record(record, err, "has a NUL byte in it");
	return 0;
}

static int set_key(
	struct tar_pax *self, enum pax_key key, const struct record *record, rkt_error **err)
{
	if (self->given & 1u << key)
		return fail_record(record, err, "is given twice");
	self->given |= 1u << key;
	if (!record->value_len)
		return 0;
	self->valued |= 1u << key;
	switch (key) {
	case PAX_PATH:
		return set_path(record, &self->path, err);
	case PAX_LINKPATH:
		return set_path(record, &self->linkpath, err);
	case PAX_SIZE:
		return read_number(record, INT64_MAX, &self->size, err);
	case PAX_UID:
		return read_id(record, &self->uid, err);
	case PAX_GID:
		return read_id(record, &self->gid, err);
	case PAX_MTIME:
		return read_time(record, self, err);
	}
	return 0;
}

/* What follows PREFIX in KEY, or NULL. */
static char *after_prefix(char *key, const char *prefix)
{
	return str_has_prefix(key, prefix) ? key + strlen(prefix) : NULL;
}

/* Takes RECORD if it is about an extended attribute: 1 it was, 0 it was not, -1 error. */
static int take_xattr(struct tar_pax *self, struct record *record, rkt_error **err)
{
	enum xattr_origin origin = FROM_SCHILY;
	char *name = after_prefix(record->key, "SCHILY.xattr.");

	if (name) {
		decode_gnu_name(name);
	} else if ((name = after_prefix(record->key, "LIBARCHIVE.xattr."))) {
		origin = FROM_LIBARCHIVE;
		if (!decode_percent(name) || !base64_decode(record->value, &record->value_len))
			return fail_record(record, err, "is encoded wrongly");
	} else if (!strcmp(record->key, ACL_ACCESS_TEXT) ||
		   !strcmp(record->key, ACL_DEFAULT_TEXT)) {
		name = record->key;
	} else {
		return 0;
	}
	return add_xattr(self, record, name, origin, err) < 0 ? -1 : 1;
}

static int take_record(
	struct tar_pax *self, struct record *record, enum pax_scope scope, rkt_error **err)
{
	static const char *const keys[] = {
		[PAX_PATH] = "path",
		[PAX_LINKPATH] = "linkpath",
		[PAX_SIZE] = "size",
		[PAX_UID] = "uid",
		[PAX_GID] = "gid",
		[PAX_MTIME] = "mtime",
	};
	unsigned key = 0;
	int taken;

	while (key < ARRAY_LEN(keys) && strcmp(record->key, keys[key]) != 0)
		key++;
	if (scope == PAX_GLOBAL && key < PAX_UID)
		return fail_record(record, err, "in a global header");
	if (key < ARRAY_LEN(keys))
		return set_key(self, key, record, err);
	taken = take_xattr(self, record, err);
	if (!taken)
		taken = tar_sparse_take(&self->sparse, record->key,
			(struct slice){ record->value, record->value_len }, err);
	if (taken > 0 && scope == PAX_GLOBAL)
		return fail_record(record, err, "in a global header");
	return taken < 0 ? -1 : 0;
}

/* Splits the first record off the bytes between *AT and END. */
static int split_record(uint8_t **at, uint8_t *end, struct record *ret, rkt_error **err)
{
	const uint8_t *digits = *at;
	uint8_t *key, *equals, *record_end;
	uint64_t len;

	if (*digits == '0' || !tar_digits(&digits, end, &len) || digits == end || *digits != ' ')
		return rkt_fail(err, RKT_INVALID, "pax: a record without a length");
	key = *at + (digits - *at) + 1;
	if (len > (uint64_t)(end - *at) || len <= (uint64_t)(key - *at))
		return rkt_fail(err, RKT_INVALID, "pax: a record of impossible length");
	record_end = *at + len;
	if (record_end[-1] != '\n')
		return rkt_fail(err, RKT_INVALID, "pax: a record that does not end where it says");
	equals = memchr(key, '=', (size_t)(record_end - 1 - key));
	if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
		return rkt_fail(err, RKT_INVALID, "pax: a record without a key");
	*equals = '\0';
	ret->key = (char *)key;
	ret->value = equals + 1;
	ret->value_len = (size_t)(record_end - 1 - ret->value);
	*at = record_end;
	return 0;
}

int tar_pax_read(struct tar_pax *self, struct buf *bytes, enum pax_scope scope, uint64_t xattrs_max,
	rkt_error **err)
{
	uint8_t *at = bytes->data, *end;

	tar_pax_reset(self);
	if (!bytes->len)
		return 0;
	end = at + bytes->len;
	while (at < end) {
		struct record record = { 0 };

		if (split_record(&at, end, &record, err) < 0 ||
			take_record(self, &record, scope, err) < 0)
			return -1;
	}
	return finish_xattrs(self, xattrs_max, err);
}

void tar_pax_merge_global(struct tar_pax *self, const struct tar_pax *later)
{
	self->valued = (self->valued & ~later->given) | later->valued;
	if (tar_pax_has(later, PAX_UID))
		self->uid = later->uid;
	if (tar_pax_has(later, PAX_GID))
		self->gid = later->gid;
	if (tar_pax_has(later, PAX_MTIME)) {
		self->mtime_sec = later->mtime_sec;
		self->mtime_nsec = later->mtime_nsec;
	}
}
