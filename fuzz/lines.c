/* Lines of text: see lines.h. */
#include "fuzz/lines.h"

#include <string.h>

size_t lines_at(const uint8_t *in, size_t len, size_t n)
{
	size_t at = 0;
	for (; n != 0 && at < len; n--) {
		const uint8_t *const end = memchr(in + at, '\n', len - at);
		at = end == NULL ? len : (size_t)(end + 1 - in);
	}
	return at;
}

size_t lines_count(const uint8_t *in, size_t len)
{
	size_t n = 0;
	for (size_t at = 0; at < len; n++)
		at += lines_at(in + at, len - at, 1);
	return n;
}

size_t lines_splice(const uint8_t *in, size_t len, size_t from, size_t to, const uint8_t *mid, size_t mid_len,
	uint8_t *out, size_t cap)
{
	if (from + mid_len + (len - to) > cap)
		return 0;
	memcpy(out, in, from);
	if (mid_len != 0)
		memcpy(out + from, mid, mid_len);
	if (len != to)
		memcpy(out + from + mid_len, in + to, len - to);
	return from + mid_len + (len - to);
}

size_t lines_smaller(size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	const size_t lines = lines_count(in, len);
	if (i >= 2 * lines)
		return 0;
	const size_t at = lines_at(in, len, i % lines), behind = lines_at(in, len, i % lines + 1);
	return lines_splice(in, len, at, i < lines ? len : behind, NULL, 0, out, cap);
}
