/*
 * mrg_fuzz_havoc.h - changes of octets by one who knows nothing of what they mean: flipped bits, numbers that are often forgotten, pieces
 * taken out, put in and doubled.  What a subject's own changes would never do is done by this now and then.
 */
#ifndef MRG_FUZZ_HAVOC_H
#define MRG_FUZZ_HAVOC_H

#include "mrg_fuzz.h"

/* Changes p[0..len) in place, once or a few times.  Returns its new length, at most cap. */
size_t mrg_fuzz_havoc(struct mrg_rng *rng, uint8_t *p, size_t len, size_t cap);

#endif
