/* What several targets ask of texts and errors. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

void promise_showable(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t left = strlen(text);

	while (left) {
		uint32_t code;
		size_t len = str_utf8_next(at, left, &code);

		PROMISE(len && str_is_showable(code));
		at += len;
		left -= len;
	}
}

void promise_invalid(rkt_error *err)
{
	PROMISE(err);
	PROMISE(rkt_error_kind(err) == RKT_INVALID);
	PROMISE(*rkt_error_message(err));
	promise_showable(rkt_error_message(err));
}

char *text_of(struct slice bytes)
{
	return xmemdup(bytes.data ? (const char *)bytes.data : "",
		strnlen((const char *)bytes.data ?: "", bytes.len));
}
