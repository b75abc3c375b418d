/*
 * SipHash-2-4 with 128 bits of output: a hash whose collisions nobody can find without the key
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and their 128-bit variant).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t words[2];
};

struct siphash {
	uint64_t words[2];
};

struct siphash siphash(const struct siphash_key *key, const void *bytes, size_t len);
