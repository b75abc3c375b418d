/*
 * Key files under any bytes. What is plain stays plain as it is appended, and so do two of them,
 * one after the other: that is what gpg is given (S-023).
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "store/trust/plain_key.h"

static bool is_plain(struct slice bytes, struct buf *ret)
{
	size_t before = ret->len;
	bool plain = plain_key_append(bytes, ret);

	PROMISE(plain || ret->len == before);
	return plain;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf binary = { 0 }, again = { 0 };

	if (!is_plain((struct slice){ data, size }, &binary))
		return 0;
	PROMISE(binary.len >= 2 && binary.len <= size);
	PROMISE(binary.data[0] & 0x80);
	if (data[0] & 0x80) /* not armored */
		PROMISE(binary.len == size && memcmp(binary.data, data, size) == 0);
	PROMISE(is_plain(buf_slice(&binary), &again));
	PROMISE(again.len == binary.len && memcmp(again.data, binary.data, again.len) == 0);
	/* two keys are not one */
	PROMISE(is_plain(buf_slice(&binary), &again) && again.len == 2 * binary.len);
	PROMISE(!is_plain(buf_slice(&again), &binary));
	return 0;
}
