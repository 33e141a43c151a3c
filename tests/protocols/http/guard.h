/*
 * guard.h - for tests of protocols/http: octets that end where memory ends, so that one read too many is seen without sanitizers too;
 * and assertions for loops.
 */
#ifndef TESTS_HTTP_GUARD_H
#define TESTS_HTTP_GUARD_H

#include <check.h>

#include "mrg.h"

/* As ck_assert and ck_assert_msg, but what holds costs nothing: Check writes to a file for each of its own. */
#define MUST(it) MUST_SAY(it, "%s", #it)
#define MUST_SAY(it, ...) \
	do { \
		if (!(it)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

enum { GUARDED_MAX = 2 << 20 }; /* octets */

/* A copy right before a page that can't be touched, until the next call. */
struct mrg_span guarded(struct mrg_span octets);

/* More memory for what grows bit by bit, if `need` octets are more than there are: twice that. */
void grow(uint8_t **p, size_t *cap, size_t need);

/* Numbers by chance, below `below`: the same ones behind the same beginning. */
void any_begin(uint64_t seed);
unsigned any(unsigned below);

/* The octets of a C string. */
struct mrg_span text_of(const char *s);

#endif
