/*
 * Starting: binds, loads, drops privileges, starts the workers; from there on the manager has the zones.
 * Reading order: serve at the end, then upwards.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/dns/manager.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/serve.h"
#include "appliances/dns/show.h"

enum {
	CONNS_MAX = 4096, /* TCP connections of one worker, if the process may open as many files */
	FILES_SPARE = 64  /* files for other things */
};

static const char PROGRAM[] = "mrg-dns";

struct server {
	struct settings *settings;
	const struct options *options; /* of these */
	struct control control;
	struct manager manager;
	struct reporter reporter;
	struct worker *worker[WORKERS_MAX];
	struct sockets (*sockets)[LISTEN_MAX]; /* for each worker, for each address */
	struct mrg_rt_addr listen[LISTEN_MAX], metrics;
	struct net net;             /* of the one worker that there is then */
	int metrics_fd, control_fd; /* control_fd: below 0 if there is none */
	int signal_fd;
	struct mrg_unix_signals signals; /* in a sandbox */
	struct sandbox sandbox;
};

/* Our own stack; NULL: there is none. */
static struct net *net_of(struct server *s) { return s->options->net.kind != NET_NONE ? &s->net : NULL; }

/* ---- in a sandbox ---- */

static void take_signal(void *ctx, enum mrg_unix_signal signal)
{
	struct server *const s = ctx;
	if (signal == MRG_UNIX_RELOAD)
		sandbox_refuse("reload_refused");
	else if (signal == MRG_UNIX_RECORD)
		manager_record(&s->control, net_of(s));
	else if (!atomic_load_explicit(&s->control.stopping, memory_order_relaxed))
		manager_stop(&s->control);
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
	const size_t count = s->options->workers;
	s->control.sandbox = box;
	s->signals = (struct mrg_unix_signals){ .ctx = s, .take = take_signal };
	int err = mrg_unix_signals_serve(&s->signals, &s->worker[0]->loop, s->signal_fd);
	if (err != 0)
		return refused(PROGRAM, "signals", "", err);
	enum outcome outcome = sandbox_begin(box, PROGRAM, count + s->reporter.on);
	if (outcome != OUTCOME_OK)
		return outcome;
	mrg_unix_set_add(&box->open.signals, s->signal_fd);
	for (size_t i = 0; i < count; i++)
		worker_keep(s->worker[i], box);
	if (s->reporter.on)
		reporter_keep(&s->reporter, box);
	err = reporter_begin(&s->reporter, box);
	for (size_t i = 1; i < count && err == 0; i++)
		err = mrg_unix_thread_start(&s->worker[i]->thread, run_locked_in, s->worker[i]);
	return err == 0 ? sandbox_close(box) : refused(PROGRAM, "workers", "", err);
}

/* ---- starting ---- */

/* The two sockets of one worker. A port that the kernel chose for UDP may be taken for TCP: then another is tried. */
static enum outcome bind_pair(struct mrg_rt_addr *a, bool shared, struct sockets *out)
{
	enum { TRIES = 16 };
	const bool any_port = a->port == 0;
	int err = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		a->port = any_port ? 0 : a->port;
		err = mrg_unix_udp_bind(a, shared, &out->udp);
		if (err != 0)
			return bind_refused(PROGRAM, "--listen ", a, "UDP", err);
		err = mrg_unix_tcp_listen(a, shared, &out->tcp);
		if (err == 0)
			return OUTCOME_OK;
		(void)close(out->udp);
		if (!any_port || err != EADDRINUSE)
			break;
	}
	return bind_refused(PROGRAM, "--listen ", a, "TCP", err);
}

/* One address, for every worker; port 0 is settled by the first. */
static enum outcome bind_address(struct server *s, size_t index)
{
	struct mrg_rt_addr *const a = &s->listen[index];
	const bool shared = s->options->workers > 1;
	int err = shared ? mrg_unix_addr_free(a, SOCK_DGRAM) : 0;
	if (err != 0)
		return bind_refused(PROGRAM, "--listen ", a, "UDP", err);
	err = shared ? mrg_unix_addr_free(a, SOCK_STREAM) : 0;
	if (err != 0)
		return bind_refused(PROGRAM, "--listen ", a, "TCP", err);
	for (size_t i = 0; i < s->options->workers; i++) {
		const enum outcome outcome = bind_pair(a, shared, &s->sockets[i][index]);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

/* The device of our own stack, or a socket for each address. */
static enum outcome open_doors(struct server *s)
{
	enum outcome outcome = OUTCOME_OK;
	if (s->options->net.kind != NET_NONE)
		return net_device(&s->net, PROGRAM, &s->options->net);
	for (size_t i = 0; i < s->options->listen_count && outcome == OUTCOME_OK; i++)
		outcome = bind_address(s, i);
	return outcome;
}

/* Say now what the new user would not be able to read. */
static void warn_unreadable(const char *file, const char *user)
{
	struct mrg_rt_line l;
	if (access(file, R_OK) == 0)
		return;
	mrg_rt_line_begin(&l, "warn", "reload_will_fail");
	mrg_rt_line_str(&l, "file", file);
	mrg_rt_line_str(&l, "user", user);
	mrg_rt_line_str(&l, "why", strerrordesc_np(errno));
	mrg_rt_log_line(&stderr_log, &l);
}

/* A reload is done by the new user. */
static enum outcome drop(const struct options *o)
{
	bool dropped;
	const enum outcome outcome = drop_privileges(PROGRAM, o->user, &dropped);
	if (outcome != OUTCOME_OK || !dropped || o->sandbox)
		return outcome;
	const char *const user = o->user != NULL ? o->user : DEFAULT_USER;
	if (o->config != NULL)
		warn_unreadable(o->config, user);
	for (size_t i = 0; i < o->zones.count; i++)
		if (o->zones.list[i].primaries == NULL)
			warn_unreadable(o->zones.list[i].file, user);
	return outcome;
}

static enum outcome start_workers(struct server *s)
{
	const struct options *const o = s->options;
	const size_t files = mrg_unix_files_max(),
		     taken = FILES_SPARE + o->workers * (2u * o->listen_count + 3u);
	const size_t share = files > taken ? (files - taken) / o->workers : 0;
	const uint32_t conns = share < 1 ? 1 : share < CONNS_MAX ? (uint32_t)share : CONNS_MAX;
	int err = mrg_unix_bell_open(&s->control.seen);
	for (size_t i = 0; i < o->workers && err == 0; i++)
		err = worker_new(&s->worker[i], &s->control, o,
			&(struct places){ s->listen, s->sockets[i], net_of(s) }, conns);
	if (err == 0 && s->metrics.family != 0)
		err = worker_show(s->worker[0], s->metrics_fd);
	reporter_watch(&s->reporter, s->worker, o->workers);
	if (err == 0 && o->sandbox)
		return lock_in(s);
	if (err == 0)
		err = reporter_begin(&s->reporter, NULL);
	for (size_t i = 0; i < o->workers && err == 0; i++)
		err = mrg_unix_thread_start(&s->worker[i]->thread, worker_run, s->worker[i]);
	return err == 0 ? OUTCOME_OK : refused(PROGRAM, "workers", "", err);
}

static enum outcome start_manager(struct server *s)
{
	const int err =
		manager_open(&s->manager, s->settings, &s->control, net_of(s), s->signal_fd, s->control_fd);
	return err == 0 ? OUTCOME_OK : refused(PROGRAM, "manager", "", err);
}

/* What others look at and ask: not the workers' sockets. */
static enum outcome open_windows(struct server *s)
{
	int err = s->metrics.family != 0 ? mrg_unix_tcp_listen(&s->metrics, false, &s->metrics_fd) : 0;
	if (err != 0)
		return bind_refused(PROGRAM, "--metrics ", &s->metrics, "TCP", err);
	s->control_fd = -1;
	err = s->options->control != NULL ? mrg_unix_local_listen(s->options->control, &s->control_fd) : 0;
	if (err == 0)
		return OUTCOME_OK;
	(void)refused(PROGRAM, "--control ", s->options->control, err);
	return OUTCOME_ADDRESS;
}

/* Where it is written down what is seen of queries: files that the new user need not be able to open. */
static enum outcome open_logs(struct server *s)
{
	const char *failed[2];
	const int err = reporter_open(&s->reporter, s->options, failed);
	return err == 0 ? OUTCOME_OK : refused(PROGRAM, failed[0], failed[1], err);
}

static enum outcome start(struct server *s, uint64_t start_ns)
{
	struct database *db;
	enum outcome outcome = open_doors(s);
	if (outcome == OUTCOME_OK)
		outcome = open_windows(s);
	if (outcome == OUTCOME_OK)
		outcome = open_logs(s);
	if (outcome == OUTCOME_OK)
		outcome = load(s->settings, false, &stderr_report, &db);
	if (outcome == OUTCOME_OK)
		outcome = drop(s->options);
	if (outcome != OUTCOME_OK)
		return outcome;
	atomic_init(&s->control.current, db);
	atomic_init(&s->control.stopping, false);
	const int err = mrg_unix_signals_open(&s->signal_fd);
	if (err != 0)
		return refused(PROGRAM, "signals", "", err);
	outcome = s->options->sandbox ? OUTCOME_OK : start_manager(s);
	if (outcome == OUTCOME_OK)
		outcome = start_workers(s);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < s->options->listen_count; i++)
		log_listen("listen", &s->listen[i]);
	if (s->metrics.family != 0)
		log_listen("metrics", &s->metrics);
	manager_said("ready", &s->control, db, mrg_unix_now_ns() - start_ns);
	return OUTCOME_OK;
}

enum outcome serve(struct settings *settings)
{
	const struct options *const o = &settings->options;
	static struct server s;
	static struct sockets sockets[WORKERS_MAX][LISTEN_MAX];
	const uint64_t start_ns = mrg_unix_now_ns();
	s.settings = settings;
	s.options = o;
	s.sockets = sockets;
	s.metrics = o->metrics;
	s.control.workers = s.worker;
	s.control.worker_count = o->workers;
	s.control.reporter = &s.reporter;
	s.control.start_s = mrg_unix_time_s();
	memcpy(s.listen, o->listen, sizeof s.listen);
	const enum outcome outcome = start(&s, start_ns);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (!o->sandbox)
		return manager_run(&s.manager);
	worker_run(s.worker[0]);
	worker_leave(s.worker[0]);
}
