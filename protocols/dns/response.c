/* What those that ask have in common. */
#include "protocols/dns/response.h"

#include "dns/rr.h"
#include "iana/dns.h"
#include "protocols/dns/zone_store.h"

bool mrg_dns_response_is(const struct mrg_dns_response_to *asked, struct mrg_span message,
	const struct mrg_dns_header *h, size_t *len)
{
	struct mrg_dns_question q;
	struct mrg_dns_name_flat name;
	*len = 0;
	if (mrg_dns_header_qr(h) == 0 || mrg_dns_header_opcode(h) != asked->opcode ||
		mrg_dns_header_id(h) != asked->id)
		return false;
	if (mrg_dns_header_qdcount(h) == 0)
		return asked->again || mrg_dns_header_rcode(h) != MRG_DNS_RCODE_NOERROR;
	if (mrg_dns_header_qdcount(h) != 1 ||
		mrg_dns_question_check(mrg_dns_after(message, h->len), message, &q, NULL) != MRG_OK)
		return false;
	*len = q.len;
	const struct mrg_dns_name view = mrg_dns_question_name(&q);
	mrg_dns_name_flatten(&view, &name);
	return mrg_dns_question_type(&q) == asked->type && mrg_dns_question_class(&q) == MRG_DNS_CLASS_IN &&
	       mrg_dns_same_name(mrg_dns_name_flat_from(&name, 0), asked->zone);
}

void mrg_dns_response_ask(struct mrg_w *w, uint16_t udp_size)
{
	struct mrg_dns_edns_build eb;
	struct mrg_dns_opt_build ob;
	struct mrg_dns_option_build b;
	mrg_dns_edns_begin(w, &eb, &(struct mrg_dns_edns_args){ .udp_size = udp_size });
	mrg_dns_opt_begin(w, &ob, &(struct mrg_dns_opt_args){ 0 });
	mrg_dns_opt_options_add(w, &ob);
	mrg_dns_option_begin(w, &b, &(struct mrg_dns_option_args){ .code = MRG_DNS_EDNS_OPTION_EXPIRE });
	mrg_dns_option_end(w, &b);
	mrg_dns_opt_end(w, &ob);
	mrg_dns_edns_end(w, &eb);
}

static void take(const struct mrg_dns_edns *e, struct mrg_dns_response_edns *out)
{
	const struct mrg_dns_opt opt = mrg_dns_edns_rdata(e);
	struct mrg_dns_opt_options_it it = mrg_dns_opt_options(&opt);
	struct mrg_dns_option option;
	struct mrg_dns_expire expire;
	out->upper = mrg_dns_edns_extended_rcode(e) * 16u;
	while (mrg_dns_opt_options_next(&it, &option)) {
		if (mrg_dns_option_data_as_expire(&option, &expire) && mrg_dns_expire_has_seconds(&expire)) {
			out->has_expire = true;
			out->expire_s = mrg_dns_expire_seconds(&expire);
		}
	}
}

bool mrg_dns_response_edns(struct mrg_span message, struct mrg_span left, unsigned count, unsigned additional,
	struct mrg_dns_response_edns *out)
{
	*out = (struct mrg_dns_response_edns){ .has_expire = false };
	for (; count > 0; count--) {
		struct mrg_dns_edns edns;
		struct mrg_dns_rr rr;
		if (count <= additional && mrg_dns_edns_check(left, &edns, NULL) == MRG_OK) {
			take(&edns, out);
			left = mrg_dns_after(left, edns.len);
		} else if (mrg_dns_rr_check(left, message, &rr, NULL) == MRG_OK) {
			left = mrg_dns_after(left, rr.len);
		} else {
			return false;
		}
	}
	return true;
}

unsigned mrg_dns_response_rcode(struct mrg_span message, const struct mrg_dns_header *h)
{
	struct mrg_span left = mrg_dns_after(message, h->len);
	struct mrg_dns_response_edns edns;
	struct mrg_dns_question q;
	const unsigned additional = mrg_dns_header_arcount(h);
	const unsigned count = additional + mrg_dns_header_ancount(h) + mrg_dns_header_nscount(h);
	if (mrg_dns_header_qdcount(h) == 1 && mrg_dns_question_check(left, message, &q, NULL) == MRG_OK)
		left = mrg_dns_after(left, q.len);
	(void)mrg_dns_response_edns(message, left, count, additional, &edns);
	return mrg_dns_header_rcode(h) + edns.upper;
}
