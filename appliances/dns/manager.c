/*
 * The manager's thread.
 * Reading order: handing over, reloading, what is asked, signals, manager_run.
 */
#include <errno.h>

#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/common/whole_file.h"
#include "appliances/dns/figures.h"
#include "appliances/dns/manager.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/said.h"
#include "appliances/dns/show.h"
#include "appliances/dns/updating.h"
#include "protocols/dns/update.h"

enum {
	UPDATE_REPLY = 512,                  /* octets of the reply to an update, without its signature */
	ARENA = 16 << 20,                    /* address space: the loop, and who asks */
	FAULTS_LOGGED = 20,                  /* of a reload; the rest is counted */
	CONNS = CTL_CONNS + FETCHES_MAX + 16 /* slots: those just closed are free a turn later */
};

static const char PROGRAM[] = "mrg-dns";

static struct database *current(const struct manager *m)
{
	return atomic_load_explicit(&m->control->current, memory_order_relaxed);
}

/* ---- log ---- */

void manager_said(const char *event, const struct options *o, const struct database *db, uint64_t took_ns)
{
	struct mrg_rt_line l;
	for (size_t i = 0; i < db->count; i++)
		said_zone(db->versions[i]->zone, o->zones.list[i].file);
	mrg_rt_line_begin(&l, "info", event);
	mrg_rt_line_num(&l, "zones", db->count);
	mrg_rt_line_num(&l, "records", db->record_count);
	mrg_rt_line_num(&l, "workers", o->workers);
	mrg_rt_line_num(&l, "took_us", took_ns / 1000u);
	mrg_rt_log_line(&stderr_log, &l);
}

/* A fault found by a reload. ctx: how many there were. */
static void log_fault(void *ctx, const struct fault *f)
{
	size_t *const count = ctx;
	if (++*count <= FAULTS_LOGGED)
		said_fault(f);
}

static void log_failed(size_t faults)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "reload_failed");
	mrg_rt_line_num(&l, "faults", faults);
	mrg_rt_line_str(&l, "serving", "old zones");
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

/* The zone has another version from the next publication on. */
static void set_version(struct manager *m, size_t index, struct version *v)
{
	const struct mrg_dns_zone *const was = m->versions[index]->zone;
	m->changed[index] = m->changed[index] ||
			    (!mrg_dns_zone_is_absent(v->zone) &&
				    (mrg_dns_zone_is_absent(was) ||
					    mrg_dns_zone_serial(was) != mrg_dns_zone_serial(v->zone)));
	version_keep(v);
	version_drop(m->versions[index]);
	m->versions[index] = v;
	m->dirty = true;
}

/* Tell those who keep copies of what has changed: it is served by now. */
static void tell(struct manager *m)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!m->changed[i])
			continue;
		tellings_begin(&m->tellings, m->versions[i], m->loop.now_ns);
		if (m->versions[i]->option->primaries != NULL)
			said_zone(m->versions[i]->zone, m->versions[i]->option->file);
		m->changed[i] = false;
	}
}

/* Serve the versions as they are now. */
static bool serve_versions(struct manager *m)
{
	struct database *const old = current(m), *db;
	if (database_new(&db, &old->server, &old->keys, m->versions, m->count) != MRG_OK) {
		say_event("error", "no_memory"); /* what is served stays; the next turn tries again */
		return false;
	}
	hand_over(m, db);
	m->dirty = false;
	tell(m);
	return true;
}

/* As struct secondaries_user has it. */
static void serve_secondary(void *ctx, size_t index, struct version *version)
{
	struct manager *const m = ctx;
	struct version *absent;
	if (version != NULL) {
		set_version(m, index, version);
	} else if (version_absent(&absent, &m->options->zones.list[index]) == 0) {
		set_version(m, index, absent);
		version_drop(absent);
	}
}

/* ---- reloading ---- */

/* A version that was read from the file takes the place of the one before. */
static void replace(struct manager *m, size_t index, struct version *v)
{
	if (v->option->transfer != NULL)
		version_follow(v, m->versions[index]);
	set_version(m, index, v);
}

/* All zones that have files. NULL, or why not; what is wrong in detail is in the log. */
static const char *reload(struct manager *m)
{
	size_t faults = 0;
	const struct report report = { .ctx = &faults, .fault = log_fault };
	const uint64_t start = mrg_unix_now_ns();
	struct database *db;
	if (load(m->options, true, &report, &db) != OUTCOME_OK) {
		if (!mrg_unix_signals_stop()) /* else given up, not failed */
			log_failed(faults);
		return "the old zones are served on: see the log";
	}
	for (size_t i = 0; i < db->count; i++) {
		struct secondary_zone *const z = secondaries_find(&m->secondaries, i);
		if (z != NULL)
			secondaries_check(z);
		else
			replace(m, i, db->versions[i]);
	}
	database_free(db);
	if (!serve_versions(m))
		return "not enough memory";
	manager_said("reloaded", m->options, current(m), mrg_unix_now_ns() - start);
	return NULL;
}

static const char *reload_zone(struct manager *m, size_t index)
{
	size_t faults = 0;
	const struct report report = { .ctx = &faults, .fault = log_fault };
	const struct zone_option *const z = &m->options->zones.list[index];
	struct loader l;
	struct version *v;
	if (z->primaries != NULL)
		return "it comes from a primary: expected transfer";
	if (loader_open(&l, true) != OUTCOME_OK)
		return "not enough memory";
	const enum outcome outcome = load_zone(&l, z, &report, &v);
	loader_close(&l);
	if (outcome != OUTCOME_OK) {
		if (!mrg_unix_signals_stop())
			log_failed(faults);
		return "the old zone is served on: see the log";
	}
	replace(m, index, v);
	version_drop(v);
	if (!serve_versions(m))
		return "not enough memory";
	said_zone(m->versions[index]->zone, z->file);
	return NULL;
}

/* ---- what is asked ---- */

/* The zone of that name; false: there is none, which is said. */
static bool find_zone(const struct manager *m, struct ctl_conn *c, const char *name, size_t *out)
{
	uint8_t origin[MRG_DNS_MAX_NAME];
	char room[200];
	size_t len;
	const char *const why = zone_origin_read(
		(struct mrg_span){ (const uint8_t *)name, strlen(name) }, origin, &len, room, sizeof room);
	if (why != NULL) {
		ctl_end(c, why);
		return false;
	}
	for (size_t i = 0; i < m->options->zones.count; i++) {
		const struct zone_option *const z = &m->options->zones.list[i];
		if (mrg_dns_name_flat_equal((struct mrg_span){ z->origin, z->origin_len },
			    (struct mrg_span){ origin, len })) {
			*out = i;
			return true;
		}
	}
	ctl_end(c, "there is no such zone");
	return false;
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
}

static bool more_status(struct ctl_conn *c)
{
	const struct manager *const m = c->held;
	const struct database *const db = current(m);
	size_t *const at = &c->walk.bucket;
	if (c->walk.ended)
		return false;
	for (; *at < db->count && c->w.len < c->w.cap / 2; ++*at) {
		const struct mrg_dns_zone *const zone = db->versions[*at]->zone;
		said_origin(zone, &c->w);
		ctl_put(c, " serial ");
		ctl_num(c, mrg_dns_zone_serial(zone));
		ctl_put(c, " records ");
		ctl_num(c, mrg_dns_zone_records(zone));
		put_source(c, &m->options->zones.list[*at]);
		ctl_put(c, "\n");
	}
	if (*at == db->count) {
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
	size_t index;
	if (count == 1)
		ctl_end(c, reload(m));
	else if (find_zone(m, c, words[1], &index))
		ctl_end(c, reload_zone(m, index));
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
	size_t index;
	(void)count;
	if (!find_zone(m, c, words[1], &index))
		return;
	struct version *const v = current(m)->versions[index];
	version_keep(v);
	c->held = v;
	c->walk = (struct mrg_dns_zone_walk){ .zone = v->zone };
	c->more = more_dump;
	c->done = end_dump;
}

static void ask_write(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	size_t index;
	if (!find_zone(m, c, words[1], &index))
		return;
	const char *const file = count > 2 ? words[2] : m->options->zones.list[index].file;
	if (file == NULL) {
		ctl_end(c, "the zone has no file; expected one");
		return;
	}
	const int err = show_write(current(m)->versions[index]->zone, file);
	ctl_end(c, err == 0 ? NULL : strerrordesc_np(err));
}

static void ask_transfer(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	size_t index;
	(void)count;
	if (!find_zone(m, c, words[1], &index))
		return;
	struct secondary_zone *const z = secondaries_find(&m->secondaries, index);
	if (z != NULL)
		secondaries_check(z);
	ctl_end(c, z != NULL ? NULL : "it has no primary");
}

static void ask_stats(struct manager *m, struct ctl_conn *c, char *const *words, size_t count)
{
	(void)words;
	(void)count;
	figures_put(m->control, current(m), &c->w);
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
		{ "write", ask_write, 2, 3 },
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
		(void)reload(m);
	}
}

/* ---- what others say ---- */

static void take_dgram(void *ctx, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns)
{
	struct manager *const m = ctx;
	if (!tellings_take(&m->tellings, peer, message))
		(void)secondaries_take(&m->secondaries, peer, message, now_ns);
}

/* ---- what workers hand on ---- */

static void take_notify(struct manager *m, const struct letter *l)
{
	struct secondary_zone *const z = secondaries_find_option(&m->secondaries, l->option);
	struct mrg_rt_line line;
	mrg_rt_line_begin(&line, "info", "notified");
	mrg_rt_line_str(&line, "zone", l->option->text);
	mrg_rt_line_addr(&line, "peer", &l->peer);
	if (l->has_serial)
		mrg_rt_line_num(&line, "serial", l->serial);
	mrg_rt_log_line(&stderr_log, &line);
	if (z != NULL)
		secondaries_notified(z, &l->peer, l->has_serial ? &l->serial : NULL);
}

/* The zone whose option that is. */
static size_t index_of(const struct manager *m, const struct zone_option *option)
{
	return (size_t)(option - m->options->zones.list);
}

/* Do it, serve what came of it, and only then say so. */
static void take_update(struct manager *m, struct letter *l)
{
	const size_t index = index_of(m, l->option);
	struct version *made;
	struct mrg_w w;
	uint8_t reply[UPDATE_REPLY];
	unsigned rcode = updating_do(l, m->versions[index], &made);
	if (made != NULL) {
		set_version(m, index, made);
		version_drop(made);
		if (!serve_versions(m))
			rcode = MRG_DNS_RCODE_SERVFAIL;
	}
	mrg_w_init(&w, reply, sizeof reply);
	mrg_dns_update_reply(&w, (struct mrg_span){ l->message, l->len }, rcode);
	l->len = w.len;
	memcpy(l->message, reply, l->len);
	if (w.st != MRG_OK ||
		mrg_dns_auth_sign(&l->auth, mrg_unix_time_s(), l->message, LETTER_OCTETS, &l->len) != MRG_OK)
		l->len = 0;
	mail_post(&m->control->mail, &l->worker->letters, l);
	mrg_unix_loop_wake(&l->worker->loop);
}

static void take_mail(struct manager *m)
{
	struct mail *const mail = &m->control->mail;
	struct letter *l;
	while ((l = mail_next(mail, &mail->to_manager)) != NULL) {
		if (l->kind == LETTER_UPDATE) {
			take_update(m, l);
		} else {
			take_notify(m, l);
			mail_give(mail, l);
		}
	}
}

static bool turn(void *ctx, uint64_t now_ns)
{
	struct manager *const m = ctx;
	(void)now_ns;
	take_mail(m);
	if (m->dirty)
		(void)serve_versions(m);
	return !m->stopping;
}

/* ---- the whole ---- */

/* The zones as they were loaded; those with primaries are asked for. */
static int take_zones(struct manager *m)
{
	const struct database *const db = current(m);
	const struct secondaries_user user = { .ctx = m, .serve = serve_secondary };
	size_t secondaries = 0;
	m->count = db->count;
	m->versions =
		mrg_arena_get(&m->arena, m->count * sizeof(struct version *), _Alignof(struct version *));
	m->changed = mrg_arena_get(&m->arena, m->count * sizeof *m->changed, 1);
	if (m->versions == NULL || m->changed == NULL)
		return ENOMEM;
	for (size_t i = 0; i < m->count; i++) {
		m->versions[i] = db->versions[i];
		m->changed[i] = !mrg_dns_zone_is_absent(m->versions[i]->zone);
		version_keep(m->versions[i]);
		secondaries += m->options->zones.list[i].primaries != NULL;
	}
	const int err =
		secondaries_init(&m->secondaries, &m->loop, &m->outward, &m->arena, secondaries, &user);
	for (size_t i = 0; err == 0 && i < m->count; i++) {
		const struct zone_option *const z = &m->options->zones.list[i];
		struct version *const v = m->versions[i];
		if (z->primaries != NULL)
			secondaries_keep(
				&m->secondaries, i, z, mrg_dns_zone_is_absent(v->zone) ? NULL : v, 0);
	}
	return err;
}

static size_t memory_for(const struct options *o, const struct mrg_unix_limits *limits)
{
	enum { EACH = sizeof(struct version *) + sizeof(bool) };
	return ARENA + mail_memory() + outward_memory() + tellings_memory() + mrg_unix_loop_memory(limits) +
	       ctl_memory() + o->zones.count * EACH + secondaries_memory(o->zones.count);
}

int manager_open(struct manager *m, const struct options *o, struct control *control, struct net *net,
	int signal_fd, int socket)
{
	const struct mrg_unix_limits limits = {
		.conn_count = CONNS, .dgram_in_max = OUTWARD_OCTETS, .dgram_out_max = OUTWARD_OCTETS
	};
	const size_t memory = memory_for(o, &limits);
	*m = (struct manager){ .options = o, .control = control, .net = net };
	int err = mrg_unix_arena_open(&m->arena, memory, memory);
	if (err == 0)
		err = mrg_unix_loop_init(&m->loop, &mrg_unix_kernel, &m->arena, &limits);
	m->signals = (struct mrg_unix_signals){ .ctx = m, .take = take_signal };
	if (err == 0)
		err = mrg_unix_signals_serve(&m->signals, &m->loop, signal_fd);
	m->outward.ctx = m;
	m->outward.take = take_dgram;
	if (err == 0)
		err = outward_init(&m->outward, &m->loop, &m->arena);
	if (err == 0 && !tellings_init(&m->tellings, &m->outward, &m->arena, &m->loop.timers))
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
	tell(m);
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
