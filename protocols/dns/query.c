/* Reading a query: header, question, and of the records only the OPT. */
#include "protocols/dns/query.h"

static struct mrg_span after(struct mrg_span s, size_t n) { return (struct mrg_span){ s.p + n, s.len - n }; }

/* Take what an OPT record says.  RFC 6891 section 6.1 */
static void take_edns(const struct mrg_dns_edns *e, struct mrg_dns_query *out)
{
	const struct mrg_dns_opt opt = mrg_dns_edns_rdata(e);
	struct mrg_dns_opt_options_it it = mrg_dns_opt_options(&opt);
	struct mrg_dns_option option;
	out->has_edns = true;
	out->udp_size = mrg_dns_edns_udp_size(e);
	out->edns_version = mrg_dns_edns_version(e);
	out->dnssec_ok = mrg_dns_edns_dnssec_ok(e) != 0;
	while (mrg_dns_opt_options_next(&it, &option))
		out->nsid = out->nsid || mrg_dns_option_code(&option) == MRG_DNS_EDNS_OPTION_NSID;
}

/*
 * Check `count` records at the start of *left and step over them.  One OPT record may stand in the additional
 * section, owned by the root: anything else that has its type makes a format error (RFC 6891 6.1.1).
 */
static bool read_section(struct mrg_dns_query *q, struct mrg_span *left, unsigned count, bool additional)
{
	for (; count > 0; count--) {
		struct mrg_dns_edns edns;
		struct mrg_dns_rr rr;
		if (additional && mrg_dns_edns_check(*left, &edns, NULL) == MRG_OK) {
			if (q->has_edns)
				return false;
			take_edns(&edns, q);
			*left = after(*left, edns.len);
			continue;
		}
		if (mrg_dns_rr_check(*left, q->message, &rr, NULL) != MRG_OK ||
			mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_OPT)
			return false;
		*left = after(*left, rr.len);
	}
	return true;
}

enum mrg_dns_verdict mrg_dns_query_question(struct mrg_span message, struct mrg_dns_query *out)
{
	const struct mrg_dns_header *const h = &out->header;
	out->message = message;
	out->has_question = out->has_edns = out->dnssec_ok = out->nsid = false;
	out->edns_version = 0;
	out->udp_size = 0;
	if (mrg_dns_header_check(message, &out->header, NULL) != MRG_OK || mrg_dns_header_qr(h) != 0)
		return MRG_DNS_VERDICT_DROP; /* a reply to a reply could go on for ever */
	if (mrg_dns_header_opcode(h) != MRG_DNS_OPCODE_QUERY)
		return MRG_DNS_VERDICT_NOTIMP;
	if (mrg_dns_header_qdcount(h) != 1) /* RFC 9619 */
		return MRG_DNS_VERDICT_FORMERR;
	if (mrg_dns_question_check(after(message, h->len), message, &out->question, NULL) != MRG_OK)
		return MRG_DNS_VERDICT_FORMERR;
	out->has_question = true;
	return MRG_DNS_VERDICT_ANSWER;
}

enum mrg_dns_verdict mrg_dns_query_rest(struct mrg_dns_query *q)
{
	const struct mrg_dns_header *const h = &q->header;
	const unsigned counts[] = { mrg_dns_header_ancount(h), mrg_dns_header_nscount(h),
		mrg_dns_header_arcount(h) };
	enum { SECTIONS = sizeof counts / sizeof counts[0] };
	struct mrg_span left = after(q->message, h->len + q->question.len);
	for (unsigned i = 0; i < SECTIONS; i++) {
		if (counts[i] != 0 && !read_section(q, &left, counts[i], i + 1u == SECTIONS))
			return MRG_DNS_VERDICT_FORMERR;
	}
	return MRG_DNS_VERDICT_ANSWER;
}
