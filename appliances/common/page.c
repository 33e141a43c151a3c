/*
 * A page of figures.
 * Reading order: page_init, head, then upwards.
 */
#include "appliances/common/lines.h"
#include "appliances/common/page.h"
#include "mrg_digits.h"
#include "mrg_text.h"

static const struct mrg_http_limits limits = {
	.conn_count = PAGE_CONNS,
	.big_count = 1,
	.out_count = 4,
	.idle_ns = 60u * MRG_RT_SECOND_NS,
	.head_ns = 5u * MRG_RT_SECOND_NS,
	.body_ns = 5u * MRG_RT_SECOND_NS,
	.send_ns = 5u * MRG_RT_SECOND_NS,
	.linger_ns = MRG_RT_SECOND_NS,
	.slow_octets = 1024,
};

size_t page_memory(void) { return mrg_http_server_memory(&limits); }

static void put_fields(struct mrg_http_reply *reply, struct mrg_span type)
{
	mrg_http_reply_field(reply, MRG_HTTP_FIELD_CONTENT_TYPE, type);
	mrg_http_reply_field(reply, MRG_HTTP_FIELD_CACHE_CONTROL, MRG_LITERAL("no-store"));
}

static void put_page(struct page *p, struct mrg_http_reply *reply)
{
	const size_t from = reply->text->len;
	put_fields(reply, MRG_LITERAL("text/plain; version=0.0.4; charset=utf-8"));
	/* The figures are for everybody who reaches the address; so they may be for a page from elsewhere, too. */
	mrg_http_reply_field(reply, MRG_HTTP_FIELD_ACCESS_CONTROL_ALLOW_ORIGIN, MRG_LITERAL("*"));
	lines_put(reply->text, p->of.put, p->of.ctx,
		"# HELP mrg_page_cut This page is full: figures are left out.\n# TYPE mrg_page_cut gauge\nmrg_page_cut 1\n");
	mrg_http_reply_written(reply, from);
}

static void put_connections(void *ctx, struct mrg_w *w)
{
	const struct page *const p = ctx;
	net_shown_connections(p->of.net, w);
}

/* Who talks to us is no figure: pages from elsewhere don't get it. */
static void put_connection_page(struct page *p, struct mrg_http_reply *reply)
{
	const size_t from = reply->text->len;
	put_fields(reply, MRG_LITERAL("text/plain; charset=utf-8"));
	lines_put(reply->text, put_connections, p, "# This page is full: connections are left out.\n");
	mrg_http_reply_written(reply, from);
}

static void put_tape(struct page *p, struct mrg_http_reply *reply)
{
	struct mrg_rt_file *const f = net_shown_take(p->of.net);
	if (f == NULL) {
		mrg_http_reply_error(reply, MRG_HTTP_STATUS_SERVICE_UNAVAILABLE,
			MRG_LITERAL("Somebody is being given the last frames."));
		return;
	}
	put_fields(reply, MRG_LITERAL("application/vnd.tcpdump.pcap"));
	mrg_http_reply_file(reply, &p->of.net->pages, f, 0, f->size);
}

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	const struct mrg_http_request *const r = x->request;
	const struct mrg_span nothing = { NULL, 0 };
	struct page *const p = ctx;
	const bool net = p->of.net != NULL && p->of.net->stack != NULL;
	if (r->method != MRG_HTTP_METHOD_GET && r->method != MRG_HTTP_METHOD_HEAD) {
		mrg_http_reply_error(x->reply, MRG_HTTP_STATUS_METHOD_NOT_ALLOWED, nothing);
		mrg_http_reply_field(x->reply, MRG_HTTP_FIELD_ALLOW, MRG_LITERAL("GET, HEAD"));
	} else if (mrg_span_eq(r->path, MRG_LITERAL("/metrics"))) {
		put_page(p, x->reply);
	} else if (net && mrg_span_eq(r->path, MRG_LITERAL("/connections"))) {
		put_connection_page(p, x->reply);
	} else if (net && net_shown_taped(p->of.net) && mrg_span_eq(r->path, MRG_LITERAL("/pcap"))) {
		put_tape(p, x->reply);
	} else {
		mrg_http_reply_error(x->reply, MRG_HTTP_STATUS_NOT_FOUND, nothing);
	}
	return false;
}

static uint64_t unix_s(void *ctx)
{
	const struct page *const p = ctx;
	return p->of.unix_s(p->of.ctx);
}

bool page_init(
	struct page *p, const struct page_of *of, struct mrg_arena *arena, struct mrg_rt_timers *timers)
{
	const struct mrg_http_handler handler = {
		.ctx = p, .head = head, .unix_s = of->unix_s != NULL ? unix_s : NULL
	};
	p->of = *of;
	return mrg_http_server_init(&p->server, arena, timers, &limits, &handler) == MRG_OK;
}

void metric_head_put(struct mrg_w *w, const struct metric *metric)
{
	mrg_text_put(w, "# HELP ");
	mrg_text_put(w, metric->name);
	mrg_text_put(w, " ");
	mrg_text_put(w, metric->help);
	mrg_text_put(w, "\n# TYPE ");
	mrg_text_put(w, metric->name);
	mrg_text_put(w, " ");
	mrg_text_put(w, metric->type);
	mrg_text_put(w, "\n");
}

void metric_put(struct mrg_w *w, const struct metric *metric, uint64_t value)
{
	if (metric->help != NULL)
		metric_head_put(w, metric);
	mrg_text_put(w, metric->name);
	if (metric->labels != NULL) {
		mrg_text_put(w, "{");
		mrg_text_put(w, metric->labels);
		mrg_text_put(w, "}");
	}
	mrg_text_put(w, " ");
	mrg_text_put_dec(w, value);
	mrg_text_put(w, "\n");
}

/* The format has escapes for quotes, backslashes and line feeds. */
static void put_label(struct mrg_w *w, const char *label, struct mrg_span value)
{
	mrg_text_put(w, "{");
	mrg_text_put(w, label);
	mrg_text_put(w, "=\"");
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '\\' || value.p[i] == '"' || value.p[i] == '\n')
			mrg_w_u8(w, '\\');
		mrg_w_u8(w, value.p[i] == '\n' ? 'n' : value.p[i]);
	}
	mrg_text_put(w, "\"} ");
}

void metric_labelled_put(
	struct mrg_w *w, const struct metric *metric, const char *label, struct mrg_span value, uint64_t n)
{
	mrg_text_put(w, metric->name);
	put_label(w, label, value);
	mrg_text_put_dec(w, n);
	mrg_text_put(w, "\n");
}

/* Without zeros at the end. */
static void put_seconds(struct mrg_w *w, uint64_t ns)
{
	enum { DIGITS = 9 };
	const uint64_t rest = ns % MRG_RT_SECOND_NS;
	mrg_text_put_dec(w, ns / MRG_RT_SECOND_NS);
	if (rest == 0)
		return;
	mrg_w_u8(w, '.');
	mrg_digits_put(w, rest, DIGITS);
	while (w->st == MRG_OK && w->p[w->len - 1u] == '0')
		w->len--;
}

static void put_bucket(struct mrg_w *w, const char *name, struct mrg_span bound, uint64_t n)
{
	mrg_text_put(w, name);
	mrg_text_put(w, "_bucket");
	put_label(w, "le", bound);
	mrg_text_put_dec(w, n);
	mrg_text_put(w, "\n");
}

void metric_times_put(struct mrg_w *w, const struct metric *metric, const struct metric_times *t)
{
	uint64_t below = 0;
	metric_head_put(w, metric);
	for (size_t i = 0; i < t->bounds; i++) {
		uint8_t b[40]; /* two numbers of 20 digits at most */
		struct mrg_w bound;
		mrg_w_init(&bound, b, sizeof b);
		put_seconds(&bound, t->bound_ns[i]);
		below += t->count[i];
		put_bucket(w, metric->name, mrg_w_span(&bound, 0), below);
	}
	below += t->count[t->bounds];
	put_bucket(w, metric->name, MRG_LITERAL("+Inf"), below);
	mrg_text_put(w, metric->name);
	mrg_text_put(w, "_sum ");
	put_seconds(w, t->sum_ns);
	mrg_text_put(w, "\n");
	mrg_text_put(w, metric->name);
	mrg_text_put(w, "_count ");
	mrg_text_put_dec(w, below);
	mrg_text_put(w, "\n");
}
