/* bench/hosts.c - two stacks on a wire: see hosts.h. */
#include "bench/hosts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FRAME_NS = 1000, PREFIX = 24, ETHERNET = 14 };

static enum mrg_io wire_send(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	struct hosts_way *const w = (struct hosts_way *)(void *)l;
	size_t len = 0;

	if (w->deaf)
		return MRG_IO_OK;
	if (w->tail - w->head == HOSTS_SLOTS)
		bench_die("hosts: more frames than the wire holds");
	const uint16_t slot = w->free[HOSTS_SLOTS - 1u - (w->tail - w->head)];
	uint8_t *const p = w->slots + (size_t)slot * HOSTS_SLOT;
	if (work != NULL && (work->sum_at != 0 || work->cut != MRG_FRAME_WHOLE))
		bench_die("hosts: work is left for a link that does none");
	for (size_t i = 0; i < count; i++) {
		if (len + parts[i].len > HOSTS_MTU + ETHERNET)
			bench_die("hosts: a frame that is too long");
		memcpy(p + len, parts[i].p, parts[i].len);
		len += parts[i].len;
	}
	w->len[slot] = (uint16_t)len;
	w->order[w->tail++ % HOSTS_SLOTS] = slot;
	return MRG_IO_OK;
}

static const struct mrg_link_ops ops = { .send = wire_send };

static void hand_over(struct hosts *h, struct hosts_way *w)
{
	struct mrg_frame burst[HOSTS_BURST];
	size_t n = 0;

	while (n < HOSTS_BURST && w->head + n < w->tail) {
		const size_t slot = w->order[(w->head + n) % HOSTS_SLOTS];
		burst[n++] = (struct mrg_frame){
			.p = w->slots + slot * HOSTS_SLOT, .len = w->len[slot], .cap = HOSTS_SLOT
		};
	}
	if (n == 0)
		return;
	h->now_ns += n * FRAME_NS;
	w->to->user.frames(w->to->user.ctx, burst, n, h->now_ns);
	for (size_t i = 0; i < n; i++, w->head++) {
		const size_t unused = HOSTS_SLOTS - (w->tail - w->head);
		w->free[unused] = w->order[w->head % HOSTS_SLOTS];
	}
}

static bool wire_empty(const struct hosts *h)
{
	return h->way[0].head == h->way[0].tail && h->way[1].head == h->way[1].tail;
}

void hosts_turn(struct hosts *h)
{
	hand_over(h, &h->way[0]);
	hand_over(h, &h->way[1]);
	const uint64_t next = mrg_rt_timers_next(&h->timers);
	if (next != MRG_RT_NEVER && next > h->now_ns && wire_empty(h) && !h->steady)
		h->now_ns = next;
	if (next <= h->now_ns)
		mrg_rt_timers_run(&h->timers, h->now_ns);
}

void hosts_settle(struct hosts *h, uint64_t for_ns)
{
	const uint64_t until = h->now_ns + for_ns;

	while (h->now_ns < until && !(wire_empty(h) && mrg_rt_timers_next(&h->timers) > until))
		hosts_turn(h);
	if (h->now_ns < until)
		h->now_ns = until;
}

static void *memory(size_t len)
{
	void *const p =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		bench_die("hosts: no memory");
	return p;
}

static void host_open(struct hosts *h, size_t i, const struct mrg_tcpip_limits *limits)
{
	static const char *const text[2] = { "10.0.0.1", "10.0.0.2" };
	const struct mrg_tcpip_world world = {
		.timers = &h->timers, .now_ns = &h->now_ns, .secret = { 1, 2, 3, i }
	};
	struct hosts_way *const w = &h->way[i];

	w->slots = memory((size_t)HOSTS_SLOTS * HOSTS_SLOT);
	w->link =
		(struct mrg_link){ .ops = &ops, .mtu = HOSTS_MTU, .address = { 2, 0, 0, 0, 0, (uint8_t)i } };
	w->to = &h->way[1u - i].link;
	for (size_t k = 0; k < HOSTS_SLOTS; k++)
		w->free[k] = (uint16_t)k;
	const size_t len = mrg_tcpip_memory(limits) + 4096u;
	h->arena[i] = (struct mrg_arena){ memory(len), 0, len };
	h->stack[i] = mrg_tcpip_open(&h->arena[i], limits, &world);
	if (h->stack[i] == NULL || (h->on[i] = mrg_tcpip_if_add(h->stack[i], &w->link)) == NULL ||
		!mrg_rt_addr_read(text[i], 0, &h->address[i]))
		bench_die("hosts: no stack");
	hosts_address_add(h, i, &h->address[i]);
}

void hosts_address_add(struct hosts *h, size_t i, const struct mrg_rt_addr *a)
{
	if (!mrg_tcpip_address_add(h->on[i], a, PREFIX))
		bench_die("hosts: no room for an address");
}

void hosts_open(struct hosts *h, const struct mrg_tcpip_limits *limits)
{
	*h = (struct hosts){ .now_ns = MRG_RT_SECOND_NS };
	host_open(h, 0, limits);
	host_open(h, 1, limits);
	hosts_settle(h, 30u * MRG_RT_SECOND_NS); /* addresses are checked for duplicates */
}

void hosts_close(struct hosts *h)
{
	for (size_t i = 0; i < 2; i++) {
		(void)munmap(h->arena[i].p, h->arena[i].cap);
		(void)munmap(h->way[i].slots, (size_t)HOSTS_SLOTS * HOSTS_SLOT);
	}
}
