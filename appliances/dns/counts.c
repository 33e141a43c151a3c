/* Counting questions and answers: see counts.h. */
#include "appliances/dns/counts.h"
#include "dns/message.h"
#include "iana/dns.h"
#include "mrg_text.h"

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

static void put_head(struct mrg_w *w, const char *name, const char *help)
{
	mrg_text_put(w, "# HELP ");
	mrg_text_put(w, name);
	mrg_text_put(w, help);
	mrg_text_put(w, "\n# TYPE ");
	mrg_text_put(w, name);
	mrg_text_put(w, " counter\n");
}

static void put_one(struct mrg_w *w, const char *name, const char *label, const char *value, uint64_t n)
{
	mrg_text_put(w, name);
	mrg_text_put(w, "{");
	mrg_text_put(w, label);
	mrg_text_put(w, "=\"");
	mrg_text_put(w, value);
	mrg_text_put(w, "\"} ");
	mrg_text_put_dec(w, n);
	mrg_text_put(w, "\n");
}

/* Types that nobody has asked for are left out. */
static void put_types(const struct counts *const *c, size_t count, struct mrg_w *w)
{
	static const char name[] = "mrg_dns_queries_by_type_total";
	put_head(w, name, " Queries by the type that they ask for.");
	for (size_t i = 0; i < COUNTS_TYPES; i++) {
		const uint64_t n = sum(c, count, offsetof(struct counts, type) + i * sizeof c[0]->type[0]);
		const char *const type = i < COUNTS_OTHER ? mrg_dns_type_str((uint16_t)i) : NULL;
		if (n != 0 || i == COUNTS_OTHER)
			put_one(w, name, "type",
				i == COUNTS_OTHER ? "other"
				: type != NULL    ? type
						  : "unassigned",
				n);
	}
}

static void put_rcodes(const struct counts *const *c, size_t count, struct mrg_w *w)
{
	static const char name[] = "mrg_dns_responses_by_rcode_total";
	put_head(w, name, " Responses by their RCODE.");
	for (unsigned i = 0; i < COUNTS_RCODES; i++) {
		const char *const rcode = mrg_dns_rcode_str(i);
		if (rcode != NULL)
			put_one(w, name, "rcode", rcode,
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
