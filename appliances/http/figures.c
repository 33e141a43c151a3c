/*
 * What is counted.
 */
#include "appliances/http/figures.h"

static const struct metric metrics[FIGURES] = {
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

void figures_of(const struct mrg_http_server *server, const struct file_figures *files, uint64_t out[FIGURES])
{
	const struct mrg_http_counts *const c = &server->counts;
	size_t at = 0;
	out[at++] = c->requests;
	for (size_t class = 2; class < 6; class ++)
		out[at++] = c->statuses[class];
	out[at++] = c->opened;
	out[at++] = mrg_http_server_count(server);
	out[at++] = c->broken;
	out[at++] = c->spared;
	for (size_t wait = 0; wait < MRG_HTTP_WAITS; wait++)
		out[at++] = c->timeouts[wait];
	out[at++] = c->octets_in;
	out[at++] = c->octets_out;
	out[at++] = files->hits;
	out[at++] = files->loaded;
	out[at++] = files->busy;
}

void figures_put(const uint64_t figures[FIGURES], struct mrg_w *w)
{
	for (size_t i = 0; i < FIGURES; i++)
		metric_put(w, &metrics[i], figures[i]);
}
