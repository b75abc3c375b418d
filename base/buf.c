/* A byte buffer that grows by doubling. */
#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"

uint8_t *buf_reserve(struct buf *buf, size_t extra)
{
	size_t need;

	if (__builtin_add_overflow(buf->len, extra, &need))
		abort();
	if (need > buf->capacity || !buf->data) {
		size_t capacity = buf->capacity ? buf->capacity : 64;

		while (capacity < need)
			capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
		buf->data = xrealloc(buf->data, capacity);
		buf->capacity = capacity;
	}
	return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
	if (!len)
		return;
	memcpy(buf_reserve(buf, len), bytes, len);
	buf->len += len;
}

void buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_zeros(struct buf *buf, size_t len)
{
	if (!len)
		return;
	memset(buf_reserve(buf, len), 0, len);
	buf->len += len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	buf_reserve(buf, (size_t)len + 1);
	va_start(args, format);
	vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

const char *buf_text(struct buf *buf)
{
	*buf_reserve(buf, 1) = '\0';
	return (const char *)buf->data;
}

char *buf_steal_text(struct buf *buf)
{
	char *text;

	*buf_reserve(buf, 1) = '\0';
	text = (char *)buf->data;
	*buf = (struct buf){ 0 };
	return text;
}

void buf_free(struct buf *buf)
{
	int keep = errno;

	free(buf->data);
	*buf = (struct buf){ 0 };
	errno = keep;
}
