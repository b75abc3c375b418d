/* Changes of a manifest, field by field, put into its text. */
#include "aci/manifest_edit.h"

#include <string.h>

#include "base/json_check.h"
#include "base/json_edit.h"

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* Whether the value at AT is VALUE, however it is spelt. */
static bool is_value(const struct buf *text, size_t at, const json *value)
{
	auto_json json *old = json_parse(json_edit_bytes(buf_slice(text), at), NULL);
	auto_buf struct buf left = { 0 }, right = { 0 };

	json_write(old, JSON_COMPACT, &left);
	json_write(value, JSON_COMPACT, &right);
	return same_bytes(&left, &right);
}

/* The member KEY of the object at OBJECT becomes VALUE. `false` is what an absent field means. */
static void set_member(struct buf *text, size_t object, const char *key, const json *value)
{
	size_t at = json_edit_member(buf_slice(text), object, key);
	bool truth = true;

	if (at == JSON_NOWHERE && json_boolean(value, &truth) && !truth)
		return;
	if (at == JSON_NOWHERE)
		json_edit_add(text, object, key, value);
	else if (!is_value(text, at, value))
		json_edit_replace(text, at, value);
}

/* By what an element of a list is known. */
static const char *key_of(const json *item)
{
	return json_get(item, "imageName") ? "imageName" : "name";
}

/* The element of LIST with the same name as ITEM. */
static size_t find_item(const struct buf *text, size_t list, const json *item)
{
	const char *key = key_of(item);
	size_t at = JSON_NOWHERE;

	while ((at = json_edit_next(buf_slice(text), list, at)) != JSON_NOWHERE) {
		size_t name = json_edit_member(buf_slice(text), at, key);

		if (name != JSON_NOWHERE && is_value(text, name, json_get(item, key)))
			return at;
	}
	return JSON_NOWHERE;
}

/* Before 0.2 a value was called `val`, and both at once are an error. */
static const char *spelling_of(const struct buf *text, size_t object, const char *key)
{
	if (strcmp(key, "value") != 0 ||
		json_edit_member(buf_slice(text), object, key) != JSON_NOWHERE ||
		json_edit_member(buf_slice(text), object, "val") == JSON_NOWHERE)
		return key;
	return "val";
}

static void merge_item(struct buf *text, size_t list, json *item)
{
	size_t at = find_item(text, list, item);

	if (at == JSON_NOWHERE) {
		json_edit_add(text, list, NULL, item);
		return;
	}
	for (struct json_iter it = json_iter_start(item); json_iter_next(&it);)
		set_member(text, at, spelling_of(text, at, it.key), it.value);
}

/* LIST may be the map of names and values that annotations were in the days of 0.1. */
static void merge_list(struct buf *text, size_t list, const json *items)
{
	bool is_map = text->data[list] == '{';

	for (size_t i = 0; i < json_count(items); i++) {
		json *item = json_at(items, i);

		if (is_map)
			set_member(text, list, json_string(json_get(item, "name")),
				json_get(item, "value"));
		else
			merge_item(text, list, item);
	}
}

static void merge_fields(struct buf *text, size_t object, const json *changes)
{
	for (struct json_iter it = json_iter_start(changes); json_iter_next(&it);) {
		size_t at = json_edit_member(buf_slice(text), object, it.key);
		uint8_t first = at == JSON_NOWHERE ? 0 : text->data[at];

		if ((first == '[' || first == '{') &&
			json_kind_of(json_at(it.value, 0)) == JSON_OBJECT)
			merge_list(text, at, it.value);
		else if (first == '{' && json_kind_of(it.value) == JSON_OBJECT)
			merge_fields(text, at, it.value);
		else
			set_member(text, object, it.key, it.value);
	}
}

int manifest_edit(struct slice manifest, const json *changes, struct buf *ret, rkt_error **err)
{
	size_t root;

	if (json_check(manifest, err) < 0)
		return -1;
	root = json_edit_root(manifest);
	if (manifest.data[root] != '{')
		return rkt_fail(err, RKT_INVALID, "the manifest is not an object");
	ret->len = 0;
	buf_append(ret, manifest.data, manifest.len);
	merge_fields(ret, root, changes);
	return 0;
}
