/* What libFuzzer calls in a target (https://llvm.org/docs/LibFuzzer.html), and may be called
 * for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* Given by libFuzzer: changes SIZE bytes of DATA at random and returns their new number. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
