/* Counting questions and answers: see counts.h. */
#include "appliances/dns/counts.h"
#include "dns/message.h"
#include "iana/dns.h"

/* One thread writes: no other can come between. */
static inline void add(atomic_uint_least64_t *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1u, memory_order_relaxed);
}

void counts_take(struct counts *c, const struct mrg_dns_query *query, struct mrg_span reply)
{
	struct mrg_dns_header h;
	struct mrg_reject why = { .at = reply.p };
	const unsigned type =
		query->has_question ? mrg_dns_question_type(&query->question) : (unsigned)COUNTS_OTHER;
	add(&c->type[type < COUNTS_OTHER ? type : (unsigned)COUNTS_OTHER]);
	if (query->has_edns)
		add(&c->edns);
	if (query->dnssec_ok)
		add(&c->dnssec_ok);
	if (mrg_dns_header_check(reply, &h, &why) != MRG_OK) {
		add(&c->silent);
		return;
	}
	add(&c->rcode[mrg_dns_header_rcode(&h) % COUNTS_RCODES]);
	if (mrg_dns_header_tc(&h) != 0)
		add(&c->truncated);
}

/* ---- the page ---- */

static uint64_t sum(const struct counts *const *c, size_t count, size_t offset)
{
	uint64_t all = 0;
	for (size_t i = 0; i < count; i++) {
		const void *const at = (const char *)c[i] + offset;
		all += atomic_load_explicit((const atomic_uint_least64_t *)at, memory_order_relaxed);
	}
	return all;
}

static void put_one(
	struct mrg_w *w, const struct metric *metric, const char *label, const char *value, uint64_t n)
{
	metric_labelled_put(w, metric, label, (struct mrg_span){ (const uint8_t *)value, strlen(value) }, n);
}

/* Types that nobody has asked for are left out. */
static void put_types(const struct counts *const *c, size_t count, struct mrg_w *w)
{
	static const struct metric types = { "mrg_dns_queries_by_type_total", NULL, "counter",
		"Queries by the type that they ask for." };
	metric_head_put(w, &types);
	for (size_t i = 0; i < COUNTS_TYPES; i++) {
		const uint64_t n = sum(c, count, offsetof(struct counts, type) + i * sizeof c[0]->type[0]);
		const char *const type = i < COUNTS_OTHER ? mrg_dns_type_str((uint16_t)i) : NULL;
		if (n != 0 || i == COUNTS_OTHER)
			put_one(w, &types, "type",
				i == COUNTS_OTHER ? "other"
				: type != NULL    ? type
						  : "unassigned",
				n);
	}
}

static void put_rcodes(const struct counts *const *c, size_t count, struct mrg_w *w)
{
	static const struct metric rcodes = { "mrg_dns_responses_by_rcode_total", NULL, "counter",
		"Responses by their RCODE." };
	metric_head_put(w, &rcodes);
	for (unsigned i = 0; i < COUNTS_RCODES; i++) {
		const char *const rcode = mrg_dns_rcode_str(i);
		if (rcode != NULL)
			put_one(w, &rcodes, "rcode", rcode,
				sum(c, count, offsetof(struct counts, rcode) + i * sizeof c[0]->rcode[0]));
	}
}

void counts_put(const struct counts *const *c, size_t count, struct mrg_w *w)
{
	static const struct {
		struct metric metric;
		size_t offset;
	} others[] = {
		{ { "mrg_dns_queries_edns_total", NULL, "counter", "Queries with an OPT record." },
			offsetof(struct counts, edns) },
		{ { "mrg_dns_queries_dnssec_ok_total", NULL, "counter",
			  "Queries that ask for DNSSEC records." },
			offsetof(struct counts, dnssec_ok) },
		{ { "mrg_dns_responses_truncated_total", NULL, "counter", "Responses with TC." },
			offsetof(struct counts, truncated) },
		{ { "mrg_dns_queries_unanswered_total", NULL, "counter",
			  "Messages that were not answered: no queries, or over a rate." },
			offsetof(struct counts, silent) },
	};
	put_types(c, count, w);
	put_rcodes(c, count, w);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		metric_put(w, &others[i].metric, sum(c, count, others[i].offset));
}
