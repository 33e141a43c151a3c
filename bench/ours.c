/* bench/ours.c - a DNS message through the generated interface: see ours.h. */
#include "bench/ours.h"

static uint64_t octets(struct mrg_span s) { return s.len + (s.len ? s.p[0] : 0u); }

static uint64_t name(const struct mrg_dns_name *n)
{
	struct mrg_dns_name_labels_it it = mrg_dns_name_labels(n);
	struct mrg_dns_name_label label;
	uint64_t sum = 0;

	while (mrg_dns_name_labels_next(&it, &label)) {
		struct mrg_span s = mrg_dns_name_label_octets(&label);
		sum += s.len + s.p[0];
	}
	return sum;
}

static uint64_t plain_name(const struct mrg_dns_plain_name *n)
{
	struct mrg_dns_plain_name_labels_it it = mrg_dns_plain_name_labels(n);
	struct mrg_dns_plain_name_label label;
	uint64_t sum = 0;

	while (mrg_dns_plain_name_labels_next(&it, &label)) {
		struct mrg_span s = mrg_dns_plain_name_label_octets(&label);
		sum += s.len + s.p[0];
	}
	return sum;
}

static uint64_t char_string(const struct mrg_dns_char_string *s)
{
	return (uint64_t)mrg_dns_char_string_len(s) + octets(mrg_dns_char_string_octets(s));
}

static uint64_t soa(const struct mrg_dns_soa *v)
{
	struct mrg_dns_name mname = mrg_dns_soa_mname(v), rname = mrg_dns_soa_rname(v);
	uint64_t sum = name(&mname) + name(&rname);

	sum += (uint64_t)mrg_dns_soa_serial(v) + mrg_dns_soa_refresh(v) + mrg_dns_soa_retry(v);
	return sum + mrg_dns_soa_expire(v) + mrg_dns_soa_minimum(v);
}

static uint64_t mx(const struct mrg_dns_mx *v)
{
	struct mrg_dns_name exchange = mrg_dns_mx_exchange(v);

	return mrg_dns_mx_preference(v) + name(&exchange);
}

static uint64_t srv(const struct mrg_dns_srv *v)
{
	struct mrg_dns_name target = mrg_dns_srv_target(v);

	return (uint64_t)mrg_dns_srv_priority(v) + mrg_dns_srv_weight(v) + mrg_dns_srv_port(v) +
	       name(&target);
}

static uint64_t txt(const struct mrg_dns_txt *v)
{
	struct mrg_dns_txt_strings_it it = mrg_dns_txt_strings(v);
	struct mrg_dns_char_string s;
	uint64_t sum = 0;

	while (mrg_dns_txt_strings_next(&it, &s))
		sum += char_string(&s);
	return sum;
}

static uint64_t opt(const struct mrg_dns_opt *v)
{
	struct mrg_dns_opt_options_it it = mrg_dns_opt_options(v);
	struct mrg_dns_option o;
	uint64_t sum = 0;

	while (mrg_dns_opt_options_next(&it, &o))
		sum += (uint64_t)mrg_dns_option_code(&o) + mrg_dns_option_length(&o) +
		       octets(mrg_dns_option_data_raw(&o));
	return sum;
}

static uint64_t ds(const struct mrg_dns_ds *v)
{
	uint64_t sum = (uint64_t)mrg_dns_ds_key_tag(v) + mrg_dns_ds_algorithm(v) + mrg_dns_ds_digest_type(v);

	return sum + octets(mrg_dns_ds_digest(v));
}

static uint64_t dnskey(const struct mrg_dns_dnskey *v)
{
	uint64_t sum =
		(uint64_t)mrg_dns_dnskey_flags(v) + mrg_dns_dnskey_protocol(v) + mrg_dns_dnskey_algorithm(v);

	return sum + octets(mrg_dns_dnskey_key(v));
}

static uint64_t tlsa(const struct mrg_dns_tlsa *v)
{
	uint64_t sum = (uint64_t)mrg_dns_tlsa_usage(v) + mrg_dns_tlsa_selector(v) + mrg_dns_tlsa_matching(v);

	return sum + octets(mrg_dns_tlsa_data(v));
}

static uint64_t rrsig(const struct mrg_dns_rrsig *v)
{
	struct mrg_dns_plain_name signer = mrg_dns_rrsig_signer(v);
	uint64_t sum = (uint64_t)mrg_dns_rrsig_type_covered(v) + mrg_dns_rrsig_algorithm(v) +
		       mrg_dns_rrsig_labels(v);

	sum += (uint64_t)mrg_dns_rrsig_original_ttl(v) + mrg_dns_rrsig_expiration(v) +
	       mrg_dns_rrsig_inception(v);
	sum += mrg_dns_rrsig_key_tag(v);
	return sum + plain_name(&signer) + octets(mrg_dns_rrsig_signature(v));
}

static uint64_t type_bitmap(const struct mrg_dns_type_bitmap *v)
{
	struct mrg_dns_type_bitmap_windows_it it = mrg_dns_type_bitmap_windows(v);
	struct mrg_dns_type_window w;
	uint64_t sum = 0;

	while (mrg_dns_type_bitmap_windows_next(&it, &w)) {
		sum += (uint64_t)mrg_dns_type_window_window(&w) + mrg_dns_type_window_len(&w);
		sum += octets(mrg_dns_type_window_bits(&w));
	}
	return sum;
}

static uint64_t nsec(const struct mrg_dns_nsec *v)
{
	struct mrg_dns_plain_name next = mrg_dns_nsec_next(v);
	struct mrg_dns_type_bitmap types = mrg_dns_nsec_types(v);

	return plain_name(&next) + type_bitmap(&types);
}

static uint64_t nsec3(const struct mrg_dns_nsec3 *v)
{
	struct mrg_dns_type_bitmap types = mrg_dns_nsec3_types(v);
	uint64_t sum = (uint64_t)mrg_dns_nsec3_hash_algorithm(v) + mrg_dns_nsec3_flags(v) +
		       mrg_dns_nsec3_iterations(v);

	sum += mrg_dns_nsec3_salt_len(v) + octets(mrg_dns_nsec3_salt(v));
	sum += mrg_dns_nsec3_hash_len(v) + octets(mrg_dns_nsec3_next_hashed(v));
	return sum + type_bitmap(&types);
}

static uint64_t caa(const struct mrg_dns_caa *v)
{
	uint64_t sum = (uint64_t)mrg_dns_caa_flags(v) + mrg_dns_caa_tag_len(v);

	return sum + octets(mrg_dns_caa_tag(v)) + octets(mrg_dns_caa_value(v));
}

static uint64_t alpn(const struct mrg_dns_svc_param *p)
{
	struct mrg_dns_svc_param_alpn v;
	struct mrg_dns_alpn_id id;
	uint64_t sum = 0;

	if (!mrg_dns_svc_param_value_as_alpn(p, &v))
		return 0;
	struct mrg_dns_svc_param_alpn_ids_it it = mrg_dns_svc_param_alpn_ids(&v);
	while (mrg_dns_svc_param_alpn_ids_next(&it, &id))
		sum += mrg_dns_alpn_id_len(&id) + octets(mrg_dns_alpn_id_id(&id));
	return sum;
}

static uint64_t ipv4hint(const struct mrg_dns_svc_param *p)
{
	struct mrg_dns_svc_param_ipv4hint v;
	struct mrg_span s;
	uint64_t sum = 0;

	if (!mrg_dns_svc_param_value_as_ipv4hint(p, &v))
		return 0;
	struct mrg_dns_svc_param_ipv4hint_addresses_it it = mrg_dns_svc_param_ipv4hint_addresses(&v);
	while (mrg_dns_svc_param_ipv4hint_addresses_next(&it, &s))
		sum += octets(s);
	return sum;
}

static uint64_t svc_param(const struct mrg_dns_svc_param *p)
{
	uint64_t sum = (uint64_t)mrg_dns_svc_param_key(p) + mrg_dns_svc_param_length(p);
	uint16_t port;

	switch (mrg_dns_svc_param_value_which(p)) {
	case MRG_DNS_SVC_PARAM_VALUE_ALPN: return sum + alpn(p);
	case MRG_DNS_SVC_PARAM_VALUE_IPV4HINT: return sum + ipv4hint(p);
	case MRG_DNS_SVC_PARAM_VALUE_PORT:
		return mrg_dns_svc_param_value_as_port(p, &port) ? sum + port : sum;
	default: return sum + octets(mrg_dns_svc_param_value_raw(p));
	}
}

static uint64_t https(const struct mrg_dns_https *v)
{
	struct mrg_dns_plain_name target = mrg_dns_https_target(v);
	struct mrg_dns_https_params_it it = mrg_dns_https_params(v);
	struct mrg_dns_svc_param p;
	uint64_t sum = mrg_dns_https_priority(v) + plain_name(&target);

	while (mrg_dns_https_params_next(&it, &p))
		sum += svc_param(&p);
	return sum;
}

static uint64_t a(const struct mrg_dns_a *v) { return octets(mrg_dns_a_address(v)); }
static uint64_t aaaa(const struct mrg_dns_aaaa *v) { return octets(mrg_dns_aaaa_address(v)); }

static uint64_t ns(const struct mrg_dns_ns *v)
{
	struct mrg_dns_name n = mrg_dns_ns_nsdname(v);

	return name(&n);
}

static uint64_t cname(const struct mrg_dns_cname *v)
{
	struct mrg_dns_name n = mrg_dns_cname_cname(v);

	return name(&n);
}

static uint64_t ptr(const struct mrg_dns_ptr *v)
{
	struct mrg_dns_name n = mrg_dns_ptr_ptrdname(v);

	return name(&n);
}

union rdata_view {
	struct mrg_dns_a a;
	struct mrg_dns_aaaa aaaa;
	struct mrg_dns_ns ns;
	struct mrg_dns_cname cname;
	struct mrg_dns_ptr ptr;
	struct mrg_dns_soa soa;
	struct mrg_dns_mx mx;
	struct mrg_dns_txt txt;
	struct mrg_dns_srv srv;
	struct mrg_dns_opt opt;
	struct mrg_dns_ds ds;
	struct mrg_dns_rrsig rrsig;
	struct mrg_dns_nsec nsec;
	struct mrg_dns_dnskey dnskey;
	struct mrg_dns_nsec3 nsec3;
	struct mrg_dns_tlsa tlsa;
	struct mrg_dns_https https;
	struct mrg_dns_caa caa;
};

/* The arm is known from `which`, so each `as` is true. */
static uint64_t rdata(const struct mrg_dns_rr *rr)
{
	union rdata_view u;

	switch (mrg_dns_rr_rdata_which(rr)) {
	case MRG_DNS_RR_RDATA_A: return mrg_dns_rr_rdata_as_a(rr, &u.a) ? a(&u.a) : 0;
	case MRG_DNS_RR_RDATA_AAAA: return mrg_dns_rr_rdata_as_aaaa(rr, &u.aaaa) ? aaaa(&u.aaaa) : 0;
	case MRG_DNS_RR_RDATA_NS: return mrg_dns_rr_rdata_as_ns(rr, &u.ns) ? ns(&u.ns) : 0;
	case MRG_DNS_RR_RDATA_CNAME: return mrg_dns_rr_rdata_as_cname(rr, &u.cname) ? cname(&u.cname) : 0;
	case MRG_DNS_RR_RDATA_PTR: return mrg_dns_rr_rdata_as_ptr(rr, &u.ptr) ? ptr(&u.ptr) : 0;
	case MRG_DNS_RR_RDATA_SOA: return mrg_dns_rr_rdata_as_soa(rr, &u.soa) ? soa(&u.soa) : 0;
	case MRG_DNS_RR_RDATA_MX: return mrg_dns_rr_rdata_as_mx(rr, &u.mx) ? mx(&u.mx) : 0;
	case MRG_DNS_RR_RDATA_TXT: return mrg_dns_rr_rdata_as_txt(rr, &u.txt) ? txt(&u.txt) : 0;
	case MRG_DNS_RR_RDATA_SRV: return mrg_dns_rr_rdata_as_srv(rr, &u.srv) ? srv(&u.srv) : 0;
	case MRG_DNS_RR_RDATA_OPT: return mrg_dns_rr_rdata_as_opt(rr, &u.opt) ? opt(&u.opt) : 0;
	case MRG_DNS_RR_RDATA_DS: return mrg_dns_rr_rdata_as_ds(rr, &u.ds) ? ds(&u.ds) : 0;
	case MRG_DNS_RR_RDATA_RRSIG: return mrg_dns_rr_rdata_as_rrsig(rr, &u.rrsig) ? rrsig(&u.rrsig) : 0;
	case MRG_DNS_RR_RDATA_NSEC: return mrg_dns_rr_rdata_as_nsec(rr, &u.nsec) ? nsec(&u.nsec) : 0;
	case MRG_DNS_RR_RDATA_DNSKEY:
		return mrg_dns_rr_rdata_as_dnskey(rr, &u.dnskey) ? dnskey(&u.dnskey) : 0;
	case MRG_DNS_RR_RDATA_NSEC3: return mrg_dns_rr_rdata_as_nsec3(rr, &u.nsec3) ? nsec3(&u.nsec3) : 0;
	case MRG_DNS_RR_RDATA_TLSA: return mrg_dns_rr_rdata_as_tlsa(rr, &u.tlsa) ? tlsa(&u.tlsa) : 0;
	case MRG_DNS_RR_RDATA_HTTPS: return mrg_dns_rr_rdata_as_https(rr, &u.https) ? https(&u.https) : 0;
	case MRG_DNS_RR_RDATA_CAA: return mrg_dns_rr_rdata_as_caa(rr, &u.caa) ? caa(&u.caa) : 0;
	default: return octets(mrg_dns_rr_rdata_raw(rr));
	}
}

static uint64_t question(const struct mrg_dns_question *q)
{
	struct mrg_dns_name n = mrg_dns_question_name(q);

	return name(&n) + mrg_dns_question_type(q) + mrg_dns_question_class(q);
}

static uint64_t record(const struct mrg_dns_rr *rr)
{
	struct mrg_dns_name n = mrg_dns_rr_name(rr);
	uint64_t sum = name(&n) + mrg_dns_rr_type(rr) + mrg_dns_rr_class(rr) + mrg_dns_rr_ttl(rr);

	return sum + mrg_dns_rr_rdlength(rr) + rdata(rr);
}

static uint64_t header(const struct mrg_dns_header *h)
{
	uint64_t sum = (uint64_t)mrg_dns_header_id(h) + mrg_dns_header_qr(h) + mrg_dns_header_opcode(h);

	sum += (uint64_t)mrg_dns_header_aa(h) + mrg_dns_header_tc(h) + mrg_dns_header_rd(h) +
	       mrg_dns_header_ra(h);
	sum += (uint64_t)mrg_dns_header_z(h) + mrg_dns_header_ad(h) + mrg_dns_header_cd(h) +
	       mrg_dns_header_rcode(h);
	sum += (uint64_t)mrg_dns_header_qdcount(h) + mrg_dns_header_ancount(h);
	return sum + mrg_dns_header_nscount(h) + mrg_dns_header_arcount(h);
}

uint64_t ours_dns_walk(const struct mrg_dns_message *m)
{
	struct mrg_dns_header h = mrg_dns_message_header(m);
	struct mrg_dns_message_question_it questions = mrg_dns_message_question(m);
	struct mrg_dns_message_answer_it answers = mrg_dns_message_answer(m);
	struct mrg_dns_message_authority_it authority = mrg_dns_message_authority(m);
	struct mrg_dns_message_additional_it additional = mrg_dns_message_additional(m);
	struct mrg_dns_question q;
	struct mrg_dns_rr rr;
	uint64_t sum = header(&h);

	while (mrg_dns_message_question_next(&questions, &q))
		sum += question(&q);
	while (mrg_dns_message_answer_next(&answers, &rr))
		sum += record(&rr);
	while (mrg_dns_message_authority_next(&authority, &rr))
		sum += record(&rr);
	while (mrg_dns_message_additional_next(&additional, &rr))
		sum += record(&rr);
	return sum;
}

size_t ours_dns_rebuild(const struct mrg_dns_message *m, uint8_t *out, size_t cap)
{
	struct mrg_refs refs;
	struct mrg_w w;
	size_t len;

	mrg_w_init(&w, out, cap);
	mrg_w_use_refs(&w, &refs);
	mrg_dns_message_copy(&w, m);
	return mrg_w_finish(&w, &len) == MRG_OK ? len : 0;
}
