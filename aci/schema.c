/* Typed fields, places and breaches, over the getters of base/json.h. */
#include "aci/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "aci/name.h"
#include "base/alloc.h"

/* No longer part of a pointer is shown: a key may be as long as the manifest. */
#define TOKEN_SHOWN_MAX 200

struct schema_block {
	struct schema_block *next;
	max_align_t room[];
};

int schema_end(struct schema *self, rkt_error **err)
{
	return self->first ? rkt_fail_with(err, pass_ptr(self->first)) : 0;
}

void *schema_new(struct schema *self, size_t count, size_t size)
{
	struct schema_block *block;
	size_t len;

	if (!count)
		return NULL;
	if (__builtin_mul_overflow(count, size, &len) ||
		__builtin_add_overflow(len, sizeof *block, &len))
		abort();
	block = xcalloc(1, len);
	block->next = self->memory;
	self->memory = block;
	return block->room;
}

struct schema_block *schema_take(struct schema *self)
{
	return pass_ptr(self->memory);
}

void schema_free(struct schema_block *memory)
{
	while (memory) {
		struct schema_block *next = memory->next;

		free(memory);
		memory = next;
	}
}

/* ---- places ---------------------------------------------------------------------------------- */

struct spot spot_root(const json *root, const char *pointer)
{
	return (struct spot){ .key = pointer, .value = root };
}

struct spot spot_get(const struct spot *object, const char *key)
{
	return (struct spot){ .parent = object, .key = key, .value = json_get(object->value, key) };
}

struct spot spot_at(const struct spot *list, size_t index)
{
	return (struct spot){
		.parent = list, .index = index, .value = json_at(list->value, index)
	};
}

static void append_token(const struct spot *at, struct buf *out)
{
	size_t len = at->key ? strlen(at->key) : 0;

	if (!at->parent)
		buf_append_text(out, at->key);
	else if (!at->key)
		buf_printf(out, "/%zu", at->index);
	else
		json_pointer_append(out, at->key, len < TOKEN_SHOWN_MAX ? len : TOKEN_SHOWN_MAX);
	if (len > TOKEN_SHOWN_MAX)
		buf_append_text(out, "...");
}

static void append_spot(const struct spot *at, struct buf *out)
{
	if (at->parent)
		append_spot(at->parent, out);
	append_token(at, out);
}

/* Line and column of the value, or of the nearest one around it that knows. */
static void find_line(struct schema *self, const struct spot *at, struct check_spot *spot)
{
	size_t offset = 0;

	for (; at; at = at->parent) {
		if (self->text.len && json_offset(at->value, &offset)) {
			if (!self->place.line)
				self->place = JSON_PLACE_START;
			json_place_move(&self->place, self->text, offset);
			spot->line = self->place.line;
			spot->column = self->place.column;
			return;
		}
	}
}

/* The error of a reading that goes on: the first is what schema_end() tells. */
static void note_first(struct schema *self, rkt_error *error)
{
	if (self->first)
		rkt_error_free(error);
	else
		self->first = error;
}

void schema_breach(
	struct schema *self, const struct spot *at, const char *rule, const char *format, ...)
{
	auto_buf struct buf pointer = { 0 };
	auto_free char *text = NULL;
	struct check_spot spot = { 0 };
	rkt_error *error = NULL;
	va_list args;
	bool is_error;

	if (self->ended)
		return;
	is_error = check_rule_find(rule)->severity == SEVERITY_ERROR;
	if (!is_error && !check_has_room(self->check, SEVERITY_WARNING))
		return; /* nobody would see it, and to find its place costs time */
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	append_spot(at, &pointer);
	spot.pointer = buf_text(&pointer);
	find_line(self, at, &spot);
	if (check_report_in(self->check, rule, &spot, &error, "%s", text) < 0)
		self->ended = true;
	else if (!self->first && is_error)
		check_report_in(NULL, rule, &spot, &error, "%s", text);
	note_first(self, error);
}

json *schema_document(struct schema *self, struct slice text)
{
	auto_error rkt_error *fault = NULL;
	struct spot all = spot_root(NULL, "");
	json *document = json_parse(text, &fault);

	/* the fault says its place itself */
	if (!document)
		schema_breach(self, &all, "json-syntax", "%s", rkt_error_raw(fault));
	return document;
}

/* ---- fields ---------------------------------------------------------------------------------- */

struct spot schema_field(
	struct schema *self, const struct spot *object, const char *key, const char *old)
{
	struct spot field = spot_get(object, key), other = spot_get(object, old);

	if (field.value && other.value)
		schema_breach(self, &other, "field-twice", "says again what '%s' says", key);
	return field.value || !other.value ? field : other;
}

void schema_old(struct schema *self, const struct spot *at, const char *what)
{
	if (self->version >= SCHEMA_VERSION(0, 6, 0))
		schema_breach(self, at, "form-old", "%s", what);
}

static bool is_among(const char *name, const char *const names[])
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* The field of the schema that differs in capitals only: a typing error, or a text for the
 * reference tool, which does not look at capitals. */
static const char *same_but_case(const char *name, const char *const names[])
{
	for (; *names; names++) {
		if (strcasecmp(name, *names) == 0)
			return *names;
	}
	return NULL;
}

void schema_known(struct schema *self, const struct spot *object, const char *const fields[])
{
	for (struct json_iter it = json_iter_start(object->value); json_iter_next(&it);) {
		struct spot field = { .parent = object, .key = it.key, .value = it.value };
		const char *meant;

		if (is_among(it.key, fields))
			continue;
		meant = same_but_case(it.key, fields);
		if (meant)
			schema_breach(self, &field, "field-unknown",
				"is no field of the schema, which has '%s'", meant);
		else
			schema_breach(self, &field, "field-unknown", "is no field of the schema");
	}
}

bool schema_is(struct schema *self, const struct spot *at, enum json_kind kind)
{
	enum json_kind found = json_kind_of(at->value);

	if (found == JSON_NULL)
		return false;
	if (found != kind)
		schema_breach(self, at, "json-type", "is %s where %s is expected",
			json_kind_name(found), json_kind_name(kind));
	return found == kind;
}

bool schema_is_item(struct schema *self, const struct spot *at, enum json_kind kind)
{
	if (!at->value)
		schema_breach(self, at, "json-type", "is null where %s is expected",
			json_kind_name(kind));
	return schema_is(self, at, kind);
}

size_t schema_count(struct schema *self, const struct spot *at)
{
	return schema_is(self, at, JSON_ARRAY) ? json_count(at->value) : 0;
}

const char *schema_string(struct schema *self, const struct spot *at)
{
	return schema_is(self, at, JSON_STRING) ? json_string(at->value) : NULL;
}

const char *schema_required(struct schema *self, const struct spot *at, const char *rule)
{
	const char *text = schema_string(self, at);

	if (text && *text)
		return text;
	if (text)
		schema_breach(self, at, rule, "must not be empty");
	else if (!at->value)
		schema_breach(self, at, rule, "is required");
	return NULL;
}

const char *schema_name(struct schema *self, const struct spot *at, schema_name_check *is_name)
{
	const char *name = schema_string(self, at), *why = NULL;

	if (!at->value)
		schema_breach(self, at, "field-missing", "is required");
	if (!name || is_name(name, &why))
		return name;
	schema_breach(self, at, is_name == env_name_is ? "env-name" : "name-syntax", "'%.100s' %s",
		name, why);
	return NULL;
}

bool schema_boolean(struct schema *self, const struct spot *at, bool absent)
{
	bool value = absent;

	if (schema_is(self, at, JSON_BOOL))
		json_boolean(at->value, &value);
	return value;
}

int64_t schema_integer(struct schema *self, const struct spot *at, const struct schema_range *range)
{
	int64_t value = 0;

	if (!schema_is(self, at, JSON_INTEGER))
		return range->absent;
	json_integer(at->value, &value);
	if (value >= range->min && value <= range->max)
		return value;
	schema_breach(self, at, range->rule, "is %" PRId64 ", not from %" PRId64 " to %" PRId64,
		value, range->min, range->max);
	return range->absent;
}

const char *const *schema_strings(struct schema *self, const struct spot *at, size_t *ret_count)
{
	size_t count = schema_count(self, at);
	const char **texts = count ? schema_new(self, count + 1, sizeof *texts) : NULL;

	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i);

		if (!item.value)
			schema_breach(
				self, &item, "json-type", "is null where a string is expected");
		texts[i] = schema_string(self, &item) ?: "";
	}
	if (ret_count)
		*ret_count = count;
	return texts;
}

void schema_string_map(struct schema *self, const struct spot *at)
{
	if (!schema_is(self, at, JSON_OBJECT))
		return;
	for (struct json_iter it = json_iter_start(at->value); json_iter_next(&it);) {
		struct spot item = { .parent = at, .key = it.key, .value = it.value };

		schema_is_item(self, &item, JSON_STRING);
	}
}

/* ---- names that must differ ------------------------------------------------------------------ */

struct numbered {
	const char *name;
	size_t index;
};

static int compare_numbered(const void *left, const void *right)
{
	const struct numbered *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->index < b->index ? -1 : a->index > b->index;
}

void schema_unique(struct schema *self, const struct spot *list, const struct schema_items *items,
	const char *rule)
{
	auto_free struct numbered *names = xcalloc(items->count + 1, sizeof *names);
	size_t count = 0;

	for (size_t i = 0; i < items->count; i++) {
		const char *name;

		memcpy(&name, (const char *)items->items + i * items->size, sizeof name);
		if (name)
			names[count++] = (struct numbered){ name, i };
	}
	qsort(names, count, sizeof *names, compare_numbered);
	for (size_t i = 1; i < count; i++) {
		struct spot item = spot_at(list, names[i].index);

		if (strcmp(names[i - 1].name, names[i].name) == 0)
			schema_breach(self, &item, rule, "'%.100s' is given twice", names[i].name);
	}
}
