/*
 * range.h - which octets of a representation a request is for.
 *
 * References: RFC 9110 14.1.2 (byte ranges), 14.2 (Range), 14.4 (Content-Range), 15.5.17, 17.15 (many small and overlapping ranges).
 */
#ifndef MRG_HTTP_RANGE_H
#define MRG_HTTP_RANGE_H

#include "mrg.h"

enum { MRG_HTTP_RANGES_MAX = 16 };

struct mrg_http_range {
	uint64_t first, len; /* octets; len is never 0 */
};

enum mrg_http_ranges {
	MRG_HTTP_RANGES_WHOLE, /* all of it: no range of octets, or more than a client has good reason to ask for */
	MRG_HTTP_RANGES_SOME,  /* 206 (Partial Content) */
	MRG_HTTP_RANGES_NONE   /* 416 (Range Not Satisfiable) */
};

/*
 * mrg_http_ranges - what a Range field asks of `size` octets.
 *   out     *count ranges, in the order asked for, with MRG_HTTP_RANGES_SOME
 * More than MRG_HTTP_RANGES_MAX ranges, or ranges that sum up to more than there is, are all of it: nobody gets more out of a
 * request than by asking for the whole.
 * Cost:   linear in the value.
 */
enum mrg_http_ranges mrg_http_ranges(
	struct mrg_span value, uint64_t size, struct mrg_http_range out[static MRG_HTTP_RANGES_MAX], size_t *count);

#endif
