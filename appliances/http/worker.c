/*
 * A worker: requests go to the files of the site, or what the server itself answers.
 * Reading order: the handler, turn, worker_new.
 */
#include <errno.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/http/figures.h"
#include "appliances/http/worker.h"

enum {
	SPARE_SLOTS = 64, /* slots beyond the connections of the protocol: what one turn may accept */
	ALIGNED = 4096    /* bytes lost between what lies in the arena */
};

static const uint64_t DRAIN_NS = 10u * MRG_RT_SECOND_NS;

/* ---- the handler ---- */

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return mrg_unix_time_s();
}

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	struct worker *const w = ctx;
	mrg_http_files_answer(&w->site->files, x);
	return false;
}

static void log_answer(void *ctx, const struct mrg_http_exchange *x)
{
	struct worker *const w = ctx;
	if (w->access.kind != ACCESS_NONE)
		access_line(&w->access, x);
}

/* Of those who write to standard output: a pipe takes only short writes at once. */
static void take_turn(void *ctx, bool begins)
{
	(void)(begins ? pthread_mutex_lock(ctx) : pthread_mutex_unlock(ctx));
}

/* ---- figures ---- */

_Static_assert((size_t)FIGURES <= (size_t)PUBLISHED_MAX, "room for every figure");

/* For other threads to see. */
static void publish_figures(struct worker *w)
{
	struct file_figures files = { 0 };
	uint64_t figures[FIGURES];
	for (size_t i = 0; i < w->site->count; i++) {
		files.hits += w->site->folders[i].counts.hits;
		files.loaded += w->site->folders[i].counts.loaded;
		files.busy += w->site->folders[i].counts.busy;
	}
	figures_of(&w->server, &files, figures);
	for (size_t i = 0; i < FIGURES; i++)
		publish(&w->published, i, figures[i]);
}

static void put_figures(void *ctx, struct mrg_w *out)
{
	static const struct metric start = { "process_start_time_seconds", NULL, "gauge",
		"When the server was started, in seconds since 1970." };
	struct worker *const w = ctx;
	uint64_t sums[FIGURES] = { 0 };
	publish_figures(w);
	for (size_t k = 0; k < w->control->worker_count; k++)
		for (size_t i = 0; i < FIGURES; i++)
			sums[i] += published(&w->control->workers[k]->published, i);
	metric_put(out, &start, w->control->start_s);
	figures_put(sums, out);
	net_figures_put(w->net, out);
}

/* ---- turns ---- */

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
	for (size_t i = 0; i < w->listener_count; i++)
		end_listener_drain(&w->listeners[i]);
	metrics_close(&w->metrics);
	mrg_http_server_drain(&w->server, now_ns);
	mrg_rt_timer_set(&w->loop.timers, &w->drain_timer, now_ns + DRAIN_NS);
}

/* What can't be opened has been opened by the control thread just before: if it fails now, what was served goes on being served. */
static void reload(struct worker *w)
{
	struct site *fresh;
	if (site_open(&fresh, atomic_load_explicit(&w->control->setup, memory_order_relaxed)) != OUTCOME_OK)
		return;
	fresh->older = w->site;
	w->site = fresh;
	w->access.kind = fresh->setup->options.rules.access_log;
}

/* Give up what was served before, as far as nobody gets it any more. */
static void close_idle(struct site **at)
{
	while (*at != NULL) {
		struct site *const s = *at;
		if (!site_idle(s)) {
			at = &s->older;
			continue;
		}
		*at = s->older;
		site_close(s);
	}
}

static bool turn(void *ctx, uint64_t now_ns)
{
	struct worker *const w = ctx;
	const unsigned reloads = atomic_load_explicit(&w->control->reloads, memory_order_acquire);
	if (reloads != atomic_load_explicit(&w->reloads, memory_order_relaxed)) {
		reload(w);
		atomic_store_explicit(&w->reloads, reloads, memory_order_release);
		mrg_unix_bell_ring(&w->control->seen);
	}
	close_idle(&w->site->older);
	access_flush(&w->access);
	publish_figures(w);
	net_turn(w->net);
	if (!w->draining && atomic_load_explicit(&w->control->stopping, memory_order_acquire))
		begin_drain(w, now_ns);
	return !w->draining || (!w->drained && (mrg_http_server_count(&w->server) != 0 || net_busy(w->net)));
}

/* ---- making one ---- */

static int make_ends(struct worker *w, const struct places *places, const struct mrg_unix_limits *loop,
	const struct mrg_http_limits *server)
{
	const struct mrg_http_handler handler = {
		.ctx = w,
		.head = head,
		.log = log_answer,
		.unix_s = unix_s,
	};
	const struct ends ends = { .loop = &w->loop, .arena = &w->arena, .net = places->net };
	w->listeners = mrg_arena_get(
		&w->arena, w->listener_count * sizeof *w->listeners, _Alignof(struct end_listener));
	if (w->listeners == NULL)
		return ENOMEM;
	int err = mrg_unix_loop_init(&w->loop,
		w->site->setup->options.sandbox ? &mrg_unix_few : &mrg_unix_kernel, &w->arena, loop);
	if (err != 0)
		return err;
	if (mrg_http_server_init(&w->server, &w->arena, &w->loop.timers, server, &handler) != MRG_OK)
		return ENOMEM;
	if (places->net != NULL)
		err = net_open(places->net, &w->loop, &w->arena, &mrg_tcpip_usual);
	for (size_t i = 0; i < w->listener_count && err == 0; i++)
		err = end_listener_open(&w->listeners[i], &ends,
			places->net == NULL ? places->sockets[i] : -1, &places->listen[i], &w->server.user);
	return err;
}

int worker_new(struct worker **out, struct control *control, const struct places *places, struct site *site,
	uint32_t conns)
{
	const struct options *const o = &site->setup->options;
	struct mrg_arena arena;
	const struct mrg_unix_limits loop = { .conn_count = (places->net == NULL ? conns + SPARE_SLOTS : 0) +
							    METRICS_CONNS };
	struct mrg_http_limits server = rules_limits;
	server.conn_count = conns;
	const size_t memory = sizeof(struct worker) + places->count * sizeof(struct end_listener) + ALIGNED +
			      mrg_unix_loop_memory(&loop) + mrg_http_server_memory(&server) +
			      (places->net != NULL ? net_memory(places->net->options, &mrg_tcpip_usual) : 0);
	int err = mrg_unix_arena_open(&arena, memory, memory);
	if (err != 0)
		return err;
	struct worker *const w = mrg_arena_get(&arena, sizeof *w, _Alignof(struct worker));
	if (w == NULL)
		return ENOMEM;
	w->control = control;
	w->listener_count = places->count;
	w->net = places->net;
	w->arena = arena;
	w->site = site;
	w->drain_timer.fire = drain_over;
	access_init(&w->access, o->rules.access_log, take_turn, &control->access_turn);
	err = make_ends(w, places, &loop, &server);
	if (err != 0)
		mrg_unix_arena_close(&arena);
	else
		*out = w;
	return err;
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
	if (err == 0)
		return;
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "worker_failed");
	mrg_rt_line_str(&l, "why", strerrordesc_np(err));
	mrg_rt_log_line(&stderr_log, &l);
	_exit(OUTCOME_SYSTEM); /* a server that has lost a worker serves some and not others: better none, and a restart */
}

void worker_end(struct worker *w)
{
	mrg_unix_thread_join(&w->thread);
	mrg_http_server_close(&w->server);
	if (w->net != NULL)
		net_close(w->net);
	mrg_unix_loop_close(&w->loop);
	access_flush(&w->access);
	close_idle(&w->site);
}

void worker_keep(const struct worker *w, struct sandbox *s)
{
	sandbox_loop(s, &w->loop);
	sandbox_net(s, w->net);
	sandbox_metrics(s, &w->metrics);
	for (size_t i = 0; i < w->listener_count; i++)
		sandbox_listener(s, &w->listeners[i]);
	if (w->access.kind == ACCESS_NONE)
		return;
	mrg_unix_set_add(&s->open.logs, w->access.out.fd);
	s->open.locks = s->worker_count > 1; /* they take turns */
}

noreturn void worker_leave(struct worker *w)
{
	mrg_http_server_close(&w->server);
	if (w->net != NULL)
		net_close(w->net);
	access_flush(&w->access);
	sandbox_leave(w->control->sandbox);
}
