/*
 * Which content codings a client accepts.
 */
#include "http/field.h"
#include "mrg_digits.h"
#include "protocols/http/coding.h"

enum {
	CAPTURES = 16, /* taken at a time */
	ONE = 1000,    /* the largest weight */
	UNNAMED = ONE + 1
};

struct weights {
	unsigned br, gzip, identity, other, unknown;
	unsigned *last; /* of the coding that was named last */
};

static unsigned *named(struct weights *w, struct mrg_span coding)
{
	switch (mrg_http_coding_of(coding)) {
	case MRG_HTTP_CODING_BR: return &w->br;
	case MRG_HTTP_CODING_GZIP: return &w->gzip;
	case MRG_HTTP_CODING_IDENTITY: return &w->identity;
	default: return mrg_span_eq(coding, MRG_LITERAL("*")) ? &w->other : &w->unknown;
	}
}

static void weigh(struct weights *w, const struct mrg_capture *c)
{
	static const unsigned unit[] = { ONE, ONE / 10, ONE / 100,
		ONE / 1000 }; /* by digits behind the point */
	const struct mrg_span text = { c->p, c->len };
	switch (c->what) {
	case MRG_HTTP_FIELD_ACCEPT_ENCODING_CODING:
		w->last = named(w, text);
		*w->last = ONE;
		break;
	case MRG_HTTP_FIELD_ACCEPT_ENCODING_WHOLE: *w->last = (unsigned)mrg_digits_dec(text) * ONE; break;
	default: *w->last += (unsigned)mrg_digits_dec(text) * unit[text.len]; break;
	}
}

static bool weigh_field(struct weights *w, struct mrg_span value)
{
	struct mrg_http_field_accept_encoding_cursor cursor;
	struct mrg_capture c[CAPTURES];
	size_t count;
	enum mrg_status st;
	mrg_http_field_accept_encoding_begin(&cursor, value);
	do {
		st = mrg_http_field_accept_encoding_next(&cursor, c, CAPTURES, &count);
		for (size_t i = 0; i < count; i++)
			weigh(w, &c[i]);
	} while (st == MRG_E_SPACE);
	return st == MRG_OK;
}

static unsigned settle(unsigned weight, unsigned otherwise) { return weight == UNNAMED ? otherwise : weight; }

void mrg_http_codings(const struct mrg_http_request *r, struct mrg_http_codings *out)
{
	struct weights w = { .br = UNNAMED, .gzip = UNNAMED, .identity = UNNAMED, .other = UNNAMED };
	bool well = true;
	for (const struct mrg_http_field_line *f =
			mrg_http_request_field(r, MRG_HTTP_FIELD_ACCEPT_ENCODING, NULL);
		f != NULL && well; f = mrg_http_request_field(r, MRG_HTTP_FIELD_ACCEPT_ENCODING, f))
		well = weigh_field(&w, f->value);
	*out = (struct mrg_http_codings){ .identity = ONE };
	if (!well)
		return;
	out->br = settle(w.br, settle(w.other, 0));
	out->gzip = settle(w.gzip, settle(w.other, 0));
	out->identity = settle(
		w.identity, settle(w.other, 1)); /* accepted, but less than what was asked for by name */
}
