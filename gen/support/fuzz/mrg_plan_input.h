/*
 * mrg_plan_input.h - what a packet's fuzzer is given: the packet's number parameters, 8 octets each with the first the lowest, and then a message.
 *
 * Shared by the parts of a subject: mrg_plan_change.c makes and changes inputs, mrg_plan_subject.c looks whether all holds that must.
 */
#ifndef MRG_PLAN_INPUT_H
#define MRG_PLAN_INPUT_H

#include "mrg_plan_inside.h"

enum { PLAN_NUMBER = 8 }; /* octets of a parameter */

static inline const struct mrg_plan_packet *plan_input_packet(const struct mrg_plan_subject *s)
{
	return &s->plan->packets[s->packet];
}

/* Octets before the message. */
static inline size_t plan_input_head(const struct mrg_plan_subject *s)
{
	const struct mrg_plan_packet *const p = plan_input_packet(s);
	size_t n = 0;
	for (uint32_t i = 0; i < p->param_n; i++)
		n += s->plan->params[p->params + i].buffer ? 0 : PLAN_NUMBER;
	return n;
}

static inline struct mrg_span plan_input_message(const struct mrg_plan_subject *s, const uint8_t *in, size_t len)
{
	const size_t head = plan_input_head(s) < len ? plan_input_head(s) : len;
	return (struct mrg_span){ in + head, len - head };
}

/* plan_input_numbers - the numbers before a message, brought into their ranges.  all: one a parameter, as the walker wants them; numbers: without buffers */
void plan_input_numbers(const struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *all, uint64_t *numbers);

/* plan_input_ready - a walk of the subject's tables that has not begun; its decisions go to `made`, which may be NULL */
void plan_input_ready(struct mrg_plan_subject *s, struct mrg_choices *made);

/* plan_input_read - read an input; its decisions go to `made`, which may be NULL.  numbers: those of its head, or NULL */
enum mrg_status plan_input_read(struct mrg_plan_subject *s, const uint8_t *in, size_t len, struct mrg_choices *made, uint8_t *reached,
	uint64_t *numbers);

/* plan_input_read_ahead - read an input that may be run next, which spares reading it then */
enum mrg_status plan_input_read_ahead(struct mrg_plan_subject *s, const uint8_t *in, size_t len);

/* plan_input_read_now - what plan_input_read says, with its points in s->reached.  What was read last is not read again: it may lie elsewhere */
enum mrg_status plan_input_read_now(struct mrg_plan_subject *s, const uint8_t *in, size_t len, uint64_t *numbers);

#endif
