/*
 * A host that does what bytes say.
 * Reading order: what must hold, what the driver is made to do, what the host does, hostile_run.
 */
#include <string.h>

#include "tests/protocols/http/guard.h"
#include "tests/runtime/vm/fake_host.h"
#include "tests/runtime/vm/hostile.h"

enum { MEMORY = 1 << 20, QUEUES = 2, LENT_MAX = 256, FRAME = 14 };

struct bytes {
	const uint8_t *p;
	size_t len;
};

static struct {
	struct vm_net net;
	struct bytes bytes;
	size_t turn_frames;
	/* buffers that the host has and may write to or give back */
	struct {
		uint16_t id;
		uint8_t *p;
		uint32_t len;
	} lent[QUEUES][LENT_MAX];
	size_t lent_count[QUEUES];
} all;

/* The next bytes as a number; zeros behind the end. */
static uint32_t number(unsigned bytes)
{
	uint32_t v = 0;
	for (; bytes > 0; bytes--) {
		v = v << 8 | (all.bytes.len != 0 ? *all.bytes.p : 0u);
		all.bytes.p += all.bytes.len != 0;
		all.bytes.len -= all.bytes.len != 0;
	}
	return v;
}

/* Small as a rule, and at times of any size. */
static uint32_t size(void)
{
	const uint32_t kind = number(1);
	return kind < 0xe0 ? kind * 8u : kind < 0xf8 ? number(2) : number(4);
}

/* ---- what must hold ---- */

static bool within(const uint8_t *p, size_t len, const uint8_t *area, size_t area_len)
{
	return p >= area && len <= area_len && (size_t)(p - area) <= area_len - len;
}

static void must_be_a_buffer(const struct mrg_frame *f)
{
	const struct vm_net *const n = &all.net;
	MUST(f->len >= FRAME && f->cap >= f->len);
	MUST(within(f->p, f->cap, n->in, vm_net_small.in_len) ||
		within(f->p, f->cap, n->joint, FAKE_FRAME_MAX));
	const struct mrg_frame_work *const w = &f->work;
	MUST(w->sum_at == 0 ||
		(w->sum_from >= FRAME && w->sum_at >= w->sum_from && w->sum_at + 2u <= f->len));
	MUST((w->cut != MRG_FRAME_WHOLE) == (w->segment_len != 0));
}

static void must_be_sound(void)
{
	const struct vm_net *const n = &all.net;
	MUST(n->gone == (n->failed != NULL));
	MUST(!(n->rx.broken || n->tx.broken) || n->gone);
	MUST(n->rx.out <= n->rx.size && n->tx.out <= n->tx.size);
	MUST((uint16_t)(n->out_newest - n->out_oldest) <= n->tx.size);
	MUST(n->out_first <= n->out_cap && n->out_next <= n->out_cap);
}

/* ---- what the driver is made to do ---- */

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	MUST(count >= 1 && count <= VM_NET_BURST);
	for (size_t i = 0; i < count; i++) {
		must_be_a_buffer(&f[i]);
		for (size_t k = 0; k < i; k++)
			MUST(f[k].p + f[k].cap <= f[i].p || f[i].p + f[i].cap <= f[k].p ||
				f[k].cap > f[k].len);
		memset(f[i].p, (int)i, f[i].len); /* the answer in its place */
		const struct mrg_span part = { f[i].p, f[i].len };
		(void)mrg_link_send(&all.net.link, &part, 1, NULL);
	}
	all.turn_frames += count;
}

static void poll_some(void)
{
	for (uint32_t i = number(1) % 4u + 1u; i > 0; i--) {
		all.turn_frames = 0;
		(void)vm_net_poll(&all.net, ++fake.now_ns);
		MUST(all.turn_frames <= VM_NET_BURST);
	}
}

static void send_some(void)
{
	static const uint8_t bytes[FAKE_FRAME_MAX];
	const struct mrg_span parts[2] = { { bytes, FRAME }, { bytes, size() } };
	const struct mrg_frame_work work = {
		.sum_from = 34, .sum_at = 50, .cut = MRG_FRAME_TCP4, .segment_len = 1448, .header_len = 66
	};
	if (parts[1].len > sizeof bytes)
		return;
	const bool gone = all.net.gone;
	const enum mrg_io io = mrg_link_send(&all.net.link, parts, 2, number(1) % 2u != 0 ? &work : NULL);
	MUST(!gone || io == MRG_IO_RESET);
}

static void turn(void)
{
	poll_some();
	vm_net_flush(&all.net);
	if (vm_net_rest(&all.net))
		vm_net_woken(&all.net);
}

/* ---- what the host does ---- */

/* Is it what the driver has lent, whatever stands in the rings by now, and not yet on the host's list? */
static bool is_lent(unsigned queue, uint16_t id, const uint8_t *p, uint32_t len)
{
	const struct vm_net *const n = &all.net;
	for (size_t i = 0; i < all.lent_count[queue]; i++)
		if (all.lent[queue][i].id == id)
			return false;
	if (queue == FAKE_TX)
		return id < n->tx.size && n->tx.lent[id];
	return id < n->rx.size && n->rx.lent[id] && p == n->in + id * n->slot && len == n->slot;
}

static void borrow(unsigned queue)
{
	size_t *const count = &all.lent_count[queue];
	uint16_t id;
	uint8_t *p;
	uint32_t len;
	while (*count < LENT_MAX && fake_next(0, queue, &id, &p, &len))
		if (is_lent(queue, id, p, len)) {
			all.lent[queue][*count].id = id;
			all.lent[queue][*count].p = p;
			all.lent[queue][*count].len = len;
			++*count;
		}
}

/* Give one of those back that are lent, with a length that may be right. */
static void give_one(unsigned queue)
{
	borrow(queue);
	if (all.lent_count[queue] == 0)
		return;
	const size_t which = number(1) % 4u == 0 ? number(1) % all.lent_count[queue] : 0;
	const uint32_t id = all.lent[queue][which].id, room = all.lent[queue][which].len, len = size();
	uint8_t *const p = all.lent[queue][which].p;
	if (queue == FAKE_RX && all.net.rx.lent[id]) {
		const uint32_t kind = number(1), header = kind < 192 ? 0 : kind % 16u;
		memset(p, 0, FAKE_HEADER);
		for (uint32_t i = 0; i < header && i < room; i++)
			p[i] = (uint8_t)number(1);
		p[10] = (uint8_t)(number(1) % 8u < 6 ? 1 : number(1) % 48u);
		memset(p + FAKE_HEADER, 0xff, 6);
	}
	fake_put_used(0, queue, id, len);
	if (number(1) % 64u != 0) { /* else it is given twice */
		memmove(&all.lent[queue][which], &all.lent[queue][which + 1],
			(all.lent_count[queue] - which - 1u) * sizeof all.lent[0][0]);
		all.lent_count[queue]--;
	}
}

static void give_burst(unsigned queue)
{
	for (uint32_t i = number(1) % 24u + 1u; i > 0 && all.bytes.len != 0; i--)
		give_one(queue);
	fake_publish(0, queue);
}

static void scribble(unsigned queue)
{
	const struct fake_card *const c = &fake.card[0];
	const size_t at = number(2) % vm_ring_len(c->size[queue]),
		     index = vm_ring_used_at(c->size[queue]) + 2u;
	const uint8_t octet = (uint8_t)number(1);
	if (at < index || at >= index + 2u) /* which jump() writes: most of all others end it */
		c->ring[queue][at] = octet;
}

/* A step too far, on to an entry that was never written; or, seldom, any, which most often ends it. */
static void jump(unsigned queue)
{
	if (number(1) < 2)
		fake.card[0].used[queue] = (uint16_t)number(2);
	fake_put_index(0, queue, ++fake.card[0].used[queue]);
}

static void act(uint32_t what)
{
	/* an entry in a ring that has nothing to come back ends it at once: as a rule, one that has */
	const unsigned asked = what >> 4 & 1u,
		       queue = asked == FAKE_TX && all.net.tx.out == 0 && what < 0xe0 ? FAKE_RX : asked;
	switch (what & 15u) {
	case 0:
	case 1:
	case 2: give_burst(queue); break;
	case 3:
	case 4:
	case 5: turn(); break;
	case 6: send_some(); break;
	case 7: fake_put_used(0, queue, number(4), number(4)); break;
	case 8: fake_put_used(0, queue, number(1), size()); break;
	case 9: fake_publish(0, queue); break;
	case 10: jump(queue); break;
	case 11: fake_put_flags(0, queue, (uint16_t)number(2)); break;
	case 12: fake_put_event(0, queue, (uint16_t)number(2)); break;
	case 13: scribble(queue); break;
	case 14: fake.boot.device[0].config[number(1) % VM_CONFIG_MAX] = (uint8_t)number(1); break;
	default: poll_some(); break;
	}
}

/* ---- all of it ---- */

static void add_bad(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	(void)protocol;
	if (strncmp(name, "bad_", 4) == 0)
		*(uint64_t *)ctx += value;
}

/* What the device says of itself. */
static void describe(void)
{
	static const uint8_t features[] = { MRG_VIRTIO_NET_FEATURE_CSUM, MRG_VIRTIO_NET_FEATURE_GUEST_CSUM,
		MRG_VIRTIO_NET_FEATURE_MTU, MRG_VIRTIO_NET_FEATURE_MAC, MRG_VIRTIO_NET_FEATURE_GUEST_TSO4,
		MRG_VIRTIO_NET_FEATURE_GUEST_TSO6, MRG_VIRTIO_NET_FEATURE_HOST_TSO4,
		MRG_VIRTIO_NET_FEATURE_HOST_TSO6, MRG_VIRTIO_NET_FEATURE_MRG_RXBUF,
		MRG_VIRTIO_FEATURE_EVENT_IDX };
	struct vm_device *const d = &fake.boot.device[0];
	const uint32_t which = number(2);
	for (size_t i = 0; i < sizeof features; i++)
		d->features |= (which >> i & 1u) != 0 ? FAKE_BIT(features[i]) : 0;
	d->config_len = number(1) % 2u != 0 ? VM_CONFIG_MAX : number(1) % (VM_CONFIG_MAX + 1u);
	for (size_t i = 0; i < 6; i++)
		d->config[i] = (uint8_t)number(1);
	if (number(1) % 4u != 0)
		fake_mtu(0, (uint16_t)(1280u + number(1)));
	for (unsigned queue = 0; queue < QUEUES; queue++)
		d->queue_size_max[queue] = (uint16_t)(1u << (number(1) % 8u == 0 ? number(1) % 11u : 6u));
}

struct hostile_end hostile_run(const uint8_t *p, size_t len)
{
	static const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 };
	struct hostile_end end = { .refused = true };
	memset(&all, 0, sizeof all);
	all.bytes = (struct bytes){ p, len };
	fake_begin(MEMORY, 0, 0);
	fake.wild = true;
	describe();
	struct mrg_arena arena = fake_arena(vm_net_memory(&vm_net_small));
	if (vm_net_init(&all.net, &arena, &fake_calls, &fake.boot, 0, &vm_net_small, mac)) {
		end.refused = false;
		all.net.link.user.frames = frames;
		all.net.promiscuous = true;
		for (unsigned after = 0; all.bytes.len != 0 && after < 20; after += all.net.gone) {
			const struct fake_card before = fake.card[0];
			const bool gone = all.net.gone;
			act(number(1));
			must_be_sound();
			MUST(!gone || memcmp(before.kicks, fake.card[0].kicks, sizeof before.kicks) == 0);
		}
	}
	end.gone = all.net.gone && !end.refused;
	end.frames_in = all.net.counts.frames_in;
	end.frames_out = all.net.counts.frames_out;
	vm_net_counts(&all.net, add_bad, &end.bad);
	fake_end();
	return end;
}
