/*
 * Machines from tables: see mrg_machine_plan.h.
 * Reading order: expressions, a step, inputs, making and changing, running, for people.
 */
#include "mrg_machine_plan.h"

#include <inttypes.h>
#include <string.h>

enum { EVENT_MAX = 2048 }; /* octets of one that is made */

/* A machine as the tables have it. */
struct machine {
	const struct mrg_machine_plan *plan;
	unsigned state;
	uint64_t vars[MRG_MACHINE_VARS];
	uint64_t running; /* timers, a bit each event */
};

/* An event that comes. */
struct coming {
	unsigned event;
	uint8_t answers;
	uint64_t args[MRG_MACHINE_NUMBERS];
	uint64_t fields[MRG_MACHINE_FIELDS];
	bool lacks;     /* a packet: it does not come */
	size_t at, len; /* in the input */
};

/* ---- expressions ---- */

static uint64_t value(const struct machine *m, const struct coming *c, unsigned at);

static uint64_t of_two(unsigned op, uint64_t a, uint64_t b)
{
	switch (op) {
	case MRG_MACHINE_ADD: return a + b;
	case MRG_MACHINE_SUB: return a - b;
	case MRG_MACHINE_MUL: return a * b;
	case MRG_MACHINE_DIV: return b == 0 ? 0 : a / b;
	case MRG_MACHINE_MOD: return b == 0 ? 0 : a % b;
	case MRG_MACHINE_SHL: return b > 63 ? 0 : a << b;
	case MRG_MACHINE_SHR: return b > 63 ? 0 : a >> b;
	case MRG_MACHINE_AND: return a & b;
	case MRG_MACHINE_OR: return a | b;
	case MRG_MACHINE_XOR: return a ^ b;
	case MRG_MACHINE_EQ: return a == b;
	case MRG_MACHINE_NE: return a != b;
	case MRG_MACHINE_LT: return a < b;
	case MRG_MACHINE_LE: return a <= b;
	case MRG_MACHINE_GT: return a > b;
	default: return a >= b;
	}
}

static bool is_in(const struct machine *m, const struct coming *c, const struct mrg_machine_expr *e)
{
	const uint64_t v = value(m, c, e->a);
	for (unsigned i = 0; i < e->n; i++) {
		const uint16_t *const pair = m->plan->lists + e->b + 2 * i;
		if (v >= value(m, c, pair[0]) && v <= value(m, c, pair[1]))
			return true;
	}
	return false;
}

/* As deep as the specification is written. */
static uint64_t value(
	const struct machine *m, const struct coming *c, unsigned at) /* NOLINT(misc-no-recursion) */
{
	const struct mrg_machine_expr *const e = &m->plan->exprs[at];
	switch (e->op) {
	case MRG_MACHINE_CONST: return e->value;
	case MRG_MACHINE_VAR: return m->vars[e->a];
	case MRG_MACHINE_PARAM: return c->args[e->a];
	case MRG_MACHINE_TEST: return c->answers >> (e->a & 7u) & 1u;
	case MRG_MACHINE_FIELD: return c->fields[e->a];
	case MRG_MACHINE_NOT: return value(m, c, e->a) == 0;
	case MRG_MACHINE_INV: return ~value(m, c, e->a);
	case MRG_MACHINE_COND: return value(m, c, e->a) != 0 ? value(m, c, e->b) : value(m, c, e->c);
	case MRG_MACHINE_IN: return is_in(m, c, e);
	case MRG_MACHINE_BOTH: return value(m, c, e->a) != 0 && value(m, c, e->b) != 0;
	case MRG_MACHINE_EITHER: return value(m, c, e->a) != 0 || value(m, c, e->b) != 0;
	default: return of_two(e->op, value(m, c, e->a), value(m, c, e->b));
	}
}

/* ---- a step ---- */

static void begin(struct machine *m, const struct mrg_machine_plan *plan)
{
	*m = (struct machine){ .plan = plan, .state = plan->start };
	for (unsigned i = 0; i < plan->var_n; i++)
		m->vars[i] = plan->numbers[plan->vars + i].lo;
}

static void log_did(
	struct mrg_machine_log *log, unsigned verb, unsigned target, size_t n, const uint64_t *args)
{
	if (log->n < MRG_MACHINE_DEEDS) {
		struct mrg_machine_did *const d = &log->did[log->n];
		d->verb = (uint8_t)verb;
		d->target = (uint16_t)target;
		d->n = (uint16_t)(n < MRG_MACHINE_NUMBERS ? n : MRG_MACHINE_NUMBERS);
		for (size_t i = 0; i < d->n; i++)
			d->args[i] = args[i];
	}
	log->n++;
}

void mrg_machine_tell(void *ctx, unsigned verb, unsigned target, size_t n, const uint64_t *args)
{
	log_did(ctx, verb, target, n, args);
}

bool mrg_machine_ask(const void *ctx, unsigned test)
{
	const struct mrg_machine_log *const log = ctx;
	return (log->answers >> (test & 7u) & 1u) != 0;
}

/* Which transition is taken; NONE: there is none. */
static unsigned taken(const struct machine *m, const struct coming *c)
{
	const uint16_t *const on = m->plan->on + 2 * ((size_t)m->state * m->plan->event_n + c->event);
	for (unsigned i = 0; i < on[1]; i++) {
		const unsigned t = m->plan->lists[on[0] + i];
		const unsigned guard = m->plan->transitions[t].guard;
		if (guard == MRG_MACHINE_NONE || value(m, c, guard) != 0)
			return t;
	}
	return MRG_MACHINE_NONE;
}

static enum mrg_step take(struct machine *m, const struct coming *c, unsigned t, struct mrg_machine_log *log)
{
	const struct mrg_machine_plan *const p = m->plan;
	if (t == MRG_MACHINE_NONE)
		return MRG_STEP_REFUSED;
	const struct mrg_machine_transition *const x = &p->transitions[t];
	m->running &= ~(UINT64_C(1) << (c->event & 63u));
	if (x->to != MRG_MACHINE_NONE)
		m->state = x->to;
	for (unsigned i = 0; i < x->todo_n; i++) {
		const struct mrg_machine_do *const d = &p->dos[x->todo + i];
		uint64_t args[MRG_MACHINE_NUMBERS] = { 0 };
		for (unsigned k = 0; k < d->n && k < MRG_MACHINE_NUMBERS; k++)
			args[k] = value(m, c, p->lists[d->args + k]);
		if (d->verb == MRG_MACHINE_ASSIGN) {
			m->vars[d->target] = args[0];
			continue;
		}
		if (d->verb == MRG_MACHINE_SET)
			m->running |= UINT64_C(1) << (d->target & 63u);
		if (d->verb == MRG_MACHINE_CANCEL)
			m->running &= ~(UINT64_C(1) << (d->target & 63u));
		log_did(log, d->verb, d->target, d->n, args);
	}
	return (enum mrg_step)x->kind;
}

/* What is so and is never to be; NULL: nothing. */
static const struct mrg_machine_never *broken(const struct machine *m)
{
	static const struct coming none;
	for (unsigned i = 0; i < m->plan->never_n; i++) {
		const struct mrg_machine_never *const n = &m->plan->nevers[i];
		if ((n->states >> m->state & 1u) != 0 && value(m, &none, n->cond) != 0)
			return n;
	}
	return NULL;
}

static bool can_come(const struct machine *m, const struct coming *c)
{
	return !c->lacks && (!m->plan->events[c->event].timer || (m->running >> (c->event & 63u) & 1u) != 0);
}

/* ---- inputs ---- */

static size_t size_of(const struct mrg_machine_plan *p, unsigned event)
{
	size_t n = 2;
	for (unsigned i = 0; i < p->events[event].param_n; i++)
		n += p->numbers[p->events[event].params + i].octets;
	return n;
}

/* Packets of an event, from `from` on, as far as they are there; where they end. */
static size_t next_packets(
	const struct mrg_machine_plan *p, const uint8_t *in, size_t len, size_t from, struct coming *c)
{
	const unsigned n = p->events[c->event].packet_n;
	struct mrg_span packets[MRG_MACHINE_VIEWS] = { { NULL, 0 } };
	for (unsigned i = 0; i < n && i < MRG_MACHINE_VIEWS; i++) {
		const size_t said = from + 1 < len ? mrg_le16(in + from) : 0;
		from = from + 2 < len ? from + 2 : len;
		packets[i] = (struct mrg_span){ in + from, said < len - from ? said : len - from };
		from += packets[i].len;
	}
	c->lacks = n != 0 && !p->views(c->event, packets, c->fields);
	return from;
}

/* The event at `at`; octets that are not there are 0.  False: there is none. */
static bool next_event(
	const struct mrg_machine_plan *p, const uint8_t *in, size_t len, size_t at, struct coming *c)
{
	if (at >= len)
		return false;
	*c = (struct coming){ .event = in[at] % p->event_n, .at = at };
	c->answers = at + 1 < len ? in[at + 1] : 0;
	const struct mrg_machine_event *const e = &p->events[c->event];
	size_t from = at + 2;
	for (unsigned i = 0; i < e->param_n && i < MRG_MACHINE_NUMBERS; i++) {
		const struct mrg_machine_number *const n = &p->numbers[e->params + i];
		uint64_t v = 0;
		for (size_t k = from + n->octets; k > from; k--)
			v = v << 8 | (k <= len ? in[k - 1] : 0);
		from += n->octets;
		if (v < n->lo || v > n->hi)
			v = n->hi - n->lo == UINT64_MAX ? v : n->lo + v % (n->hi - n->lo + 1);
		c->args[i] = v;
	}
	if (e->packet_n != 0)
		from = next_packets(p, in, len, from, c);
	c->len = from < len ? from - at : len - at;
	return true;
}

static size_t draw_event(
	const struct mrg_machine_plan *p, struct mrg_rng *rng, unsigned event, uint8_t *out, size_t cap)
{
	const struct mrg_machine_event *const e = &p->events[event];
	size_t n = size_of(p, event);
	if (n > cap)
		return 0;
	out[0] = (uint8_t)event;
	for (size_t i = 1; i < n; i++)
		out[i] = (uint8_t)mrg_rng_next(rng);
	for (unsigned i = 0; i < e->packet_n; i++) {
		const struct mrg_fuzz_subject *const of = e->packets[i];
		if (cap - n < 2)
			return 0;
		const size_t len = of->make(of->ctx, rng, out + n + 2, cap - n - 2);
		out[n] = (uint8_t)len;
		out[n + 1] = (uint8_t)(len >> 8);
		n += 2 + len;
	}
	return n;
}

/* ---- making and changing ---- */

/*
 * The next event: of some by chance the one whose transition was taken least often, and where it leads.  What is counted is to come to
 * its end, so the last may come again and again.
 */
static size_t choose(
	struct mrg_machine_subject *s, const struct machine *m, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	enum { SOME = 12 };
	const unsigned some = mrg_rng_below(rng, 6) == 0 ? 1 : SOME;
	uint8_t trial[EVENT_MAX];
	size_t best = 0;
	uint32_t least = UINT32_MAX;
	for (unsigned i = 0; i < some || (best == 0 && i < SOME); i++) {
		struct coming c;
		const unsigned event = (unsigned)mrg_rng_below(rng, m->plan->event_n);
		const size_t n =
			draw_event(m->plan, rng, event, trial, sizeof trial < cap ? sizeof trial : cap);
		if (n == 0 || !next_event(m->plan, trial, n, 0, &c) || !can_come(m, &c))
			continue;
		const unsigned t = taken(m, &c);
		const uint32_t tries = t == MRG_MACHINE_NONE ? UINT32_MAX - 1u : s->tries[t];
		if (tries < least) {
			least = tries;
			best = n;
			memcpy(out, trial, n);
		}
	}
	return best;
}

/* From where `m` stands on, so many events. */
static size_t go_on(struct mrg_machine_subject *s, struct machine *m, struct mrg_rng *rng, size_t events,
	uint8_t *out, size_t cap)
{
	enum { AGAIN = 300 };
	struct mrg_machine_log log = { .n = 0 };
	size_t len = 0, again = 0, last = 0;
	while (events-- != 0) {
		struct coming c;
		const bool repeats = again != 0 && last <= cap - len;
		if (repeats)
			memcpy(out + len, out + len - last, last);
		const size_t n = repeats ? last : choose(s, m, rng, out + len, cap - len);
		if (n == 0 || !next_event(m->plan, out, len + n, len, &c))
			break;
		events += repeats && events == 0;
		last = n;
		const struct machine before = *m;
		const unsigned t = can_come(m, &c) ? taken(m, &c) : MRG_MACHINE_NONE;
		if (t != MRG_MACHINE_NONE && !repeats) /* what comes again is one try, else nobody would try it any more */
			s->tries[t]++;
		log.n = 0;
		(void)take(m, &c, t, &log);
		const bool counts =
			m->state == before.state && memcmp(m->vars, before.vars, sizeof m->vars) != 0;
		if (!counts)
			again = 0;
		else if (repeats)
			again--;
		else if (mrg_rng_below(rng, 4) == 0)
			again = (size_t)mrg_rng_below(rng, AGAIN);
		len += n;
	}
	return len;
}

size_t mrg_machine_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_machine_subject *const s = ctx;
	struct machine m;
	begin(&m, s->plan);
	return go_on(s, &m, rng, 1 + (size_t)mrg_rng_below(rng, 40), out, cap);
}

/* Where the n-th event begins; the end when there are fewer. */
static size_t event_at(const struct mrg_machine_plan *p, const uint8_t *in, size_t len, size_t n)
{
	struct coming c;
	size_t at = 0;
	while (n-- != 0 && next_event(p, in, len, at, &c))
		at += c.len;
	return at;
}

static size_t event_count(const struct mrg_machine_plan *p, const uint8_t *in, size_t len)
{
	struct coming c;
	size_t n = 0;
	for (size_t at = 0; next_event(p, in, len, at, &c); at += c.len)
		n++;
	return n;
}

/* in[0..from), then mid[0..mid_len), then in[to..len). */
static size_t splice(const uint8_t *in, size_t len, size_t from, size_t to, const uint8_t *mid,
	size_t mid_len, uint8_t *out, size_t cap)
{
	if (from + mid_len + (len - to) > cap)
		return 0;
	if (from != 0)
		memcpy(out, in, from);
	if (mid_len != 0)
		memcpy(out + from, mid, mid_len);
	if (len != to)
		memcpy(out + from + mid_len, in + to, len - to);
	return from + mid_len + (len - to);
}

/* The beginning of an input, and other events from there on. */
static size_t other_end(struct mrg_machine_subject *s, struct mrg_rng *rng, const uint8_t *in, size_t keep,
	uint8_t *out, size_t cap)
{
	struct machine m;
	struct mrg_machine_log log;
	struct coming c;
	if (keep > cap)
		return 0;
	begin(&m, s->plan);
	for (size_t at = 0; at < keep && next_event(s->plan, in, keep, at, &c); at += c.len) {
		log.n = 0;
		if (can_come(&m, &c))
			(void)take(&m, &c, taken(&m, &c), &log);
	}
	if (keep != 0)
		memcpy(out, in, keep);
	return keep + go_on(s, &m, rng, 1 + (size_t)mrg_rng_below(rng, 20), out + keep, cap - keep);
}

size_t mrg_machine_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len,
	const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
	struct mrg_machine_subject *const s = ctx;
	const struct mrg_machine_plan *const p = s->plan;
	uint8_t fresh[EVENT_MAX];
	const size_t n = event_count(p, in, len);
	const size_t at = event_at(p, in, len, (size_t)mrg_rng_below(rng, n + 1));
	const size_t behind = at < len ? at + event_at(p, in + at, len - at, 1) : at;
	switch (mrg_rng_below(rng, 8)) {
	case 0: return splice(in, len, at, behind, NULL, 0, out, cap);
	case 1: { /* once more, or as often as makes something full */
		size_t more = 0;
		for (size_t i = (size_t)1 << mrg_rng_below(rng, 9);
			i > 0 && more + (behind - at) <= sizeof fresh; i--) {
			memcpy(fresh + more, in + at, behind - at);
			more += behind - at;
		}
		return splice(in, len, at, at, fresh, more, out, cap);
	}
	case 2: {
		const size_t from = event_at(p, other, other_len,
			(size_t)mrg_rng_below(rng, event_count(p, other, other_len) + 1));
		return splice(in, at, at, at, other + from, other_len - from, out, cap);
	}
	case 3: {
		const unsigned event = (unsigned)mrg_rng_below(rng, p->event_n);
		return splice(
			in, len, at, behind, fresh, draw_event(p, rng, event, fresh, sizeof fresh), out, cap);
	}
	case 4: return 0;
	default: return other_end(s, rng, in, at, out, cap);
	}
}

size_t mrg_machine_subject_smaller(
	void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	const struct mrg_machine_subject *const s = ctx;
	const size_t n = event_count(s->plan, in, len);
	if (i >= 2 * n)
		return 0;
	/* first without all from an event on, then without that one */
	const size_t at = event_at(s->plan, in, len, i % n);
	return splice(
		in, len, at, i < n ? len : at + event_at(s->plan, in + at, len - at, 1), NULL, 0, out, cap);
}

/* ---- running ---- */

static bool differs(struct mrg_fuzz_result *r, const struct mrg_machine_plan *p, const struct coming *c,
	unsigned state, const char *what, uint64_t have, uint64_t want)
{
	r->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(
		r->key, sizeof r->key, "%s at %s in %s", what, p->events[c->event].name, p->states[state]);
	(void)snprintf(r->why, sizeof r->why, "%s in %s: the code's %s is %" PRIu64 ", the tables' %" PRIu64,
		p->events[c->event].name, p->states[state], what, have, want);
	return false;
}

static bool same_deeds(const struct mrg_machine_log *have, const struct mrg_machine_log *want)
{
	for (size_t i = 0; i < want->n && i < MRG_MACHINE_DEEDS; i++) {
		const struct mrg_machine_did *const a = &have->did[i], *const b = &want->did[i];
		if (a->verb != b->verb || a->target != b->target || a->n != b->n ||
			memcmp(a->args, b->args, a->n * sizeof a->args[0]) != 0)
			return false;
	}
	return true;
}

/* One event on both sides. */
static bool step(const struct mrg_machine_subject *s, struct machine *m, const struct coming *c,
	bool *accepted, struct mrg_fuzz_result *r)
{
	struct mrg_machine_log have = { .answers = c->answers }, want = { .answers = c->answers };
	uint64_t vars[MRG_MACHINE_VARS] = { 0 };
	unsigned state = 0;
	const unsigned before = m->state, t = taken(m, c);
	if (t != MRG_MACHINE_NONE)
		s->reached[t] = 1;
	const enum mrg_step expected = take(m, c, t, &want), got = s->code->step(c->event, &have, c->args);
	*accepted = *accepted || got == MRG_STEP_TAKEN;
	s->code->look(&state, vars);
	if (got != expected)
		return differs(r, s->plan, c, before, "result", got, expected);
	if (have.n != want.n)
		return differs(r, s->plan, c, before, "number of deeds", have.n, want.n);
	if (!same_deeds(&have, &want))
		return differs(r, s->plan, c, before, "deeds", 0, 0);
	if (state != m->state)
		return differs(r, s->plan, c, before, "next state", state, m->state);
	for (unsigned i = 0; i < s->plan->var_n; i++)
		if (vars[i] != m->vars[i])
			return differs(r, s->plan, c, before, s->plan->numbers[s->plan->vars + i].name,
				vars[i], m->vars[i]);
	const struct mrg_machine_never *const never = broken(m);
	if (s->code->holds != NULL && s->code->holds() != (never == NULL))
		return differs(r, s->plan, c, before, "holds", s->code->holds(), never == NULL);
	if (never == NULL)
		return true;
	r->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(r->key, sizeof r->key, "never: %s", never->text);
	(void)snprintf(r->why, sizeof r->why, "behind %s in %s: never %s", s->plan->events[c->event].name,
		s->plan->states[before], never->text);
	return false;
}

void mrg_machine_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	const struct mrg_machine_subject *const s = ctx;
	struct machine m;
	struct coming c;
	bool accepted = false;
	begin(&m, s->plan);
	s->code->begin();
	result->verdict = MRG_FUZZ_REFUSED;
	for (size_t at = 0; next_event(s->plan, in, len, at, &c); at += c.len)
		if (can_come(&m, &c) && !step(s, &m, &c, &accepted, result))
			return;
	if (accepted)
		result->verdict = MRG_FUZZ_ACCEPTED;
}

/* ---- for people ---- */

void mrg_machine_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	static const char *const verbs[] = { "do", "set", "cancel" };
	const struct mrg_machine_subject *const s = ctx;
	const struct mrg_machine_plan *const p = s->plan;
	struct machine m;
	struct coming c;
	begin(&m, p);
	for (size_t at = 0; next_event(p, in, len, at, &c); at += c.len) {
		const struct mrg_machine_event *const e = &p->events[c.event];
		struct mrg_machine_log log = { .n = 0 };
		(void)fprintf(to, "%s: %s", p->states[m.state], e->name);
		for (unsigned i = 0; i < e->param_n && i < MRG_MACHINE_NUMBERS; i++)
			(void)fprintf(to, " %s=%" PRIu64, p->numbers[e->params + i].name, c.args[i]);
		if (e->packet_n != 0) {
			(void)fputc(' ', to);
			for (size_t i = at + size_of(p, c.event); i < at + c.len; i++)
				(void)fprintf(to, "%02x", in[i]);
		}
		if (!can_come(&m, &c)) {
			(void)fprintf(to, ": does not come\n");
			continue;
		}
		const unsigned t = taken(&m, &c);
		(void)take(&m, &c, t, &log);
		(void)fprintf(to, " (%s)\n", t != MRG_MACHINE_NONE ? p->transitions[t].text : "refused");
		for (size_t i = 0; i < log.n && i < MRG_MACHINE_DEEDS; i++)
			(void)fprintf(to, "\t%s %s\n", verbs[log.did[i].verb],
				log.did[i].verb == MRG_MACHINE_DO ? p->deeds[log.did[i].target]
								  : p->events[log.did[i].target].name);
	}
	(void)fprintf(to, "%s\n", p->states[m.state]);
}

const char *mrg_machine_subject_point(void *ctx, size_t point)
{
	const struct mrg_machine_subject *const s = ctx;
	return s->plan->transitions[point].text;
}
