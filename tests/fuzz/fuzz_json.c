/*
 * JSON under any bytes: what the strict pass takes (S-014), json-c must take, too; what is written
 * of it must be taken again and be the same; and every value has its place.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "base/json_check.h"

/* Looks at every value: kinds, getters, places. */
static size_t visit(const json *value, size_t text_len)
{
	struct json_iter it = json_iter_start(value);
	size_t seen = 1, offset, members = 0;
	int64_t integer;
	bool truth;

	PROMISE(!json_offset(value, &offset) || offset < text_len);
	switch (json_kind_of(value)) {
	case JSON_STRING:
		PROMISE(json_string(value));
		break;
	case JSON_INTEGER:
		PROMISE(json_integer(value, &integer) && json_number(value));
		break;
	case JSON_NUMBER:
		PROMISE(!json_integer(value, &integer) && json_number(value));
		break;
	case JSON_BOOL:
		PROMISE(json_boolean(value, &truth));
		break;
	case JSON_NULL:
		break;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_count(value); i++)
			seen += visit(json_at(value, i), text_len);
		break;
	case JSON_OBJECT:
		for (; json_iter_next(&it); members++) {
			PROMISE(json_get(value, it.key) == it.value);
			seen += visit(it.value, text_len);
		}
		PROMISE(members == json_count(value));
	}
	return seen;
}

static void check_written(const json *value, enum json_style style)
{
	auto_buf struct buf once = { 0 }, twice = { 0 };
	auto_error rkt_error *err = NULL;
	auto_json json *again = NULL;

	json_write(value, style, &once);
	again = json_parse(buf_slice(&once), &err);
	PROMISE(!err);
	json_write(again, style, &twice);
	PROMISE(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf offsets = { 0 };
	auto_error rkt_error *err = NULL, *same = NULL;
	struct slice bytes = { data, size };
	auto_json json *value = NULL;
	int got = json_check(bytes, &err);

	PROMISE(json_check_offsets(bytes, &offsets, &same) == got);
	if (got < 0) {
		promise_invalid(err);
		PROMISE(!strcmp(rkt_error_message(err), rkt_error_message(same)));
		PROMISE(strstr(rkt_error_message(err), "line "));
		return 0;
	}
	value = json_parse(bytes, &err);
	if (err && strstr(rkt_error_message(err), "nothing but null"))
		return 0; /* json-c has no value for it */
	PROMISE(!err);
	PROMISE(visit(value, size) == offsets.len / sizeof(uint32_t));
	check_written(value, JSON_COMPACT);
	check_written(value, JSON_PRETTY);
	return 0;
}
