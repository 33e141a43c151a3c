/*
 * The loop of an application in ring 3.
 * Reading order: what the machine provides, the card, vm_loop_run.
 */
#include "mrg_text.h"
#include "virtio.h"
#include "vm/loop.h"

/* ---- what the machine provides ---- */

static void write_line(void *ctx, struct mrg_span line)
{
	const struct vm_loop *const l = ctx;
	l->calls->write(line.p, line.len);
}

void vm_loop_init(struct vm_loop *l, const struct vm_calls *calls, const struct vm_boot *boot)
{
	*l = (struct vm_loop){ .calls = calls, .boot = boot, .log = { .ctx = l, .line = write_line } };
	l->now_ns = calls->now(&boot->clock);
}

uint64_t vm_loop_time_s(const struct vm_loop *l)
{
	const uint64_t at_start = l->boot->clock.wall_ns;
	return at_start == 0 ? 0 : (at_start + l->now_ns) / MRG_RT_SECOND_NS;
}

/* Half of the entropy is the key; the other half, the purpose and the place of the number are what is hashed with it. */
void vm_secret(const struct vm_boot *boot, unsigned purpose, uint64_t *out, size_t count)
{
	enum { HALF = VM_ENTROPY / 2 };
	uint64_t key[2];
	_Static_assert(sizeof key == (size_t)HALF, "the key is half of it");
	memcpy(key, boot->entropy, sizeof key);
	for (size_t i = 0; i < count; i++) {
		uint8_t text[HALF + 2 * sizeof(uint32_t)];
		struct mrg_w w;
		mrg_w_init(&w, text, sizeof text);
		mrg_w_put(&w, (struct mrg_span){ boot->entropy + HALF, HALF });
		mrg_w_be32(&w, purpose);
		mrg_w_be32(&w, (uint32_t)i);
		out[i] = mrg_rt_hash(key, mrg_w_span(&w, 0));
	}
}

/* ---- the card ---- */

/* An address for a card that has none (IEEE 802c: locally administered). */
static void make_mac(const struct vm_boot *boot, uint8_t out[6])
{
	const unsigned local = 2, group = 1;
	uint64_t random;
	vm_secret(boot, VM_SECRET_MAC, &random, 1);
	memcpy(out, &random, 6);
	out[0] = (uint8_t)((out[0] | local) & ~group);
}

static bool say_failed(const struct vm_loop *l, const char *event, const char *why)
{
	struct mrg_rt_line line;
	mrg_rt_line_begin(&line, "error", event);
	mrg_rt_line_str(&line, "why", why);
	mrg_rt_log_line(&l->log, &line);
	return false;
}

static void put_features(struct mrg_w *w, uint64_t features)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *const net = mrg_virtio_net_feature_str(bit), *const any =
										 mrg_virtio_feature_str(bit);
		if ((features >> bit & 1u) == 0 || (net == NULL && any == NULL))
			continue;
		if (w->len != 0)
			mrg_w_u8(w, ',');
		mrg_text_put(w, net != NULL ? net : any);
	}
}

static void say_card(const struct vm_loop *l, uint32_t index)
{
	const struct vm_device *const d = &l->boot->device[index];
	struct mrg_rt_line line;
	uint8_t text[256];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	put_features(&w, d->features);
	mrg_rt_line_begin(&line, "info", "card");
	mrg_rt_line_num(&line, "device", index);
	mrg_rt_line_str(&line, "by", d->transport == VM_PCI ? "pci" : "mmio");
	mrg_rt_line_span(&line, "features", mrg_w_span(&w, 0));
	mrg_rt_line_num(&line, "queue_in", l->net->rx.size);
	mrg_rt_line_num(&line, "queue_out", l->net->tx.size);
	mrg_rt_log_line(&l->log, &line);
}

bool vm_loop_card(
	struct vm_loop *l, struct mrg_arena *arena, struct vm_net *n, const struct vm_net_limits *limits)
{
	const uint32_t count =
		l->boot->device_count < VM_DEVICES_MAX ? l->boot->device_count : VM_DEVICES_MAX;
	uint8_t mac[6];
	uint32_t index = 0;
	while (index < count && l->boot->device[index].kind != VM_KIND_NET)
		index++;
	if (index == count)
		return say_failed(l, "no_card", "the machine has no virtio network card");
	make_mac(l->boot, mac);
	if (!vm_net_init(n, arena, l->calls, l->boot, index, limits, mac))
		return say_failed(l, "no_card", n->failed);
	l->net = n;
	say_card(l, index);
	return true;
}

/* ---- the loop ---- */

/* Until a frame comes or the next timer is due; not at all when there is something to do. */
static void doze(struct vm_loop *l)
{
	const uint64_t next = mrg_rt_timers_next(&l->timers);
	if (next <= l->now_ns || (l->spin_ns != 0 && l->now_ns - l->worked_ns < l->spin_ns))
		return;
	if (l->net != NULL && !vm_net_rest(l->net))
		return;
	l->counts.sleeps++;
	(void)l->calls->wait(next, l->net != NULL ? vm_device_bit(l->net->device) : 0);
	if (l->net != NULL)
		vm_net_woken(l->net);
}

bool vm_loop_run(struct vm_loop *l, const struct vm_turn *turn)
{
	bool worked = true;
	while (turn->turn(turn->ctx, l->now_ns)) {
		l->counts.turns++;
		if (l->net != NULL)
			vm_net_flush(l->net);
		if (!worked && (turn->idle == NULL || !turn->idle(turn->ctx)))
			doze(l);
		l->now_ns = l->calls->now(&l->boot->clock);
		worked = l->net != NULL && vm_net_poll(l->net, l->now_ns);
		if (worked)
			l->worked_ns = l->now_ns;
		mrg_rt_timers_run(&l->timers, l->now_ns);
		if (l->net != NULL && l->net->gone)
			return say_failed(l, "card_gone", l->net->failed);
	}
	if (l->net != NULL)
		vm_net_flush(l->net);
	return true;
}
