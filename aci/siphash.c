/* SipHash-2-4, 128 bits of output. */
#include "aci/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void round_once(struct state *s)
{
	s->a += s->b;
	s->b = rotate(s->b, 13) ^ s->a;
	s->a = rotate(s->a, 32);
	s->c += s->d;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate(s->b, 17) ^ s->c;
	s->c = rotate(s->c, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
	s->d ^= word;
	round_once(s);
	round_once(s);
	s->a ^= word;
}

static uint64_t squeeze(struct state *s)
{
	for (int i = 0; i < 4; i++)
		round_once(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

struct siphash siphash(const struct siphash_key *key, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	struct siphash out;
	uint64_t word, last = (uint64_t)len << 56;
	struct state s = {
		.a = 0x736f6d6570736575 ^ key->words[0],
		.b = 0x646f72616e646f6d ^ key->words[1] ^ 0xee,
		.c = 0x6c7967656e657261 ^ key->words[0],
		.d = 0x7465646279746573 ^ key->words[1],
	};

	for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
		memcpy(&word, at, sizeof word);
		absorb(&s, le64toh(word));
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)at[i] << (8 * i);
	absorb(&s, last);
	s.c ^= 0xee;
	out.words[0] = squeeze(&s);
	s.b ^= 0xdd;
	out.words[1] = squeeze(&s);
	return out;
}
