/* Digest and fingerprint of a packed file, from its stream or from a descriptor. */
#include "store/packed.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

#define PACKED_EDGE (64u * 1024)

void packed_start(struct packed *self, enum packed_digests which)
{
	*self = (struct packed){ .sum = digest_new(DIGEST_SHA256) };
	if (which == PACKED_SHA512_TOO)
		self->sha512 = digest_new(DIGEST_SHA512);
}

void packed_free(struct packed *self)
{
	digest_free(self->sum);
	digest_free(self->sha512);
	buf_free(&self->head);
	buf_free(&self->tail);
}

static void keep_edges(struct packed *self, struct slice block)
{
	struct slice end = block;

	if (self->head.len < PACKED_EDGE) {
		size_t room = PACKED_EDGE - self->head.len;

		buf_append(&self->head, block.data, block.len < room ? block.len : room);
	}
	if (end.len > PACKED_EDGE)
		end = (struct slice){ block.data + block.len - PACKED_EDGE, PACKED_EDGE };
	if (self->tail.len + end.len > PACKED_EDGE) {
		size_t excess = self->tail.len + end.len - PACKED_EDGE;

		memmove(self->tail.data, self->tail.data + excess, self->tail.len - excess);
		self->tail.len -= excess;
	}
	buf_append(&self->tail, end.data, end.len);
}

int packed_tap(void *context, struct slice block, rkt_error **err)
{
	struct packed *self = context;

	self->size += block.len;
	keep_edges(self, block);
	if (self->sha512 && digest_add(self->sha512, block, err) < 0)
		return -1;
	return self->plain ? 0 : digest_add(self->sum, block, err);
}

static int finish(digest *sum, enum alias_kind kind, struct alias *ret, rkt_error **err)
{
	char digits[DIGEST_HEX_MAX + 1];

	if (digest_hex(sum, digits, err) < 0)
		return -1;
	*ret = alias_of_hex(kind, digits);
	return 0;
}

int packed_digest(struct packed *self, struct alias *ret, rkt_error **err)
{
	return finish(self->sum, ALIAS_PACKED, ret, err);
}

int packed_sha512(struct packed *self, struct alias *ret, rkt_error **err)
{
	return finish(self->sha512, ALIAS_SHA512, ret, err);
}

int packed_hint(const struct packed *self, struct alias *ret, rkt_error **err)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	uint64_t size = htole64(self->size);

	if (digest_add(sum, (struct slice){ (const uint8_t *)&size, sizeof size }, err) < 0 ||
		digest_add(sum, buf_slice(&self->head), err) < 0 ||
		digest_add(sum, buf_slice(&self->tail), err) < 0)
		return -1;
	return finish(sum, ALIAS_HINT, ret, err);
}

static int read_edge(int fd, uint64_t offset, struct buf *ret, rkt_error **err)
{
	ssize_t got = fd_pread_full(fd, buf_reserve(ret, PACKED_EDGE), PACKED_EDGE, offset, err);

	ret->len = got > 0 ? (size_t)got : 0;
	return got < 0 ? -1 : 0;
}

static int print_of(const struct packed *self, struct packed_print *ret, rkt_error **err)
{
	if (packed_beginning(buf_slice(&self->head), &ret->beginning, err) < 0)
		return -1;
	return packed_hint(self, &ret->hint, err);
}

int packed_print_of_fd(int fd, struct packed_print *ret, rkt_error **err)
{
	struct packed self = { 0 };
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st;
	int result;

	if (at < 0 || fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	if (at >= st.st_size)
		return 0;
	self.size = (uint64_t)(st.st_size - at);
	result = read_edge(fd, (uint64_t)at, &self.head, err);
	if (result == 0)
		result = read_edge(fd,
			(uint64_t)(self.size > PACKED_EDGE ? st.st_size - PACKED_EDGE : at),
			&self.tail, err);
	if (result == 0)
		result = print_of(&self, ret, err);
	packed_free(&self);
	return result < 0 ? -1 : 1;
}

int packed_beginning(struct slice start, uint64_t *ret, rkt_error **err)
{
	/* another number than the fingerprint of a file that is no longer than this */
	static const char what[] = "beginning";
	auto_digest digest *sum = digest_new(DIGEST_SHA256);
	struct alias whole;

	if (start.len > PACKED_EDGE)
		start.len = PACKED_EDGE;
	if (digest_add(sum, (struct slice){ (const uint8_t *)what, sizeof what }, err) < 0 ||
		digest_add(sum, start, err) < 0 || finish(sum, ALIAS_HINT, &whole, err) < 0)
		return -1;
	memcpy(ret, whole.digest, sizeof *ret);
	return 0;
}
