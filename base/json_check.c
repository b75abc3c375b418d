/*
 * A scanner for JSON that builds nothing: it only says whether the text is strict, and where not.
 *
 * One struct scan goes through the text; each scan_*() function takes one piece of the grammar of
 * RFC 8259 off its front. Keys of the objects that are open lie decoded in one growing buffer, used
 * as a stack: an object takes its keys off when it closes, after sorting them to find two alike.
 */
#include "base/json_check.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct key {
	uint32_t text; /* where its characters start in scan.names */
	uint32_t len;
	uint32_t offset; /* of its opening quote in the JSON text */
};

enum container { IN_ARRAY, IN_OBJECT };

/* A container that is open: all the JSON pointer of a fault is made of. */
struct frame {
	enum container kind;
	size_t index;     /* arrays: of the present element */
	size_t first_key; /* objects: its first key in scan.keys; the present one is the last there
			   */
	bool in_member;   /* objects: between a key and the end of its value */
};

struct scan {
	struct slice text;
	size_t at;
	struct frame frames[JSON_DEPTH_MAX];
	size_t depth;
	size_t containers;
	struct key *keys;
	size_t key_count, key_room;
	struct buf names;
	struct buf *offsets; /* NULL: nobody asks */
	rkt_error **err;
};

static void scan_free(struct scan *scan)
{
	free(scan->keys);
	buf_free(&scan->names);
}

void json_place_move(struct json_place *place, struct slice bytes, size_t offset)
{
	if (offset < place->offset)
		*place = JSON_PLACE_START;
	for (; place->offset < offset && place->offset < bytes.len; place->offset++) {
		uint8_t byte = bytes.data[place->offset];

		if (byte == '\n') {
			place->line++;
			place->column = 1;
		} else {
			place->column += (byte & 0xc0) != 0x80;
		}
	}
}

/* ---- faults ---------------------------------------------------------------------------------- */

void json_pointer_append(struct buf *pointer, const void *token, size_t len)
{
	const char *text = token;

	buf_append_text(pointer, "/");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '~')
			buf_append_text(pointer, "~0");
		else if (text[i] == '/')
			buf_append_text(pointer, "~1");
		else
			buf_append(pointer, text + i, 1);
	}
}

/* The JSON pointer (RFC 6901) of the value being scanned. An object shows its last key: inside it
 * that is the member at work, as the keys of what is deeper have been taken off. */
static void append_pointer(const struct scan *scan, struct buf *out)
{
	for (size_t i = 0; i < scan->depth; i++) {
		const struct frame *frame = &scan->frames[i];
		const struct frame *inner = i + 1 < scan->depth ? frame + 1 : NULL;
		size_t key_end = scan->key_count;

		/* the keys of objects further in lie behind ours */
		for (; inner && inner < scan->frames + scan->depth; inner++) {
			if (inner->kind == IN_OBJECT) {
				key_end = inner->first_key;
				break;
			}
		}
		if (frame->kind == IN_ARRAY) {
			buf_printf(out, "/%zu", frame->index);
		} else if (frame->in_member) {
			const struct key *key = &scan->keys[key_end - 1];

			json_pointer_append(out, scan->names.data + key->text, key->len);
		}
	}
}

static int fault_at(struct scan *scan, size_t offset, const char *what)
{
	auto_buf struct buf pointer = { 0 };
	struct json_place place = JSON_PLACE_START;

	append_pointer(scan, &pointer);
	json_place_move(&place, scan->text, offset);
	return rkt_fail(scan->err, RKT_INVALID, "json: line %u, column %u%s%s: %s", place.line,
		place.column, pointer.len ? ", at " : "", buf_text(&pointer), what);
}

static int fault(struct scan *scan, const char *what)
{
	return fault_at(scan, scan->at, what);
}

/* ---- small pieces ---------------------------------------------------------------------------- */

static bool at_end(const struct scan *scan)
{
	return scan->at == scan->text.len;
}

/* The next byte, or 0 at the end; a NUL byte in the text is not valid anywhere, so it may look
 * alike. */
static uint8_t peek(const struct scan *scan)
{
	return at_end(scan) ? 0 : scan->text.data[scan->at];
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static void skip_space(struct scan *scan)
{
	while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\n' || peek(scan) == '\r')
		scan->at++;
}

static int scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if (scan->text.len - scan->at < len || memcmp(scan->text.data + scan->at, word, len) != 0)
		return fault(scan, "a value is expected here");
	scan->at += len;
	return 0;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* The four digits of \uXXXX at the present place. */
static int scan_hex4(struct scan *scan, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++, scan->at++) {
		uint8_t byte = peek(scan);

		if (is_digit(byte))
			value = value << 4 | (uint32_t)(byte - '0');
		else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((byte | 0x20) - 'a' + 10);
		else
			return fault(scan, "\\u needs four hexadecimal digits");
	}
	*ret = value;
	return 0;
}

static void append_utf8(struct buf *out, uint32_t code)
{
	uint8_t bytes[4];
	size_t len = 0;

	if (code < 0x80) {
		bytes[len++] = (uint8_t)code;
	} else if (code < 0x800) {
		bytes[len++] = (uint8_t)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[len++] = (uint8_t)(0xe0 | code >> 12);
		bytes[len++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[len++] = (uint8_t)(0xf0 | code >> 18);
		bytes[len++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		bytes[len++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		bytes[len++] = (uint8_t)(0x80 | (code & 0x3f));
	buf_append(out, bytes, len);
}

/* What follows "\u", surrogate pairs as one. */
static int scan_unicode_escape(struct scan *scan, struct buf *out)
{
	size_t start = scan->at - 2;
	uint32_t code = 0, low = 0;

	if (scan_hex4(scan, &code) < 0)
		return -1;
	if (!code)
		return fault_at(scan, start, "NUL in a string");
	if (code >= 0xdc00 && code <= 0xdfff)
		return fault_at(scan, start, "a low surrogate without its high one");
	if (code >= 0xd800 && code <= 0xdbff) {
		if (scan->text.len - scan->at < 2 ||
			memcmp(scan->text.data + scan->at, "\\u", 2) != 0)
			return fault_at(scan, start, "a high surrogate without its low one");
		scan->at += 2;
		if (scan_hex4(scan, &low) < 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fault_at(scan, start, "a high surrogate without its low one");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	if (out)
		append_utf8(out, code);
	return 0;
}

static int scan_escape(struct scan *scan, struct buf *out)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;

	scan->at++;
	if (peek(scan) == 'u') {
		scan->at++;
		return scan_unicode_escape(scan, out);
	}
	found = peek(scan) ? strchr(escapes, peek(scan)) : NULL;
	if (!found)
		return fault(scan, "unknown escape in a string");
	if (out)
		buf_append(out, meanings + (found - escapes), 1);
	scan->at++;
	return 0;
}

/* A string with its quotes; its characters are appended to OUT, which may be NULL. */
static int scan_string(struct scan *scan, struct buf *out)
{
	scan->at++;
	for (;;) {
		size_t step;

		if (at_end(scan))
			return fault(scan, "the text ends inside a string");
		if (peek(scan) == '"')
			break;
		if (peek(scan) == '\\') {
			if (scan_escape(scan, out) < 0)
				return -1;
			continue;
		}
		if (peek(scan) < 0x20)
			return fault(scan, "a control character in a string must be escaped");
		step = str_utf8_next(scan->text.data + scan->at, scan->text.len - scan->at, NULL);
		if (!step)
			return fault(scan, "invalid UTF-8");
		if (out)
			buf_append(out, scan->text.data + scan->at, step);
		scan->at += step;
	}
	scan->at++;
	return 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Whether the LEN digits are at most LIMIT (19 digits). */
static bool fits_int64(const uint8_t *digits, size_t len, const char *limit)
{
	return len < 19 || (len == 19 && memcmp(digits, limit, 19) <= 0);
}

static size_t skip_digits(struct scan *scan)
{
	size_t start = scan->at;

	while (is_digit(peek(scan)))
		scan->at++;
	return scan->at - start;
}

/* The exponent part, if there is one, stopping at 10000 either way: far out of range already. */
static int scan_exponent(struct scan *scan, long *ret)
{
	bool negative;
	long value = 0;

	*ret = 0;
	if ((peek(scan) | 0x20) != 'e')
		return 0;
	scan->at++;
	negative = peek(scan) == '-';
	if (peek(scan) == '-' || peek(scan) == '+')
		scan->at++;
	if (!is_digit(peek(scan)))
		return fault(scan, "a digit is expected in the exponent");
	for (; is_digit(peek(scan)); scan->at++)
		value = value < 1000 ? value * 10 + (peek(scan) - '0') : 10000;
	*ret = negative ? -value : value;
	return 0;
}

static int scan_number(struct scan *scan)
{
	size_t start = scan->at, integer_start, integer_len, fraction_len = 0;
	bool negative = peek(scan) == '-', is_integer;
	const uint8_t *integer;
	long exponent = 0;

	scan->at += negative;
	integer_start = scan->at;
	integer = scan->text.data + integer_start;
	integer_len = skip_digits(scan);
	if (!integer_len)
		return fault(scan, "a digit is expected here");
	if (integer_len > 1 && integer[0] == '0')
		return fault_at(scan, integer_start, "a number must not begin with 0");
	if (peek(scan) == '.') {
		scan->at++;
		fraction_len = skip_digits(scan);
		if (!fraction_len)
			return fault(scan, "a digit is expected after the decimal point");
	}
	is_integer = !fraction_len && (peek(scan) | 0x20) != 'e';
	if (scan_exponent(scan, &exponent) < 0)
		return -1;
	if (is_integer && !fits_int64(integer, integer_len,
				  negative ? "9223372036854775808" : "9223372036854775807"))
		return fault_at(scan, start, "an integer outside of 64 bits");
	/* 10^308 is about where doubles end */
	if ((long)integer_len + exponent > 308)
		return fault_at(scan, start, "a number out of range");
	return 0;
}

/* ---- containers ------------------------------------------------------------------------------ */

static int compare_keys(const void *left, const void *right, void *names)
{
	const struct key *a = left, *b = right;
	const uint8_t *text = names;
	int order = memcmp(text + a->text, text + b->text, a->len < b->len ? a->len : b->len);

	if (order)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->offset < b->offset ? -1 : 1;
}

static bool same_key(const struct key *a, const struct key *b, const uint8_t *names)
{
	return a->len == b->len && memcmp(names + a->text, names + b->text, a->len) == 0;
}

/* Takes the keys of the object that closes off the stack; refuses the first that came twice. */
static int drop_keys(struct scan *scan, size_t first)
{
	struct key *keys = scan->keys + first;
	size_t count = scan->key_count - first;
	const struct key *again = NULL;

	if (!count)
		return 0;
	qsort_r(keys, count, sizeof *keys, compare_keys, scan->names.data);
	for (size_t i = 1; i < count; i++) {
		if (same_key(&keys[i - 1], &keys[i], scan->names.data) &&
			(!again || keys[i].offset < again->offset))
			again = &keys[i];
	}
	if (again) {
		keys[count - 1] = *again; /* what the pointer will show */
		return fault_at(scan, keys[count - 1].offset, "duplicate key");
	}
	for (size_t i = 0; i < count; i++) {
		if (keys[i].text < scan->names.len)
			scan->names.len = keys[i].text;
	}
	scan->key_count = first;
	return 0;
}

static int scan_key(struct scan *scan)
{
	struct key key = { (uint32_t)scan->names.len, 0, (uint32_t)scan->at };

	if (peek(scan) != '"')
		return fault(scan, "a key in double quotes is expected here");
	buf_reserve(&scan->names, 1); /* an empty key has an address too */
	if (scan_string(scan, &scan->names) < 0)
		return -1;
	key.len = (uint32_t)scan->names.len - key.text;
	if (scan->key_count == scan->key_room) {
		scan->key_room = scan->key_room ? 2 * scan->key_room : 16;
		scan->keys = xreallocarray(scan->keys, scan->key_room, sizeof *scan->keys);
	}
	scan->keys[scan->key_count++] = key;
	return 0;
}

static int scan_value(struct scan *scan);

/* "key": value */
static int scan_member(struct scan *scan, struct frame *frame)
{
	frame->in_member = false;
	if (scan_key(scan) < 0)
		return -1;
	frame->in_member = true;
	skip_space(scan);
	if (peek(scan) != ':')
		return fault(scan, "':' is expected after a key");
	scan->at++;
	return scan_value(scan);
}

/* The members or elements of a container that is not empty, and the bracket that closes it. */
static int scan_items(struct scan *scan, struct frame *frame)
{
	uint8_t close = frame->kind == IN_OBJECT ? '}' : ']';

	for (;;) {
		skip_space(scan);
		if ((frame->kind == IN_OBJECT ? scan_member(scan, frame) : scan_value(scan)) < 0)
			return -1;
		skip_space(scan);
		if (peek(scan) == close)
			return 0;
		if (peek(scan) != ',')
			return fault(scan, at_end(scan)   ? "the text ends too early"
					   : close == '}' ? "',' or '}' is expected here"
							  : "',' or ']' is expected here");
		scan->at++;
		frame->index++;
	}
}

static int scan_container(struct scan *scan, enum container kind)
{
	struct frame *frame;

	if (scan->depth == JSON_DEPTH_MAX)
		return fault(scan, "more than 64 objects and arrays inside each other");
	if (++scan->containers > JSON_CONTAINERS_MAX)
		return fault(scan, "more than 32768 objects and arrays");
	frame = &scan->frames[scan->depth];
	*frame = (struct frame){ .kind = kind, .first_key = scan->key_count };
	scan->at++;
	skip_space(scan);
	if (peek(scan) != (kind == IN_OBJECT ? '}' : ']')) {
		scan->depth++;
		if (scan_items(scan, frame) < 0)
			return -1;
		if (kind == IN_OBJECT && drop_keys(scan, frame->first_key) < 0)
			return -1;
		scan->depth--;
	}
	scan->at++;
	return 0;
}

static int scan_value(struct scan *scan)
{
	uint32_t offset;

	skip_space(scan);
	offset = (uint32_t)scan->at;
	if (scan->offsets)
		buf_append(scan->offsets, &offset, sizeof offset);
	if (at_end(scan))
		return fault(scan, "the text ends where a value is expected");
	switch (peek(scan)) {
	case '{':
		return scan_container(scan, IN_OBJECT);
	case '[':
		return scan_container(scan, IN_ARRAY);
	case '"':
		return scan_string(scan, NULL);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	case '-':
		return scan_number(scan);
	default:
		return is_digit(peek(scan)) ? scan_number(scan)
					    : fault(scan, "a value is expected here");
	}
}

int json_check_offsets(struct slice bytes, struct buf *offsets, rkt_error **err)
{
	__attribute__((cleanup(scan_free))) struct scan scan = {
		.text = bytes,
		.offsets = offsets,
		.err = err,
	};

	if (bytes.len > JSON_SIZE_MAX)
		return rkt_fail(err, RKT_INVALID, "json: longer than %u bytes", JSON_SIZE_MAX);
	if (bytes.len >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0)
		return fault(&scan, "a byte order mark is not allowed");
	if (scan_value(&scan) < 0)
		return -1;
	skip_space(&scan);
	return at_end(&scan) ? 0 : fault(&scan, "something follows after the end of the value");
}

int json_check(struct slice bytes, rkt_error **err)
{
	return json_check_offsets(bytes, NULL, err);
}
