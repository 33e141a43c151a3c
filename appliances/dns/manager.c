/*
 * The manager's thread.
 * Reading order: handing over, what is asked, signals, manager_run.
 */
#include <errno.h>
#include <stdlib.h>

#include "appliances/common/lines.h"
#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/common/whole_file.h"
#include "appliances/dns/figures.h"
#include "appliances/dns/reload.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/said.h"
#include "appliances/dns/show.h"

enum {
	ARENA = 16 << 20,                    /* address space: the loop, and who asks */
	REST = 4,                            /* times as long as handing out has taken it is left alone */
	CONNS = CTL_CONNS + FETCHES_MAX + 16 /* slots: those just closed are free a turn later */
};

static const char PROGRAM[] = "mrg-dns";

static struct database *current(const struct manager *m)
{
	return atomic_load_explicit(&m->control->current, memory_order_relaxed);
}

/* ---- log ---- */

void manager_said(
	const char *event, const struct control *control, const struct database *db, uint64_t took_ns)
{
	struct mrg_rt_line l;
	for (size_t i = 0; i < db->count; i++) /* members of catalogs are told of when they come */
		if (db->zones[i].option->listed_in == NULL)
			said_zone(db->zones[i].version->zone, db->zones[i].option->file);
	mrg_rt_line_begin(&l, "info", event);
	mrg_rt_line_num(&l, "zones", db->count);
	mrg_rt_line_num(&l, "records", db->record_count);
	mrg_rt_line_num(&l, "workers", control->worker_count);
	mrg_rt_line_num(&l, "took_us", took_ns / 1000u);
	mrg_rt_log_line(&stderr_log, &l);
}

/* ---- handing over ---- */

/* Hand the database to all workers, wait until the last has taken it up, and free the one before. */
static void hand_over(struct manager *m, struct database *db)
{
	struct control *const control = m->control;
	struct database *const old = current(m);
	atomic_store_explicit(&control->current, db, memory_order_release);
	for (size_t i = 0; i < control->worker_count; i++)
		mrg_unix_loop_wake(&control->workers[i]->loop);
	for (size_t i = 0; i < control->worker_count; i++)
		while (atomic_load_explicit(&control->workers[i]->seen, memory_order_acquire) != db)
			mrg_unix_bell_wait(&control->seen);
	database_free(old);
}

bool manager_serve(struct manager *m)
{
	const uint64_t start_ns = mrg_unix_now_ns();
	struct database *const db = zone_keeper_database(&m->keeper);
	if (db == NULL)
		return false; /* what is served stays; the next turn tries again */
	hand_over(m, db);
	zone_keeper_served(&m->keeper);
	const uint64_t end_ns = mrg_unix_now_ns();
	m->rest_until_ns = end_ns + REST * (end_ns - start_ns);
	return true;
}

/* Where there are very many zones and one after the other changes, some are handed out together. */
static void serve_in_time(struct manager *m)
{
	if (mrg_unix_now_ns() >= m->rest_until_ns)
		(void)manager_serve(m);
	else
		mrg_rt_timer_set(&m->loop.timers, &m->rest, m->rest_until_ns);
}

/* The turn that follows does it. */
static void rested(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
}

/* ---- what is asked ---- */

/* The zone of that name; NULL: there is none, which is said. */
static struct zone_entry *find_zone(const struct manager *m, struct ctl_conn *c, const char *name)
{
	uint8_t origin[MRG_DNS_MAX_NAME];
	char room[200];
	size_t len;
	const char *const why = zone_origin_read(
		(struct mrg_span){ (const uint8_t *)name, strlen(name) }, origin, &len, room, sizeof room);
	struct zone_entry *const e =
		why == NULL ? zone_table_find(&m->keeper.zones, (struct mrg_span){ origin, len }) : NULL;
	if (e == NULL)
		ctl_end(c, why != NULL ? why : "there is no such zone");
	return e;
}

/* Where its records are from. */
static void put_source(struct ctl_conn *c, const struct zone_option *z)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	if (z->primaries != NULL) {
		ctl_put(c, " primary ");
		ctl_put(c, mrg_rt_addr_str(&z->primaries->addr, text));
	} else {
		ctl_put(c, " file ");
		ctl_put(c, z->file);
	}
	if (z->listed_in != NULL) {
		ctl_put(c, " catalog ");
		ctl_put(c, z->listed_in);
	}
}

static bool more_status(struct ctl_conn *c)
{
	const struct manager *const m = c->held;
	const struct database *const db = current(m);
	size_t *const at = &c->walk.bucket;
	if (c->walk.ended)
		return false;
	for (; *at < db->count && c->w.len < c->w.cap / 2; ++*at) {
		const struct mrg_dns_zone *const zone = db->zones[*at].version->zone;
		said_origin(zone, &c->w);
		ctl_put(c, " serial ");
		ctl_num(c, mrg_dns_zone_serial(zone));
		ctl_put(c, " records ");
		ctl_num(c, mrg_dns_zone_records(zone));
		put_source(c, db->zones[*at].option);
		ctl_put(c, "\n");
	}
	if (*at >= db->count) { /* it may have become less meanwhile */
		ctl_end(c, NULL);
		c->walk.ended = true;
	}
	return true;
}

static void ask_status(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	(void)words;
	(void)count;
	c->held = m;
	c->more = more_status;
}

static void ask_reload(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	struct zone_entry *const e = count > 1 ? find_zone(m, c, words[1]) : NULL;
	if (count == 1)
		ctl_end(c, reload_all(m));
	else if (e != NULL)
		ctl_end(c, reload_zone(m, e));
}

static bool more_dump(struct ctl_conn *c)
{
	struct mrg_dns_rr rr;
	if (c->walk.ended)
		return false;
	while (c->w.cap - c->w.len >= SHOW_RECORD_MAX && mrg_dns_zone_next(&c->walk, &rr) == MRG_OK)
		show_record(&rr, &c->w);
	if (c->walk.ended)
		ctl_end(c, NULL);
	return true;
}

static void end_dump(struct ctl_conn *c) { version_drop(c->held); }

static void ask_dump(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	const struct zone_entry *const e = find_zone(m, c, words[1]);
	(void)count;
	if (e == NULL)
		return;
	struct version *const v = e->now.version;
	version_keep(v);
	c->held = v;
	c->walk = (struct mrg_dns_zone_walk){ .zone = v->zone };
	c->more = more_dump;
	c->done = end_dump;
}

static void ask_write(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	if (count == 1) { /* all zones that have changed */
		keeping_begin(&m->keeping);
		ctl_end(c, NULL);
		return;
	}
	struct zone_entry *const e = find_zone(m, c, words[1]);
	if (e == NULL)
		return;
	if (count == 2 && e->now.option->file == NULL) {
		ctl_end(c, "the zone has no file; expected one");
		return;
	}
	const int err = count == 2 ? kept_write(e)
				   : show_write(e->now.version->zone, words[2], (struct mrg_span){ NULL, 0 });
	ctl_end(c, err == 0 ? NULL : strerrordesc_np(err));
}

static void ask_transfer(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	const struct zone_entry *const e = find_zone(m, c, words[1]);
	(void)count;
	if (e == NULL)
		return;
	if (e->secondary != NULL)
		secondaries_check(e->secondary);
	ctl_end(c, e->secondary != NULL ? NULL : "it has no primary");
}

static void put_figures(void *ctx, struct mrg_w *w)
{
	const struct manager *const m = ctx;
	figures_put(m->control, current(m), w);
}

/* Where there are thousands of zones there is not room for the figures of all. */
static void ask_stats(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	enum { END = 16 /* octets of the last line */ };
	struct mrg_w figures;
	(void)words;
	(void)count;
	mrg_w_init(&figures, c->w.p + c->w.len, c->w.cap - c->w.len - END);
	lines_put(&figures, put_figures, m, "# There is no room for more.\n");
	c->w.len += figures.len;
	ctl_end(c, NULL);
}

static void ask(void *ctx, struct ctl_conn *c, char *const *words, size_t count)
{
	static const struct {
		const char *word;
		void (*ask)(struct manager *m, struct ctl_conn *c, char *const *words, size_t count);
		size_t least, most; /* words */
	} commands[] = {
		{ "status", ask_status, 1, 1 },
		{ "reload", ask_reload, 1, 2 },
		{ "dump", ask_dump, 2, 2 },
		{ "write", ask_write, 1, 3 },
		{ "transfer", ask_transfer, 2, 2 },
		{ "stats", ask_stats, 1, 1 },
	};
	for (size_t i = 0; count != 0 && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(words[0], commands[i].word) != 0)
			continue;
		if (count < commands[i].least || count > commands[i].most)
			ctl_end(c, "not that many words");
		else
			commands[i].ask(ctx, c, words, count);
		return;
	}
	ctl_end(c, "expected status, reload, dump, write, transfer or stats");
}

/* ---- signals ---- */

void manager_stop(struct control *control)
{
	say_event("info", "stopping");

	atomic_store_explicit(&control->stopping, true, memory_order_release);
	for (size_t i = 0; i < control->worker_count; i++)
		mrg_unix_loop_wake(&control->workers[i]->loop);
}

/* The worker does it, since frames come and go meanwhile. */
void manager_record(struct control *control, struct net *net)
{
	if (net != NULL)
		net_record_ask(net, &control->workers[0]->loop);
	else
		say_event("warn", "record_nothing");
}

static void take_signal(void *ctx, enum mrg_unix_signal signal)
{
	struct manager *const m = ctx;
	if (signal == MRG_UNIX_STOP)
		m->stopping = true;
	else if (signal == MRG_UNIX_RECORD)
		manager_record(m->control, m->net);
	else {
		reporter_reopen(m->control->reporter);
		(void)reload_all(m);
	}
}

/* ---- what workers hand on ---- */

static void take_notify(struct manager *m, const struct letter *l)
{
	zone_keeper_notified(
		&m->keeper, mrg_dns_name_flat_from(&l->zone, 0), &l->peer, l->has_serial ? &l->serial : NULL);
}

/* Do it, serve what came of it, and only then say so. */
static void take_update(struct manager *m, struct letter *l)
{
	const struct updating u = { .message = { l->message, l->len }, .peer = &l->peer, .auth = &l->auth };
	bool changed;
	unsigned rcode = zone_keeper_update(&m->keeper, mrg_dns_name_flat_from(&l->zone, 0), &u, &changed);
	if (changed && !manager_serve(m))
		rcode = MRG_DNS_RCODE_SERVFAIL;
	l->reply_len = updating_reply(&u, rcode, l->reply, sizeof l->reply);
	mail_post(&m->control->mail, &l->worker->letters, l);
	mrg_unix_loop_wake(&l->worker->loop);
}

static void take_mail(struct manager *m, uint64_t now_ns)
{
	struct mail *const mail = &m->control->mail;
	struct letter *l;
	while ((l = mail_next(mail, &mail->to_manager)) != NULL) {
		switch (l->kind) {
		case LETTER_NOTIFY:
			take_notify(m, l);
			mail_give(mail, l);
			break;
		case LETTER_UPDATE: take_update(m, l); break;
		default: relay_outward_take(&m->relayed, l, now_ns); break;
		}
	}
}

static bool turn(void *ctx, uint64_t now_ns)
{
	struct manager *const m = ctx;
	take_mail(m, now_ns);
	catalogs_turn(&m->keeper);
	if (m->keeper.dirty)
		serve_in_time(m);
	return !m->stopping;
}

/* ---- the whole ---- */

/* The zones as they were loaded; those with primaries are asked for. */
static int take_zones(struct manager *m)
{
	const struct database *const db = current(m);
	const struct secondaries_user user = { .ctx = &m->keeper, .serve = zone_keeper_serve_secondary };
	m->keeper.loop = (struct system_loop){ &m->loop.timers, &m->loop.now_ns };
	keeping_init(&m->keeping, &m->loop, &m->keeper.zones);
	secondaries_init(&m->secondaries, &m->keeper.loop, m->outward, &m->arena, &user);
	for (size_t i = 0; i < db->count; i++) {
		struct zone_entry *const e =
			zone_keeper_add(&m->keeper, db->zones[i].option, db->zones[i].version);
		if (e == NULL)
			return ENOMEM;
		if (e->now.option->primaries != NULL)
			kept_note(e);
	}
	return 0;
}

/* By the way that the workers have. */
static int open_outward(struct manager *m)
{
	m->outward = m->net != NULL ? &m->relayed.out : &m->kernel.out;
	m->outward->ctx = &m->keeper;
	m->outward->take = zone_keeper_heard;
	if (m->net == NULL)
		return outward_kernel_init(&m->kernel, &m->loop, &m->arena);
	relay_outward_init(&m->relayed, m->control, &m->loop);
	return 0;
}

static size_t memory_for(const struct mrg_unix_limits *limits)
{
	return ARENA + mail_memory() + outward_kernel_memory() + tellings_memory() +
	       mrg_unix_loop_memory(limits) + ctl_memory() + secondaries_memory(FETCHES_MAX);
}

int manager_open(struct manager *m, struct settings *settings, struct control *control, struct net *net,
	int signal_fd, int socket)
{
	const struct mrg_unix_limits limits = {
		.conn_count = CONNS, .dgram_in_max = OUTWARD_OCTETS, .dgram_out_max = OUTWARD_OCTETS
	};
	const size_t memory = memory_for(&limits);
	*m = (struct manager){ .first = settings,
		.keeper = { .settings = settings, .secondaries = &m->secondaries, .tellings = &m->tellings },
		.control = control,
		.net = net,
		.rest = { .fire = rested } };
	settings_keep(settings);
	int err = mrg_unix_arena_open(&m->arena, memory, memory);
	if (err == 0)
		err = mrg_unix_loop_init(&m->loop, &mrg_unix_kernel, &m->arena, &limits);
	m->signals = (struct mrg_unix_signals){ .ctx = m, .take = take_signal };
	if (err == 0)
		err = mrg_unix_signals_serve(&m->signals, &m->loop, signal_fd);
	if (err == 0)
		err = open_outward(m);
	if (err == 0 && !tellings_init(&m->tellings, m->outward, &m->arena, &m->loop.timers))
		err = ENOMEM;
	if (err == 0)
		err = mail_init(&control->mail, &m->arena);
	if (err == 0)
		err = take_zones(m);
	control->manager_loop = err == 0 ? &m->loop : NULL;
	if (err != 0 || socket < 0)
		return err;
	ctl_init(&m->ctl, &m->arena, &m->loop.timers, &(struct ctl_user){ .ctx = m, .ask = ask });
	return mrg_unix_listener_init(&m->listener, &m->loop, socket, &m->ctl.user);
}

enum outcome manager_run(struct manager *m)
{
	m->loop.now_ns = mrg_unix_now_ns();
	catalogs_turn(&m->keeper); /* members that were kept are served before it is said that all is ready */
	if (m->keeper.dirty)
		(void)manager_serve(m);
	else
		zone_keeper_served(&m->keeper);
	watchdog_begin(&m->watchdog, &m->loop.timers, m->control, mrg_unix_now_ns());
	(void)mrg_unix_notify("READY=1");
	const int err = mrg_unix_loop_run(&m->loop, &(struct mrg_unix_turn){ .ctx = m, .turn = turn });
	if (err != 0)
		return refused(PROGRAM, "signals", "", err);
	(void)mrg_unix_notify("STOPPING=1");
	manager_stop(m->control);
	for (size_t i = 0; i < m->control->worker_count; i++)
		worker_end(m->control->workers[i]);
	reporter_end(m->control->reporter);
	say_event("info", "stopped");
	return OUTCOME_OK;
}
