/*
 * The control thread: binds, opens, drops privileges, starts the workers, then waits for signals.
 * Reading order: serve at the end, then upwards.
 */
#include <errno.h>
#include <sys/socket.h>

#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/http/serve.h"
#include "appliances/http/worker.h"

enum {
	CONNS_MAX = 16384, /* connections of one worker, if the process may open as many files */
	FILES_SPARE = 64,  /* files for other things */
	FILES_SITE =
		512 /* of a worker's places, twice as many as their cache keeps: there may be an old and a new one */
};

static const char PROGRAM[] = "mrg-http";

struct server {
	const struct options *options; /* of the start: addresses, workers and user stay as they are */
	struct setup *setup; /* the present one, and behind it those that somebody may still go by */
	int argc;
	char *const *argv;
	struct control control;
	struct worker *worker[WORKERS_MAX];
	int (*sockets)[LISTEN_MAX]; /* for each worker, for each address */
	struct mrg_rt_addr listen[LISTEN_MAX], metrics;
	struct net net; /* of the one worker that there is then */
	int metrics_fd;
	int signal_fd;
	struct mrg_unix_signals signals; /* in a sandbox */
	struct sandbox sandbox;
};

/* ---- running ---- */

static void wake_all(struct server *s)
{
	for (size_t i = 0; i < s->options->workers; i++)
		mrg_unix_loop_wake(&s->worker[i]->loop);
}

/* Hand the setup to all workers, and wait until the last has taken it up. */
static void hand_over(struct server *s)
{
	const unsigned reload = atomic_load_explicit(&s->control.reloads, memory_order_relaxed) + 1;
	atomic_store_explicit(&s->control.setup, s->setup, memory_order_relaxed);
	atomic_store_explicit(&s->control.reloads, reload, memory_order_release);
	wake_all(s);
	for (size_t i = 0; i < s->options->workers; i++)
		while (atomic_load_explicit(&s->worker[i]->reloads, memory_order_acquire) != reload)
			mrg_unix_bell_wait(&s->control.seen);
}

static void free_replaced(struct server *s)
{
	struct setup **at = &s->setup->older;
	while (*at != NULL) {
		struct setup *const old = *at;
		if (atomic_load_explicit(&old->sites, memory_order_acquire) != 0) {
			at = &old->older;
			continue;
		}
		*at = old->older;
		setup_free(old);
	}
}

/* The same addresses, workers and user are needed for as long as the server runs. */
static void warn_kept(const struct options *was, const struct options *is)
{
	bool same = was->rules.listen_count == is->rules.listen_count && was->workers == is->workers &&
		    mrg_rt_addr_same(&was->rules.metrics, &is->rules.metrics) &&
		    net_same(&was->net, &is->net);
	for (size_t i = 0; same && i < is->rules.listen_count; i++)
		same = mrg_rt_addr_same(&was->rules.listen[i], &is->rules.listen[i]);
	if (!same)
		say_event("warn", "addresses_and_workers_need_restart");
}

static void reload(struct server *s)
{
	enum outcome outcome;
	struct site *probe;
	struct setup *const fresh = setup_read(s->argc, s->argv, &outcome);
	if (fresh == NULL || site_open(&probe, fresh) != OUTCOME_OK) {
		if (fresh != NULL)
			setup_free(fresh);
		say_event("error", "reload_failed");
		return;
	}
	site_close(probe);
	warn_kept(s->options, &fresh->options);
	fresh->older = s->setup;
	s->setup = fresh;
	hand_over(s);
	free_replaced(s);
	say_event("info", "reloaded");
}

/* The worker does it, since frames come and go meanwhile. */
static void record(struct server *s)
{
	if (s->options->net.kind != NET_NONE)
		net_record_ask(&s->net, &s->worker[0]->loop);
	else
		say_event("warn", "record_nothing");
}

static void stop(struct server *s)
{
	say_event("info", "stopping");
	atomic_store_explicit(&s->control.stopping, true, memory_order_release);
	wake_all(s);
}

static enum outcome run(struct server *s)
{
	enum mrg_unix_signal signal;
	for (;;) {
		const int err = mrg_unix_signals_wait(s->signal_fd, &signal);
		if (err != 0)
			return refused(PROGRAM, "signals", "", err);
		if (signal == MRG_UNIX_STOP)
			break;
		if (signal == MRG_UNIX_RECORD)
			record(s);
		else
			reload(s);
	}
	stop(s);
	for (size_t i = 0; i < s->options->workers; i++)
		worker_end(s->worker[i]);
	say_event("info", "stopped");
	return OUTCOME_OK;
}

/* ---- in a sandbox ---- */

static void take_signal(void *ctx, enum mrg_unix_signal signal)
{
	struct server *const s = ctx;
	if (signal == MRG_UNIX_RELOAD)
		sandbox_refuse("reload_refused");
	else if (signal == MRG_UNIX_RECORD)
		record(s);
	else if (!atomic_load_explicit(&s->control.stopping, memory_order_relaxed))
		stop(s);
}

static void run_locked_in(void *ctx)
{
	struct worker *const w = ctx;
	sandbox_arrive(w->control->sandbox);
	worker_run(w);
	worker_leave(w);
}

/* All is open: from here on this is all that there will be. */
static enum outcome lock_in(struct server *s)
{
	struct sandbox *const box = &s->sandbox;
	const struct options *const o = s->options;
	s->control.sandbox = box;
	s->signals = (struct mrg_unix_signals){ .ctx = s, .take = take_signal };
	int err = mrg_unix_signals_serve(&s->signals, &s->worker[0]->loop, s->signal_fd);
	if (err != 0)
		return refused(PROGRAM, "signals", "", err);
	enum outcome outcome = sandbox_begin(box, PROGRAM, o->workers);
	if (outcome != OUTCOME_OK)
		return outcome;
	mrg_unix_set_add(&box->open.signals, s->signal_fd);
	for (size_t i = 0; i < o->workers; i++)
		worker_keep(s->worker[i], box);
	for (size_t i = 1; i < o->workers && err == 0; i++)
		err = mrg_unix_thread_start(&s->worker[i]->thread, run_locked_in, s->worker[i]);
	return err == 0 ? sandbox_close(box) : refused(PROGRAM, "workers", "", err);
}

/* ---- starting ---- */

/* One address, for every worker; port 0 is settled by the first. */
static enum outcome bind_address(struct server *s, size_t index)
{
	struct mrg_rt_addr *const a = &s->listen[index];
	const bool shared = s->options->workers > 1;
	int err = shared ? mrg_unix_addr_free(a, SOCK_STREAM) : 0;
	for (size_t i = 0; i < s->options->workers && err == 0; i++)
		err = mrg_unix_tcp_listen(a, shared, &s->sockets[i][index]);
	return err == 0 ? OUTCOME_OK : bind_refused(PROGRAM, "--listen ", a, "TCP", err);
}

static enum outcome bind_all(struct server *s)
{
	enum outcome outcome = OUTCOME_OK;
	if (s->options->net.kind != NET_NONE)
		outcome = net_device(&s->net, PROGRAM, &s->options->net);
	for (size_t i = 0; s->options->net.kind == NET_NONE && i < s->options->rules.listen_count &&
			   outcome == OUTCOME_OK;
		i++)
		outcome = bind_address(s, i);
	if (outcome != OUTCOME_OK || s->metrics.family == 0)
		return outcome;
	const int err = mrg_unix_tcp_listen(&s->metrics, false, &s->metrics_fd);
	return err == 0 ? OUTCOME_OK : bind_refused(PROGRAM, "--metrics ", &s->metrics, "TCP", err);
}

static uint32_t conns_each(const struct options *o)
{
	const size_t files = mrg_unix_files_max();
	const size_t taken =
		FILES_SPARE + o->workers * (o->rules.listen_count + 3u + o->rules.host_count * FILES_SITE);
	const size_t share = files > taken ? (files - taken) / o->workers : 0;
	return share < 64 ? 64 : share < CONNS_MAX ? (uint32_t)share : CONNS_MAX;
}

static enum outcome make_workers(struct server *s)
{
	const struct options *const o = s->options;
	const uint32_t conns = conns_each(o);
	for (size_t i = 0; i < o->workers; i++) {
		struct site *site;
		const enum outcome outcome = site_open(&site, s->setup);
		if (outcome != OUTCOME_OK)
			return outcome;
		const struct places places = { s->listen, o->rules.listen_count, s->sockets[i],
			o->net.kind != NET_NONE ? &s->net : NULL };
		const int err = worker_new(&s->worker[i], &s->control, &places, site, conns);
		if (err != 0)
			return refused(PROGRAM, "workers", "", err);
	}
	const int err = s->metrics.family == 0 ? 0 : worker_show(s->worker[0], s->metrics_fd);
	return err == 0 ? OUTCOME_OK : refused(PROGRAM, "metrics", "", err);
}

static void log_ready(const struct server *s, uint64_t took_ns)
{
	struct mrg_rt_line l;
	for (size_t i = 0; i < s->options->rules.listen_count; i++)
		log_listen("listen", &s->listen[i]);
	if (s->metrics.family != 0)
		log_listen("metrics", &s->metrics);
	mrg_rt_line_begin(&l, "info", "ready");
	mrg_rt_line_num(&l, "hosts", s->options->rules.host_count);
	mrg_rt_line_num(&l, "workers", s->options->workers);
	mrg_rt_line_num(&l, "took_us", took_ns / 1000u);
	mrg_rt_log_line(&stderr_log, &l);
}

static enum outcome start(struct server *s)
{
	const uint64_t start_ns = mrg_unix_now_ns();
	bool dropped;
	enum outcome outcome = bind_all(s);
	if (outcome == OUTCOME_OK)
		outcome = make_workers(
			s); /* a folder may be where only root gets to: it is open from here on */
	if (outcome == OUTCOME_OK)
		outcome = drop_privileges(PROGRAM, s->options->user, &dropped);
	if (outcome != OUTCOME_OK)
		return outcome;
	int err = mrg_unix_signals_open(&s->signal_fd);
	if (err == 0)
		err = mrg_unix_bell_open(&s->control.seen);
	if (err == 0 && s->options->sandbox)
		outcome = lock_in(s);
	for (size_t i = 0; !s->options->sandbox && i < s->options->workers && err == 0; i++)
		err = mrg_unix_thread_start(&s->worker[i]->thread, worker_run, s->worker[i]);
	if (err != 0)
		return refused(PROGRAM, "workers", "", err);
	if (outcome != OUTCOME_OK)
		return outcome;
	log_ready(s, mrg_unix_now_ns() - start_ns);
	return OUTCOME_OK;
}

enum outcome serve(struct setup *setup, int argc, char *const argv[])
{
	static struct server s;
	static int sockets[WORKERS_MAX][LISTEN_MAX];
	static struct options at_start;
	const struct options *const o = &at_start;
	at_start = setup->options;
	s.options = o;
	s.setup = setup;
	s.argc = argc;
	s.argv = argv;
	s.sockets = sockets;
	s.metrics = o->rules.metrics;
	memcpy(s.listen, o->rules.listen, sizeof s.listen);
	atomic_init(&s.control.setup, setup);
	(void)pthread_mutex_init(&s.control.access_turn, NULL); /* which never fails without attributes */
	s.control.workers = s.worker;
	s.control.worker_count = o->workers;
	s.control.start_s = mrg_unix_time_s();
	const enum outcome outcome = start(&s);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (!o->sandbox)
		return run(&s);
	worker_run(s.worker[0]);
	worker_leave(s.worker[0]);
}
