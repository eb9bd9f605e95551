/* What the fuzzer calls with each input: it aborts when a promise of the reader is broken. */
#ifndef WITHIN_FUZZ_READER_H
#define WITHIN_FUZZ_READER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
