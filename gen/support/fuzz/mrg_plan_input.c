/* What a packet's fuzzer is given, as it is read: see mrg_plan_input.h. */
#include <string.h>

#include "mrg_plan_input.h"

void plan_input_numbers(
	const struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *all, uint64_t *numbers)
{
	const struct mrg_plan_packet *const p = plan_input_packet(s);
	size_t at = 0, n = 0;
	for (uint32_t i = 0; i < p->param_n && i < PARAMS_MAX; i++) {
		const struct mrg_plan_param *const param = &s->plan->params[p->params + i];
		all[i] = 0;
		if (param->buffer)
			continue;
		uint64_t v = 0;
		for (size_t k = at + PLAN_NUMBER; k > at; k--)
			v = v << 8 | (k <= len ? in[k - 1] : 0);
		at += PLAN_NUMBER;
		if (v < param->lo || v > param->hi)
			v = param->hi - param->lo == UINT64_MAX ? v
								: param->lo + v % (param->hi - param->lo + 1);
		all[i] = numbers[n++] = v;
	}
}

void plan_input_ready(struct mrg_plan_subject *s, struct mrg_choices *made)
{
	s->room->last.subject = NULL;
	s->room->walk.plan = s->plan;
	s->room->walk.reached = NULL;
	s->room->walk.postpones = s->room->walk.confirms = false;
	s->room->walk.offsets = s->offsets;
	s->room->walk.ranks = s->ranks;
	s->room->walk.aims = (struct mrg_plan_aims)MRG_PLAN_NO_AIMS;
	s->room->walk.made = made;
	s->room->walk.events = (struct mrg_events){ .at = s->room->want, .cap = MRG_PLAN_EVENTS };
}

enum mrg_status plan_input_read(struct mrg_plan_subject *s, const uint8_t *in, size_t len,
	struct mrg_choices *made, uint8_t *reached, uint64_t *numbers)
{
	uint64_t all[PARAMS_MAX] = { 0 }, own[PARAMS_MAX] = { 0 };
	plan_input_numbers(s, in, len, all, numbers != NULL ? numbers : own);
	plan_input_ready(s, made);
	s->room->walk.reached = reached;
	return mrg_plan_read(&s->room->walk, s->packet, plan_input_message(s, in, len), all);
}

/* ---- what was read before ---- */

/* Whether the walk is what reading this input gives, with all the points that it reaches put off. */
static bool is_read(const struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	return s->room->last.subject == s && s->room->last.len == len &&
	       (len == 0 || memcmp(s->room->last.in, in, len) == 0);
}

enum mrg_status plan_input_read_ahead(struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	struct mrg_walk *const w = &s->room->walk;
	uint64_t all[PARAMS_MAX] = { 0 }, own[PARAMS_MAX] = { 0 };
	plan_input_numbers(s, in, len, all, own);
	plan_input_ready(s, NULL);
	w->reached = s->reached;
	w->postpones = true;
	w->postponed_n = 0;
	const enum mrg_status st = mrg_plan_read(w, s->packet, plan_input_message(s, in, len), all);
	w->postpones = false;
	if (len > MRG_PLAN_MEMO_LEN || w->postponed_n == sizeof w->postponed / sizeof w->postponed[0])
		return st;
	s->room->last.subject = s;
	s->room->last.len = len;
	memcpy(s->room->last.in, in, len);
	return st;
}

enum mrg_status plan_input_read_now(
	struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *numbers)
{
	struct mrg_walk *const w = &s->room->walk;
	if (!is_read(s, in, len) && len <= MRG_PLAN_MEMO_LEN)
		(void)plan_input_read_ahead(s, in, len);
	if (!is_read(s, in, len)) /* there is too much of it, or of points */
		return plan_input_read(s, in, len, NULL, s->reached, numbers);
	uint64_t all[PARAMS_MAX] = { 0 };
	plan_input_numbers(s, in, len, all, numbers);
	for (size_t i = 0; i < w->postponed_n; i++)
		s->reached[w->postponed[i]] = 1;
	return w->status;
}
