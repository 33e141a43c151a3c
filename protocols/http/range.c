/*
 * Ranges of octets.
 */
#include "http/field.h"
#include "mrg_digits.h"
#include "protocols/http/range.h"

enum { CAPTURES = 2 * MRG_HTTP_RANGES_MAX };

struct wanted {
	uint64_t size, first;
	uint64_t left; /* octets that may still be asked for */
	bool open;     /* a range has begun, and its last octet was not named yet */
	struct mrg_http_range *out;
	size_t count;
	bool bad; /* not a valid range, or more than there is */
};

static void put(struct wanted *w, uint64_t first, uint64_t len)
{
	if (len > w->left) {
		w->bad = true;
		return;
	}
	w->out[w->count++] = (struct mrg_http_range){ first, len };
	w->left -= len;
}

/* Octets from w->first up to `last`, as far as there are any. */
static void add(struct wanted *w, uint64_t last)
{
	w->open = false;
	if (last < w->first) {
		w->bad = true; /* RFC 9110 14.1.2: not a valid range */
		return;
	}
	if (w->first < w->size)
		put(w, w->first, (last < w->size ? last + 1u : w->size) - w->first);
}

static void add_last(struct wanted *w, uint64_t len)
{
	const uint64_t n = len < w->size ? len : w->size;
	if (n != 0)
		put(w, w->size - n, n);
}

static void take(struct wanted *w, const struct mrg_capture *c)
{
	const uint64_t n = mrg_digits_dec((struct mrg_span){ c->p, c->len });
	if (w->open && c->what != MRG_HTTP_FIELD_RANGES_LAST)
		add(w, UINT64_MAX);
	switch (c->what) {
	case MRG_HTTP_FIELD_RANGES_FIRST:
		w->first = n;
		w->open = true;
		break;
	case MRG_HTTP_FIELD_RANGES_LAST: add(w, n); break;
	default: add_last(w, n); break;
	}
}

enum mrg_http_ranges mrg_http_ranges(struct mrg_span value, uint64_t size,
	struct mrg_http_range out[static MRG_HTTP_RANGES_MAX], size_t *count)
{
	struct mrg_capture c[CAPTURES];
	struct wanted w = { .size = size, .left = size, .out = out };
	size_t n, at;
	unsigned code;
	if (size == 0 || mrg_http_field_ranges_read(value, c, CAPTURES, &n, &at, &code) != MRG_OK || n == 0)
		return MRG_HTTP_RANGES_WHOLE;
	size_t ranges = 0;
	for (size_t i = 0; i < n; i++)
		ranges += c[i].what != MRG_HTTP_FIELD_RANGES_LAST;
	if (ranges > MRG_HTTP_RANGES_MAX)
		return MRG_HTTP_RANGES_WHOLE;
	for (size_t i = 0; i < n; i++)
		take(&w, &c[i]);
	if (w.open)
		add(&w, UINT64_MAX);
	*count = w.count;
	if (w.bad)
		return MRG_HTTP_RANGES_WHOLE;
	return w.count == 0 ? MRG_HTTP_RANGES_NONE : MRG_HTTP_RANGES_SOME;
}
