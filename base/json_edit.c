/* A walk over strict JSON text, and pieces put into it. */
#include "base/json_edit.h"

#include <string.h>

static size_t skip_space(struct slice text, size_t at)
{
	while (at < text.len && memchr(" \t\r\n", text.data[at], 4))
		at++;
	return at;
}

/* Past the string whose opening quote is at AT. */
static size_t skip_string(struct slice text, size_t at)
{
	for (at++; at < text.len && text.data[at] != '"'; at++)
		at += text.data[at] == '\\';
	return at + 1;
}

static bool is_open(uint8_t byte)
{
	return byte == '{' || byte == '[';
}

static bool is_close(uint8_t byte)
{
	return byte == '}' || byte == ']';
}

/* Past the number or word at AT. */
static size_t skip_word(struct slice text, size_t at)
{
	while (at < text.len && !memchr(",]} \t\r\n", text.data[at], 7))
		at++;
	return at;
}

/* Past the value at AT. Brackets need not be told apart: the text is strict. */
static size_t skip_value(struct slice text, size_t at)
{
	size_t depth = 0;

	do {
		uint8_t byte = text.data[at];

		depth += is_open(byte);
		depth -= is_close(byte);
		if (byte == '"')
			at = skip_string(text, at);
		else if (depth || is_close(byte))
			at++;
		else
			at = skip_word(text, at);
	} while (depth);
	return at;
}

/* A walk over what is in a container. */
struct items {
	struct slice text;
	bool object;
	size_t before;         /* the bracket or comma before the next item, or JSON_NOWHERE */
	size_t gap;            /* where the space before the present item begins */
	size_t start;          /* of the item: of its key, in an object */
	size_t key_end, value; /* the colon stands between them */
	size_t end;            /* past the item */
};

/* Begins before the first item of the value at AT; false when that is no container. */
static bool items_begin(struct items *items, struct slice text, size_t at)
{
	*items = (struct items){
		.text = text,
		.object = text.data[at] == '{',
		.before = at,
	};
	return is_open(text.data[at]);
}

/* The comma that follows an item which ends at END, or JSON_NOWHERE. */
static size_t comma_after(struct slice text, size_t end)
{
	size_t at = skip_space(text, end);

	return text.data[at] == ',' ? at : JSON_NOWHERE;
}

static bool items_next(struct items *items)
{
	struct slice text = items->text;
	size_t at;

	if (items->before == JSON_NOWHERE)
		return false;
	items->gap = items->before + 1;
	at = skip_space(text, items->gap);
	if (is_close(text.data[at]))
		return false;
	items->start = items->key_end = items->value = at;
	if (items->object) {
		items->key_end = skip_string(text, at);
		items->value = skip_space(text, skip_space(text, items->key_end) + 1);
	}
	items->end = skip_value(text, items->value);
	items->before = comma_after(text, items->end);
	return true;
}

/* Keys may be spelt with escapes. */
static bool is_key(struct slice quoted, const char *key)
{
	auto_json json *text = NULL;

	if (!memchr(quoted.data, '\\', quoted.len))
		return quoted.len == strlen(key) + 2 &&
		       memcmp(quoted.data + 1, key, quoted.len - 2) == 0;
	text = json_parse(quoted, NULL);
	return text && strcmp(json_string(text), key) == 0;
}

size_t json_edit_root(struct slice text)
{
	return skip_space(text, 0);
}

size_t json_edit_member(struct slice text, size_t object, const char *key)
{
	struct items items;

	if (!items_begin(&items, text, object) || !items.object)
		return JSON_NOWHERE;
	while (items_next(&items)) {
		struct slice quoted = { text.data + items.start, items.key_end - items.start };

		if (is_key(quoted, key))
			return items.value;
	}
	return JSON_NOWHERE;
}

size_t json_edit_next(struct slice text, size_t array, size_t after)
{
	struct items items;

	if (!items_begin(&items, text, array) || items.object)
		return JSON_NOWHERE;
	if (after != JSON_NOWHERE)
		items.before = comma_after(text, skip_value(text, after));
	return items_next(&items) ? items.value : JSON_NOWHERE;
}

struct slice json_edit_bytes(struct slice text, size_t at)
{
	return (struct slice){ text.data + at, skip_value(text, at) - at };
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Puts NEW in the place of the bytes from START to END. */
static void splice(struct buf *text, size_t start, size_t end, const struct buf *new)
{
	struct buf whole = { 0 };

	buf_append(&whole, text->data, start);
	buf_append(&whole, new->data, new->len);
	buf_append(&whole, text->data + end, text->len - end);
	buf_free(text);
	*text = whole;
}

/* The white space from the last line break at or before AT on, up to the first thing on that
 * line. */
static struct slice indent_of(struct slice text, size_t at)
{
	struct slice indent;

	while (at && text.data[at - 1] != '\n')
		at--;
	indent.data = text.data + at;
	indent.len = 0;
	while (at + indent.len < text.len && memchr(" \t", text.data[at + indent.len], 2))
		indent.len++;
	return indent;
}

/* Appends VALUE, all its lines but the first behind INDENT. */
static void append_value(
	struct buf *out, const json *value, enum json_style style, struct slice indent)
{
	auto_buf struct buf own = { 0 };

	json_write(value, style, &own);
	for (size_t i = 0; i < own.len; i++) {
		buf_append(out, own.data + i, 1);
		if (own.data[i] == '\n') /* strings have none: it is \n there */
			buf_append(out, indent.data, indent.len);
	}
}

static enum json_style style_of(struct slice bytes)
{
	return bytes.len && memchr(bytes.data, '\n', bytes.len) ? JSON_PRETTY : JSON_COMPACT;
}

void json_edit_replace(struct buf *text, size_t at, const json *value)
{
	struct slice all = buf_slice(text), old = json_edit_bytes(all, at);
	auto_buf struct buf new = { 0 };

	append_value(&new, value, style_of(old), indent_of(all, at));
	splice(text, at, at + old.len, &new);
}

static void append_key(struct buf *out, const char *key)
{
	auto_json json *text = json_new_string(key);

	json_write(text, JSON_COMPACT, out);
}

void json_edit_add(struct buf *text, size_t container, const char *key, const json *value)
{
	struct slice all = buf_slice(text);
	struct slice gap = { 0 }, colon = { (const uint8_t *)": ", 2 };
	auto_buf struct buf new = { 0 };
	size_t end = container + 1;
	struct items items;

	items_begin(&items, all, container);
	while (items_next(&items)) {
		gap = (struct slice){ all.data + items.gap, items.start - items.gap };
		if (items.object)
			colon = (struct slice){ all.data + items.key_end,
				items.value - items.key_end };
		end = items.end;
	}
	if (end != container + 1)
		buf_append_text(&new, ",");
	buf_append(&new, gap.data, gap.len);
	if (key) {
		append_key(&new, key);
		buf_append(&new, colon.data, colon.len);
	}
	append_value(&new, value, style_of(gap), indent_of(all, end));
	splice(text, end, end, &new);
}
