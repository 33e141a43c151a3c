/*
 * fuzz.h - what each target has: the entry that libFuzzer and AFL++ call. Whatever the bytes are, it comes back with 0, or what must hold
 * did not, and the program is aborted.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#endif
