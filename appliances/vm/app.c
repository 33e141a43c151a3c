/*
 * An application of a virtual machine, up to its stack.
 * Reading order: vm_app_open at the end, then upwards.
 */
#include "appliances/common/say.h"
#include "appliances/vm/app.h"

enum {
	CONN_MIN = 16,
	FEW = 16 << 20 /* bytes of memory: below, buffers are small */
};

static bool is_small(const struct vm_boot *boot) { return boot->memory_len < FEW; }

static const struct vm_net_limits *card_limits(const struct vm_boot *boot)
{
	return is_small(boot) ? &vm_net_small : &vm_net_usual;
}

static uint32_t half(uint32_t n) { return n > CONN_MIN ? n / 2u : n; }

/* The usual ones, half of them as often as it takes. */
static struct mrg_tcpip_limits limits_for(size_t len)
{
	enum { BUFFER_MIN = 128 << 10, WINDOWS = 4 /* that the buffers hold at least */ };
	struct mrg_tcpip_limits l = mrg_tcpip_usual;
	while (mrg_tcpip_memory(&l) > len && l.conn_count > CONN_MIN) {
		l.conn_count = half(l.conn_count);
		l.half_open_count = half(l.half_open_count);
		l.time_wait_count = half(l.time_wait_count);
		l.sent_count = half(l.sent_count);
		l.neighbor_count = half(l.neighbor_count);
		l.reassembly_len = l.reassembly_len > BUFFER_MIN ? l.reassembly_len / 2u : l.reassembly_len;
		l.buffer_len = l.buffer_len > BUFFER_MIN ? l.buffer_len / 2u : l.buffer_len;
		while (l.receive_max * (size_t)WINDOWS > l.buffer_len)
			l.receive_max = l.send_max = l.receive_max / 2u;
	}
	return l;
}

static enum outcome no_memory(void)
{
	say("not enough memory", NULL);
	return OUTCOME_SYSTEM;
}

static uint64_t ahead_ns(const void *ctx) { return ((const struct vm_boot *)ctx)->clock.wall_ns; }

static enum outcome open_stack(struct vm_app *a)
{
	const struct vm_net_limits *const card = card_limits(a->boot);
	const size_t share = a->boot->memory_len / 2u, card_len = vm_net_memory(card);
	struct mrg_tcpip_world world = { .timers = &a->loop.timers, .now_ns = &a->loop.now_ns };
	if (card_len >= share)
		return no_memory();
	if (!vm_loop_card(&a->loop, &a->arena, &a->card, card))
		return OUTCOME_ADDRESS;
	if (a->words.net.has_mac)
		memcpy(a->card.link.address, a->words.net.mac, sizeof a->card.link.address);
	if (a->words.net.mtu != 0 && a->words.net.mtu < a->card.link.mtu)
		a->card.link.mtu = a->words.net.mtu;
	vm_secret(a->boot, VM_SECRET_STACK, world.secret, sizeof world.secret / sizeof world.secret[0]);
	a->limits = limits_for(share - card_len);
	a->stack = a->shown.stack = mrg_tcpip_open(&a->arena, &a->limits, &world);
	struct mrg_link *const link = net_shown_tape(&a->shown, &a->arena, &a->words.net.tape, &a->card.link,
		&a->loop.now_ns, (struct net_ahead){ a->boot, ahead_ns });
	if (a->stack == NULL || link == NULL)
		return no_memory();
	a->on = net_up(&a->up, a->stack, link, &a->words.net, "net0", &a->loop.log);
	return a->on != NULL ? OUTCOME_OK : no_memory();
}

enum outcome vm_app_open(struct vm_app *a, const struct vm_boot *boot, const char *program)
{
	const struct mrg_span lines[] = { vm_linked_words(boot), boot->command_line };
	*a = (struct vm_app){ .boot = boot, .arena = { boot->memory, 0, boot->memory_len } };
	vm_loop_init(&a->loop, &vm_calls_monitor, boot);
	a->loop.log = stderr_log;
	if (!vm_words_read(&a->words, &a->arena, program, lines, 2, &stderr_log))
		return OUTCOME_USAGE;
	vm_log_from(a->words.log);
	return open_stack(a);
}

static bool for_ever(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return true;
}

static bool write_more(void *ctx)
{
	(void)ctx;
	return vm_log_more();
}

void vm_app_end(enum outcome outcome)
{
	vm_log_all();
	vm_exit((unsigned)outcome);
}

enum outcome vm_app_run(struct vm_app *a)
{
	struct vm_turn turn = a->turn.turn != NULL ? a->turn : (struct vm_turn){ .turn = for_ever };
	struct mrg_rt_line l;
	turn.idle = write_more;
	vm_net_flush(&a->card);
	mrg_rt_line_begin(&l, "info", "ready");
	mrg_rt_line_num(&l, "memory_kib", a->boot->memory_len >> 10);
	mrg_rt_line_num(&l, "taken_kib", a->arena.len >> 10);
	mrg_rt_line_num(&l, "connections", a->limits.conn_count);
	mrg_rt_line_num(&l, "after_us", vm_now(&a->boot->clock) / 1000u);
	mrg_rt_log_line(&a->loop.log, &l);
	return vm_loop_run(&a->loop, &turn) ? OUTCOME_OK : OUTCOME_SYSTEM;
}

uint64_t vm_app_unix_s(void *ctx)
{
	const struct vm_app *const a = ctx;
	return vm_loop_time_s(&a->loop);
}

static void card_counts(const void *of,
	void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx)
{
	vm_net_counts(of, each, ctx);
}

void vm_app_figures(const struct vm_app *a, struct mrg_w *w)
{
	net_shown_figures(&a->shown, w, card_counts, &a->card);
}
