/*
 * The last frames of our own TCP/IP, on demand, into a file.
 */
#include <errno.h>

#include "appliances/common/net.h"
#include "appliances/common/say.h"
#include "unix/mrg_unix_tape.h"

int net_tape_begin(struct net *n)
{
	return n->options->pcap[0] != '\0' ? mrg_unix_tape_open(n->options->pcap, &n->pcap_fd) : 0;
}

static uint64_t ahead_ns(const void *ctx)
{
	(void)ctx;
	return mrg_unix_ahead_ns();
}

struct mrg_link *net_tape_open(struct net *n, struct mrg_unix_loop *loop, struct mrg_arena *arena)
{
	return net_shown_tape(&n->shown, arena, &n->options->tape, &n->tap.link, &loop->now_ns,
		(struct net_ahead){ NULL, ahead_ns });
}

void net_record(struct net *n)
{
	struct mrg_rt_line l;
	if (!net_shown_taped(&n->shown) || n->pcap_fd < 0) {
		say_event("warn", "record_nothing"); /* no pcap= says where to */
		return;
	}
	const int err = mrg_unix_tape_write(n->pcap_fd, &n->shown.tape);
	mrg_rt_line_begin(&l, err == 0 ? "info" : "error", err == 0 ? "recorded" : "record_failed");
	mrg_rt_line_str(&l, "file", n->options->pcap);
	if (err == 0)
		mrg_rt_line_num(&l, "frames", n->shown.tape.count);
	else
		mrg_rt_line_str(&l, "why", strerrordesc_np(err));
	mrg_rt_log_line(&stderr_log, &l);
}

void net_record_ask(struct net *n, struct mrg_unix_loop *loop)
{
	if (n == NULL)
		return;
	atomic_store_explicit(&n->record, true, memory_order_release);
	mrg_unix_loop_wake(loop);
}

void net_turn(struct net *n)
{
	if (n == NULL || !atomic_load_explicit(&n->record, memory_order_acquire))
		return;
	atomic_store_explicit(&n->record, false, memory_order_relaxed);
	net_record(n);
}
