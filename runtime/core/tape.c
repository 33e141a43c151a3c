/*
 * The last frames of a link, in a ring.
 * Reading order: room_for, begin, the two directions, mrg_tape_init.
 *
 * A record is a header and what is kept of the frame, in one piece: one that does not fit behind the last begins at the ring's start.
 * The oldest records go until there is room. They lie in [first, next), or in [first, end) and [0, next).
 */
#include "core/mrg_pcap.h"
#include "core/mrg_tape.h"

struct record {
	uint64_t at_ns;
	uint32_t len, kept;
};

enum { ALIGN = 8, HEADER = sizeof(struct record) };
_Static_assert((size_t)HEADER == (size_t)MRG_RT_PCAP_FRAME, "a file has no more than the ring");

static size_t size_of(uint32_t kept) { return HEADER + ((size_t)kept + ALIGN - 1u) / ALIGN * ALIGN; }

static struct record record_at(const struct mrg_tape *t, size_t at)
{
	struct record r;
	memcpy(&r, t->p + at, sizeof r);
	return r;
}

static size_t behind(const struct mrg_tape *t, size_t at, uint32_t kept)
{
	const size_t next = at + size_of(kept);
	return next == t->end ? 0 : next;
}

static void drop_oldest(struct mrg_tape *t)
{
	t->first = behind(t, t->first, record_at(t, t->first).kept);
	if (t->first == 0)
		t->end = SIZE_MAX;
	t->count--;
}

/* Where so many bytes go. */
static uint8_t *room_for(struct mrg_tape *t, size_t size)
{
	if (size > t->cap - t->next) {
		while (t->count != 0 && t->first >= t->next)
			drop_oldest(t);
		t->end = t->next;
		t->next = 0;
	}
	while (t->count != 0 && t->first >= t->next && t->first - t->next < size)
		drop_oldest(t);
	if (t->count == 0) {
		t->first = t->next = 0;
		t->end = SIZE_MAX;
	}
	uint8_t *const p = t->p + t->next;
	t->next += size;
	t->count++;
	t->seen++;
	return p;
}

/* A record without the bytes, which go where it says. */
static uint8_t *begin(struct mrg_tape *t, size_t len, uint32_t *kept)
{
	*kept = len < t->snap ? (uint32_t)len : t->snap;
	const struct record r = { *t->now_ns, (uint32_t)len, *kept };
	uint8_t *const p = room_for(t, size_of(*kept));
	memcpy(p, &r, sizeof r);
	return p + sizeof r;
}

/* ---- the two directions ---- */

static void came(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	struct mrg_tape *const t = ctx;
	for (size_t i = 0; i < count; i++) {
		uint32_t kept;
		uint8_t *const p = begin(t, f[i].len, &kept);
		memcpy(p, f[i].p, kept);
	}
	if (t->link.user.frames != NULL)
		t->link.user.frames(t->link.user.ctx, f, count, now_ns);
}

static enum mrg_io goes(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct mrg_tape *const t = (struct mrg_tape *)(void *)l;
	const enum mrg_io io = mrg_link_send(t->beneath, parts, count, work);
	size_t len = 0;
	uint32_t kept;
	if (io != MRG_IO_OK)
		return io; /* it never was on the link */
	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	uint8_t *p = begin(t, len, &kept);
	for (size_t i = 0; kept != 0; i++) {
		const uint32_t n = parts[i].len < kept ? (uint32_t)parts[i].len : kept;
		if (n == 0)
			continue;
		memcpy(p, parts[i].p, n);
		p += n;
		kept -= n;
	}
	return io;
}

static const struct mrg_link_ops tape_ops = { .send = goes };

/* ---- what is on it ---- */

void mrg_tape_first(const struct mrg_tape *t, struct mrg_tape_at *at)
{
	*at = (struct mrg_tape_at){ t->first, t->count };
}

bool mrg_tape_next(const struct mrg_tape *t, struct mrg_tape_at *at, struct mrg_tape_frame *out)
{
	if (at->left == 0)
		return false;
	const struct record r = record_at(t, at->at);
	*out = (struct mrg_tape_frame){ r.at_ns, r.len, { t->p + at->at + HEADER, r.kept } };
	at->at = behind(t, at->at, r.kept);
	at->left--;
	return true;
}

void mrg_tape_put(const struct mrg_tape *t, uint64_t ahead_ns, struct mrg_w *w)
{
	struct mrg_tape_at at;
	struct mrg_tape_frame f;
	mrg_rt_pcap_begin(w, t->snap);
	for (mrg_tape_first(t, &at); mrg_tape_next(t, &at, &f);)
		mrg_rt_pcap_frame(w, ahead_ns + f.at_ns, f.len, f.kept);
}

/* ---- beginning ---- */

size_t mrg_tape_memory(const struct mrg_tape_options *o) { return o->cap + ALIGN; }

bool mrg_tape_init(struct mrg_tape *t, struct mrg_arena *arena, const struct mrg_tape_options *o,
	struct mrg_link *beneath, const uint64_t *now_ns)
{
	const size_t most = o->cap / 2u / ALIGN * ALIGN - HEADER;
	uint8_t *const p = mrg_arena_get(arena, o->cap, ALIGN);
	if (p == NULL)
		return false;
	*t = (struct mrg_tape){
		.link = *beneath, .beneath = beneath, .now_ns = now_ns, .p = p, .cap = o->cap
	};
	t->snap = o->snap < most ? o->snap : (uint32_t)most;
	t->end = SIZE_MAX;
	t->link.ops = &tape_ops;
	t->link.user = (struct mrg_link_user){ .ctx = NULL };
	beneath->user = (struct mrg_link_user){ .ctx = t, .frames = came };
	return true;
}
