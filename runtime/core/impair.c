/*
 * The fates of frames.
 * Reading order: mrg_impair_frame at the end, then upwards.
 */
#include "core/mrg_impair.h"

/* What chance says of a frame, all of it for each frame, wanted or not. */
struct draw {
	bool lost, burst_lost, duplicate, reorder, corrupt, truncate;
	uint64_t late_ns, jitter_ns;
	size_t flip_bit, kept;
};

static bool bursts(struct mrg_impair *i, const struct mrg_impair_options *o)
{
	const uint32_t loss = o->burst_loss_ppm != 0 ? o->burst_loss_ppm : MRG_RANDOM_MILLION;
	const bool begins = mrg_random_hits(&i->random, o->burst_begin_ppm);
	const bool ends = mrg_random_hits(&i->random, o->burst_end_ppm);
	const bool hits = mrg_random_hits(&i->random, loss);
	i->bad_times = i->bad_times ? !ends : begins;
	return i->bad_times && hits;
}

static struct draw draw_all(struct mrg_impair *i, const struct mrg_impair_options *o, size_t len)
{
	struct mrg_random *const r = &i->random;
	const size_t least = o->truncate_least < len ? o->truncate_least : len;
	struct draw d;
	d.lost = mrg_random_hits(r, o->loss_ppm);
	d.burst_lost = bursts(i, o);
	d.duplicate = mrg_random_hits(r, o->duplicate_ppm);
	d.reorder = mrg_random_hits(r, o->reorder_ppm);
	d.corrupt = mrg_random_hits(r, o->corrupt_ppm);
	d.truncate = mrg_random_hits(r, o->truncate_ppm) && least < len;
	d.late_ns = mrg_random_below(r, o->reorder_ns) + 1u;
	d.jitter_ns = mrg_random_below(r, o->jitter_ns + 1u);
	d.flip_bit = (size_t)mrg_random_below(r, 8u * (uint64_t)len);
	d.kept = least + (size_t)mrg_random_below(r, len - least);
	return d;
}

/* Bytes that still wait for the line. */
static uint64_t waiting(const struct mrg_impair *i, const struct mrg_impair_options *o, uint64_t now_ns)
{
	const uint64_t second = 1000000000u;
	if (o->rate_bps == 0 || i->free_ns <= now_ns)
		return 0;
	const uint64_t left_ns = i->free_ns - now_ns;
	return left_ns / second * (o->rate_bps / 8u) + left_ns % second * (o->rate_bps / 8u) / second;
}

/* When the last bit of the frame is on the line. */
static uint64_t put_on_line(
	struct mrg_impair *i, const struct mrg_impair_options *o, size_t len, uint64_t now_ns)
{
	if (o->rate_bps == 0)
		return now_ns;
	const uint64_t from = i->free_ns > now_ns ? i->free_ns : now_ns;
	i->free_ns = from + (uint64_t)len * UINT64_C(8000000000) / o->rate_bps;
	return i->free_ns;
}

/* Is there no room for it before the line? */
static bool overflows(struct mrg_impair *i, const struct mrg_impair_options *o, size_t len, uint64_t now_ns)
{
	if (o->queue_len == 0 || waiting(i, o, now_ns) + len <= o->queue_len)
		return false;
	i->counts.overflows++;
	return true;
}

static bool is_lost(struct mrg_impair *i, const struct draw *d)
{
	i->counts.lost += d->lost;
	i->counts.lost_in_bursts += d->burst_lost && !d->lost;
	return d->lost || d->burst_lost;
}

static void alter(struct mrg_impair *i, const struct draw *d, struct mrg_impair_copy *c)
{
	if (d->truncate) {
		c->len = d->kept;
		c->altered = true;
		i->counts.truncated++;
	}
	if (d->corrupt && d->flip_bit < 8u * c->len) { /* what is cut off can't be seen to be wrong */
		c->flip_bit = d->flip_bit;
		c->altered = true;
		i->counts.corrupted++;
	}
}

void mrg_impair_init(struct mrg_impair *i, uint64_t seed, uint64_t stream)
{
	*i = (struct mrg_impair){ .bad_times = false };
	mrg_random_init(&i->random, seed, stream);
}

size_t mrg_impair_frame(struct mrg_impair *i, const struct mrg_impair_options *o, size_t len, uint64_t now_ns,
	struct mrg_impair_copy out[MRG_IMPAIR_COPIES])
{
	const struct draw d = draw_all(i, o, len);
	i->counts.frames++;
	i->counts.bytes += len;
	if (overflows(i, o, len, now_ns))
		return 0;
	const uint64_t at_ns = put_on_line(i, o, len, now_ns) + o->delay_ns + d.jitter_ns;
	if (is_lost(i, &d)) /* on the way: it has taken its time on the line */
		return 0;
	struct mrg_impair_copy c = {
		.at_ns = at_ns > i->last_ns ? at_ns : i->last_ns, .len = len, .flip_bit = 8u * len
	};
	if (d.reorder) {
		c.at_ns += d.late_ns;
		i->counts.reordered++;
	} else {
		i->last_ns = c.at_ns;
	}
	out[1] = c;
	alter(i, &d, &c);
	out[0] = c;
	i->counts.duplicated += d.duplicate;
	return d.duplicate ? 2 : 1;
}

void mrg_impair_alter(const struct mrg_impair_copy *c, uint8_t *p)
{
	if (c->flip_bit < 8u * c->len)
		p[c->flip_bit / 8u] ^= (uint8_t)(1u << c->flip_bit % 8u);
}
