/*
 * What is counted.
 */
#include "appliances/http/figures.h"
#include "appliances/http/worker.h"

static const struct metric metrics[] = {
	{ "mrg_http_requests_total", NULL, "counter", "Requests whose head has come, well or not." },
	{ "mrg_http_responses_total", "class=\"2xx\"", "counter", "Answers, by the class of their status." },
	{ "mrg_http_responses_total", "class=\"3xx\"", NULL, NULL },
	{ "mrg_http_responses_total", "class=\"4xx\"", NULL, NULL },
	{ "mrg_http_responses_total", "class=\"5xx\"", NULL, NULL },
	{ "mrg_http_connections_total", NULL, "counter", "Connections accepted." },
	{ "mrg_http_connections", NULL, "gauge", "Connections now." },
	{ "mrg_http_connections_broken_total", NULL, "counter", "Connections that broke before their end." },
	{ "mrg_http_connections_spared_total", NULL, "counter",
		"Connections closed to make room for others." },
	{ "mrg_http_timeouts_total", "wait=\"idle\"", "counter",
		"Connections closed for waiting too long, by what for." },
	{ "mrg_http_timeouts_total", "wait=\"head\"", NULL, NULL },
	{ "mrg_http_timeouts_total", "wait=\"body\"", NULL, NULL },
	{ "mrg_http_timeouts_total", "wait=\"send\"", NULL, NULL },
	{ "mrg_http_timeouts_total", "wait=\"linger\"", NULL, NULL },
	{ "mrg_http_received_bytes_total", NULL, "counter", "Octets from clients." },
	{ "mrg_http_sent_bytes_total", NULL, "counter", "Octets to clients." },
	{ "mrg_http_file_lookups_total", "from=\"cache\"", "counter",
		"Paths looked up, by where the answer came from." },
	{ "mrg_http_file_lookups_total", "from=\"disk\"", NULL, NULL },
	{ "mrg_http_file_busy_total", NULL, "counter",
		"Files that could not be opened for want of memory or descriptors." },
};

enum { COUNT = sizeof metrics / sizeof metrics[0] };
_Static_assert((size_t)COUNT <= (size_t)PUBLISHED_MAX, "room for every figure");

static void publish_files(struct published *p, size_t at, const struct site *s)
{
	uint64_t hits = 0, loaded = 0, busy = 0;
	for (size_t i = 0; i < s->count; i++) {
		hits += s->folders[i].counts.hits;
		loaded += s->folders[i].counts.loaded;
		busy += s->folders[i].counts.busy;
	}
	publish(p, at, hits);
	publish(p, at + 1, loaded);
	publish(p, at + 2, busy);
}

void figures_publish(struct worker *w)
{
	const struct mrg_http_counts *const c = &w->server.counts;
	struct published *const p = &w->published;
	size_t at = 0;
	publish(p, at++, c->requests);
	for (size_t class = 2; class < 6; class ++)
		publish(p, at++, c->statuses[class]);
	publish(p, at++, c->opened);
	publish(p, at++, mrg_http_server_count(&w->server));
	publish(p, at++, c->broken);
	publish(p, at++, c->spared);
	for (size_t wait = 0; wait < MRG_HTTP_WAITS; wait++)
		publish(p, at++, c->timeouts[wait]);
	publish(p, at++, c->octets_in);
	publish(p, at++, c->octets_out);
	publish_files(p, at, w->site);
}

void figures_put(struct worker *const *workers, size_t count, struct mrg_w *w)
{
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t sum = 0;
		for (size_t k = 0; k < count; k++)
			sum += published(&workers[k]->published, i);
		metric_put(w, &metrics[i], sum);
	}
}
