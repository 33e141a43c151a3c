/* Reading a query: header, question, and of the records only the OPT. */
#include "protocols/dns/query.h"
#include "protocols/dns/zone_store.h"

static void take_option(const struct mrg_dns_option *o, struct mrg_dns_query *out)
{
	switch (mrg_dns_option_code(o)) {
	case MRG_DNS_EDNS_OPTION_NSID: out->options |= MRG_DNS_WANTED_NSID; break;
	case MRG_DNS_EDNS_OPTION_TCP_KEEPALIVE: out->options |= MRG_DNS_WANTED_KEEPALIVE; break;
	case MRG_DNS_EDNS_OPTION_EXPIRE: out->options |= MRG_DNS_WANTED_EXPIRE; break;
	case MRG_DNS_EDNS_OPTION_COOKIE:
		if ((out->options & MRG_DNS_WANTED_COOKIE) == 0 &&
			mrg_dns_option_data_as_cookie(o, &out->cookie))
			out->options |= MRG_DNS_WANTED_COOKIE;
		break;
	default: break;
	}
}

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
		take_option(&option, out);
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
			*left = mrg_dns_after(*left, edns.len);
			continue;
		}
		if (mrg_dns_rr_check(*left, q->message, &rr, NULL) != MRG_OK ||
			mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_OPT)
			return false;
		if (mrg_dns_rr_type(&rr) ==
			MRG_DNS_TYPE_TSIG) { /* the last one, or else a format error: RFC 8945 5.1 */
			if (!additional || count != 1)
				return false;
			q->has_tsig = true;
		}
		*left = mrg_dns_after(*left, rr.len);
	}
	return true;
}

enum mrg_dns_verdict mrg_dns_query_question(struct mrg_span message, struct mrg_dns_query *out)
{
	const struct mrg_dns_header *const h = &out->header;
	out->message = message;
	out->has_question = out->has_edns = out->dnssec_ok = out->has_tsig = false;
	out->options = 0;
	out->edns_version = 0;
	out->udp_size = 0;
	if (mrg_dns_header_check(message, &out->header, NULL) != MRG_OK || mrg_dns_header_qr(h) != 0)
		return MRG_DNS_VERDICT_DROP; /* a reply to a reply could go on for ever */
	if (mrg_dns_header_opcode(h) != MRG_DNS_OPCODE_QUERY)
		return MRG_DNS_VERDICT_NOTIMP;
	if (mrg_dns_header_qdcount(h) != 1) { /* RFC 9619 */
		out->question.len = 0;
		return mrg_dns_header_qdcount(h) == 0 ? MRG_DNS_VERDICT_COOKIE : MRG_DNS_VERDICT_FORMERR;
	}
	if (mrg_dns_question_check(mrg_dns_after(message, h->len), message, &out->question, NULL) != MRG_OK)
		return MRG_DNS_VERDICT_FORMERR;
	out->has_question = true;
	return MRG_DNS_VERDICT_ANSWER;
}

bool mrg_dns_query_zone(struct mrg_dns_query *q)
{
	q->has_question = mrg_dns_header_qdcount(&q->header) == 1 &&
			  mrg_dns_question_check(mrg_dns_after(q->message, q->header.len), q->message,
				  &q->question, NULL) == MRG_OK;
	return q->has_question;
}

enum mrg_dns_verdict mrg_dns_query_records(struct mrg_dns_query *q)
{
	const struct mrg_dns_header *const h = &q->header;
	const unsigned an = mrg_dns_header_ancount(h), ns = mrg_dns_header_nscount(h),
		       ar = mrg_dns_header_arcount(h);
	struct mrg_span left = mrg_dns_after(q->message, h->len + q->question.len);
	struct mrg_dns_edns edns;
	if ((an | ns) == 0 && ar == 1 && mrg_dns_edns_check(left, &edns, NULL) == MRG_OK) {
		take_edns(&edns, q); /* there is nothing more in most */
		return MRG_DNS_VERDICT_ANSWER;
	}
	if (!read_section(q, &left, an, false) || !read_section(q, &left, ns, false) ||
		!read_section(q, &left, ar, true))
		return MRG_DNS_VERDICT_FORMERR;
	return MRG_DNS_VERDICT_ANSWER;
}
