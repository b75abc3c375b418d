/* Bytes with a length: a borrowed slice, and a buffer that grows. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/scope.h"

/* Somebody else's bytes. Who lends them says how long they live. Not NUL-terminated. */
struct slice {
	const uint8_t *data;
	size_t len;
};

/* TEXT without its NUL, lent. */
static inline struct slice slice_of_text(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

/* Our own bytes. All zero is empty and valid. DATA is NULL until something is added. */
struct buf {
	uint8_t *data;
	size_t len, capacity;
};

/* Makes room for EXTRA more bytes and returns where they go; LEN is unchanged. */
uint8_t *buf_reserve(struct buf *buf, size_t extra);
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_append_text(struct buf *buf, const char *text);
/* Appends LEN zero bytes. */
void buf_append_zeros(struct buf *buf, size_t len);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(2)));
/* Ends the content with a NUL which LEN does not count, and returns it. Valid until changed. */
const char *buf_text(struct buf *buf);
/* Gives the content away as a NUL-terminated string the caller frees; BUF is empty afterwards. */
char *buf_steal_text(struct buf *buf);
void buf_free(struct buf *buf);

static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->data, buf->len };
}

#define auto_buf __attribute__((cleanup(buf_free)))
