/*
 * One loop with the device, the services and the page of figures.
 * Reading order: serve at the end, then upwards.
 */
#include <errno.h>

#include "appliances/common/metrics.h"
#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/echo/echo.h"

enum {
	PORT_ECHO = 7,
	PORT_DISCARD = 9,
	PORT_CHARGEN = 19,
	PORT_BYE = 2000,
	PORT_STUCK = 2001,
	PORT_CONTROL = 9999
};

static const char PROGRAM[] = "mrg-echo";

struct server {
	const struct options *options;
	struct mrg_unix_loop loop;
	struct mrg_arena arena;
	struct net net;
	struct streams streams;
	struct datagram_echo echo;
	struct datagram_control control;
	struct active active;
	struct metrics metrics;
	struct mrg_rt_addr metrics_at;
	int metrics_fd, signal_fd;
	struct mrg_unix_signals signals;
	struct sandbox sandbox;
	bool stopped;
};

static struct server server;

/* There is nothing to read again: SIGHUP ends it, as a terminal that goes wants it. */
static void take_signal(void *ctx, enum mrg_unix_signal signal)
{
	struct server *const s = ctx;
	if (signal == MRG_UNIX_RECORD)
		net_record(&s->net);
	else
		s->stopped = true;
}

static bool turn(void *ctx, uint64_t now_ns)
{
	const struct server *const s = ctx;
	(void)now_ns;
	return !s->stopped;
}

/* ---- figures ---- */

static void put_service(struct mrg_w *w, const struct metric *metric, unsigned kind, uint64_t value)
{
	char labels[40];
	struct metric labelled = *metric;
	struct text_out text;
	out_init(&text, -1, labels, sizeof labels - 1);
	out_str(&text, "service=\"");
	out_str(&text, service_name[kind]);
	out_str(&text, "\"");
	labels[text.w.len] = '\0';
	labelled.labels = labels;
	if (kind != 0)
		labelled.type = labelled.help = NULL;
	metric_put(w, &labelled, value);
}

static void page(void *ctx, struct mrg_w *w)
{
	static const struct metric all[] = {
		{ "mrg_echo_connections_total", NULL, "counter", "TCP connections." },
		{ "mrg_echo_connections_broken_total", NULL, "counter",
			"TCP connections that broke before their end." },
		{ "mrg_echo_octets_in_total", NULL, "counter", "Octets read from connections." },
		{ "mrg_echo_octets_out_total", NULL, "counter", "Octets written to connections." },
	};
	const struct server *const s = ctx;
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		for (unsigned k = 0; k < SERVICES; k++) {
			const struct stream_counts *const c = &s->streams.counts[k];
			const uint64_t values[] = { c->opened, c->broken, c->octets_in, c->octets_out };
			put_service(w, &all[i], k, values[i]);
		}
	metric_put(w, &(struct metric){ "mrg_echo_connections", NULL, "gauge", "TCP connections now." },
		s->streams.open);
	metric_put(w,
		&(struct metric){ "mrg_echo_datagrams_in_total", NULL, "counter", "Datagrams to echo." },
		s->echo.counts.in);
	metric_put(w,
		&(struct metric){
			"mrg_echo_datagrams_out_total", NULL, "counter", "Datagrams that went back." },
		s->echo.counts.out);
	metric_put(w,
		&(struct metric){
			"mrg_echo_connects_total", NULL, "counter", "Connections that datagrams asked for." },
		s->active.begun);
	metric_put(w,
		&(struct metric){
			"mrg_echo_connects_failed_total", NULL, "counter", "Those that nobody answered." },
		s->active.failed);
	net_figures_put(&s->net, w);
}

/* ---- ends ---- */

static const uint8_t families[] = { 4, 6 };

static bool listen_at(struct server *s, uint16_t port, enum service kind)
{
	for (size_t i = 0; i < sizeof families; i++) {
		struct mrg_rt_addr a = { .family = families[i], .port = port };
		if (mrg_tcpip_listen(s->net.stack, &a, &s->streams.user[kind]) == NULL)
			return false;
	}
	return true;
}

static bool bind_at(struct server *s, uint16_t port, const struct mrg_dgram_user *user)
{
	for (size_t i = 0; i < sizeof families; i++) {
		struct mrg_rt_addr a = { .family = families[i], .port = port };
		if (mrg_tcpip_udp_bind(s->net.stack, &a, user) == NULL)
			return false;
	}
	return true;
}

static bool open_services(struct server *s, size_t conn_count)
{
	streams_init(&s->streams, &s->arena, conn_count);
	active_init(&s->active, s->net.stack, &s->streams);
	datagram_echo_init(&s->echo);
	s->control = (struct datagram_control){ .ctx = &s->active, .connect = active_connect };
	datagram_control_init(&s->control);
	return listen_at(s, PORT_ECHO, SERVICE_ECHO) && listen_at(s, PORT_DISCARD, SERVICE_DISCARD) &&
	       listen_at(s, PORT_CHARGEN, SERVICE_CHARGEN) && listen_at(s, PORT_BYE, SERVICE_BYE) &&
	       listen_at(s, PORT_STUCK, SERVICE_STUCK) && bind_at(s, PORT_ECHO, &s->echo.user) &&
	       bind_at(s, PORT_CONTROL, &s->control.user);
}

/* ---- starting ---- */

/* The kernel's ends are those of the page of figures alone. */
static int open_all(struct server *s)
{
	static const struct mrg_unix_limits loop_limits = {
		.conn_count = METRICS_CONNS, .dgram_in_max = 1, .dgram_out_max = 1
	};
	const struct mrg_tcpip_limits *const limits = &mrg_tcpip_usual;
	const size_t len = mrg_unix_loop_memory(&loop_limits) + net_memory(&s->options->net, limits) +
			   streams_memory(limits->conn_count) + metrics_memory();
	int err = mrg_unix_arena_open(&s->arena, len, len);
	if (err == 0)
		err = mrg_unix_loop_init(&s->loop, s->options->sandbox ? &mrg_unix_few : &mrg_unix_kernel,
			&s->arena, &loop_limits);
	if (err == 0)
		err = net_open(&s->net, &s->loop, &s->arena, limits);
	if (err == 0 && !open_services(s, limits->conn_count))
		err = ENOMEM;
	if (err == 0 && s->metrics_at.family != 0)
		err = metrics_init(&s->metrics, &s->arena, &s->loop, s->metrics_fd, &s->net, s, page);
	if (err == 0)
		err = mrg_unix_signals_open(&s->signal_fd);
	s->signals = (struct mrg_unix_signals){ .ctx = s, .take = take_signal };
	return err == 0 ? mrg_unix_signals_serve(&s->signals, &s->loop, s->signal_fd) : err;
}

static enum outcome lock_in(struct server *s)
{
	const enum outcome outcome = sandbox_begin(&s->sandbox, PROGRAM, 1);
	if (outcome != OUTCOME_OK)
		return outcome;
	mrg_unix_set_add(&s->sandbox.open.signals, s->signal_fd);
	sandbox_loop(&s->sandbox, &s->loop);
	sandbox_net(&s->sandbox, &s->net);
	sandbox_metrics(&s->sandbox, &s->metrics);
	return sandbox_close(&s->sandbox);
}

static enum outcome start(struct server *s)
{
	bool dropped;
	enum outcome outcome = net_device(&s->net, PROGRAM, &s->options->net);
	if (outcome == OUTCOME_OK && s->metrics_at.family != 0) {
		const int err = mrg_unix_tcp_listen(&s->metrics_at, false, &s->metrics_fd);
		if (err != 0)
			outcome = bind_refused(PROGRAM, "--metrics ", &s->metrics_at, "TCP", err);
	}
	if (outcome == OUTCOME_OK)
		outcome = drop_privileges(PROGRAM, s->options->user, &dropped);
	if (outcome != OUTCOME_OK)
		return outcome;
	const int err = open_all(s);
	if (err != 0)
		return refused(PROGRAM, "start", "", err);
	if (s->options->sandbox)
		outcome = lock_in(s);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (s->metrics_at.family != 0)
		log_listen("metrics", &s->metrics_at);
	say_event("info", "ready");
	return OUTCOME_OK;
}

enum outcome serve(const struct options *o)
{
	const struct mrg_unix_turn each = { .ctx = &server, .turn = turn };
	server.options = o;
	server.metrics_at = o->metrics;
	const enum outcome outcome = start(&server);
	if (outcome != OUTCOME_OK)
		return outcome;
	const int err = mrg_unix_loop_run(&server.loop, &each);
	say_event("info", "stopping");
	streams_close(&server.streams);
	metrics_close(&server.metrics);
	net_close(&server.net);
	return err == 0 ? OUTCOME_OK : refused(PROGRAM, "loop", "", err);
}
