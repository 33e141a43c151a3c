/*
 * mrg-http as a virtual machine: the files of an archive of mrg-pack, which comes as an initrd or is linked into the image. The options are
 * those of the process that say nothing of where files are (../rules.h):
 *
 *	--listen ADDRESS:PORT	where to serve; port 80 of both families		--metrics ADDRESS:PORT	serve figures there
 *	--index NAME		--error-page STATUS=PATH	--cache PATTERN=VALUE	--access-log FORMAT	likewise
 *	--vhost NAME=FOLDER	a folder of the archive for requests to the host NAME
 *	--check			see whether all files are what they were when they were packed, and end
 *
 * Reading order: vm_main at the end, then upwards.
 */
#include "appliances/common/page.h"
#include "appliances/common/say.h"
#include "appliances/http/access.h"
#include "appliances/http/figures.h"
#include "appliances/http/vm/below.h"
#include "appliances/vm/app.h"
#include "protocols/archive/tree.h"

enum { BLOCKS_MIN = 2 /* of each kind that a server can do with */, CONNS_MIN = 16 };

struct serving {
	struct rules rules; /* first, for its takers */
	bool check;
	struct mrg_archive_tree archive;
	struct mrg_http_host hosts[HOSTS_MAX]; /* the first has all of the archive, */
	struct below folders[HOSTS_MAX];       /* others a folder of it */
	struct mrg_http_files files;
	struct mrg_http_server server;
	struct access access;
	struct page page;
};

static struct vm_app app;
static struct serving serving;

/* ---- the archive ---- */

static void no_site_begin(struct mrg_rt_line *l, const char *why)
{
	mrg_rt_line_begin(l, "error", "no_site");
	mrg_rt_line_str(l, "file", vm_app_data_name(&app));
	mrg_rt_line_str(l, "why", why);
}

static bool no_site(const char *why, const struct mrg_reject *rj)
{
	struct mrg_rt_line l;
	no_site_begin(&l, why);
	if (rj != NULL && rj->site != NULL) {
		mrg_rt_line_str(&l, "field", rj->site->path);
		mrg_rt_line_str(&l, "rule", rj->site->what);
		mrg_rt_line_num(&l, "at", rj->bit_off / 8u);
	}
	mrg_rt_log_line(&stderr_log, &l);
	return false;
}

static bool no_path(const char *why, struct mrg_span path)
{
	struct mrg_rt_line l;
	no_site_begin(&l, why);
	mrg_rt_line_span(&l, "path", path);
	mrg_rt_log_line(&stderr_log, &l);
	return false;
}

static bool open_hosts(struct serving *s)
{
	s->hosts[0].tree = &s->archive.tree;
	for (size_t i = 1; i < s->rules.host_count; i++) {
		const char *const place = s->rules.hosts[i].place;
		const struct mrg_span folder = { (const uint8_t *)place, strlen(place) };
		if (!below_open(&s->folders[i], &s->archive.tree, folder))
			return no_path("there is no such folder in the archive", folder);
		s->hosts[i] = (struct mrg_http_host){ s->rules.hosts[i].name, &s->folders[i].tree };
	}
	s->files.hosts = s->hosts;
	s->files.host_count = s->rules.host_count;
	return true;
}

static bool open_site(struct serving *s)
{
	const struct mrg_span data = vm_app_data(&app);
	const struct mrg_archive_member *bad;
	struct mrg_reject why = { .site = NULL };
	struct mrg_rt_line l;
	if (data.p == NULL)
		return no_site("there is no initrd", NULL);
	const enum mrg_status st = mrg_archive_tree_open(&s->archive, data, &app.arena, &why);
	if (st == MRG_E_SPACE)
		return no_site("too little memory for its names", NULL);
	if (st != MRG_OK)
		return no_site("not an archive", &why);
	if (s->check && mrg_archive_tree_verify(&s->archive, &bad) != MRG_OK)
		return no_path("a file is not what it was when it was packed", bad->path);
	if (!open_hosts(s))
		return false;
	rules_to(&s->rules, &s->files);
	mrg_rt_line_begin(&l, "info", "site");
	mrg_rt_line_num(&l, "files", s->archive.count);
	mrg_rt_line_num(&l, "bytes", data.len);
	mrg_rt_line_str(&l, "file", vm_app_data_name(&app));
	mrg_rt_log_line(&stderr_log, &l);
	return true;
}

/* ---- answers ---- */

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	const struct serving *const s = ctx;
	mrg_http_files_answer(&s->files, x);
	return false;
}

static void log_answer(void *ctx, const struct mrg_http_exchange *x)
{
	struct serving *const s = ctx;
	if (s->access.kind != ACCESS_NONE)
		access_line(&s->access, x);
}

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return vm_app_unix_s(&app);
}

static bool turn(void *ctx, uint64_t now_ns)
{
	struct serving *const s = ctx;
	(void)now_ns;
	access_flush(&s->access);
	return true;
}

static void put_figures(void *ctx, struct mrg_w *w)
{
	static const struct file_figures none;
	const struct serving *const s = ctx;
	uint64_t figures[FIGURES];
	figures_of(&s->server, &none, figures);
	figures_put(figures, w);
	vm_app_figures(&app, w);
}

/* ---- beginning ---- */

static bool take_options(struct serving *s, enum outcome *outcome)
{
	static const struct arg table[] = { RULES_ARGS, ARG_SETS("--check", struct serving, check) };
	static const struct args args = { "mrg-http", table, sizeof table / sizeof table[0] };
	struct rules *const r = &s->rules;
	rules_init(r);
	if (!args_read(&args, s, app.words.argc, app.words.argv, outcome))
		return false;
	if (r->listen_count == 0)
		r->listen_count = net_listen(r->listen, RULES_PORT);
	return true;
}

static uint32_t less(uint32_t n, uint32_t least) { return n / 2u > least ? n / 2u : least; }

/* The usual ones, less as often as it takes. */
static struct mrg_http_limits limits_for(size_t len)
{
	struct mrg_http_limits l = rules_limits;
	/* Fewer than the stack has, so that it can take one more, for which the server then closes another. */
	l.conn_count = app.limits.conn_count - app.limits.conn_count / 8u;
	while (mrg_http_server_memory(&l) > len && (l.out_count > BLOCKS_MIN || l.conn_count > CONNS_MIN)) {
		l.conn_count = l.out_count > BLOCKS_MIN ? l.conn_count : less(l.conn_count, CONNS_MIN);
		l.big_count = less(l.big_count, BLOCKS_MIN);
		l.out_count = less(l.out_count, BLOCKS_MIN);
	}
	return l;
}

static bool open_servers(struct serving *s)
{
	const bool clock = app.boot->clock.wall_ns != 0, shows = s->rules.metrics.family != 0;
	const struct mrg_http_handler handler = {
		.ctx = s, .head = head, .log = log_answer, .unix_s = clock ? unix_s : NULL
	};
	const struct page_of of = {
		.ctx = s, .put = put_figures, .unix_s = clock ? unix_s : NULL, .net = &app.shown
	};
	const size_t left = app.arena.cap - app.arena.len, page = shows ? page_memory() : 0;
	const struct mrg_http_limits limits = limits_for(left > page ? left - page : 0);
	if ((!shows || page_init(&s->page, &of, &app.arena, &app.loop.timers)) &&
		mrg_http_server_init(&s->server, &app.arena, &app.loop.timers, &limits, &handler) == MRG_OK)
		return true;
	say("not enough memory for connections", NULL);
	return false;
}

static bool listen_at(const char *event, struct mrg_rt_addr *a, const struct mrg_stream_user *user)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	if (mrg_tcpip_listen(app.stack, a, user) != NULL) {
		log_listen(event, a);
		return true;
	}
	say(event, " ", mrg_rt_addr_str(a, text), ": taken already, or no room for another end", NULL);
	return false;
}

static enum outcome listen_all(struct serving *s)
{
	bool good = true;
	for (size_t i = 0; i < s->rules.listen_count && good; i++)
		good = listen_at("listen", &s->rules.listen[i], &s->server.user);
	if (good && s->rules.metrics.family != 0)
		good = listen_at("metrics", &s->rules.metrics, &s->page.server.user);
	return good ? OUTCOME_OK : OUTCOME_ADDRESS;
}

static enum outcome serve(struct serving *s)
{
	enum outcome outcome;
	if (!take_options(s, &outcome))
		return outcome;
	if (!open_site(s))
		return OUTCOME_INPUT;
	if (s->check)
		return OUTCOME_OK;
	if (!open_servers(s))
		return OUTCOME_SYSTEM;
	access_init(&s->access, s->rules.access_log, NULL, NULL);
	app.turn = (struct vm_turn){ .ctx = s, .turn = turn };
	outcome = listen_all(s);
	return outcome == OUTCOME_OK ? vm_app_run(&app) : outcome;
}

void vm_main(const struct vm_boot *boot)
{
	enum outcome outcome = vm_app_open(&app, boot, "mrg-http");
	if (outcome == OUTCOME_OK)
		outcome = serve(&serving);
	vm_app_end(outcome);
}
