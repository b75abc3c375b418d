/*
 * Extended headers. The first byte of an input chooses what is read, the rest are the records.
 * Against a second reader, written for this test alone, which knows the grammar of a record and
 * nothing else: keys that it sees once must have its values.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "aci/tar_pax.h"
#include "base/str.h"

struct record {
	struct slice key, value;
};

static bool is(const struct record *record, const char *key)
{
	return record->key.len == strlen(key) && !memcmp(record->key.data, key, record->key.len);
}

/* The record at the front of *REST, or false when there is none. */
static bool split(struct slice *rest, struct record *ret)
{
	char digits[8] = { 0 };
	const uint8_t *space = memchr(rest->data, ' ', rest->len < 8 ? rest->len : 8), *equals;
	size_t head, len;

	if (!space || space == rest->data)
		return false;
	head = (size_t)(space - rest->data) + 1;
	memcpy(digits, rest->data, head - 1);
	len = strtoul(digits, NULL, 10);
	if (len <= head || len > rest->len)
		return false;
	equals = memchr(space, '=', len - head);
	if (!equals)
		return false;
	ret->key = (struct slice){ space + 1, (size_t)(equals - space) - 1 };
	ret->value = (struct slice){ equals + 1, len - (size_t)(equals + 1 - rest->data) - 1 };
	rest->data += len;
	rest->len -= len;
	return true;
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

static void check_number(const struct tar_pax *pax, enum pax_key key, struct slice value,
	uint64_t found, uint64_t max)
{
	auto_free char *text = text_of(value);

	PROMISE(tar_pax_has(pax, key) == !!value.len);
	PROMISE(!value.len || found == strtoull(text, NULL, 10));
	PROMISE(!value.len || found <= max);
}

static void check_record(const struct tar_pax *pax, const struct record *record)
{
	if (is(record, "path"))
		PROMISE(!record->value.len || same(pax->path, record->value));
	if (is(record, "linkpath"))
		PROMISE(!record->value.len || same(pax->linkpath, record->value));
	if (is(record, "size"))
		check_number(pax, PAX_SIZE, record->value, pax->size, UINT64_MAX);
	if (is(record, "uid"))
		check_number(pax, PAX_UID, record->value, pax->uid, UINT32_MAX - 1);
	if (is(record, "gid"))
		check_number(pax, PAX_GID, record->value, pax->gid, UINT32_MAX - 1);
	PROMISE(!is(record, "mtime") || tar_pax_has(pax, PAX_MTIME) == !!record->value.len);
}

static void check_xattrs(const struct tar_pax *pax, size_t xattrs_max)
{
	size_t total = 0;

	for (size_t i = 0; i < pax->xattr_count; i++) {
		const struct tar_xattr *xattr = &pax->xattrs[i];

		PROMISE(*xattr->name && strlen(xattr->name) <= 255);
		PROMISE(!i || strcmp(pax->xattrs[i - 1].name, xattr->name) < 0);
		total += strlen(xattr->name) + xattr->value.len;
	}
	PROMISE(total <= xattrs_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf bytes = { 0 };
	auto_error rkt_error *err = NULL;
	struct tar_pax pax = { 0 };
	struct slice rest;
	struct record record;
	enum pax_scope scope;
	size_t xattrs_max;

	if (!size)
		return -1;
	scope = *data & 1 ? PAX_GLOBAL : PAX_MEMBER;
	xattrs_max = *data & 2 ? 100 : 65536;
	rest = (struct slice){ data + 1, size - 1 };
	buf_append(&bytes, rest.data, rest.len);
	if (tar_pax_read(&pax, &bytes, scope, xattrs_max, &err) < 0) {
		promise_invalid(err);
	} else {
		while (rest.len) {
			PROMISE(split(&rest, &record));
			check_record(&pax, &record);
		}
		check_xattrs(&pax, xattrs_max);
		PROMISE(pax.mtime_nsec < 1000000000);
		PROMISE(scope == PAX_MEMBER || !pax.xattr_count);
	}
	tar_pax_free(&pax);
	return 0;
}
