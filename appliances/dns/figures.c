/*
 * What is counted.
 */
#include "appliances/dns/figures.h"
#include "appliances/dns/reporter.h"
#include "appliances/dns/said.h"
#include "appliances/dns/worker.h"

static const struct metric metrics[] = {
	{ "mrg_dns_queries_total", "transport=\"udp\"", "counter", "Messages from clients." },
	{ "mrg_dns_queries_total", "transport=\"tcp\"", NULL, NULL },
	{ "mrg_dns_responses_total", "transport=\"udp\"", "counter", "Messages to clients." },
	{ "mrg_dns_responses_total", "transport=\"tcp\"", NULL, NULL },
	{ "mrg_dns_responses_lost_total", NULL, "counter", "Replies that the kernel did not take." },
	{ "mrg_dns_connections_total", NULL, "counter", "TCP connections accepted." },
	{ "mrg_dns_connections", NULL, "gauge", "TCP connections now." },
	{ "mrg_dns_connections_idle_closed_total", NULL, "counter",
		"TCP connections closed for waiting too long." },
	{ "mrg_dns_connections_spared_total", NULL, "counter",
		"TCP connections closed to make room for others." },
	{ "mrg_dns_connections_broken_total", NULL, "counter",
		"TCP connections that broke before their end." },
	{ "mrg_dns_connections_refused_total", NULL, "counter", "TCP connections over a client's limit." },
	{ "mrg_dns_transfers_total", NULL, "counter", "Transfers begun, to others." },
	{ "mrg_dns_transfers_refused_total", NULL, "counter", "Transfers refused." },
	{ "mrg_dns_transfer_octets_total", NULL, "counter", "Octets of transfers, to others." },
	{ "mrg_dns_rate_limited_total", "how=\"truncated\"", "counter",
		"Responses held back for a network's rate." },
	{ "mrg_dns_rate_limited_total", "how=\"dropped\"", NULL, NULL },
};

enum { COUNT = sizeof metrics / sizeof metrics[0] };
_Static_assert((size_t)COUNT <= (size_t)PUBLISHED_MAX, "room for every figure");

void figures_publish(struct worker *w)
{
	const struct mrg_unix_counts *const l = &w->loop.counts;
	const struct mrg_dns_stream_counts *const s = &w->streams.counts;
	struct published *const p = &w->published;
	size_t at = 0;
	publish(p, at++, l->dgram_in);
	publish(p, at++, s->queries);
	publish(p, at++, l->dgram_out);
	publish(p, at++, s->answers);
	publish(p, at++, l->dgram_lost);
	publish(p, at++, s->opened);
	publish(p, at++, mrg_dns_streams_count(&w->streams));
	publish(p, at++, s->idle_closed);
	publish(p, at++, s->spared);
	publish(p, at++, s->broken);
	publish(p, at++, s->refused);
	publish(p, at++, w->sendings.begun);
	publish(p, at++, w->sendings.refused);
	publish(p, at++, w->sendings.octets);
	publish(p, at++, w->rate.counts.cut);
	publish(p, at, w->rate.counts.dropped);
}

/* ---- zones ---- */

static void put_zones(const struct database *db, const struct metric *metric,
	bool (*value)(const struct version *v, uint64_t *out), struct mrg_w *w)
{
	metric_head_put(w, metric);
	for (size_t i = 0; i < db->count; i++) {
		uint8_t b[SAID_NAME_MAX];
		struct mrg_w origin;
		uint64_t n;
		if (!value(db->zones[i].version, &n))
			continue;
		mrg_w_init(&origin, b, sizeof b);
		said_origin(db->zones[i].version->zone, &origin);
		metric_labelled_put(w, metric, "zone", mrg_w_span(&origin, 0), n);
	}
}

static bool serial(const struct version *v, uint64_t *out)
{
	*out = mrg_dns_zone_serial(v->zone);
	return !mrg_dns_zone_is_absent(v->zone);
}

static bool records(const struct version *v, uint64_t *out)
{
	*out = mrg_dns_zone_records(v->zone);
	return true;
}

static bool expires(const struct version *v, uint64_t *out)
{
	*out = atomic_load_explicit(&v->expires_s, memory_order_relaxed);
	return *out != 0;
}

static void put_counts(const struct control *control, struct mrg_w *w)
{
	const struct counts *counts[WORKERS_MAX];
	for (size_t i = 0; i < control->worker_count; i++)
		counts[i] = &control->workers[i]->counts;
	counts_put(counts, control->worker_count, w);
}

/* Of all workers together: one that is held up shows in the slowest turns. */
static void put_turns(const struct control *control, struct mrg_w *w)
{
	static const struct metric took = {
		"mrg_dns_loop_turn_seconds", NULL, "histogram",
		"Turns of the workers' loops, each from when it knew what had come to when it waited again."
	};
	uint64_t count[MRG_UNIX_TURN_BOUNDS + 1] = { 0 };
	struct metric_times t = {
		.bound_ns = mrg_unix_turn_bound_ns, .count = count, .bounds = MRG_UNIX_TURN_BOUNDS
	};
	for (size_t i = 0; i < control->worker_count; i++) {
		const struct mrg_unix_turns *const turns = &control->workers[i]->loop.turns;
		for (size_t k = 0; k <= MRG_UNIX_TURN_BOUNDS; k++)
			count[k] += atomic_load_explicit(&turns->count[k], memory_order_relaxed);
		t.sum_ns += atomic_load_explicit(&turns->sum_ns, memory_order_relaxed);
	}
	metric_times_put(w, &took, &t);
}

/* What the process holds. */
static void put_memory(struct mrg_w *w)
{
	static const struct metric memory = { "process_resident_memory_bytes", NULL, "gauge",
		"Memory that the process holds." };
	const size_t bytes = mrg_unix_memory();
	if (bytes != 0)
		metric_put(w, &memory, bytes);
}

void figures_put(const struct control *control, const struct database *db, struct mrg_w *w)
{
	static const struct {
		struct metric metric;
		bool (*value)(const struct version *v, uint64_t *out);
	} zones[] = {
		{ { "mrg_dns_zone_serial", NULL, "gauge", "Serial number of a zone's SOA record." }, serial },
		{ { "mrg_dns_zone_records", NULL, "gauge", "Records of a zone." }, records },
		{ { "mrg_dns_zone_expires_seconds", NULL, "gauge",
			  "When a zone is served no more that its primary does not confirm, in seconds since 1970." },
			expires },
	};
	static const struct metric start = { "process_start_time_seconds", NULL, "gauge",
		"When the server was started, in seconds since 1970." };
	metric_put(w, &start, control->start_s);
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t sum = 0;
		for (size_t k = 0; k < control->worker_count; k++)
			sum += published(&control->workers[k]->published, i);
		metric_put(w, &metrics[i], sum);
	}
	put_counts(control, w);
	put_turns(control, w);
	reporter_figures(control->reporter, w);
	if (control->sandbox == NULL) /* in which nothing can be opened */
		put_memory(w);
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		put_zones(db, &zones[i].metric, zones[i].value, w);
}
