/* mrg_fuzz_again.c - see mrg_fuzz_again.h. */
#include "mrg_fuzz_again.h"

#include <stdlib.h>
#include <string.h>

/* For programs of one subject, whose environment says nothing. */
#ifndef MRG_FUZZ_SUBJECT
#define MRG_FUZZ_SUBJECT NULL
#endif

const struct mrg_fuzz_subject *mrg_fuzz_subject_of(const char *name)
{
	for (const struct mrg_fuzz_subject *const *s = mrg_fuzz_subjects; *s != NULL; s++)
		if (name == NULL || strcmp((*s)->name, name) == 0)
			return *s;
	return NULL;
}

const struct mrg_fuzz_subject *mrg_fuzz_subject_chosen(void)
{
	const char *const said = getenv("MRG_FUZZ_SUBJECT"), *const name =
								     said != NULL ? said : MRG_FUZZ_SUBJECT;
	const struct mrg_fuzz_subject *const s = mrg_fuzz_subject_of(name);
	if (s != NULL)
		return s;
	(void)fprintf(stderr, "MRG_FUZZ_SUBJECT: no subject '%s'; there are:\n", name == NULL ? "" : name);
	for (const struct mrg_fuzz_subject *const *i = mrg_fuzz_subjects; *i != NULL; i++)
		(void)fprintf(stderr, "  %s\n", (*i)->name);
	exit(2);
}

bool mrg_fuzz_both(const struct mrg_fuzz_subject *s, const struct mrg_guard *g, const uint8_t *in, size_t len,
	struct mrg_fuzz_result *result)
{
	if (len > s->len_max)
		len = s->len_max;
	*result = (struct mrg_fuzz_result){ .verdict = MRG_FUZZ_REFUSED };
	s->run(s->ctx, mrg_guard_end(g, in, len), len, result);
	if (result->verdict == MRG_FUZZ_WRONG)
		return false;
	s->run(s->ctx, mrg_guard_begin(g, in, len), len, result);
	return result->verdict != MRG_FUZZ_WRONG;
}

bool mrg_fuzz_again(const char *name, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	const struct mrg_fuzz_subject *const s = mrg_fuzz_subject_of(name);
	struct mrg_guard g;
	*result = (struct mrg_fuzz_result){ .verdict = MRG_FUZZ_WRONG };
	if (s == NULL || !mrg_guard_open(&g, s->len_max)) {
		(void)snprintf(result->why, sizeof result->why, "%s: no such subject, or no memory", name);
		return false;
	}
	const bool good = mrg_fuzz_both(s, &g, in, len, result);
	mrg_guard_close(&g);
	return good;
}
