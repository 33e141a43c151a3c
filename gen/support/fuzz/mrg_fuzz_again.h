/*
 * mrg_fuzz_again.h - one input once more, for the tests that come of finds and for harnesses of other fuzzers.
 *
 * Nothing is caught here: what crashes, crashes; what does not end, doesn't.
 */
#ifndef MRG_FUZZ_AGAIN_H
#define MRG_FUZZ_AGAIN_H

#include "mrg_fuzz.h"
#include "mrg_fuzz_guard.h"

/* What a program can be fuzzed with; the last is NULL. */
extern const struct mrg_fuzz_subject *const mrg_fuzz_subjects[];

/* The one of that name; the first when name is NULL.  NULL: there is none. */
const struct mrg_fuzz_subject *mrg_fuzz_subject_of(const char *name);

/* The one that the environment's MRG_FUZZ_SUBJECT names, or the macro of that name, or the first.  When there is none it says so and ends the process. */
const struct mrg_fuzz_subject *mrg_fuzz_subject_chosen(void);

/*
 * Runs in[0..len), which may lie anywhere, so that it ends, then so that it begins, at a page that is not there.  What is longer than the
 * subject takes is cut.  False when either run found something wrong; result is then what it said.
 */
bool mrg_fuzz_both(const struct mrg_fuzz_subject *s, const struct mrg_guard *g, const uint8_t *in, size_t len,
	struct mrg_fuzz_result *result);

/* The same for a subject by name, with a guard of its own.  A subject that is not there is wrong. */
bool mrg_fuzz_again(const char *name, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);

#endif
