/*
 * mrg-impair: a bad link between two interfaces. This file is the way in.
 * Reading order: options.h, core/mrg_impair.h, bridge.h, cut.h.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "appliances/common/args.h"
#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/impair/bridge.h"
#include "appliances/impair/options.h"

static const char PROGRAM[] = "mrg-impair";

static struct bridge bridge;
static struct mrg_unix_loop loop;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
	mrg_unix_loop_wake(&loop);
}

static bool turn(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return stopped == 0 && !bridge_gone(&bridge);
}

/* What became of what came at one side. */
static void print_way(const struct way *w, const char *from, const char *to)
{
	const struct mrg_impair_counts *const c = &w->impair.counts;
	(void)printf("from=%s to=%s frames=%" PRIu64 " bytes=%" PRIu64 " lost=%" PRIu64
		     " lost_in_bursts=%" PRIu64 " overflows=%" PRIu64 " duplicated=%" PRIu64
		     " reordered=%" PRIu64 " corrupted=%" PRIu64 " truncated=%" PRIu64 " sent=%" PRIu64
		     " refused=%" PRIu64 " no_room=%" PRIu64 " uncut=%" PRIu64 " waiting=%" PRIu64 "\n",
		from, to, c->frames, c->bytes, c->lost, c->lost_in_bursts, c->overflows, c->duplicated,
		c->reordered, c->corrupted, c->truncated, w->to->counts.frames_out, w->to->counts.lost_out,
		w->no_room, w->uncut, w->waiting);
}

static enum outcome open_devices(const struct options *o, struct mrg_tap_device device[2])
{
	for (unsigned i = 0; i < 2; i++) {
		const int err = mrg_tap_packet_open(&mrg_tap_kernel, o->device[i], &device[i]);
		if (err == 0)
			continue;
		say(PROGRAM, ": ", o->device[i], ": ", device[i].failed, ": ", strerrordesc_np(err), NULL);
		return OUTCOME_ADDRESS;
	}
	return OUTCOME_OK;
}

/* The loop has no ends of the kernel's but the devices. */
static int start(const struct options *o, const struct mrg_tap_device device[2])
{
	static const struct mrg_unix_limits limits = {
		.conn_count = 1, .dgram_in_max = 1, .dgram_out_max = 1
	};
	static struct mrg_arena arena;
	const size_t len = mrg_unix_loop_memory(&limits) + bridge_memory();
	int err = mrg_unix_arena_open(&arena, len, len);
	if (err == 0)
		err = mrg_unix_loop_init(&loop, &mrg_unix_kernel, &arena, &limits);
	return err != 0 ? err : bridge_init(&bridge, &loop, &arena, device, &o->way, o->seed, &stderr_log);
}

static enum outcome run(const struct options *o)
{
	struct mrg_tap_device device[2];
	const struct mrg_unix_turn each = { .turn = turn };
	const struct sigaction action = { .sa_handler = on_signal };
	const enum outcome outcome = open_devices(o, device);
	if (outcome != OUTCOME_OK)
		return outcome;
	int err = start(o, device);
	if (err != 0)
		return refused(PROGRAM, "start", "", err);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	say_event("info", "ready");
	err = mrg_unix_loop_run(&loop, &each);
	for (unsigned i = 0; i < 2; i++)
		print_way(&bridge.way[i], device[i].name, device[1 - i].name);
	if (err != 0)
		return refused(PROGRAM, "loop", "", err);
	return bridge_gone(&bridge) ? OUTCOME_SYSTEM : OUTCOME_OK;
}

int main(int argc, char *argv[])
{
	static struct options o;
	int code;
	if (mrg_unix_files_begin() != 0)
		return OUTCOME_SYSTEM; /* with nowhere to say so */
	return options_read(&o, argc, argv, &code) ? (int)run(&o) : code;
}
