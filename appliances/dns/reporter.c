/*
 * Writing down what was seen.
 * Reading order: take_round, then upwards; opening.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/dns/querylog.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/worker.h"

enum {
	LOG = 1 << 20,   /* octets of lines that wait */
	TOGETHER = 1024, /* records of one ring before it is another one's turn */
	ROOM = 1 << 16   /* of the loop, and what lies between */
};

static const uint64_t EACH_NS = MRG_RT_SECOND_NS / 100u, BUSY_NS = MRG_RT_SECOND_NS / 1000u;
static const uint64_t END_NS = 5u * MRG_RT_SECOND_NS;

static const struct mrg_unix_limits LIMITS = { .conn_count = 1, .dgram_in_max = 1, .dgram_out_max = 1 };

/* ---- records ---- */

/* offset_ns: from the loop's clock to that of the calendar, which may be set while we run. */
static void report(struct reporter *r, struct mrg_span record, uint64_t offset_ns)
{
	struct seen seen;
	struct mrg_span query, reply;
	seen_read(record, &seen, &query, &reply);
	if (r->log_on && seen.stage != SEEN_BEGUN) { /* there is a line when it is over */
		struct mrg_rt_line l;
		sink_put(&r->log, querylog_line(&l, &seen, query, reply, seen.since_ns + offset_ns));
	}
	if (r->dnstap_on && (seen.stage == SEEN_WHOLE || seen.stage == SEEN_BEGUN))
		dnstap_put(&r->dnstap, &seen, query, reply, seen.since_ns + offset_ns,
			seen.until_ns + offset_ns);
}

/* Some of each ring. Was there more? */
static bool empty_some(struct reporter *r)
{
	const uint64_t offset_ns = mrg_unix_time_ns() - mrg_unix_now_ns();
	bool more = false;
	for (size_t i = 0; i < r->worker_count; i++) {
		struct ring *const ring = &r->workers[i]->sampler.ring;
		struct mrg_span record;
		size_t count = 0;
		for (; count < TOGETHER && ring_next(ring, &record); count++) {
			report(r, record, offset_ns);
			ring_take(ring);
		}
		more = more || count == TOGETHER;
	}
	return more;
}

/* ---- rounds ---- */

static void reopen(struct reporter *r)
{
	int fd;
	if (r->log_on && sink_moved(&r->log)) {
		const int err = sink_open(r->log.name, O_APPEND, &fd);
		sink_said(&r->log, err);
		if (err == 0) {
			(void)close(r->log.fd);
			r->log.fd = fd;
		}
	}
	if (r->dnstap_on)
		dnstap_reopen(&r->dnstap);
}

/* Write what there is. Is nothing left to do? */
static bool write_on(struct reporter *r, bool ending, uint64_t now_ns)
{
	if (r->log_on) {
		sink_said(&r->log, sink_flush(&r->log));
		sink_forget(&r->log);
	}
	const bool written = !r->log_on || sink_waiting(&r->log) == 0;
	const bool taken = !r->dnstap_on || dnstap_round(&r->dnstap, ending, now_ns);
	return written && taken;
}

/* Is there more than was taken just now? What fails is not tried as often. */
static bool is_waiting(const struct reporter *r)
{
	return (r->log_on && sink_waiting(&r->log) != 0 && !r->log.failing) ||
	       (r->dnstap_on && r->dnstap.data.fd >= 0 && sink_waiting(&r->dnstap.data) != 0 &&
		       !r->dnstap.data.failing);
}

static void take_round(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct reporter *const r = (struct reporter *)(void *)((char *)t - offsetof(struct reporter, round));
	const bool ending =
		atomic_load_explicit(&r->running, memory_order_acquire) == 0; /* before the last look */
	if (ending && r->end_ns == 0)
		r->end_ns = now_ns + END_NS;
	if (atomic_exchange_explicit(&r->reopen, false, memory_order_relaxed))
		reopen(r);
	const bool more = empty_some(r);
	const bool all = write_on(r, ending && !more, now_ns);
	r->done = ending && !more && (all || now_ns >= r->end_ns);
	mrg_rt_timer_set(&r->loop.timers, &r->round,
		now_ns + (more                             ? 0
				 : ending || is_waiting(r) ? BUSY_NS
							   : EACH_NS));
}

static bool turn(void *ctx, uint64_t now_ns)
{
	const struct reporter *const r = ctx;
	(void)now_ns;
	return !r->done;
}

static void run(void *ctx)
{
	struct reporter *const r = ctx;
	const struct mrg_unix_turn each = { .ctx = r, .turn = turn };
	if (r->sandbox != NULL)
		sandbox_arrive(r->sandbox);
	(void)mrg_unix_loop_run(&r->loop, &each);
	if (r->sandbox != NULL)
		sandbox_leave(r->sandbox);
}

int reporter_begin(struct reporter *r, struct sandbox *s)
{
	r->sandbox = s;
	return r->on ? mrg_unix_thread_start(&r->thread, run, r) : 0;
}

void reporter_end(struct reporter *r)
{
	if (r->on)
		mrg_unix_thread_join(&r->thread);
}

void reporter_left(struct reporter *r)
{
	if (r->on)
		(void)atomic_fetch_sub_explicit(&r->running, 1, memory_order_acq_rel);
}

void reporter_reopen(struct reporter *r) { atomic_store_explicit(&r->reopen, true, memory_order_relaxed); }

/* ---- opening ---- */

/* What collectors know us by: as we call ourselves, or as the machine is called. */
static struct mrg_span identity(struct reporter *r, const struct options *o)
{
	if (o->answering.server.identity.len != 0)
		return o->answering.server.identity;
	if (gethostname(r->host, sizeof r->host - 1) != 0)
		r->host[0] = '\0';
	return (struct mrg_span){ (const uint8_t *)r->host, strlen(r->host) };
}

static int open_log(struct reporter *r, const char *name)
{
	r->log_on = true;
	if (!sink_init(&r->log, &r->arena, LOG, "--query-log", name))
		return ENOMEM;
	return sink_open(name, O_APPEND, &r->log.fd);
}

static int open_dnstap(struct reporter *r, const struct options *o)
{
	r->dnstap_on = true;
	return dnstap_open(&r->dnstap, &r->arena, &r->loop.timers, o->dnstap, identity(r, o));
}

int reporter_open(struct reporter *r, const struct options *o, const char *failed[2])
{
	const size_t memory = ROOM + LOG + dnstap_memory() + mrg_unix_loop_memory(&LIMITS);
	failed[0] = failed[1] = "";
	*r = (struct reporter){ .on = o->query_log != NULL || o->dnstap != NULL,
		.round = { .fire = take_round } };
	if (!r->on)
		return 0;
	int err = mrg_unix_arena_open(&r->arena, memory, memory);
	if (err == 0)
		err = mrg_unix_loop_init(
			&r->loop, o->sandbox ? &mrg_unix_few : &mrg_unix_kernel, &r->arena, &LIMITS);
	if (err == 0 && o->query_log != NULL) {
		err = open_log(r, o->query_log);
		failed[0] = "--query-log ";
		failed[1] = o->query_log;
	}
	if (err == 0 && o->dnstap != NULL) {
		err = open_dnstap(r, o);
		failed[0] = "--dnstap ";
		failed[1] = o->dnstap;
	}
	if (err == 0)
		mrg_rt_timer_set(&r->loop.timers, &r->round, r->loop.now_ns);
	return err;
}

void reporter_watch(struct reporter *r, struct worker *const *workers, size_t count)
{
	r->workers = workers;
	r->worker_count = count;
	atomic_init(&r->running, count);
	atomic_init(&r->reopen, false);
}

void reporter_keep(const struct reporter *r, struct sandbox *s)
{
	sandbox_loop(s, &r->loop);
	if (r->log_on)
		mrg_unix_set_add(&s->open.logs, r->log.fd);
	if (r->dnstap_on)
		mrg_unix_set_add(&s->open.logs, r->dnstap.data.fd);
}

/* ---- figures ---- */

static uint64_t load_count(const atomic_uint_least64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

void reporter_figures(const struct reporter *r, struct mrg_w *w)
{
	static const struct metric took = { "mrg_dns_log_queries_total", NULL, "counter",
		"Queries, and other messages, of which it was to be written down what was seen." };
	static const struct metric lost = { "mrg_dns_log_dropped_total", NULL, "counter",
		"Of these, those that were not: workers or what is written to had no room." };
	uint64_t sampled = 0, full = 0;
	if (!r->on)
		return;
	for (size_t i = 0; i < r->worker_count; i++) {
		sampled += load_count(&r->workers[i]->sampler.took);
		full += load_count(&r->workers[i]->sampler.ring.full);
	}
	metric_put(w, &took, sampled);
	metric_head_put(w, &lost);
	metric_labelled_put(w, &lost, "where", MRG_LITERAL("worker"), full);
	if (r->log_on)
		metric_labelled_put(w, &lost, "where", MRG_LITERAL("query-log"), load_count(&r->log.lost));
	if (r->dnstap_on)
		metric_labelled_put(
			w, &lost, "where", MRG_LITERAL("dnstap"), load_count(&r->dnstap.data.lost));
}
