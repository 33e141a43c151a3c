/* NOTIFY. */
#include "protocols/dns/notify.h"

#include "dns/message.h"
#include "protocols/dns/reply.h"
#include "protocols/dns/response.h"
#include "protocols/dns/zone_store.h"

enum mrg_status mrg_dns_notify_put(
	const struct mrg_dns_zone *zone, uint16_t id, uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	struct mrg_refs refs;
	struct mrg_w w;
	*len = 0;
	const enum mrg_status st = mrg_dns_node_soa(zone->apex, &rr, &soa);
	if (st != MRG_OK)
		return st;
	mrg_w_init(&w, out, cap);
	mrg_w_use_refs(&w, &refs);
	mrg_dns_header_put(
		&w, &(struct mrg_dns_header_args){
			    .id = id, .opcode = MRG_DNS_OPCODE_NOTIFY, .aa = 1, .qdcount = 1, .ancount = 1 });
	mrg_dns_question_put(&w, &(struct mrg_dns_question_args){ .name = mrg_dns_node_name(zone->apex),
					 .type = MRG_DNS_TYPE_SOA,
					 .class = MRG_DNS_CLASS_IN });
	mrg_dns_rr_copy(&w, &rr);
	return mrg_w_finish(&w, len);
}

bool mrg_dns_notify_heard(struct mrg_span zone, uint16_t id, struct mrg_span message, unsigned *rcode)
{
	struct mrg_dns_header h;
	size_t question_len;
	const struct mrg_dns_response_to asked = {
		.zone = zone, .id = id, .type = MRG_DNS_TYPE_SOA, .opcode = MRG_DNS_OPCODE_NOTIFY
	};
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK ||
		!mrg_dns_response_is(&asked, message, &h, &question_len))
		return false;
	*rcode = mrg_dns_header_rcode(&h);
	return true;
}

/* The serial number that the answer tells, if it does.  RFC 1996 3.7 */
static void take_serial(struct mrg_dns_notify *n)
{
	const struct mrg_dns_query *const q = &n->query;
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	struct mrg_dns_name_flat owner;
	if (mrg_dns_header_ancount(&q->header) == 0 ||
		mrg_dns_rr_check(mrg_dns_after(q->message, q->header.len + q->question.len), q->message, &rr,
			NULL) != MRG_OK ||
		mrg_dns_rr_class(&rr) != MRG_DNS_CLASS_IN || !mrg_dns_rr_rdata_as_soa(&rr, &soa))
		return;
	const struct mrg_dns_name view = mrg_dns_rr_name(&rr);
	mrg_dns_name_flatten(&view, &owner);
	n->has_serial =
		mrg_dns_same_name(mrg_dns_name_flat_from(&owner, 0), mrg_dns_name_flat_from(&n->zone, 0));
	n->serial = mrg_dns_soa_serial(&soa);
}

enum mrg_dns_notify_kind mrg_dns_notify_read(struct mrg_span message, struct mrg_dns_notify *out)
{
	struct mrg_dns_query *const q = &out->query;
	out->has_serial = false;
	out->serial = 0;
	if (mrg_dns_query_question(message, q) != MRG_DNS_VERDICT_NOTIMP ||
		mrg_dns_header_opcode(&q->header) != MRG_DNS_OPCODE_NOTIFY)
		return MRG_DNS_NOTIFY_OTHER;
	if (!mrg_dns_query_zone(q) || mrg_dns_query_rest(q) != MRG_DNS_VERDICT_ANSWER)
		return MRG_DNS_NOTIFY_MALFORMED;
	if (mrg_dns_question_type(&q->question) != MRG_DNS_TYPE_SOA ||
		mrg_dns_question_class(&q->question) != MRG_DNS_CLASS_IN)
		return MRG_DNS_NOTIFY_UNKNOWN;
	const struct mrg_dns_name view = mrg_dns_question_name(&q->question);
	mrg_dns_name_flatten(&view, &out->zone);
	take_serial(out);
	return MRG_DNS_NOTIFY_CHANGED;
}

enum mrg_status mrg_dns_notify_reply(const struct mrg_dns_notify *n, unsigned rcode, uint16_t udp_size,
	uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_dns_reply r;
	*len = 0;
	const enum mrg_status st = mrg_dns_reply_begin(&r, &n->query, udp_size, NULL, out, cap);
	if (st != MRG_OK)
		return st;
	r.rcode = rcode;
	r.aa = rcode == MRG_DNS_RCODE_NOERROR;
	return mrg_dns_reply_end(&r, len);
}
