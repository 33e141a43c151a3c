/*
 * A worker: batches of datagrams and streams of queries go to the answer function, and replies back.
 * Reading order: the two answer functions, turn, worker_new.
 */
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/dns/answers.h"
#include "appliances/dns/figures.h"
#include "appliances/dns/letters.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/seeing.h"
#include "appliances/dns/worker.h"

enum {
	ARENA = 64 << 20, /* address space: buffers, connections and their blocks */
	QUERY_MAX =
		1472, /* octets of a UDP query, if no longer ones are invited; the rest is cut off, and is missed */
	SPARE_SLOTS = 64, /* slots beyond the connections of the protocol: what one turn may accept */
	BLOCKS = 128      /* partial long queries and waiting replies at once */
};

static const uint64_t IDLE_NS = 10u * MRG_RT_SECOND_NS;
static const uint64_t DRAIN_NS = 5u * MRG_RT_SECOND_NS;

static void count(
	void *ctx, const struct mrg_dns_asker *c, const struct mrg_dns_query *query, struct mrg_span reply)
{
	struct worker *const w = ctx;
	(void)c;
	counts_take(&w->counts, query, reply);
}

/* Where anything is to be written down. */
static void count_and_see(
	void *ctx, const struct mrg_dns_asker *c, const struct mrg_dns_query *query, struct mrg_span reply)
{
	struct worker *const w = ctx;
	counts_take(&w->counts, query, reply);
	if (sampler_due(&w->sampler))
		seeing_query(w, c, query->message, reply);
}

static bool answer_other(void *ctx, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d)
{
	const struct worker *const w = ctx;
	return others_datagram(&w->others, e, index, d);
}

static struct answers answers_of(struct worker *w)
{
	return (struct answers){ .server = &w->db->server,
		.rate = w->options->answering.rate.limit != 0 ? &w->rate : NULL,
		.ctx = w,
		.answered = sampler_is_on(&w->sampler) ? count_and_see : count,
		.other = answer_other };
}

static void answer_dgrams(
	void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct worker *const w = ctx;
	const struct answers answers = answers_of(w);
	answers_batch(&answers, e, d, count, mrg_unix_time_s(), now_ns);
}

static enum mrg_dns_said answer_stream(void *ctx, struct mrg_dns_call *call, struct mrg_span query,
	uint8_t *out, size_t cap, size_t *out_len)
{
	struct worker *const w = ctx;
	enum mrg_dns_said said;
	if (others_stream(&w->others, call, query, out, cap, out_len, &said))
		return said;
	const struct answers answers = answers_of(w);
	return answers_stream(&answers, call->stream, query, out, cap, out_len, mrg_unix_time_s()) == MRG_OK
		       ? MRG_DNS_SAID_ALL
		       : MRG_DNS_SAID_NOTHING;
}

static enum mrg_dns_said next_part(void *ctx, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	struct worker *const w = ctx;
	return sending_next(&w->sendings, transfer, out, cap, out_len);
}

static void transfer_over(void *ctx, void *transfer)
{
	struct worker *const w = ctx;
	seeing_transfer(w, sending_told(transfer));
	sending_done(&w->sendings, transfer);
}

static void drain_over(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct worker *const w = (struct worker *)(void *)((char *)t - offsetof(struct worker, drain_timer));
	(void)now_ns;
	w->drained = true;
}

/* Close the doors and answer what is inside. */
static void begin_drain(struct worker *w, uint64_t now_ns)
{
	w->draining = true;
	for (size_t i = 0; i < w->end_count; i++) {
		end_dgram_close(&w->udp[i]);
		end_listener_drain(&w->tcp[i]);
	}
	relay_close(&w->relay);
	metrics_close(&w->metrics);
	mrg_dns_streams_drain(&w->streams, now_ns);
	mrg_rt_timer_set(&w->loop.timers, &w->drain_timer, now_ns + DRAIN_NS);
}

/* What the manager has for this worker. */
static void take_letters(struct worker *w, uint64_t now_ns)
{
	struct letter *l;
	while ((l = mail_next(&w->control->mail, &w->letters)) != NULL) {
		if (l->kind == LETTER_UPDATE)
			letters_answer(w, l, now_ns);
		else
			relay_take(&w->relay, l);
	}
}

/* Between two batches: nothing of the old database is held, so this is the place to take up a new one. */
static bool turn(void *ctx, uint64_t now_ns)
{
	struct worker *const w = ctx;
	struct database *const db = atomic_load_explicit(&w->control->current, memory_order_acquire);
	if (db != w->db) {
		w->others.db = w->db = db;
		atomic_store_explicit(&w->seen, db, memory_order_release);
		mrg_unix_bell_ring(&w->control->seen);
	}
	atomic_store_explicit(
		&w->turns, atomic_load_explicit(&w->turns, memory_order_relaxed) + 1u, memory_order_relaxed);
	take_letters(w, now_ns);
	figures_publish(w);
	net_turn(w->net);
	if (!w->draining && atomic_load_explicit(&w->control->stopping, memory_order_acquire))
		begin_drain(w, now_ns);
	return !w->draining || (!w->drained && (mrg_dns_streams_count(&w->streams) != 0 || net_busy(w->net)));
}

/* What the stack has room for, where there is one. */
static struct mrg_tcpip_limits stack_limits(const struct options *o)
{
	struct mrg_tcpip_limits limits = mrg_tcpip_usual;
	limits.dgram_out_max = o->answering.server.udp_max;
	return limits;
}

static int open_ends(struct worker *w, const struct places *places)
{
	const struct ends ends = { .loop = &w->loop, .arena = &w->arena, .net = places->net };
	const size_t count = w->options->listen_count;
	int err = 0;
	w->udp = mrg_arena_get(&w->arena, count * sizeof *w->udp, _Alignof(struct end_dgram));
	w->tcp = mrg_arena_get(&w->arena, count * sizeof *w->tcp, _Alignof(struct end_listener));
	if (w->udp == NULL || w->tcp == NULL)
		return ENOMEM;
	for (size_t i = 0; i < count && err == 0; i++) {
		const struct sockets s =
			places->net == NULL ? places->sockets[i] : (struct sockets){ -1, -1 };
		err = end_dgram_open(&w->udp[i], &ends, s.udp, &places->listen[i], &w->answer_dgrams);
		if (err == 0)
			err = end_listener_open(
				&w->tcp[i], &ends, s.tcp, &places->listen[i], &w->streams.user);
	}
	w->end_count = count;
	w->listen = places->listen;
	return err;
}

static int make_ends(struct worker *w, const struct places *places, uint32_t conns)
{
	const struct options *const o = w->options;
	const struct mrg_unix_limits limits = {
		.conn_count = (places->net == NULL ? conns + SPARE_SLOTS : OUTWARD_CONNECTS) + METRICS_CONNS,
		.dgram_in_max =
			o->answering.server.udp_max > QUERY_MAX ? o->answering.server.udp_max : QUERY_MAX,
		.dgram_out_max = o->answering.server.udp_max,
	};
	struct mrg_dns_stream_limits stream_limits = { .conn_count = conns,
		.block_count = BLOCKS,
		.idle_ns = IDLE_NS,
		.client_max = o->answering.tcp_per_client };
	const struct mrg_dns_answerer answerer = {
		.ctx = w, .answer = answer_stream, .next = next_part, .done = transfer_over
	};
	const struct mrg_tcpip_limits stack = stack_limits(o);
	if (getrandom(stream_limits.client_key, sizeof stream_limits.client_key, 0) !=
		sizeof stream_limits.client_key)
		return errno;
	int err = mrg_unix_loop_init(
		&w->loop, o->sandbox ? &mrg_unix_few : &mrg_unix_kernel, &w->arena, &limits);
	if (err != 0)
		return err;
	if (mrg_dns_streams_init(&w->streams, &w->arena, &w->loop.timers, &stream_limits, &answerer) !=
		MRG_OK)
		return ENOMEM;
	if (places->net != NULL)
		err = net_open(places->net, &w->loop, &w->arena, &stack);
	if (err == 0 && places->net != NULL &&
		!relay_init(&w->relay, places->net->stack, w->control, &w->loop, &w->arena))
		err = ENOMEM;
	return err == 0 ? open_ends(w, places) : err;
}

int worker_new(struct worker **out, struct control *control, const struct options *o,
	const struct places *places, uint32_t conns)
{
	struct mrg_arena arena;
	const struct mrg_tcpip_limits stack = stack_limits(o);
	const bool seen = o->query_log != NULL || o->dnstap != NULL;
	const size_t memory = ARENA + rate_memory(&o->answering.rate) + (seen ? sampler_memory() : 0) +
			      (places->net != NULL ? net_memory(places->net->options, &stack) : 0);
	int err = mrg_unix_arena_open(&arena, memory, memory);
	if (err != 0)
		return err;
	struct worker *const w = mrg_arena_get(&arena, sizeof *w, _Alignof(struct worker));
	w->control = control;
	w->options = o;
	w->arena = arena;
	w->net = places->net;
	w->db = atomic_load_explicit(&control->current, memory_order_acquire);
	atomic_init(&w->seen, w->db);
	w->answer_dgrams = (struct mrg_dgram_user){ .ctx = w, .batch = answer_dgrams };
	if (o->answering.rate.limit != 0 && !rate_table(&o->answering.rate, o->workers, &w->rate, &w->arena))
		err = ENOMEM;
	if (err == 0 && seen && !sampler_init(&w->sampler, &w->arena, o->query_log_sample))
		err = ENOMEM;
	sendings_init(&w->sendings, &w->arena);
	w->others = (struct others){ .db = w->db,
		.sendings = &w->sendings,
		.ctx = w,
		.notified = letters_notified,
		.update = letters_update,
		.seen = seeing_other };
	w->drain_timer.fire = drain_over;
	if (err == 0)
		err = make_ends(w, places, conns);
	if (err != 0)
		mrg_unix_arena_close(&arena);
	else
		*out = w;
	return err;
}

static void put_figures(void *ctx, struct mrg_w *out)
{
	struct worker *const w = ctx;
	figures_publish(w);
	figures_put(w->control, w->db, out);
	net_figures_put(w->net, out);
}

int worker_show(struct worker *w, int socket)
{
	return metrics_init(&w->metrics, &w->arena, &w->loop, socket, w->net, w, put_figures);
}

void worker_run(void *ctx)
{
	struct worker *const w = ctx;
	const struct mrg_unix_turn each = { .ctx = w, .turn = turn };
	const int err = mrg_unix_loop_run(&w->loop, &each);
	if (err != 0) {
		struct mrg_rt_line l;
		mrg_rt_line_begin(&l, "error", "worker_failed");
		mrg_rt_line_str(&l, "why", strerrordesc_np(err));
		mrg_rt_log_line(&stderr_log, &l);
		_exit(OUTCOME_SYSTEM); /* a server that has lost a worker answers some and not others: better none, and a restart */
	}
	reporter_left(w->control->reporter);
}

void worker_end(struct worker *w)
{
	mrg_unix_thread_join(&w->thread);
	mrg_dns_streams_close(&w->streams);
	if (w->net != NULL)
		net_close(w->net);
	mrg_unix_loop_close(&w->loop);
}

void worker_keep(const struct worker *w, struct sandbox *s)
{
	sandbox_loop(s, &w->loop);
	sandbox_net(s, w->net);
	sandbox_metrics(s, &w->metrics);
	for (size_t i = 0; i < w->end_count; i++) {
		sandbox_dgram(s, &w->udp[i]);
		sandbox_listener(s, &w->tcp[i]);
	}
}

noreturn void worker_leave(struct worker *w)
{
	mrg_dns_streams_close(&w->streams);
	if (w->net != NULL)
		net_close(w->net);
	sandbox_leave(w->control->sandbox);
}
