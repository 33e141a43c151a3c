/*
 * The network card: frames from and to the rings.
 * Reading order: the two directions of the header, frames that go, frames that come, turns, vm_net_init.
 */
#include "virtio.h"
#include "vm/net.h"

enum {
	RX = 0, /* queues (section 5.1.2) */
	TX = 1,
	HEADER = sizeof((struct mrg_virtio_net_header_fetched *)0)->bytes,
	ETHERNET = 14,                /* bytes of the shortest frame: its header */
	TAG = 4,                      /* of a VLAN, which an MTU does not count */
	FRAME_MAX = ETHERNET + 65536, /* section 5.1.6.3.1 */
	SEND_MAX = ETHERNET + UINT16_MAX,
	SUM = 2,     /* bytes of a checksum */
	SLOT = 2048, /* bytes of a buffer, where frames may take several */
	LINE = 64,   /* bytes of a cache line */
	PAD = 2,     /* bytes before a buffer, so that IP headers are aligned */
	MTU_USUAL = 1500,
	MTU_MIN = 1280 /* what the stack wants at least (RFC 8200 section 5) */
};

#define BIT(feature) (UINT64_C(1) << (feature))
#define SUMS_IN BIT(MRG_VIRTIO_NET_FEATURE_GUEST_CSUM)
#define JOINED (BIT(MRG_VIRTIO_NET_FEATURE_GUEST_TSO4) | BIT(MRG_VIRTIO_NET_FEATURE_GUEST_TSO6))
#define CUTS (BIT(MRG_VIRTIO_NET_FEATURE_HOST_TSO4) | BIT(MRG_VIRTIO_NET_FEATURE_HOST_TSO6))

const uint64_t vm_features_of_net = BIT(MRG_VIRTIO_NET_FEATURE_CSUM) | BIT(MRG_VIRTIO_NET_FEATURE_MTU) |
				    BIT(MRG_VIRTIO_NET_FEATURE_MAC) | BIT(MRG_VIRTIO_NET_FEATURE_MRG_RXBUF) |
				    SUMS_IN | JOINED | CUTS | BIT(MRG_VIRTIO_FEATURE_EVENT_IDX);

const struct vm_net_limits vm_net_usual = { .queue_max = 256, .in_len = 512u << 10, .out_len = 512u << 10 };
const struct vm_net_limits vm_net_small = { .queue_max = 128, .in_len = 256u << 10, .out_len = 128u << 10 };

/* ---- what is left to be done ---- */

static struct mrg_virtio_net_header_args header_of(const struct mrg_frame_work *work)
{
	struct mrg_virtio_net_header_args h = { .flags = 0 };
	if (work == NULL)
		return h;
	if (work->sum_at != 0) {
		h.flags = MRG_VIRTIO_NET_NEEDS_CSUM;
		h.csum_start = work->sum_from;
		h.csum_offset = (uint16_t)(work->sum_at - work->sum_from);
	}
	if (work->cut == MRG_FRAME_WHOLE)
		return h;
	h.gso_type = work->cut == MRG_FRAME_TCP4 ? MRG_VIRTIO_NET_GSO_TCPV4 : MRG_VIRTIO_NET_GSO_TCPV6;
	h.gso_size = work->segment_len;
	h.hdr_len = work->header_len;
	return h;
}

/* false: the device can't have meant that. */
static bool sums_of(const struct vm_net *n, const struct mrg_virtio_net_header *h, struct mrg_frame *f)
{
	const unsigned flags = mrg_virtio_net_header_flags(h);
	if ((flags & MRG_VIRTIO_NET_NEEDS_CSUM) == 0) {
		f->work.sum_ok = n->sums_in && (flags & MRG_VIRTIO_NET_DATA_VALID) != 0;
		return true;
	}
	const size_t from = mrg_virtio_net_header_csum_start(h);
	const size_t at = from + mrg_virtio_net_header_csum_offset(h);
	if (!n->sums_in || from < ETHERNET || at > UINT16_MAX || at + SUM > f->len)
		return false;
	f->work.sum_ok = true;
	f->work.sum_from = (uint16_t)from;
	f->work.sum_at = (uint16_t)at;
	return true;
}

static bool joined_of(const struct vm_net *n, const struct mrg_virtio_net_header *h, struct mrg_frame *f)
{
	switch (mrg_virtio_net_header_gso(h)) {
	case MRG_VIRTIO_NET_GSO_NONE: return true;
	case MRG_VIRTIO_NET_GSO_TCPV4:
		f->work.cut = MRG_FRAME_TCP4;
		f->work.segment_len = mrg_virtio_net_header_gso_size(h);
		return n->joined4;
	case MRG_VIRTIO_NET_GSO_TCPV6:
		f->work.cut = MRG_FRAME_TCP6;
		f->work.segment_len = mrg_virtio_net_header_gso_size(h);
		return n->joined6;
	default: return false;
	}
}

/* ---- the card is given up ---- */

static void give_up(struct vm_net *n, const char *why)
{
	n->gone = true;
	n->failed = why;
}

static void check_queues(struct vm_net *n)
{
	if (MRG_UNLIKELY(n->rx.broken || n->tx.broken) && !n->gone)
		give_up(n, "an index of a ring that can't be");
}

/* ---- frames that go ---- */

/* What the device has done with is free, in the order in which it was given to it. */
static void reclaim(struct vm_net *n)
{
	uint16_t id;
	uint32_t len;
	(void)vm_virtq_look(&n->tx);
	while (vm_virtq_take(&n->tx, &id, &len))
		;
	while (n->out_oldest != n->out_newest) {
		const uint16_t oldest = n->out_oldest & (uint16_t)(n->tx.size - 1u);
		if (vm_virtq_is_lent(&n->tx, oldest))
			break;
		n->out_first = n->out_end[oldest];
		n->out_oldest++;
	}
	check_queues(n);
}

/* Where so many bytes go in one piece. What is in use lies in [first, next), or else everywhere but in [next, first). */
static uint8_t *room(struct vm_net *n, size_t size)
{
	if (n->out_oldest == n->out_newest)
		n->out_first = n->out_next = 0;
	if ((uint16_t)(n->out_newest - n->out_oldest) == n->tx.size)
		return NULL;
	if (n->out_next < n->out_first)
		return size < n->out_first - n->out_next ? n->out + n->out_next : NULL;
	if (size <= n->out_cap - n->out_next)
		return n->out + n->out_next;
	return size < n->out_first ? n->out : NULL;
}

static uint8_t *room_after_all(struct vm_net *n, size_t size)
{
	reclaim(n);
	uint8_t *p = room(n, size);
	if (p != NULL || n->gone)
		return p;
	vm_net_flush(n); /* a device that works at once has some then */
	reclaim(n);
	return room(n, size);
}

static enum mrg_io lost(struct vm_net *n)
{
	n->counts.lost_out++;
	return n->gone ? MRG_IO_RESET : MRG_IO_AGAIN;
}

static enum mrg_io send_frame(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct vm_net *const n = (struct vm_net *)(void *)l;
	const struct mrg_virtio_net_header_args h = header_of(work);
	size_t len = HEADER;
	struct mrg_w w;
	for (size_t i = 0; i < count && len <= HEADER + SEND_MAX; i++)
		len += parts[i].len < SEND_MAX ? parts[i].len : SEND_MAX + 1u;
	if (n->gone || len > HEADER + SEND_MAX)
		return lost(n);
	uint8_t *p = room(n, len);
	if (MRG_UNLIKELY(p == NULL))
		p = room_after_all(n, len);
	if (MRG_UNLIKELY(p == NULL || n->gone))
		return lost(n);
	mrg_w_init(&w, p, len);
	mrg_virtio_net_header_put(&w, &h);
	for (size_t i = 0; i < count; i++)
		mrg_w_put(&w, parts[i]);
	if (w.st != MRG_OK)
		return lost(n); /* what is to be done with it can't be said */
	const uint16_t id = n->out_newest++ & (uint16_t)(n->tx.size - 1u);
	n->out_next = (size_t)(p - n->out) + len;
	n->out_end[id] = (uint32_t)n->out_next;
	vm_virtq_set(&n->tx, id, p, (uint32_t)len, false);
	vm_virtq_lend(&n->tx, id);
	vm_virtq_publish(&n->tx);
	n->counts.frames_out++;
	n->counts.bytes_out += len - HEADER;
	n->counts.cut_out += h.gso_type != MRG_VIRTIO_NET_GSO_NONE;
	return MRG_IO_OK;
}

static const struct mrg_link_ops net_ops = { .send = send_frame };

/* ---- frames that come ---- */

static uint8_t *slot_of(const struct vm_net *n, uint16_t id) { return n->in + (size_t)id * n->slot; }

/* The next buffer that came back, with `least` bytes in it at least; it is used again behind the burst, whatever is in it. */
static bool next_buffer(struct vm_net *n, size_t least, uint8_t **p, size_t *len, bool *good)
{
	uint16_t id;
	uint32_t written;
	if (!vm_virtq_take(&n->rx, &id, &written))
		return false;
	n->back[n->back_count++] = id;
	*p = slot_of(n, id);
	*len = written;
	*good = written >= least && written <= n->slot;
	return true;
}

/* A frame goes on in a buffer that does not lie behind what there is of it; the rest may be anywhere. */
static void copy_joint(struct vm_net *n, struct mrg_frame *f)
{
	memcpy(n->joint, f->p, f->len);
	f->p = n->joint;
	f->cap = FRAME_MAX;
	n->joint_used = true;
	n->counts.copied_in++;
}

static bool add_piece(struct vm_net *n, struct mrg_frame *f, const uint8_t *p, size_t len)
{
	if (len > FRAME_MAX - f->len)
		return false;
	if (!n->joint_used && p != f->p + f->len)
		copy_joint(n, f);
	if (n->joint_used)
		memcpy(f->p + f->len, p, len);
	else
		f->cap = len + f->len + (n->slot - len);
	f->len += len;
	return true;
}

/* The buffers behind the first, all of which have to be there: a device gives them at once (section 5.1.6.4). */
static bool gather(struct vm_net *n, struct mrg_frame *f, unsigned buffers)
{
	bool whole = true;
	for (unsigned i = 1; i < buffers; i++) {
		uint8_t *p;
		size_t len;
		bool good;
		if (!next_buffer(n, 1, &p, &len, &good))
			return false;
		whole = whole && good && add_piece(n, f, p, len); /* the other ones are no frames, either */
	}
	return whole;
}

/* To us, or to many: nobody else has sorted them out. */
static bool is_ours(const struct vm_net *n, const uint8_t *to)
{
	return n->promiscuous || (to[0] & 1u) != 0 ||
	       memcmp(to, n->link.address, sizeof n->link.address) == 0;
}

static bool drop(uint64_t *counter)
{
	++*counter;
	return false;
}

/* The frame whose first buffer this is; false when nobody is to get it. */
static bool receive(struct vm_net *n, uint8_t *p, size_t len, bool good, struct mrg_frame *f)
{
	struct mrg_virtio_net_header_fetched h;
	if (!good)
		return drop(len <= n->slot ? &n->counts.short_in : &n->counts.bad_len);
	if (mrg_virtio_net_header_fetch(p, HEADER, &h, NULL) != MRG_OK)
		return drop(&n->counts.bad_header);
	*f = (struct mrg_frame){ .p = p + HEADER, .len = len - HEADER, .cap = n->slot - HEADER };
	const unsigned buffers = n->merge ? mrg_virtio_net_header_num_buffers(&h.view) : 1u;
	if (buffers == 0 || !gather(n, f, buffers))
		return drop(&n->counts.bad_merge);
	if (!sums_of(n, &h.view, f) || !joined_of(n, &h.view, f))
		return drop(&n->counts.bad_header);
	if (!is_ours(n, f->p))
		return drop(&n->counts.foreign_in);
	n->counts.frames_in++;
	n->counts.bytes_in += f->len;
	n->counts.joined_in += f->work.segment_len != 0;
	return true;
}

/* All buffers of the burst are the device's again. */
static void give_back(struct vm_net *n)
{
	for (size_t i = 0; i < n->back_count; i++)
		vm_virtq_lend(&n->rx, n->back[i]);
	if (n->back_count != 0)
		vm_virtq_publish(&n->rx);
}

/* ---- turns ---- */

bool vm_net_poll(struct vm_net *n, uint64_t now_ns)
{
	size_t count = 0, len;
	uint8_t *p;
	bool good;
	if (n->gone)
		return false;
	n->back_count = 0;
	n->joint_used = false;
	(void)vm_virtq_look(&n->rx);
	while (count < VM_NET_BURST && !n->joint_used && next_buffer(n, HEADER + ETHERNET, &p, &len, &good))
		count += receive(n, p, len, good, &n->burst[count]);
	check_queues(n);
	if (count != 0 && n->link.user.frames != NULL)
		n->link.user.frames(n->link.user.ctx, n->burst, count, now_ns);
	give_back(n);
	return n->back_count != 0;
}

static void kick(struct vm_net *n, struct vm_virtq *q, uint32_t queue)
{
	if (!vm_virtq_kick(q))
		return;
	n->counts.kicks++;
	n->calls->kick(n->device, queue);
}

void vm_net_flush(struct vm_net *n)
{
	if (n->gone)
		return;
	kick(n, &n->rx, RX);
	kick(n, &n->tx, TX);
}

bool vm_net_rest(struct vm_net *n)
{
	if (n->gone)
		return true;
	reclaim(n);
	vm_virtq_quiet(&n->tx);
	vm_virtq_wake(&n->rx);
	if (vm_virtq_look(&n->rx) == 0) {
		check_queues(n);
		return true;
	}
	vm_virtq_quiet(&n->rx);
	return false;
}

void vm_net_woken(struct vm_net *n) { vm_virtq_quiet(&n->rx); }

/* ---- the beginning ---- */

static bool fail(struct vm_net *n, const char *why)
{
	give_up(n, why);
	return false;
}

static bool agreed(const struct vm_device *d, uint64_t all) { return (d->features & all) == all; }

/* The registers of the device, as they were when the machine started. */
static bool read_config(struct vm_net *n, const struct vm_device *d, const uint8_t mac[6])
{
	const struct mrg_span config = { d->config,
		d->config_len < VM_CONFIG_MAX ? d->config_len : VM_CONFIG_MAX };
	struct mrg_virtio_net_config_mac own;
	struct mrg_virtio_net_config all;
	memcpy(n->link.address, mac, sizeof n->link.address);
	n->link.mtu = MTU_USUAL;
	if (agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_MAC))) {
		if (mrg_virtio_net_config_mac_check(config, &own, NULL) != MRG_OK)
			return fail(n, "no address in its registers");
		const struct mrg_span address = mrg_virtio_net_config_mac_mac(&own);
		static const uint8_t nobody[6] = { 0 };
		if ((address.p[0] & 1u) == 0 && memcmp(address.p, nobody, sizeof nobody) != 0)
			memcpy(n->link.address, address.p, sizeof n->link.address);
	}
	if (!agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_MTU)))
		return true;
	if (mrg_virtio_net_config_check(config, &all, NULL) != MRG_OK)
		return fail(n, "no MTU in its registers");
	n->link.mtu = mrg_virtio_net_config_mtu(&all);
	return n->link.mtu >= MTU_MIN || fail(n, "its MTU is below 1280");
}

/* What may be left to whom. A device that offers what hangs on something else, without that, is taken at its word. */
static void agree(struct vm_net *n, const struct vm_device *d)
{
	n->sums_in = agreed(d, SUMS_IN);
	n->merge = agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_MRG_RXBUF));
	n->joined4 = n->sums_in && n->merge && agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_GUEST_TSO4));
	n->joined6 = n->sums_in && n->merge && agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_GUEST_TSO6));
	n->link.sums = agreed(d, BIT(MRG_VIRTIO_NET_FEATURE_CSUM));
	/* A link cuts segments of both kinds or none; a frame is a quarter of the room at most, so that the next ones have some. */
	const size_t longest = n->out_cap / 4u - HEADER;
	if (n->link.sums && agreed(d, CUTS))
		n->link.cut_max = (uint32_t)(longest < SEND_MAX ? longest : SEND_MAX);
}

/* Bytes of a buffer: without MRG_RXBUF the longest frame, of which none is joined then (section 5.1.6.3.1). */
static size_t slot_len(const struct vm_net *n)
{
	const size_t len = HEADER + ETHERNET + TAG + (size_t)n->link.mtu;
	return n->merge || len < SLOT ? SLOT : (len + LINE - 1u) / LINE * LINE;
}

/* The largest power of two that both allow. */
static uint32_t queue_len(const struct vm_device *d, uint32_t queue, uint32_t most)
{
	const uint32_t max = d->queue_size_max[queue] < most ? d->queue_size_max[queue] : most;
	uint32_t size = VM_QUEUE_SIZE_MAX;
	while (size > max)
		size /= 2;
	return size;
}

static bool make_room(struct vm_net *n, struct mrg_arena *arena, const struct vm_device *d,
	const struct vm_net_limits *limits)
{
	const bool event_idx = agreed(d, BIT(MRG_VIRTIO_FEATURE_EVENT_IDX));
	if (!vm_virtq_init(&n->rx, arena, queue_len(d, RX, limits->queue_max), event_idx) ||
		!vm_virtq_init(&n->tx, arena, queue_len(d, TX, limits->queue_max), event_idx))
		return false;
	n->in = mrg_arena_get(arena, limits->in_len + PAD, LINE);
	n->out = mrg_arena_get(arena, n->out_cap, LINE);
	n->back = mrg_arena_get(arena, n->rx.size * sizeof *n->back, sizeof *n->back);
	n->out_end = mrg_arena_get(arena, n->tx.size * sizeof *n->out_end, sizeof *n->out_end);
	n->joint = mrg_arena_get(arena, FRAME_MAX + LINE, LINE);
	if (n->in == NULL || n->out == NULL || n->back == NULL || n->out_end == NULL || n->joint == NULL)
		return false;
	n->in += PAD;
	n->joint += PAD;
	return true;
}

/* Every buffer is the device's at first. */
static bool fill(struct vm_net *n, const struct vm_net_limits *limits)
{
	size_t count = limits->in_len / n->slot;
	if (count > n->rx.size)
		count = n->rx.size;
	for (size_t i = 0; i < count; i++) {
		vm_virtq_set(&n->rx, (uint16_t)i, slot_of(n, (uint16_t)i), (uint32_t)n->slot, true);
		vm_virtq_lend(&n->rx, (uint16_t)i);
	}
	vm_virtq_publish(&n->rx);
	return count != 0;
}

size_t vm_net_memory(const struct vm_net_limits *limits)
{
	const size_t size = limits->queue_max;
	return 2 * vm_virtq_memory(limits->queue_max) + limits->in_len + limits->out_len +
	       size * (sizeof(uint16_t) + sizeof(uint32_t)) + FRAME_MAX + 8 * LINE;
}

bool vm_net_init(struct vm_net *n, struct mrg_arena *arena, const struct vm_calls *calls,
	const struct vm_boot *boot, uint32_t index, const struct vm_net_limits *limits, const uint8_t mac[6])
{
	*n = (struct vm_net){
		.link = { .ops = &net_ops }, .calls = calls, .device = index, .out_cap = limits->out_len
	};
	if (index >= boot->device_count || index >= VM_DEVICES_MAX)
		return fail(n, "there is no such device");
	const struct vm_device *const d = &boot->device[index];
	if (d->kind != MRG_VIRTIO_DEVICE_NET || d->queue_count <= TX)
		return fail(n, "it is no network card");
	if (!read_config(n, d, mac))
		return false;
	agree(n, d);
	n->slot = slot_len(n);
	if (!make_room(n, arena, d, limits) || !fill(n, limits))
		return fail(n, "too little memory, or queues without entries");
	if (!calls->queue(index, RX, n->rx.ring, n->rx.size) ||
		!calls->queue(index, TX, n->tx.ring, n->tx.size) || !calls->start(index))
		return fail(n, "it refuses its queues");
	vm_net_flush(n);
	return true;
}

/* ---- figures ---- */

void vm_net_counts(const struct vm_net *n,
	void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx)
{
	const struct vm_net_counts *const c = &n->counts;
	const struct {
		const char *name;
		uint64_t value;
	} all[] = { { "frames_in", c->frames_in }, { "bytes_in", c->bytes_in }, { "joined_in", c->joined_in },
		{ "copied_in", c->copied_in }, { "foreign_in", c->foreign_in }, { "short_in", c->short_in },
		{ "bad_len", c->bad_len }, { "bad_header", c->bad_header }, { "bad_merge", c->bad_merge },
		{ "bad_id", n->rx.counts.bad_id + n->tx.counts.bad_id },
		{ "bad_index", n->rx.counts.bad_index + n->tx.counts.bad_index },
		{ "frames_out", c->frames_out }, { "bytes_out", c->bytes_out }, { "cut_out", c->cut_out },
		{ "lost_out", c->lost_out }, { "kicks", c->kicks } };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		each(ctx, "link", all[i].name, all[i].value);
}
