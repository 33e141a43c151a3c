/* Asking which version there is: see soa_query.h. */
#include "protocols/dns/soa_query.h"

#include "dns/message.h"
#include "protocols/dns/zone_store.h"

static struct mrg_span after(struct mrg_span s, size_t n) { return (struct mrg_span){ s.p + n, s.len - n }; }

enum mrg_status mrg_dns_soa_query_put(struct mrg_span zone, uint16_t id, uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_w w;
	mrg_w_init(&w, out, cap);
	mrg_dns_header_put(
		&w, &(struct mrg_dns_header_args){ .id = id, .opcode = MRG_DNS_OPCODE_QUERY, .qdcount = 1 });
	mrg_dns_question_put(&w, &(struct mrg_dns_question_args){ .name = zone,
					 .type = MRG_DNS_TYPE_SOA,
					 .class = MRG_DNS_CLASS_IN });
	return mrg_w_finish(&w, len);
}

/* Is the name in a message this flat one? */
static bool is_name(const struct mrg_dns_name *view, struct mrg_span flat)
{
	struct mrg_dns_name_flat name;
	mrg_dns_name_flatten(view, &name);
	return mrg_dns_same_name(mrg_dns_name_flat_from(&name, 0), flat);
}

/* Is it a response to that query? */
static bool is_answer(struct mrg_span zone, uint16_t id, struct mrg_span message, struct mrg_dns_header *h,
	struct mrg_dns_question *q)
{
	if (mrg_dns_header_check(message, h, NULL) != MRG_OK || mrg_dns_header_qr(h) == 0 ||
		mrg_dns_header_opcode(h) != MRG_DNS_OPCODE_QUERY || mrg_dns_header_id(h) != id ||
		mrg_dns_header_qdcount(h) != 1 ||
		mrg_dns_question_check(after(message, h->len), message, q, NULL) != MRG_OK)
		return false;
	const struct mrg_dns_name name = mrg_dns_question_name(q);
	return mrg_dns_question_type(q) == MRG_DNS_TYPE_SOA &&
	       mrg_dns_question_class(q) == MRG_DNS_CLASS_IN && is_name(&name, zone);
}

enum mrg_dns_soa_heard mrg_dns_soa_query_heard(
	struct mrg_span zone, uint16_t id, struct mrg_span message, uint32_t *serial)
{
	struct mrg_dns_header h;
	struct mrg_dns_question q;
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	if (!is_answer(zone, id, message, &h, &q))
		return MRG_DNS_SOA_OTHER;
	if (mrg_dns_header_rcode(&h) != MRG_DNS_RCODE_NOERROR || mrg_dns_header_aa(&h) == 0)
		return MRG_DNS_SOA_REFUSED;
	struct mrg_span left = after(message, h.len + q.len);
	for (unsigned n = mrg_dns_header_ancount(&h); n > 0; n--) {
		if (mrg_dns_rr_check(left, message, &rr, NULL) != MRG_OK)
			return MRG_DNS_SOA_REFUSED;
		const struct mrg_dns_name owner = mrg_dns_rr_name(&rr);
		if (mrg_dns_rr_class(&rr) == MRG_DNS_CLASS_IN && is_name(&owner, zone) &&
			mrg_dns_rr_rdata_as_soa(&rr, &soa)) {
			*serial = mrg_dns_soa_serial(&soa);
			return MRG_DNS_SOA_SERIAL;
		}
		left = after(left, rr.len);
	}
	return MRG_DNS_SOA_REFUSED;
}
