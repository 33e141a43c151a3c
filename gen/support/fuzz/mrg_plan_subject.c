/*
 * A packet as something to be fuzzed: what must hold of an input.  See mrg_plan.h.
 */
#include <inttypes.h>
#include <string.h>

#include "mrg_plan_input.h"

/* ---- running ---- */

static void differ(struct mrg_fuzz_result *r, const char *key, const struct mrg_plan_subject *s,
	enum mrg_status st, size_t at)
{
	const struct mrg_walk *const w = &s->room->walk;
	r->verdict = MRG_FUZZ_WRONG;
	/* By where the tables refuse; else by how the generated code does. */
	if (w->where != MRG_PLAN_NONE && w->status != MRG_OK)
		snprintf(r->key, sizeof r->key, "%s, line %" PRIu32, key, s->plan->items[w->where].line);
	else
		snprintf(r->key, sizeof r->key, "%s, %s", key, mrg_status_str(st));
	snprintf(r->why, sizeof r->why,
		"%s: the generated check says %s at %zu; the tables say %s at %zu (%s%s%s, line %" PRIu32 ")",
		key, mrg_status_str(st), at, mrg_status_str(w->status),
		w->status == MRG_OK ? w->used : w->bit_off,
		w->where != MRG_PLAN_NONE ? s->plan->items[w->where].name : "", w->what[0] != 0 ? ": " : "",
		w->what, w->where != MRG_PLAN_NONE ? s->plan->items[w->where].line : 0);
}

/* Whether the generated view says what the tables say. */
static bool tells_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	const struct mrg_events want = s->room->walk.events;
	struct mrg_events have = { .at = s->room->have, .cap = MRG_PLAN_EVENTS };
	s->glue->walk(message, numbers, &have);
	const bool other = want.count != have.count ||
			   memcmp(want.at, have.at, want.count * sizeof want.at[0]) != 0; /* a rare thing */
	for (size_t i = 0; other && i < want.count && i < have.count; i++)
		if (want.at[i].id != have.at[i].id || want.at[i].value != have.at[i].value) {
			r->verdict = MRG_FUZZ_WRONG;
			snprintf(r->key, sizeof r->key, "value %" PRIu64, want.at[i].id);
			snprintf(r->why, sizeof r->why,
				"event %zu: the view tells (%" PRIu64 ", %" PRIu64 "), the tables (%" PRIu64
				", %" PRIu64 ")",
				i, have.at[i].id, have.at[i].value, want.at[i].id, want.at[i].value);
			return false;
		}
	if (want.count == have.count && want.lost == have.lost)
		return true;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "number of events");
	snprintf(r->why, sizeof r->why, "the view tells %zu events, the tables %zu", have.count + have.lost,
		want.count + want.lost);
	return false;
}

/* Whether events of this number are those of a checksum, a count or a length: a rare question. */
static bool is_computed(const struct mrg_plan *plan, uint64_t id)
{
	const struct mrg_plan_packet *const last = &plan->packets[plan->packet_n - 1];
	for (uint32_t i = 0; i < last->items + last->item_n; i++)
		if (plan->items[i].id == id)
			return (plan->items[i].flags & MRG_PLAN_IS_COMPUTED) != 0;
	return false;
}

/* Names written without their pointers are longer, and what counts octets of them is another. */
static bool has_pointers(const struct mrg_walk *w)
{
	for (size_t i = 0; i < w->node_n; i++)
		if (w->nodes[i].arm != MRG_PLAN_NONE && w->plan->arms[w->nodes[i].arm].kind == MRG_PLAN_GOTO)
			return true;
	return false;
}

/* What was written again, with as many octets but others, says the same: the others are reserved, and sums of them, which are right. */
static void still_says_the_same(
	struct mrg_plan_subject *s, struct mrg_span copy, const uint64_t *numbers, struct mrg_fuzz_result *r)
{
	const struct mrg_event *const want = s->room->walk.events.at;
	const size_t want_count = s->room->walk.events.count;
	struct mrg_events have = { .at = s->room->have, .cap = MRG_PLAN_EVENTS };
	const uint32_t warnings = s->room->walk.warnings;
	if (has_pointers(&s->room->walk))
		return;
	s->glue->walk(copy, numbers, &have);
	size_t i = 0;
	while (i < want_count && i < have.count && want[i].id == have.at[i].id &&
		(want[i].value == have.at[i].value || is_computed(s->plan, want[i].id)))
		i++;
	if (i == want_count && i == have.count &&
		(plan_input_head(s) != 0 ||
			(plan_input_read(s, copy.p, copy.len, NULL, NULL, NULL) == MRG_OK &&
				s->room->walk.warnings <= warnings)))
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "written again, event %" PRIu64, i < want_count ? want[i].id : 0);
	snprintf(r->why, sizeof r->why, "written again: event %zu of %zu is another, or it is not a message",
		i, want_count);
}

enum { BESIDE = 16 }; /* octets on both sides of what a builder writes, that it must leave alone */

static bool left_alone(const uint8_t *p) { return memcmp(p, "ZZZZZZZZZZZZZZZZ", BESIDE) == 0; }

/* Octets none of which is what it is there. */
static void turned(uint8_t *to, const uint8_t *from, size_t len)
{
	uint64_t word;
	size_t i = 0;
	for (; len - i >= sizeof word; i += sizeof word) {
		memcpy(&word, from + i, sizeof word);
		word = ~word;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < len; i++)
		to[i] = (uint8_t)~from[i];
}

/*
 * From what the view says the builder makes the octets that a copy has, which are the first of those written again, with as much room as
 * they need.  With one octet less of it there is too little.
 */
static void is_built_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	size_t len, struct mrg_fuzz_result *r)
{
	uint8_t *const room = s->room->again[1], *const at = room + BESIDE;
	const bool less = len % 8 != 0 && len % 8 == (message.len == 0 ? 0 : message.p[message.len - 1] % 8u);
	if (len > MRG_PLAN_AGAIN - 2 * BESIDE)
		return;
	memset(room, 'Z', BESIDE);
	turned(at, s->room->again[0], len); /* what it does not write must not be there already */
	memset(at + len - less, 'Z', BESIDE);
	struct mrg_w w;
	mrg_w_init(&w, room, BESIDE + len - less);
	w.len = BESIDE; /* it is not the first in its buffer */
	const enum mrg_status st =
		(s->glue->built != NULL ? s->glue->built : s->glue->again)(message, numbers, &w);
	const bool beside = !left_alone(room) || !left_alone(at + len - less);
	if (!beside && st == MRG_OK && w.st == (less ? MRG_E_SPACE : MRG_OK) &&
		(less || (w.len == BESIDE + len && memcmp(at, s->room->again[0], len) == 0)))
		return;
	if (!beside && st == MRG_OK && w.st != MRG_OK && s->glue->choosy)
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "built %d %d %d", (int)st, (int)w.st, beside);
	snprintf(r->why, sizeof r->why,
		"built: check %s, builder %s, %zu octets%s, or others than the %zu of a copy, in room for %zu",
		mrg_status_str(st), mrg_status_str(w.st), w.len - BESIDE,
		beside ? " and some beside them" : "", len, len - less);
}

/* An argument that does not fit where it goes is refused. */
static void takes_no_misfit(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	struct mrg_w w;
	mrg_w_init(&w, s->room->again[1], MRG_PLAN_AGAIN);
	const unsigned which = s->glue->misfits(message, numbers, &w);
	if (which == 0)
		return;
	r->verdict = MRG_FUZZ_WRONG;
	snprintf(r->key, sizeof r->key, "built of a misfit %u", which);
	snprintf(r->why, sizeof r->why,
		"built: argument %u is taken, which is too large, too long or too short", which);
}

/* What a builder writes of a message is one, and is written the same once more. */
static void writes_the_same(struct mrg_plan_subject *s, struct mrg_span message, const uint64_t *numbers,
	struct mrg_fuzz_result *r)
{
	struct mrg_span in = message;
	unsigned times = 2;
	for (unsigned i = 0; i < times; i++) {
		struct mrg_w w;
		mrg_w_init(&w, s->room->again[i], MRG_PLAN_AGAIN);
		const enum mrg_status st = s->glue->again(in, numbers, &w);
		if (st == MRG_OK && w.st != MRG_OK && i == 0 &&
			(s->glue->choosy || (w.st == MRG_E_SPACE && has_pointers(&s->room->walk))))
			return; /* `send` rules bind builders */
		if (st == MRG_E_LIMIT && i == 1 && plan_input_packet(s)->max_bytes != 0 &&
			in.len > plan_input_packet(s)->max_bytes)
			return; /* chains are written without pointers */
		const size_t len = w.len;
		if (st == MRG_OK && w.st == MRG_OK &&
			(i == 0 || (len == in.len && memcmp(in.p, w.p, len) == 0))) {
			const struct mrg_span copy = { w.p, len };
			if (i == 0 && len == s->room->walk.used) {
				const bool same = memcmp(in.p, w.p, len) == 0;
				if (!same)
					still_says_the_same(s, copy, numbers, r);
				else if (len == in.len)
					times = 1; /* the second time would be the first one again */
			}
			in = copy;
			continue;
		}
		r->verdict = MRG_FUZZ_WRONG;
		snprintf(r->key, sizeof r->key, "written again %u %d %d", i, (int)st, (int)w.st);
		snprintf(r->why, sizeof r->why, "written again (%u): check %s, builder %s, %zu octets of %zu",
			i, mrg_status_str(st), mrg_status_str(w.st), len, in.len);
		return;
	}
	/* Where copying is what the builder does, some of them will do; by what they say, since there are packets of one length. */
	const size_t some = (in.len + (in.len != 0 ? in.p[in.len - 1] : 0)) % 4;
	if (r->verdict != MRG_FUZZ_WRONG && (s->glue->built != NULL || some == 1))
		is_built_the_same(s, message, numbers, in.len, r);
	if (r->verdict != MRG_FUZZ_WRONG && s->glue->misfits != NULL && some == 0)
		takes_no_misfit(s, message, numbers, r);
}

/* Of a chain's faults the line may be that of the arm. */
static bool names_another_line(const struct mrg_plan_subject *s, const struct mrg_reject *rj)
{
	const uint32_t where = s->room->walk.where;
	return where != MRG_PLAN_NONE && rj->site != NULL && s->plan->items[where].kind != MRG_PLAN_CHAIN &&
	       s->plan->items[where].line != rj->site->line;
}

void mrg_plan_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct mrg_plan_subject *const s = ctx;
	const struct mrg_span message = plan_input_message(s, in, len);
	uint64_t numbers[PARAMS_MAX] = { 0 };
	struct mrg_reject rj = { .status = MRG_OK };
	size_t used = 0;
	const enum mrg_status want = plan_input_read_now(s, in, len, numbers);
	const enum mrg_status st = s->glue->check(message, numbers, &used, &rj);
	result->verdict = st == MRG_OK ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	if (want == MRG_E_SPACE)
		return; /* more than the tables have room for */
	if (st != want)
		differ(result, "status", s, st, st == MRG_OK ? used : rj.bit_off);
	else if (st == MRG_OK && used != s->room->walk.used)
		differ(result, "octets used", s, st, used);
	else if (st == MRG_OK && tells_the_same(s, message, numbers, result) && s->glue->again != NULL)
		writes_the_same(s, message, numbers, result);
	else if (st != MRG_OK && rj.status != st)
		differ(result, "status of rejection", s, rj.status, rj.bit_off);
	else if (st != MRG_OK && rj.bit_off != s->room->walk.bit_off)
		differ(result, "place of rejection", s, st, rj.bit_off);
	else if (st != MRG_OK && names_another_line(s, &rj))
		differ(result, "line of rejection", s, st, rj.site->line);
	else if (st != MRG_OK && used != 0)
		differ(result, "a view of what is refused", s, st, used);
	if (s->fetch != NULL && result->verdict != MRG_FUZZ_WRONG)
		mrg_once_check(s->fetch, message, numbers, st, used, &rj, result);
}

void mrg_plan_subject_learn(void *ctx, const uint8_t *in, size_t len)
{
	uint64_t numbers[PARAMS_MAX] = { 0 };
	(void)plan_input_read_now(ctx, in, len, numbers);
}

/* ---- for people ---- */

static void show_node(
	const struct mrg_plan_subject *s, uint32_t at, unsigned depth, const uint8_t *message, FILE *to)
{
	const struct mrg_node *const n = &s->room->walk.nodes[at];
	const struct mrg_plan_item *const item = n->item != MRG_PLAN_NONE ? &s->plan->items[n->item] : NULL;
	fprintf(to, "%*s%s", (int)(2 * depth), "",
		item != NULL && item->name[0] != 0 ? item->name
		: n->packet != MRG_PLAN_NONE       ? s->plan->packets[n->packet].name
						   : "-");
	if (item != NULL && (item->kind == MRG_PLAN_SCALAR || item->kind == MRG_PLAN_VARINT ||
				    item->kind == MRG_PLAN_LET))
		fprintf(to, ": %" PRIu64, n->value);
	if (item != NULL && item->kind == MRG_PLAN_SWITCH)
		fprintf(to, ": %s", s->plan->arms[item->a + n->arm].name);
	if (item != NULL && item->kind == MRG_PLAN_BYTES)
		for (uint64_t i = 0; i < n->value && i < 64; i++)
			fprintf(to, "%s%02x", i == 0 ? ": " : "", message[n->bit_off / 8 + i]);
	fputc('\n', to);
	if (depth < 64)
		for (uint32_t child = n->first; child != 0; child = s->room->walk.nodes[child].next)
			show_node(s, child, depth + 1, message, to);
}

void mrg_plan_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	struct mrg_plan_subject *const s = ctx;
	const struct mrg_span message = plan_input_message(s, in, len);
	uint64_t numbers[PARAMS_MAX] = { 0 };
	const enum mrg_status st =
		plan_input_read(s, in, len, &s->room->mine, NULL, numbers); /* with all that is in packets */
	for (size_t i = 0; i < plan_input_head(s) / PLAN_NUMBER; i++)
		fprintf(to, "parameter %zu: %" PRIu64 "\n", i, numbers[i]);
	show_node(s, 0, 0, message.p, to);
	if (st == MRG_OK)
		fprintf(to, "%zu of %zu octets\n", s->room->walk.used, message.len);
	else
		fprintf(to, "%s at bit %zu: %s: %s\n", mrg_status_str(st), s->room->walk.bit_off,
			s->room->walk.where != MRG_PLAN_NONE ? s->plan->items[s->room->walk.where].name : "",
			s->room->walk.what);
}

const char *mrg_plan_subject_point(void *ctx, size_t point)
{
	const struct mrg_plan_subject *const s = ctx;
	return s->plan->points[s->points[point]];
}
