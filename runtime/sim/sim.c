/*
 * Virtual time, and frames on their way.
 * Reading order: the structures, sending, arriving, mrg_sim_run, then what adds hosts, wires and ports.
 */
#include "sim/mrg_sim.h"

enum {
	BURST = 64,    /* frames that are handed on at once */
	ETHERNET = 14, /* bytes of a frame's header */
	MTU = 1500,
	ADDRESS = 6,
	LINE = 64
};

const struct mrg_sim_limits mrg_sim_usual = {
	.host_count = 64,
	.wire_count = 64,
	.port_count = 256,
	.frame_count = 65536,
	.frame_max = 65536 + ETHERNET,
	.frame_len = 64u << 20,
};

/* A frame on its way to one port. */
struct flight {
	uint64_t at_ns, number; /* number: of all that were sent, so that order among equals is kept */
	struct port *to;
	const struct port *from;
	uint8_t *p;
	size_t len, size; /* bytes that arrive; of its block */
	uint64_t index;
	struct mrg_frame_work work;
	bool first; /* of those that one frame becomes, for those who watch the wire */
	bool altered;
};

struct port {
	struct mrg_link link;
	struct mrg_sim_wire *wire;
	struct mrg_sim_host *host;
	struct mrg_impair way; /* of what it sends */
	struct port *next;     /* on its wire */
};

struct mrg_sim_wire {
	struct mrg_sim *sim;
	struct mrg_sim_options options;
	struct mrg_sim_counts counts;
	struct port *first, **last;
	uint32_t number, port_count;
	uint64_t sent;
};

struct mrg_sim {
	struct mrg_sim_limits limits;
	uint64_t now_ns, seed, numbers;
	struct mrg_rt_blocks blocks;
	struct flight *heap; /* the next to arrive first */
	size_t flight_count;
	struct mrg_sim_host *hosts;
	struct mrg_sim_wire *wires;
	struct port *ports;
	uint32_t host_count, wire_count, port_count;
	struct mrg_frame burst[BURST];
	struct flight landed[BURST];
};

/* ---- the heap of flights ---- */

static bool before(const struct flight *a, const struct flight *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void push(struct mrg_sim *s, const struct flight *f)
{
	size_t at = s->flight_count++;
	for (; at != 0 && before(f, &s->heap[(at - 1u) / 2u]); at = (at - 1u) / 2u)
		s->heap[at] = s->heap[(at - 1u) / 2u];
	s->heap[at] = *f;
}

static struct flight pop(struct mrg_sim *s)
{
	const struct flight top = s->heap[0], last = s->heap[--s->flight_count];
	size_t at = 0;
	for (;;) {
		size_t child = 2u * at + 1u;
		if (child >= s->flight_count)
			break;
		if (child + 1u < s->flight_count && before(&s->heap[child + 1u], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	if (s->flight_count != 0)
		s->heap[at] = last;
	return top;
}

/* ---- sending ---- */

/* A frame that is sent, put together. */
struct sending {
	struct port *from;
	const uint8_t *p;
	size_t len;
	uint64_t index;
	struct mrg_frame_work work; /* what those who get it are told */
};

static bool take_off(struct mrg_sim *s, const struct sending *out, struct port *to,
	const struct mrg_impair_copy *c, uint64_t at_ns, bool first)
{
	struct flight f = { .at_ns = at_ns,
		.to = to,
		.from = out->from,
		.len = c->len,
		.size = out->len,
		.index = out->index,
		.work = out->work,
		.first = first,
		.altered = c->altered };
	f.p = s->flight_count < s->limits.frame_count ? mrg_rt_blocks_get(&s->blocks, f.size) : NULL;
	if (f.p == NULL) {
		out->from->wire->counts.no_room++;
		return false;
	}
	memcpy(f.p, out->p, out->len);
	mrg_impair_alter(c, f.p);
	if (c->altered)
		f.work = (struct mrg_frame_work){
			.sum_ok = false
		}; /* what has checked it would have found fault */
	f.number = s->numbers++;
	push(s, &f);
	return true;
}

/* One arrival of the frame at all other ports. */
static bool spread(
	struct mrg_sim *s, const struct sending *out, const struct mrg_impair_copy *c, uint64_t at_ns)
{
	bool first = true, all = true;
	for (struct port *to = out->from->wire->first; to != NULL; to = to->next) {
		if (to == out->from)
			continue;
		all = take_off(s, out, to, c, at_ns, first) && all;
		first = false;
	}
	return all;
}

static void show(const struct mrg_sim_wire *w, const struct mrg_sim_seen *f)
{
	if (w->options.see != NULL)
		w->options.see(w->options.see_ctx, f);
}

static struct mrg_sim_fate fate_of(struct mrg_sim_wire *w, const struct mrg_sim_seen *f)
{
	struct mrg_sim_fate fate = { .drop = false };
	if (w->options.fault != NULL)
		w->options.fault(w->options.fault_ctx, f, &fate);
	w->counts.dropped += fate.drop;
	w->counts.doubled += !fate.drop && fate.twice;
	w->counts.delayed += !fate.drop && fate.late_ns != 0;
	return fate;
}

/* What chance and the faults make of the frame. */
static enum mrg_io go(struct mrg_sim_wire *w, const struct sending *out)
{
	struct mrg_sim *const s = w->sim;
	const struct mrg_sim_seen seen = { .wire = w,
		.from = &out->from->link,
		.index = out->index,
		.now_ns = s->now_ns,
		.bytes = { out->p, out->len } };
	struct mrg_impair_copy copies[MRG_IMPAIR_COPIES];
	show(w, &seen);
	const struct mrg_sim_fate fate = fate_of(w, &seen);
	const size_t count = mrg_impair_frame(&out->from->way, &w->options.way, out->len, s->now_ns, copies);
	bool all = true;
	for (size_t i = 0; i < count && !fate.drop; i++) {
		const uint64_t at_ns = copies[i].at_ns + fate.late_ns;
		all = spread(s, out, &copies[i], at_ns) && all;
		if (fate.twice && i == 0)
			all = spread(s, out, &copies[i], at_ns) && all;
	}
	return all ? MRG_IO_OK : MRG_IO_AGAIN;
}

/* The checksum that was left to be completed. */
static void complete(uint8_t *p, size_t len, const struct mrg_frame_work *work)
{
	const size_t from = work->sum_from, at = work->sum_at;
	if (at == 0 || at < from || at + 2u > len)
		return;
	const uint16_t sum = mrg_inet16_end(mrg_inet16_add(0, p + from, len - from, 0));
	mrg_put_be16(p + at, sum != 0 ? sum : UINT16_MAX); /* RFC 768: zero would say that there is none */
}

static size_t total(const struct mrg_span *parts, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	return len;
}

static bool too_long(const struct port *from, size_t len, const struct mrg_frame_work *work)
{
	const struct mrg_link *const l = &from->link;
	if (len < ETHERNET || len > from->wire->sim->limits.frame_max)
		return true;
	if (work->cut == MRG_FRAME_WHOLE)
		return len > (size_t)ETHERNET + l->mtu;
	return len > l->cut_max || work->segment_len == 0 ||
	       (size_t)work->header_len + work->segment_len > (size_t)ETHERNET + l->mtu;
}

static enum mrg_io send_frame(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct port *const from = (struct port *)(void *)l;
	struct mrg_sim_wire *const w = from->wire;
	struct mrg_sim *const s = w->sim;
	const struct mrg_frame_work nothing = { .sum_at = 0 }, *const todo = work != NULL ? work : &nothing;
	const size_t len = total(parts, count);
	w->counts.sent++;
	if (too_long(from, len, todo)) {
		w->counts.too_long++;
		return MRG_IO_AGAIN;
	}
	struct mrg_w whole;
	uint8_t *const p = mrg_rt_blocks_get(&s->blocks, len);
	if (p == NULL) {
		w->counts.no_room++;
		return MRG_IO_AGAIN;
	}
	mrg_w_init(&whole, p, len);
	for (size_t i = 0; i < count; i++)
		mrg_w_put(&whole, parts[i]);
	if (l->sums)
		complete(p, len, todo);
	const struct sending out = { .from = from,
		.p = p,
		.len = len,
		.index = w->sent++,
		.work = { .cut = todo->cut, .segment_len = todo->segment_len, .sum_ok = l->sums } };
	const enum mrg_io io = go(w, &out);
	mrg_rt_blocks_put(&s->blocks, p, len);
	return io;
}

static const struct mrg_link_ops port_ops = { .send = send_frame };

/* ---- arriving ---- */

static bool is_for(const struct port *to, const struct flight *f)
{
	if (to->wire->options.promiscuous || f->len < ADDRESS)
		return true;
	return (f->p[0] & 1u) != 0 || memcmp(f->p, to->link.address, ADDRESS) == 0;
}

/* The next frame, if it arrives at the same port at the same time as those before it. */
static bool joins(const struct mrg_sim *s, size_t count)
{
	const struct flight *const top = &s->heap[0], *const before_it = &s->landed[count - 1u];
	return s->flight_count != 0 && top->at_ns <= s->now_ns && top->to == before_it->to;
}

static size_t land(struct mrg_sim *s)
{
	size_t count = 0;
	do {
		struct flight *const f = &s->landed[count++];
		*f = pop(s);
		if (f->first)
			show(f->to->wire, &(struct mrg_sim_seen){ .wire = f->to->wire,
						  .from = &f->from->link,
						  .index = f->index,
						  .now_ns = s->now_ns,
						  .bytes = { f->p, f->len },
						  .arrives = true,
						  .altered = f->altered });
	} while (count < BURST && joins(s, count));
	return count;
}

static void arrive(struct mrg_sim *s)
{
	const size_t count = land(s);
	struct port *const to = s->landed[0].to;
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const struct flight *const f = &s->landed[i];
		if (!is_for(to, f)) {
			to->wire->counts.foreign++;
			continue;
		}
		s->burst[kept++] =
			(struct mrg_frame){ .p = f->p, .len = f->len, .cap = f->size, .work = f->work };
	}
	to->wire->counts.arrived += kept;
	to->host->now_ns = s->now_ns + to->host->ahead_ns;
	if (kept != 0 && to->link.user.frames != NULL)
		to->link.user.frames(to->link.user.ctx, s->burst, kept, to->host->now_ns);
	for (size_t i = 0; i < count; i++)
		mrg_rt_blocks_put(&s->blocks, s->landed[i].p, s->landed[i].size);
}

/* ---- time ---- */

uint64_t mrg_sim_now(const struct mrg_sim *sim) { return sim->now_ns; }

/* When a host's next timer is due, in the time of the network. */
static uint64_t timer_at(const struct mrg_sim *s, const struct mrg_sim_host *h)
{
	const uint64_t at = mrg_rt_timers_next(&h->timers);
	if (at == MRG_RT_NEVER)
		return MRG_RT_NEVER;
	const uint64_t mine = at > h->ahead_ns ? at - h->ahead_ns : 0;
	return mine > s->now_ns ? mine : s->now_ns;
}

/* The host whose timer is next; NULL when none is set. */
static struct mrg_sim_host *next_host(const struct mrg_sim *s, uint64_t *at_ns)
{
	struct mrg_sim_host *next = NULL;
	*at_ns = MRG_RT_NEVER;
	for (uint32_t i = 0; i < s->host_count; i++) {
		const uint64_t at = timer_at(s, &s->hosts[i]);
		if (at < *at_ns) {
			*at_ns = at;
			next = &s->hosts[i];
		}
	}
	return next;
}

uint64_t mrg_sim_next(const struct mrg_sim *s)
{
	uint64_t at;
	(void)next_host(s, &at);
	const uint64_t frame = s->flight_count != 0 ? s->heap[0].at_ns : MRG_RT_NEVER;
	return frame < at ? frame : at;
}

static void set_time(struct mrg_sim *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	for (uint32_t i = 0; i < s->host_count; i++)
		s->hosts[i].now_ns = now_ns + s->hosts[i].ahead_ns;
}

bool mrg_sim_run(struct mrg_sim *s, uint64_t until_ns)
{
	for (unsigned still = 0; still < MRG_SIM_STILL_MAX; still++) {
		uint64_t timer_ns;
		struct mrg_sim_host *const host = next_host(s, &timer_ns);
		const uint64_t frame_ns = s->flight_count != 0 ? s->heap[0].at_ns : MRG_RT_NEVER;
		const uint64_t at = frame_ns < timer_ns ? frame_ns : timer_ns;
		if (at > until_ns || at == MRG_RT_NEVER) {
			if (until_ns > s->now_ns)
				set_time(s, until_ns);
			return true;
		}
		if (at > s->now_ns) {
			set_time(s, at);
			still = 0;
		}
		if (frame_ns <= timer_ns)
			arrive(s);
		else
			mrg_rt_timers_run(&host->timers, host->now_ns);
	}
	return false;
}

/* ---- what there is ---- */

size_t mrg_sim_memory(const struct mrg_sim_limits *l)
{
	return sizeof(struct mrg_sim) + l->host_count * sizeof(struct mrg_sim_host) +
	       l->wire_count * sizeof(struct mrg_sim_wire) + l->port_count * sizeof(struct port) +
	       l->frame_count * sizeof(struct flight) + mrg_rt_blocks_memory(l->frame_len) + 8u * LINE;
}

struct mrg_sim *mrg_sim_open(struct mrg_arena *arena, const struct mrg_sim_limits *limits, uint64_t seed)
{
	struct mrg_sim *const s = mrg_arena_get(arena, sizeof *s, _Alignof(struct mrg_sim));
	if (s == NULL)
		return NULL;
	s->limits = *limits;
	s->seed = seed;
	s->hosts = mrg_arena_get(arena, limits->host_count * sizeof *s->hosts, LINE);
	s->wires = mrg_arena_get(arena, limits->wire_count * sizeof *s->wires, LINE);
	s->ports = mrg_arena_get(arena, limits->port_count * sizeof *s->ports, LINE);
	s->heap = mrg_arena_get(arena, limits->frame_count * sizeof *s->heap, LINE);
	if (s->hosts == NULL || s->wires == NULL || s->ports == NULL || s->heap == NULL)
		return NULL;
	return mrg_rt_blocks_init(&s->blocks, arena, limits->frame_len, limits->frame_max) ? s : NULL;
}

struct mrg_sim_host *mrg_sim_host_add(struct mrg_sim *s, uint64_t ahead_ns)
{
	if (s->host_count == s->limits.host_count)
		return NULL;
	struct mrg_sim_host *const h = &s->hosts[s->host_count++];
	*h = (struct mrg_sim_host){ .sim = s, .ahead_ns = ahead_ns, .now_ns = s->now_ns + ahead_ns };
	return h;
}

struct mrg_sim_wire *mrg_sim_wire_add(struct mrg_sim *s, const struct mrg_sim_options *options)
{
	if (s->wire_count == s->limits.wire_count)
		return NULL;
	struct mrg_sim_wire *const w = &s->wires[s->wire_count];
	*w = (struct mrg_sim_wire){ .sim = s, .options = *options, .number = s->wire_count++ };
	w->last = &w->first;
	return w;
}

struct mrg_sim_options *mrg_sim_wire_options(struct mrg_sim_wire *w) { return &w->options; }

struct mrg_sim_counts mrg_sim_wire_counts(const struct mrg_sim_wire *w)
{
	struct mrg_sim_counts c = w->counts;
	for (const struct port *p = w->first; p != NULL; p = p->next) {
		const struct mrg_impair_counts *const of = &p->way.counts;
		c.way.frames += of->frames;
		c.way.bytes += of->bytes;
		c.way.lost += of->lost;
		c.way.lost_in_bursts += of->lost_in_bursts;
		c.way.overflows += of->overflows;
		c.way.duplicated += of->duplicated;
		c.way.reordered += of->reordered;
		c.way.corrupted += of->corrupted;
		c.way.truncated += of->truncated;
	}
	return c;
}

struct mrg_link *mrg_sim_port_add(struct mrg_sim_wire *w, struct mrg_sim_host *host)
{
	struct mrg_sim *const s = w->sim;
	if (s->port_count == s->limits.port_count)
		return NULL;
	const uint32_t number = s->port_count++, on_wire = ++w->port_count;
	struct port *const p = &s->ports[number];
	*p = (struct port){
		.link = { .ops = &port_ops,
			.address = { 2, 0, (uint8_t)(w->number >> 8), (uint8_t)w->number,
				(uint8_t)(on_wire >> 8), (uint8_t)on_wire },
			.mtu = w->options.mtu != 0 ? w->options.mtu : MTU,
			.sums = w->options.sums,
			.cut_max = w->options.cut_max },
		.wire = w,
		.host = host,
	};
	mrg_impair_init(&p->way, s->seed, number);
	*w->last = p;
	w->last = &p->next;
	return &p->link;
}

void mrg_sim_nth(void *ctx, const struct mrg_sim_seen *f, struct mrg_sim_fate *fate)
{
	const struct mrg_sim_faults *const faults = ctx;
	for (size_t i = 0; i < faults->count; i++)
		if (faults->list[i].index == f->index)
			*fate = faults->list[i].fate;
}
