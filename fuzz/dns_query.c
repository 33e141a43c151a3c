/* Queries: see dns_server.h. */
#include "fuzz/dns_server.h"

#include <string.h>

#include "dns/message.h"
#include "fuzz/frames.h"
#include "iana/dns.h"

/* Of the specification: what `mrg fuzz` makes of specs/dns/message.mrg. */
extern const struct mrg_fuzz_subject mrg_fuzz_dns_message_message;
static const struct mrg_fuzz_subject *const of_spec = &mrg_fuzz_dns_message_message;

enum { NAME_MAX = 255, HEAD = MRG_DNS_HEADER_SIZE };

static bool one_in(struct mrg_rng *rng, uint64_t n) { return mrg_rng_below(rng, n) == 0; }

/* ---- names ---- */

/* A name of a zone, or near one. */
static size_t put_name(struct mrg_rng *rng, uint8_t *out)
{
	static const char *const labels[] = { "\001a", "\001*", "\003www", "\004WILD", "\003lab", "\001d",
		"\0011x", "\0012\0013",
		"\077012345678901234567890123456789012345678901234567890123456789012" };
	const struct oracle *const z = dns_zones()->oracles[mrg_rng_below(rng, DNS_ZONES)];
	const struct mrg_dns_name_flat *const n = &z->rr[mrg_rng_below(rng, z->count)].owner;
	const uint64_t dice = mrg_rng_below(rng, 16);
	size_t len = 0;
	for (uint64_t more = dice < 6 ? 1 + mrg_rng_below(rng, 2) : 0; more != 0; more--) {
		const char *const label = labels[mrg_rng_below(rng, COUNT_OF(labels))];
		memcpy(out + len, label, strlen(label));
		len += strlen(label);
	}
	const unsigned skip = dice % 6 == 0 ? (unsigned)mrg_rng_below(rng, n->count) : 0;
	const struct mrg_span rest = mrg_dns_name_flat_from(n, skip);
	if (len + rest.len > NAME_MAX)
		return 0;
	memcpy(out + len, rest.p, rest.len);
	len += rest.len;
	if (one_in(rng, 8)) /* the case of letters does not matter */
		for (size_t i = 1; i < len; i++)
			if (out[i] >= 'a' && out[i] <= 'z' && one_in(rng, 2))
				out[i] ^= 0x20u;
	return len;
}

/* ---- questions ---- */

static uint16_t some_type(struct mrg_rng *rng)
{
	static const uint16_t types[] = { MRG_DNS_TYPE_A, MRG_DNS_TYPE_A, MRG_DNS_TYPE_AAAA, MRG_DNS_TYPE_NS,
		MRG_DNS_TYPE_SOA, MRG_DNS_TYPE_CNAME, MRG_DNS_TYPE_DNAME, MRG_DNS_TYPE_MX, MRG_DNS_TYPE_TXT,
		MRG_DNS_TYPE_SRV, MRG_DNS_TYPE_DS, MRG_DNS_TYPE_HTTPS, MRG_DNS_TYPE_ANY, MRG_DNS_TYPE_RRSIG,
		MRG_DNS_TYPE_NSEC, MRG_DNS_TYPE_NSEC3, MRG_DNS_TYPE_NSEC3PARAM, MRG_DNS_TYPE_AXFR,
		MRG_DNS_TYPE_IXFR, MRG_DNS_TYPE_OPT };
	return one_in(rng, 16) ? (uint16_t)mrg_rng_next(rng) : types[mrg_rng_below(rng, COUNT_OF(types))];
}

static uint16_t some_class(struct mrg_rng *rng)
{
	static const uint16_t classes[] = { MRG_DNS_CLASS_CH, MRG_DNS_CLASS_ANY, MRG_DNS_CLASS_HS, 0 };
	return one_in(rng, 12) ? classes[mrg_rng_below(rng, COUNT_OF(classes))] : MRG_DNS_CLASS_IN;
}

static void put_question(struct mrg_rng *rng, struct mrg_w *w)
{
	static const char server_names[][16] = { "\007version\004bind", "\002id\006server" };
	uint8_t name[NAME_MAX];
	uint16_t rr_class = some_class(rng);
	size_t len = put_name(rng, name);
	uint16_t type = some_type(rng);
	if (rr_class == MRG_DNS_CLASS_CH && one_in(rng, 2)) {
		const size_t which = (size_t)mrg_rng_below(rng, COUNT_OF(server_names));
		len = strlen(server_names[which]) + 1;
		memcpy(name, server_names[which], len);
		type = MRG_DNS_TYPE_TXT;
	}
	mrg_w_put(w, (struct mrg_span){ name, len });
	mrg_w_be16(w, type);
	mrg_w_be16(w, rr_class);
}

/* An OPT record, with options by chance.  RFC 6891 6.1 */
static void put_edns(struct mrg_rng *rng, struct mrg_w *w)
{
	static const uint16_t sizes[] = { 0, 511, 512, 513, 700, 1231, 1232, 1233, 4096, 65535 };
	mrg_w_u8(w, one_in(rng, 64) ? (uint8_t)mrg_rng_next(rng) : 0);
	mrg_w_be16(w, MRG_DNS_TYPE_OPT);
	mrg_w_be16(w, sizes[mrg_rng_below(rng, COUNT_OF(sizes))]);
	mrg_w_u8(w, 0);
	mrg_w_u8(w, one_in(rng, 24) ? (uint8_t)mrg_rng_next(rng) : 0);
	mrg_w_be16(w, one_in(rng, 3) ? 0 : one_in(rng, 16) ? (uint16_t)mrg_rng_next(rng) : 0x8000);
	uint8_t options[64];
	struct mrg_w o;
	mrg_w_init(&o, options, sizeof options);
	for (uint64_t n = mrg_rng_below(rng, 3); n != 0; n--) {
		const uint16_t len = (uint16_t)mrg_rng_below(rng, 12);
		const bool nsid = one_in(rng, 2);
		mrg_w_be16(&o, nsid ? MRG_DNS_EDNS_OPTION_NSID : (uint16_t)mrg_rng_below(rng, 32));
		mrg_w_be16(&o, nsid ? 0 : len);
		for (uint16_t i = 0; i < len && !nsid; i++)
			mrg_w_u8(&o, (uint8_t)mrg_rng_next(rng));
	}
	const uint16_t said = one_in(rng, 48) ? (uint16_t)mrg_rng_below(rng, 100) : (uint16_t)o.len;
	mrg_w_be16(w, said);
	mrg_w_put(w, mrg_w_span(&o, 0));
}

static size_t make_query(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	struct mrg_w w;
	size_t len = 0;
	const bool odd = one_in(rng, 16), edns = !one_in(rng, 3);
	const unsigned twice = edns && one_in(rng, 48);
	const uint64_t dice = mrg_rng_next(rng);
	mrg_w_init(&w, out, cap);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = (uint16_t)dice,
				       .opcode = odd ? (uint8_t)(dice >> 16 & 15u) : 0,
				       .aa = odd && (dice >> 20 & 1u) != 0,
				       .tc = odd && (dice >> 21 & 1u) != 0,
				       .rd = (uint8_t)(dice >> 22 & 1u),
				       .ad = (uint8_t)(dice >> 23 & 1u),
				       .cd = (uint8_t)(dice >> 24 & 1u),
				       .qdcount = 1,
				       .arcount = (uint16_t)(edns + twice) });
	put_question(rng, &w);
	for (unsigned i = 0; i < edns + twice; i++)
		put_edns(rng, &w);
	return mrg_w_finish(&w, &len) == MRG_OK ? len : 0;
}

/* Of the specification's messages, most are made queries: else one in two would be a reply. */
static void ask(struct mrg_rng *rng, uint8_t *p, size_t len)
{
	if (len >= HEAD && !one_in(rng, 4))
		p[2] &= 0x07u; /* no response, the opcode of a query */
}

size_t dns_query_make(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	cap = fuzz_least(cap, DNS_QUERY_MAX);
	if (!one_in(rng, 4))
		return make_query(rng, out, cap);
	const size_t len = of_spec->make(of_spec->ctx, rng, out, cap);
	ask(rng, out, len);
	return len;
}

/* ---- changes ---- */

/* Octets of the question of in[0..len), 0 when there is none that can be read. */
static size_t question_len(const uint8_t *in, size_t len)
{
	struct mrg_dns_question q;
	if (len < HEAD || mrg_dns_question_check((struct mrg_span){ in + HEAD, len - HEAD },
				  (struct mrg_span){ in, len }, &q, NULL) != MRG_OK)
		return 0;
	return q.len;
}

/* The head and question of one, and what follows those in another. */
static size_t join(
	const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len, uint8_t *out, size_t cap)
{
	const size_t end = HEAD + question_len(head, head_len), from = HEAD + question_len(tail, tail_len);
	if (head_len < end || tail_len < from || end + (tail_len - from) > cap)
		return 0;
	memcpy(out, head, end);
	memcpy(out + end, tail + from, tail_len - from);
	memcpy(out + 6, tail + 6, 6); /* counts of records */
	return end + (tail_len - from);
}

size_t dns_query_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	uint8_t fresh[512];
	switch (mrg_rng_below(rng, 8)) {
	case 0: /* another question, or that of another, with the records that there are */
		return join(fresh, make_query(rng, fresh, sizeof fresh), in, len, out, cap);
	case 1: return join(in, len, other, other_len, out, cap);
	case 2: return join(in, len, fresh, make_query(rng, fresh, sizeof fresh), out, cap);
	case 3: {
		const size_t n = of_spec->mutate(of_spec->ctx, rng, in, len, other, other_len, out, cap);
		ask(rng, out, n);
		return n;
	}
	case 4:
	case 5:
	case 6: return dns_query_make(rng, out, cap);
	default: return 0;
	}
}

size_t dns_query_smaller(size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	return of_spec->smaller(of_spec->ctx, i, in, len, out, cap);
}

void dns_query_show(const uint8_t *in, size_t len, FILE *to) { of_spec->show(of_spec->ctx, in, len, to); }

void dns_queries_show(const uint8_t *in, size_t len, FILE *to)
{
	for (size_t at = 0; at < len;) {
		const struct frame f = frames_next(in, len, &at);
		if (f.p == NULL)
			break;
		(void)fprintf(to, "-- %zu octets, said to be %zu\n", f.len, f.said);
		dns_query_show(f.p, f.len, to);
	}
}
