/*
 * subject.h - what subjects written by hand share: how something is said to be wrong, and how a point is marked.
 */
#ifndef FUZZ_SUBJECT_H
#define FUZZ_SUBJECT_H

#include "mrg_fuzz_again.h"

#include <stdarg.h>

#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

/* The first thing that is wrong stays.  key: the same for the same fault.  Returns false. */
__attribute__((format(printf, 3, 4))) static inline bool fuzz_wrong(
	struct mrg_fuzz_result *r, const char *key, const char *format, ...)
{
	va_list ap;
	if (r->verdict == MRG_FUZZ_WRONG)
		return false;
	r->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(r->key, sizeof r->key, "%s", key);
	va_start(ap, format);
	(void)vsnprintf(r->why, sizeof r->why, format, ap);
	va_end(ap);
	return false;
}

/* Numbers that go by the input, so that the same input is run in the same way. */
static inline struct mrg_rng fuzz_rng_of(const uint8_t *in, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u ^ len;
	for (size_t i = 0; i < len; i++)
		h = (h ^ in[i]) * 0x100000001b3u;
	return mrg_rng_of(h);
}

/* Straight runs of code of the libraries since it was set to 0; it stays 0 where libraries don't tell (see `servers-ops` in rules.mk). */
extern uint64_t fuzz_ops;

/* They may be so many, and so many more for each octet. */
static inline bool fuzz_linear(struct mrg_fuzz_result *r, uint64_t base, uint64_t each, uint64_t octets)
{
	if (fuzz_ops <= base + each * octets)
		return true;
	return fuzz_wrong(r, "operations", "%llu operations for %llu octets, where %llu are the most", (unsigned long long)fuzz_ops,
		(unsigned long long)octets, (unsigned long long)(base + each * octets));
}

static inline size_t fuzz_least(size_t a, size_t b) { return a < b ? a : b; }

/* What tells a subject's points by name, from a table of them. */
#define FUZZ_POINT_NAMES(names)                                                                                         \
	static const char *point_name(void *ctx, size_t point)                                                          \
	{                                                                                                               \
		(void)ctx;                                                                                              \
		return (names)[point];                                                                                  \
	}

/* Members of a subject, of the functions that are called like them in the file that it is in; and one that has no others. */
#define FUZZ_FIELDS(text, own, most, points)                                                                            \
	.name = text, .ctx = &(own), .len_max = most, .make = make, .mutate = mutate, .smaller = smaller, .run = run,   \
	.show = show, .point_count = points, .point_name = point_name, .reached = (own).reached
#define FUZZ_SUBJECT(id, text, own, most, points)                                                                       \
	const struct mrg_fuzz_subject id = { FUZZ_FIELDS(text, own, most, points) }

#endif
