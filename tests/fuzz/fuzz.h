/* What libFuzzer calls in a target (https://llvm.org/docs/LibFuzzer.html), and may be called for;
 * and how a target says what it holds to be true. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* Given by libFuzzer: changes SIZE bytes of DATA at random and returns their new number. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Ends the process, which is a finding, unless WHAT holds. */
#define PROMISE(what)                                                   \
	do {                                                            \
		if (!(what)) {                                          \
			fprintf(stderr, "broken promise: %s\n", #what); \
			abort();                                        \
		}                                                       \
	} while (0)

/* Mutators for LLVMFuzzerCustomMutator(): a random change of libFuzzer's, after which a tar has its
 * checksums (tar_mutate.c), and members of gzip have theirs (gzip_mutate.c). */
size_t tar_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t gzip_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* S-013: TEXT, which was made of hostile bytes, is printable UTF-8 on one line. */
void promise_showable(const char *text);
/* ERR is set, says something showable, and blames the input. */
void promise_invalid(rkt_error *err);

/* A NUL-terminated copy of BYTES, cut at the first NUL. The caller frees it. */
char *text_of(struct slice bytes);
