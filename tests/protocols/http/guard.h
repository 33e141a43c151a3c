/*
 * guard.h - for tests of protocols/http: octets that end where memory ends, so that one read too many is seen without sanitizers too.
 */
#ifndef TESTS_HTTP_GUARD_H
#define TESTS_HTTP_GUARD_H

#include "mrg.h"

enum { GUARDED_MAX = 2 << 20 }; /* octets */

/* A copy right before a page that can't be touched, until the next call. */
struct mrg_span guarded(struct mrg_span octets);

/* The octets of a C string. */
struct mrg_span text_of(const char *s);

#endif
