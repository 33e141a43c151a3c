/*
 * A page of figures.
 */
#include <errno.h>

#include "appliances/common/metrics.h"
#include "mrg_text.h"

static const struct mrg_http_limits limits = {
	.conn_count = METRICS_CONNS,
	.big_count = 1,
	.out_count = 4,
	.idle_ns = 60u * MRG_RT_SECOND_NS,
	.head_ns = 5u * MRG_RT_SECOND_NS,
	.body_ns = 5u * MRG_RT_SECOND_NS,
	.send_ns = 5u * MRG_RT_SECOND_NS,
	.linger_ns = MRG_RT_SECOND_NS,
	.slow_octets = 1024,
};

size_t metrics_memory(void) { return mrg_http_server_memory(&limits); }

static uint64_t unix_s(void *ctx)
{
	(void)ctx;
	return mrg_unix_time_s();
}

static void put_page(struct metrics *m, struct mrg_http_reply *reply)
{
	const size_t from = reply->text->len;
	mrg_http_reply_field(
		reply, MRG_HTTP_FIELD_CONTENT_TYPE, MRG_LITERAL("text/plain; version=0.0.4; charset=utf-8"));
	mrg_http_reply_field(reply, MRG_HTTP_FIELD_CACHE_CONTROL, MRG_LITERAL("no-store"));
	/* The figures are for everybody who reaches the address; so they may be for a page from elsewhere, too. */
	mrg_http_reply_field(reply, MRG_HTTP_FIELD_ACCESS_CONTROL_ALLOW_ORIGIN, MRG_LITERAL("*"));
	m->page(m->ctx, reply->text);
	mrg_http_reply_written(reply, from);
}

static bool head(void *ctx, struct mrg_http_exchange *x)
{
	const struct mrg_http_request *const r = x->request;
	const struct mrg_span nothing = { NULL, 0 };
	if (r->method != MRG_HTTP_METHOD_GET && r->method != MRG_HTTP_METHOD_HEAD) {
		mrg_http_reply_error(x->reply, MRG_HTTP_STATUS_METHOD_NOT_ALLOWED, nothing);
		mrg_http_reply_field(x->reply, MRG_HTTP_FIELD_ALLOW, MRG_LITERAL("GET, HEAD"));
	} else if (mrg_span_eq(r->path, MRG_LITERAL("/metrics"))) {
		put_page(ctx, x->reply);
	} else {
		mrg_http_reply_error(x->reply, MRG_HTTP_STATUS_NOT_FOUND, nothing);
	}
	return false;
}

int metrics_init(struct metrics *m, struct mrg_arena *arena, struct mrg_unix_loop *loop, int socket,
	void *ctx, void (*page)(void *ctx, struct mrg_w *w))
{
	const struct mrg_http_handler handler = { .ctx = m, .head = head, .unix_s = unix_s };
	m->ctx = ctx;
	m->page = page;
	m->on = true;
	if (mrg_http_server_init(&m->server, arena, &loop->timers, &limits, &handler) != MRG_OK)
		return ENOMEM;
	return mrg_unix_listener_init(&m->listener, loop, socket, &m->server.user);
}

void metrics_close(struct metrics *m)
{
	if (!m->on)
		return;
	mrg_unix_listener_close(&m->listener);
	mrg_http_server_close(&m->server);
	m->on = false;
}

void metric_put(struct mrg_w *w, const struct metric *metric, uint64_t value)
{
	if (metric->help != NULL) {
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
