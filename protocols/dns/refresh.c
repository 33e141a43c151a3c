/* Asking for the SOA record of a zone. */
#include "protocols/dns/refresh.h"

#include "dns/message.h"
#include "dns/rr.h"
#include "iana/dns.h"
#include "protocols/dns/response.h"
#include "protocols/dns/zone_store.h"

enum mrg_status mrg_dns_refresh_query(
	struct mrg_span zone, uint16_t id, uint16_t udp_size, uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_w w;
	mrg_w_init(&w, out, cap);
	mrg_dns_header_put(&w,
		&(struct mrg_dns_header_args){
			.id = id, .opcode = MRG_DNS_OPCODE_QUERY, .qdcount = 1, .arcount = udp_size != 0 });
	mrg_dns_question_put(&w, &(struct mrg_dns_question_args){
					 .name = zone, .type = MRG_DNS_TYPE_SOA, .class = MRG_DNS_CLASS_IN });
	if (udp_size != 0)
		mrg_dns_response_ask(&w, udp_size);
	return mrg_w_finish(&w, len);
}

static bool is_zone(const struct mrg_dns_name *view, struct mrg_span zone)
{
	struct mrg_dns_name_flat name;
	mrg_dns_name_flatten(view, &name);
	return mrg_dns_same_name(mrg_dns_name_flat_from(&name, 0), zone);
}

/* The SOA record of the zone among `count` records of the answer; signatures may stand beside it. */
static bool find_serial(struct mrg_span zone, struct mrg_span message, struct mrg_span left, unsigned count,
	struct mrg_dns_refresh *out)
{
	for (; count > 0; count--) {
		struct mrg_dns_rr rr;
		struct mrg_dns_soa soa;
		if (mrg_dns_rr_check(left, message, &rr, NULL) != MRG_OK)
			return false;
		left = mrg_dns_after(left, rr.len);
		const struct mrg_dns_name name = mrg_dns_rr_name(&rr);
		if (mrg_dns_rr_class(&rr) == MRG_DNS_CLASS_IN && mrg_dns_rr_rdata_as_soa(&rr, &soa) &&
			is_zone(&name, zone)) {
			out->serial = mrg_dns_soa_serial(&soa);
			return true;
		}
	}
	return false;
}

enum mrg_dns_refresh_kind mrg_dns_refresh_read(
	struct mrg_span zone, uint16_t id, struct mrg_span message, struct mrg_dns_refresh *out)
{
	struct mrg_dns_header h;
	struct mrg_dns_response_edns edns;
	size_t question_len;
	const struct mrg_dns_response_to asked = {
		.zone = zone, .id = id, .type = MRG_DNS_TYPE_SOA, .opcode = MRG_DNS_OPCODE_QUERY
	};
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK ||
		!mrg_dns_response_is(&asked, message, &h, &question_len))
		return MRG_DNS_REFRESH_OTHER;
	const struct mrg_span left = mrg_dns_after(message, h.len + question_len);
	const unsigned additional = mrg_dns_header_arcount(&h), answers = mrg_dns_header_ancount(&h);
	const bool whole = mrg_dns_response_edns(
		message, left, answers + mrg_dns_header_nscount(&h) + additional, additional, &edns);
	*out = (struct mrg_dns_refresh){ .rcode = mrg_dns_header_rcode(&h) + edns.upper,
		.has_expire = edns.has_expire,
		.expire_s = edns.expire_s };
	if (!whole || out->rcode != MRG_DNS_RCODE_NOERROR || mrg_dns_header_tc(&h) != 0 ||
		mrg_dns_header_aa(&h) == 0 || !find_serial(zone, message, left, answers, out))
		return MRG_DNS_REFRESH_REFUSED;
	return MRG_DNS_REFRESH_SERIAL;
}
