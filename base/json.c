/* JSON values: json-c behind getters that check the type, and a writer of our own. */
#include "base/json.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_check.h"
#include "base/str.h"

/* json-c's getters of texts and of user data lack a const; they change nothing anybody can see. */
static json *unconst(const json *value)
{
	return (json *)(uintptr_t)value;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Notes in VALUE and all below it where in the text they begin: the user data of json-c is the
 * offset plus one. OFFSETS are in the order of the walk. json-c keeps the text of a number with
 * fraction in its user data, so that is left alone; a null has no object. */
static void note_offsets(json *value, const uint32_t **offsets)
{
	uintptr_t offset = *(*offsets)++;

	switch (json_kind_of(value)) {
	case JSON_NULL:
	case JSON_NUMBER:
		return;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_count(value); i++)
			note_offsets(json_at(value, i), offsets);
		break;
	case JSON_OBJECT:
		for (struct json_iter it = json_iter_start(value); json_iter_next(&it);)
			note_offsets(it.value, offsets);
		break;
	default:
		break;
	}
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): a number, never followed */
	json_object_set_userdata(value, (void *)(offset + 1), NULL);
}

json *json_parse(struct slice bytes, rkt_error **err)
{
	auto_buf struct buf offsets = { 0 };
	struct json_tokener *tokener;
	const uint32_t *next;
	enum json_tokener_error result;
	json *root;

	if (json_check_offsets(bytes, &offsets, err) < 0)
		return NULL;
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	if (!tokener)
		out_of_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, (const char *)bytes.data, (int)bytes.len);
	/* a number is over when something else follows */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		root = json_tokener_parse_ex(tokener, " ", 1);
	result = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (result != json_tokener_success) {
		rkt_fail(err, RKT_INVALID, "json: %s", json_tokener_error_desc(result));
		return NULL;
	}
	if (!root) {
		rkt_fail(err, RKT_INVALID, "json: there is nothing but null");
		return NULL;
	}
	next = (const uint32_t *)(const void *)offsets.data;
	note_offsets(root, &next);
	return root;
}

void json_free(json *root)
{
	json_object_put(root);
}

enum json_kind json_kind_of(const json *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_double:
		return JSON_NUMBER;
	case json_type_int:
		return JSON_INTEGER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "true or false",
		[JSON_NUMBER] = "a number with a fraction",
		[JSON_INTEGER] = "an integer",
		[JSON_STRING] = "a string",
		[JSON_ARRAY] = "a list",
		[JSON_OBJECT] = "an object",
	};

	return names[kind];
}

json *json_get(const json *object, const char *key)
{
	json *value = NULL;

	if (json_kind_of(object) != JSON_OBJECT)
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

const char *json_string(const json *value)
{
	if (json_kind_of(value) != JSON_STRING)
		return NULL;
	return json_object_get_string(unconst(value));
}

bool json_integer(const json *value, int64_t *ret)
{
	if (json_kind_of(value) != JSON_INTEGER)
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

bool json_boolean(const json *value, bool *ret)
{
	if (json_kind_of(value) != JSON_BOOL)
		return false;
	*ret = json_object_get_boolean(value);
	return true;
}

const char *json_number(const json *value)
{
	enum json_kind kind = json_kind_of(value);

	if (kind != JSON_NUMBER && kind != JSON_INTEGER)
		return NULL;
	return json_object_get_string(unconst(value));
}

bool json_offset(const json *value, size_t *ret)
{
	enum json_kind kind = json_kind_of(value);
	uintptr_t offset;

	if (kind == JSON_NULL || kind == JSON_NUMBER)
		return false;
	offset = (uintptr_t)json_object_get_userdata(unconst(value));
	if (!offset)
		return false;
	*ret = offset - 1;
	return true;
}

size_t json_count(const json *value)
{
	switch (json_kind_of(value)) {
	case JSON_ARRAY:
		return json_object_array_length(value);
	case JSON_OBJECT:
		return (size_t)json_object_object_length(value);
	default:
		return 0;
	}
}

json *json_at(const json *array, size_t index)
{
	if (json_kind_of(array) != JSON_ARRAY || index >= json_object_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, index);
}

struct json_iter json_iter_start(const json *object)
{
	struct json_iter it = { 0 };

	if (json_kind_of(object) == JSON_OBJECT)
		it.state = lh_table_head(json_object_get_object(object));
	return it;
}

bool json_iter_next(struct json_iter *it)
{
	struct lh_entry *entry = it->state;

	if (!entry)
		return false;
	it->key = lh_entry_k(entry);
	it->value = lh_entry_v(entry);
	it->state = lh_entry_next(entry);
	return true;
}

/* ---- building -------------------------------------------------------------------------------- */

/* json-c reports only that it is out of memory. */
static json *made(json *value)
{
	if (!value)
		out_of_memory();
	return value;
}

json *json_new_object(void)
{
	return made(json_object_new_object());
}

json *json_new_array(void)
{
	return made(json_object_new_array());
}

/* Appends TEXT with every byte that is not UTF-8 replaced, as JSON has no other form for it. */
static void append_valid(struct buf *out, const char *text)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		size_t step = str_utf8_next(bytes + at, len - at, NULL);

		if (step)
			buf_append(out, bytes + at, step);
		else
			buf_append_text(out, "\xef\xbf\xbd");
		at += step ? step : 1;
	}
}

json *json_new_string(const char *text)
{
	auto_buf struct buf valid = { 0 };

	append_valid(&valid, text);
	return made(json_object_new_string(buf_text(&valid)));
}

json *json_new_integer(int64_t value)
{
	return made(json_object_new_int64(value));
}

json *json_new_bool(bool value)
{
	return made(json_object_new_boolean(value));
}

void json_set(json *object, const char *key, json *value)
{
	auto_buf struct buf valid = { 0 };

	append_valid(&valid, key);
	if (json_object_object_add(object, buf_text(&valid), value) < 0)
		out_of_memory();
}

void json_append(json *array, json *value)
{
	if (json_object_array_add(array, value) < 0)
		out_of_memory();
}

/* json_c_shallow_copy_fn: our offsets belong to the text that was parsed, so only the texts of
 * numbers are copied along (2 tells json-c to leave the user data alone). */
static int copy_value(json *from, json *parent, const char *key, size_t index, json **to)
{
	if (json_c_shallow_copy_default(from, parent, key, index, to) < 0)
		return -1;
	return json_kind_of(from) == JSON_NUMBER ? 1 : 2;
}

json *json_copy(const json *value)
{
	json *copy = NULL;

	if (!value)
		return NULL;
	if (json_object_deep_copy(unconst(value), &copy, copy_value) < 0)
		out_of_memory();
	return copy;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What the escape of str_escape() is for terminals, \u is here: a value read back is the same, but
 * printing a document cannot move a cursor or turn the direction of writing (S-013). */
static void write_code(struct buf *out, uint32_t code, const uint8_t *bytes, size_t len)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = code ? strchr(named, (int)(code < 0x80 ? code : 0x7f)) : NULL;

	if (found)
		buf_printf(out, "\\%c", letters[found - named]);
	else if (str_is_showable(code))
		buf_append(out, bytes, len);
	else
		buf_printf(out, "\\u%04" PRIx32, code);
}

static void write_string(struct buf *out, const char *text)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t len = strlen(text);

	buf_append_text(out, "\"");
	for (size_t at = 0; at < len;) {
		uint32_t code = 0;
		size_t step = str_utf8_next(bytes + at, len - at, &code);

		if (step)
			write_code(out, code, bytes + at, step);
		else
			buf_append_text(out, "\xef\xbf\xbd");
		at += step ? step : 1;
	}
	buf_append_text(out, "\"");
}

static void write_break(struct buf *out, enum json_style style, size_t depth)
{
	if (style != JSON_PRETTY)
		return;
	buf_append_text(out, "\n");
	for (size_t i = 0; i < depth; i++)
		buf_append_text(out, "    ");
}

static void write_value(struct buf *out, const json *value, enum json_style style, size_t depth);

static void write_array(struct buf *out, const json *array, enum json_style style, size_t depth)
{
	buf_append_text(out, "[");
	for (size_t i = 0; i < json_count(array); i++) {
		buf_append_text(out, i ? "," : "");
		write_break(out, style, depth + 1);
		write_value(out, json_at(array, i), style, depth + 1);
	}
	if (json_count(array))
		write_break(out, style, depth);
	buf_append_text(out, "]");
}

static void write_object(struct buf *out, const json *object, enum json_style style, size_t depth)
{
	const char *separator = "";

	buf_append_text(out, "{");
	for (struct json_iter it = json_iter_start(object); json_iter_next(&it);) {
		buf_append_text(out, separator);
		write_break(out, style, depth + 1);
		write_string(out, it.key);
		buf_append_text(out, style == JSON_PRETTY ? ": " : ":");
		write_value(out, it.value, style, depth + 1);
		separator = ",";
	}
	if (*separator)
		write_break(out, style, depth);
	buf_append_text(out, "}");
}

static void write_value(struct buf *out, const json *value, enum json_style style, size_t depth)
{
	bool truth = false;

	switch (json_kind_of(value)) {
	case JSON_NULL:
		buf_append_text(out, "null");
		break;
	case JSON_BOOL:
		json_boolean(value, &truth);
		buf_append_text(out, truth ? "true" : "false");
		break;
	case JSON_NUMBER:
	case JSON_INTEGER:
		buf_append_text(out, json_number(value));
		break;
	case JSON_STRING:
		write_string(out, json_string(value));
		break;
	case JSON_ARRAY:
		write_array(out, value, style, depth);
		break;
	case JSON_OBJECT:
		write_object(out, value, style, depth);
		break;
	}
}

void json_write(const json *value, enum json_style style, struct buf *out)
{
	write_value(out, value, style, 0);
}
