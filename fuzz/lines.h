/* lines.h - inputs that are lines of text: made smaller and put together a line at a time. */
#ifndef FUZZ_LINES_H
#define FUZZ_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Where the n-th line begins; the end when there are fewer. */
size_t lines_at(const uint8_t *in, size_t len, size_t n);

size_t lines_count(const uint8_t *in, size_t len);

/* in[0..from) `mid` in[to..len); 0 when there is no room for it. */
size_t lines_splice(const uint8_t *in, size_t len, size_t from, size_t to, const uint8_t *mid, size_t mid_len,
	uint8_t *out, size_t cap);

/* Without one of its lines; or with that and all behind it left out; 0: no more ways. */
size_t lines_smaller(size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);

#endif
