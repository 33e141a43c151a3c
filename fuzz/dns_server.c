/*
 * dns_server.c - the DNS server's answering: each message that comes, as a datagram and as a message of a stream.
 *
 * What a reply must be is said once more here, from the texts, over the generated readers; only who has the record is left to the naive
 * server of the tests (dns_server_answer).
 * Reading order: what a message asks for, what holds of any reply, the two transports, the naive server.
 */
#include "fuzz/dns_server.h"

#include <stdlib.h>
#include <string.h>

#include "dns/edns.h"
#include "dns/message.h"
#include "iana/dns.h"

enum { UDP_MIN = 512, OUT_MAX = 65535, LEN_MAX = 8192, HEAD = MRG_DNS_HEADER_SIZE };
enum { OPS = 4000, OPS_OCTET = 100 }; /* of an answer: so many, and for each octet of both messages */

enum point {
	DROP_SHORT,
	DROP_REPLY,
	NO_MESSAGE,
	TWO_EDNS,
	EDNS,
	DNSSEC_OK,
	SIZE_SMALL,
	SIZE_LARGE,
	CLASS_CH,
	CLASS_ANY,
	CLASS_OTHER,
	TRANSFER,
	TRAILING,
	NOERROR,
	NXDOMAIN,
	YXDOMAIN,
	ALIAS,
	DNAME,
	CHAIN,
	REFERRAL,
	REFERRAL_SIGNED,
	REFERRAL_UNSIGNED,
	GLUE,
	NODATA,
	NSEC,
	NSEC3,
	PROVED_WILDCARD,
	NSID,
	OF_NAIVE, /* those before are reached by queries for the naive server, too */
	FORMERR = OF_NAIVE,
	NOTIMP,
	REFUSED,
	NOTAUTH,
	BADVERS,
	TRUNCATED,
	ADDITIONAL_CUT,
	NO_SPACE,
	POINTS
};

static const char *const point_names[POINTS] = { [DROP_SHORT] = "dropped: too short",
	[DROP_REPLY] = "dropped: a reply",
	[NO_MESSAGE] = "query: refused by the check",
	[TWO_EDNS] = "query: two OPT records, or one in the wrong place",
	[EDNS] = "query: EDNS",
	[DNSSEC_OK] = "query: DO",
	[SIZE_SMALL] = "query: EDNS size below 512",
	[SIZE_LARGE] = "query: EDNS size above ours",
	[CLASS_CH] = "query: class CH",
	[CLASS_ANY] = "query: class ANY",
	[CLASS_OTHER] = "query: another class",
	[TRANSFER] = "query: a transfer",
	[TRAILING] = "query: octets behind it",
	[NOERROR] = "rcode: NOERROR",
	[NXDOMAIN] = "rcode: NXDOMAIN",
	[YXDOMAIN] = "rcode: YXDOMAIN",
	[ALIAS] = "reply: CNAME",
	[DNAME] = "reply: DNAME",
	[CHAIN] = "reply: three aliases",
	[REFERRAL] = "reply: referral",
	[REFERRAL_SIGNED] = "reply: referral with DS",
	[REFERRAL_UNSIGNED] = "reply: referral with proof of no DS",
	[GLUE] = "reply: addresses of servers",
	[NODATA] = "reply: no such type",
	[NSEC] = "reply: NSEC",
	[NSEC3] = "reply: NSEC3",
	[PROVED_WILDCARD] = "reply: answer with proof that only the wildcard is there",
	[NSID] = "reply: NSID",
	[FORMERR] = "rcode: FORMERR",
	[NOTIMP] = "rcode: NOTIMP",
	[REFUSED] = "rcode: REFUSED",
	[NOTAUTH] = "rcode: NOTAUTH",
	[BADVERS] = "rcode: BADVERS",
	[TRUNCATED] = "reply: TC",
	[ADDITIONAL_CUT] = "reply: without additional records that did not fit",
	[NO_SPACE] = "reply: no room for it" };

/* A subject's own. */
struct own {
	bool naive; /* held against the naive server */
	bool ready;
	struct mrg_guard room;
	uint8_t reached[POINTS];
};

static void mark(struct own *o, unsigned point, bool reached)
{
	if (reached)
		o->reached[point] = 1;
}

/* ---- what a message asks for ---- */

struct asked {
	bool drop, edns, dnssec_ok, has_question;
	bool signature;             /* whose key is unknown, since there is none */
	bool cookie, server_cookie; /* there is one (of several the first counts), with the server's part */
	int rcode;                  /* that must be; -1: what zones say */
	uint16_t type, rr_class;
	size_t limit; /* of a datagram */
	struct mrg_span question;
	struct mrg_dns_name_flat name;
};

static void read_cookie(const struct mrg_dns_edns *e, struct asked *a)
{
	const struct mrg_dns_opt opt = mrg_dns_edns_rdata(e);
	struct mrg_dns_opt_options_it it = mrg_dns_opt_options(&opt);
	struct mrg_dns_option option;
	struct mrg_dns_cookie cookie;
	while (!a->cookie && mrg_dns_opt_options_next(&it, &option)) {
		a->cookie = mrg_dns_option_data_as_cookie(&option, &cookie);
		a->server_cookie = a->cookie && mrg_dns_cookie_server(&cookie).len != 0;
	}
}

/* OPT records: one, in the additional section, of the root.  RFC 6891 6.1.1 */
static bool read_edns(struct own *o, const struct mrg_dns_message *m, struct asked *a, unsigned *version)
{
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(m);
	struct mrg_dns_message_additional_it ar = mrg_dns_message_additional(m);
	struct mrg_dns_rr rr;
	struct mrg_dns_edns e;
	while (mrg_dns_message_answer_next(&an, &rr))
		if (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_OPT)
			return false;
	while (mrg_dns_message_authority_next(&ns, &rr))
		if (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_OPT)
			return false;
	while (mrg_dns_message_additional_next(&ar, &rr)) {
		if (mrg_dns_rr_type(&rr) != MRG_DNS_TYPE_OPT)
			continue;
		if (a->edns || mrg_dns_edns_check((struct mrg_span){ rr.p, rr.len }, &e, NULL) != MRG_OK)
			return false;
		a->edns = true;
		a->dnssec_ok = mrg_dns_edns_dnssec_ok(&e) != 0;
		read_cookie(&e, a);
		*version = mrg_dns_edns_version(&e);
		const uint16_t size = mrg_dns_edns_udp_size(&e), ours = dns_zones()->server.udp_max;
		mark(o, SIZE_SMALL, size < UDP_MIN);
		mark(o, SIZE_LARGE, size > ours);
		a->limit = size < UDP_MIN ? (size_t)UDP_MIN : size > ours ? ours : size;
	}
	return true;
}

/* A signature: at the end, or it is an error (RFC 8945 4.2 and 5.1).  False: it is. */
static bool read_signature(const struct mrg_dns_message *m, struct mrg_span in, struct asked *a)
{
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(m);
	struct mrg_dns_message_additional_it ar = mrg_dns_message_additional(m);
	struct mrg_dns_rr rr;
	struct mrg_dns_tsig tsig;
	while (mrg_dns_message_answer_next(&an, &rr))
		if (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_TSIG)
			return false;
	while (mrg_dns_message_authority_next(&ns, &rr))
		if (mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_TSIG)
			return false;
	while (mrg_dns_message_additional_next(&ar, &rr)) {
		if (a->signature)
			return false;
		if (mrg_dns_rr_type(&rr) != MRG_DNS_TYPE_TSIG)
			continue;
		a->signature = true;
		if (!mrg_dns_rr_rdata_as_tsig(&rr, &tsig) || mrg_dns_rr_class(&rr) != MRG_DNS_CLASS_ANY ||
			mrg_dns_rr_ttl(&rr) != 0 || m->len != in.len)
			return false;
	}
	return true;
}

static void read_question(struct own *o, struct asked *a, const struct mrg_dns_question *q)
{
	const struct mrg_dns_name view = mrg_dns_question_name(q);
	a->has_question = true;
	a->type = mrg_dns_question_type(q);
	a->rr_class = mrg_dns_question_class(q);
	a->question = mrg_dns_question_span(q);
	mrg_dns_name_flatten(&view, &a->name);
	mark(o, CLASS_CH, a->rr_class == MRG_DNS_CLASS_CH);
	mark(o, CLASS_ANY, a->rr_class == MRG_DNS_CLASS_ANY);
	mark(o, CLASS_OTHER, a->rr_class == MRG_DNS_CLASS_HS);
	mark(o, TRANSFER, a->type == MRG_DNS_TYPE_AXFR || a->type == MRG_DNS_TYPE_IXFR);
}

/* The zone that has the name; DNS_ZONES: none. */
static unsigned zone_of(const struct mrg_dns_name_flat *name)
{
	unsigned i = 0;
	while (i < DNS_ZONES && mrg_dns_name_flat_common(name, &dns_zones()->oracles[i]->origin) <
					dns_zones()->oracles[i]->origin.count)
		i++;
	return i;
}

/* A message without fault whose question is `a->...`: the rcode where it does not depend on what is in the zones. */
static int rcode_of(const struct asked *a, unsigned version)
{
	const unsigned zone = zone_of(&a->name);
	if (a->signature)
		return MRG_DNS_RCODE_NOTAUTH; /* RFC 8945 5.2.1 */
	if (version != 0)
		return MRG_DNS_RCODE_BADVERS; /* RFC 6891 6.1.3 */
	if (a->rr_class == MRG_DNS_CLASS_CH)
		return -1;
	if ((a->rr_class != MRG_DNS_CLASS_IN && a->rr_class != MRG_DNS_CLASS_ANY))
		return MRG_DNS_RCODE_REFUSED;
	if (a->type == MRG_DNS_TYPE_AXFR || a->type == MRG_DNS_TYPE_IXFR)
		return -1;
	return zone == DNS_ZONES ? (int)MRG_DNS_RCODE_REFUSED : -1;
}

/* The same of a message without a question, which may ask for a cookie.  RFC 7873 5.4: -1: it depends on how good the server's is */
static int rcode_without_question(const struct asked *a, unsigned version)
{
	if (a->signature)
		return MRG_DNS_RCODE_NOTAUTH;
	if (version != 0)
		return MRG_DNS_RCODE_BADVERS;
	if (!a->cookie)
		return MRG_DNS_RCODE_FORMERR;
	return a->server_cookie ? -1 : (int)MRG_DNS_RCODE_NOERROR;
}

static struct asked read_query(struct own *o, struct mrg_span in)
{
	struct asked a = { .rcode = -1, .limit = UDP_MIN };
	struct mrg_dns_header h;
	struct mrg_dns_message m;
	struct mrg_dns_question q;
	unsigned version = 0;
	a.drop = in.len < HEAD || mrg_dns_header_check(in, &h, NULL) != MRG_OK || mrg_dns_header_qr(&h) != 0;
	mark(o, in.len < HEAD ? DROP_SHORT : DROP_REPLY, a.drop);
	if (a.drop)
		return a;
	a.rcode = MRG_DNS_RCODE_NOTIMP;
	if (mrg_dns_header_opcode(&h) != MRG_DNS_OPCODE_QUERY)
		return a;
	a.rcode = MRG_DNS_RCODE_FORMERR;
	if (mrg_dns_header_qdcount(&h) > 1) /* RFC 9619 */
		return a;
	const bool none = mrg_dns_header_qdcount(&h) == 0;
	if (!none && mrg_dns_question_check((struct mrg_span){ in.p + HEAD, in.len - HEAD }, in, &q, NULL) !=
			     MRG_OK)
		return a;
	if (!none)
		read_question(o, &a, &q);
	const bool good = mrg_dns_message_check(in, &m, NULL) == MRG_OK;
	mark(o, NO_MESSAGE, !good);
	if (!good)
		return a;
	mark(o, TRAILING, m.len < in.len);
	if (!read_edns(o, &m, &a, &version)) {
		mark(o, TWO_EDNS, true);
		return a;
	}
	if (!read_signature(&m, in, &a))
		return a;
	mark(o, EDNS, a.edns);
	mark(o, DNSSEC_OK, a.dnssec_ok);
	a.rcode = none ? rcode_without_question(&a, version) : rcode_of(&a, version);
	return a;
}

/* ---- what holds of any reply ---- */

struct reply {
	struct mrg_span octets;
	struct mrg_dns_message m;
	struct mrg_dns_header h;
	unsigned rcode;
	bool edns;
};

/* The OPT record of a reply, and what else is in its additional section. */
static bool read_additional(
	struct own *o, struct reply *r, const struct asked *a, struct mrg_fuzz_result *result)
{
	struct mrg_dns_message_additional_it it = mrg_dns_message_additional(&r->m);
	struct mrg_dns_rr rr;
	struct mrg_dns_edns e;
	while (mrg_dns_message_additional_next(&it, &rr)) {
		mark(o, GLUE,
			mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_A || mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_AAAA);
		if (mrg_dns_rr_type(&rr) != MRG_DNS_TYPE_OPT)
			continue;
		if (r->edns || mrg_dns_edns_check((struct mrg_span){ rr.p, rr.len }, &e, NULL) != MRG_OK)
			return fuzz_wrong(
				result, "OPT", "the reply's OPT record is not one, or not the only one");
		r->edns = true;
		r->rcode += 16u * mrg_dns_edns_extended_rcode(&e);
		const struct mrg_dns_opt opt = mrg_dns_edns_rdata(&e);
		struct mrg_dns_opt_options_it options = mrg_dns_opt_options(&opt);
		struct mrg_dns_option option;
		while (mrg_dns_opt_options_next(&options, &option))
			mark(o, NSID, mrg_dns_option_code(&option) == MRG_DNS_EDNS_OPTION_NSID);
		const bool known = a->rcode != MRG_DNS_RCODE_FORMERR; /* else it may have been read in part */
		if (mrg_dns_edns_version(&e) != 0 ||
			(known && (mrg_dns_edns_dnssec_ok(&e) != 0) != a->dnssec_ok))
			return fuzz_wrong(result, "OPT", "the reply's OPT record: version %u, DO %u",
				mrg_dns_edns_version(&e), mrg_dns_edns_dnssec_ok(&e));
	}
	/* a query that could not be read to its end has none that we know of */
	if (a->rcode != MRG_DNS_RCODE_FORMERR && r->edns != a->edns)
		return fuzz_wrong(
			result, "EDNS", "EDNS in the query: %d, in the reply: %d", a->edns, r->edns);
	return true;
}

static enum point point_of(unsigned rcode)
{
	switch (rcode) {
	case MRG_DNS_RCODE_FORMERR: return FORMERR;
	case MRG_DNS_RCODE_NXDOMAIN: return NXDOMAIN;
	case MRG_DNS_RCODE_NOTIMP: return NOTIMP;
	case MRG_DNS_RCODE_REFUSED: return REFUSED;
	case MRG_DNS_RCODE_YXDOMAIN: return YXDOMAIN;
	case MRG_DNS_RCODE_NOTAUTH: return NOTAUTH;
	case MRG_DNS_RCODE_BADVERS: return BADVERS;
	default: return NOERROR;
	}
}

/* What is in the sections, for the points; records of zones are of class IN. */
static void look(struct own *o, const struct reply *r)
{
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(&r->m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(&r->m);
	struct mrg_dns_rr rr;
	unsigned aliases = 0;
	bool soa = false, servers = false, proof = false, ds = false;
	while (mrg_dns_message_answer_next(&an, &rr)) {
		aliases += mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_CNAME;
		mark(o, DNAME, mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_DNAME);
	}
	while (mrg_dns_message_authority_next(&ns, &rr)) {
		const uint16_t type = mrg_dns_rr_type(&rr);
		soa = soa || type == MRG_DNS_TYPE_SOA;
		servers = servers || type == MRG_DNS_TYPE_NS;
		ds = ds || type == MRG_DNS_TYPE_DS;
		proof = proof || type == MRG_DNS_TYPE_NSEC || type == MRG_DNS_TYPE_NSEC3;
		mark(o, NSEC, type == MRG_DNS_TYPE_NSEC);
		mark(o, NSEC3, type == MRG_DNS_TYPE_NSEC3);
	}
	const bool some = mrg_dns_header_ancount(&r->h) != 0;
	mark(o, ALIAS, aliases != 0);
	mark(o, CHAIN, aliases >= 3);
	mark(o, REFERRAL, servers && !some);
	mark(o, REFERRAL_SIGNED, servers && ds);
	mark(o, REFERRAL_UNSIGNED, servers && proof);
	mark(o, NODATA, soa && !some && r->rcode == MRG_DNS_RCODE_NOERROR);
	mark(o, PROVED_WILDCARD, some && !soa && !servers && proof);
}

/* May a reply have this rcode where it depends on the zones, or on a cookie? */
static bool may_have(const struct asked *a, unsigned rcode)
{
	const enum point kind = point_of(rcode);
	if (!a->has_question)
		return rcode == MRG_DNS_RCODE_NOERROR || rcode == MRG_DNS_RCODE_BADCOOKIE;
	return kind != FORMERR && kind != BADVERS && (kind != NOERROR || rcode == MRG_DNS_RCODE_NOERROR);
}

static bool check_rcode(const struct reply *r, const struct asked *a, struct mrg_fuzz_result *result)
{
	const bool may = a->rcode >= 0 ? r->rcode == (unsigned)a->rcode : may_have(a, r->rcode);
	const bool plain = r->rcode == MRG_DNS_RCODE_NOERROR || r->rcode == MRG_DNS_RCODE_NXDOMAIN ||
			   r->rcode == MRG_DNS_RCODE_YXDOMAIN;
	if (!may)
		return fuzz_wrong(result, "rcode", "rcode %u where %d is expected", r->rcode, a->rcode);
	if (plain)
		return true;
	if (mrg_dns_header_aa(&r->h) != 0 || mrg_dns_header_ancount(&r->h) != 0 ||
		mrg_dns_header_nscount(&r->h) != 0)
		return fuzz_wrong(result, "error with data", "rcode %u with AA or records", r->rcode);
	return true;
}

/* Is this a reply to the query, whatever zones there are? */
static bool check_reply(struct own *o, struct mrg_span query, const struct asked *a, size_t limit,
	struct reply *r, struct mrg_fuzz_result *result)
{
	struct mrg_dns_header q;
	struct mrg_reject rj = { .status = MRG_OK };
	if (mrg_dns_header_check(query, &q, NULL) != MRG_OK)
		return fuzz_wrong(result, "no header", "the query has no header, but a reply");
	if (mrg_dns_message_check(r->octets, &r->m, &rj) != MRG_OK || r->m.len != r->octets.len)
		return fuzz_wrong(result, "not a message", "the reply is no message: %s at bit %zu",
			mrg_status_str(rj.status), rj.bit_off);
	if (r->octets.len > limit)
		return fuzz_wrong(result, "too long", "a reply of %zu octets where %zu are the most",
			r->octets.len, limit);
	r->h = mrg_dns_message_header(&r->m);
	r->rcode = mrg_dns_header_rcode(&r->h);
	r->edns = false;
	if (mrg_dns_header_id(&r->h) != mrg_dns_header_id(&q) || mrg_dns_header_qr(&r->h) != 1 ||
		mrg_dns_header_opcode(&r->h) != mrg_dns_header_opcode(&q) ||
		mrg_dns_header_rd(&r->h) != mrg_dns_header_rd(&q) || mrg_dns_header_ra(&r->h) != 0 ||
		mrg_dns_header_z(&r->h) != 0)
		return fuzz_wrong(result, "header", "the reply's header is not that of a reply to this");
	if (mrg_dns_header_qdcount(&r->h) != a->has_question)
		return fuzz_wrong(
			result, "question", "%u questions in the reply", mrg_dns_header_qdcount(&r->h));
	if (a->has_question && memcmp(r->octets.p + HEAD, a->question.p, a->question.len) != 0)
		return fuzz_wrong(result, "question", "another question in the reply");
	if (!read_additional(o, r, a, result) || !check_rcode(r, a, result))
		return false;
	mark(o, point_of(r->rcode), true);
	look(o, r);
	return true;
}

/* ---- the two transports ---- */

/* Asks; `out` ends at a page that is not there.  False: nothing more can be said of this. */
static bool asks(struct own *o, enum mrg_dns_transport via, struct mrg_span query, const struct asked *a,
	size_t cap, struct reply *r, struct mrg_fuzz_result *result)
{
	uint8_t *const out = mrg_guard_room_end(&o->room, cap);
	size_t len = SIZE_MAX;
	const struct mrg_dns_server *const server = &dns_zones()->server;
	const struct mrg_dns_asker asker = dns_asker(via);
	fuzz_ops = 0;
	const enum mrg_status st = mrg_dns_answer(server, &asker, query, out, cap, &len);
	if (!fuzz_linear(result, OPS, OPS_OCTET, query.len + (st == MRG_OK ? len : 0)))
		return false;
	mark(o, NO_SPACE, st == MRG_E_SPACE);
	if (st == MRG_E_SPACE && !a->drop && (cap < OUT_MAX || (a->signature && via == MRG_DNS_UDP)))
		return false;
	if ((st == MRG_END) != a->drop)
		return fuzz_wrong(
			result, "drop", "to be dropped: %d; it says %s", a->drop, mrg_status_str(st));
	if (st == MRG_END)
		return len == 0 || fuzz_wrong(result, "drop", "dropped, with %zu octets", len);
	if (st != MRG_OK || len > cap)
		return fuzz_wrong(result, "status", "%s, %zu octets", mrg_status_str(st), len);
	r->octets = (struct mrg_span){ out, len };
	const size_t most = via == MRG_DNS_UDP ? fuzz_least(a->limit, cap) : cap;
	if (!check_reply(o, query, a, most, r, result))
		return false;
	if (mrg_dns_header_tc(&r->h) != 0 && via == MRG_DNS_TCP && cap == OUT_MAX)
		return fuzz_wrong(result, "TC", "a reply on a stream is truncated");
	mark(o, TRUNCATED, mrg_dns_header_tc(&r->h) != 0);
	return true;
}

/* A datagram has what the stream's reply has, or says that it has not. */
static bool check_cut(struct own *o, const struct asked *a, const struct reply *udp, struct mrg_span tcp,
	struct mrg_fuzz_result *result)
{
	struct mrg_dns_header h;
	if (a->type == MRG_DNS_TYPE_AXFR) /* RFC 5936 4.2: never in datagrams */
		return true;
	if (mrg_dns_header_check(tcp, &h, NULL) != MRG_OK)
		return fuzz_wrong(result, "no header", "no header");
	if (tcp.len <= a->limit) {
		if (tcp.len == udp->octets.len && memcmp(tcp.p, udp->octets.p, tcp.len) == 0)
			return true;
		return fuzz_wrong(result, "transports differ",
			"the stream's reply has %zu octets, the datagram %zu", tcp.len, udp->octets.len);
	}
	if (mrg_dns_header_tc(&udp->h) != 0)
		return true;
	mark(o, ADDITIONAL_CUT, true);
	if (mrg_dns_header_ancount(&h) != mrg_dns_header_ancount(&udp->h) ||
		mrg_dns_header_nscount(&h) != mrg_dns_header_nscount(&udp->h))
		return fuzz_wrong(result, "no TC", "records are left out without TC");
	return true;
}

/* A reply answered with a reply could go on for ever. */
static bool check_end(const struct reply *r, struct mrg_fuzz_result *result)
{
	static const struct mrg_dns_asker client = { .via = MRG_DNS_UDP };
	uint8_t out[UDP_MIN];
	size_t len;
	return mrg_dns_answer(&dns_zones()->server, &client, r->octets, out, sizeof out, &len) == MRG_END ||
	       fuzz_wrong(result, "reply to a reply", "the reply has a reply");
}

static void run_message(struct own *o, struct mrg_span in, struct mrg_fuzz_result *result)
{
	static uint8_t kept[OUT_MAX];
	const struct asked a = read_query(o, in);
	struct reply udp, tcp;
	result->verdict = a.drop || a.rcode > 0 ? MRG_FUZZ_REFUSED : MRG_FUZZ_ACCEPTED;
	if (!asks(o, MRG_DNS_TCP, in, &a, OUT_MAX, &tcp, result) || a.drop)
		return;
	if (!check_end(&tcp, result))
		return;
	const struct mrg_span stream = { kept, tcp.octets.len };
	memcpy(kept, tcp.octets.p, tcp.octets.len);
	if (!asks(o, MRG_DNS_UDP, in, &a, OUT_MAX, &udp, result) || !check_cut(o, &a, &udp, stream, result))
		return;
	/* less room than that, by the input: 12 octets are a header */
	struct mrg_rng rng = fuzz_rng_of(in.p, in.len);
	(void)asks(o, MRG_DNS_UDP, in, &a, (size_t)mrg_rng_below(&rng, 200), &udp, result);
}

/* ---- the naive server ---- */

static bool same_records(const struct reply *r, const struct oracle_reply *want)
{
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(&r->m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(&r->m);
	struct mrg_dns_message_additional_it ar = mrg_dns_message_additional(&r->m);
	struct mrg_dns_rr rr;
	while (mrg_dns_message_answer_next(&an, &rr))
		if (!oracle_made(want, 0, &rr))
			return false;
	while (mrg_dns_message_authority_next(&ns, &rr))
		if (!oracle_made(want, 1, &rr))
			return false;
	while (mrg_dns_message_additional_next(&ar, &rr))
		if (mrg_dns_rr_type(&rr) != MRG_DNS_TYPE_OPT && !oracle_made(want, 2, &rr))
			return false;
	return true;
}

/* Types that stand beside an alias (RFC 4035 2.5), or are no records: the naive server does not know of them. */
static bool is_special(uint16_t type)
{
	return type == MRG_DNS_TYPE_AXFR || type == MRG_DNS_TYPE_IXFR || type == MRG_DNS_TYPE_RRSIG ||
	       type == MRG_DNS_TYPE_NSEC;
}

/* Queries of class IN, over a stream: the naive server knows no other. */
static void run_naive(struct own *o, struct mrg_span in, struct mrg_fuzz_result *result)
{
	static struct oracle_reply want;
	const struct asked a = read_query(o, in);
	const unsigned zone = a.has_question ? zone_of(&a.name) : (unsigned)DNS_ZONES;
	struct reply r;
	result->verdict = MRG_FUZZ_REFUSED;
	if (a.drop || a.rcode >= 0 || a.rr_class != MRG_DNS_CLASS_IN || zone == DNS_ZONES ||
		is_special(a.type))
		return;
	result->verdict = MRG_FUZZ_ACCEPTED;
	if (!asks(o, MRG_DNS_TCP, in, &a, OUT_MAX, &r, result))
		return;
	oracle_answer(dns_zones()->oracles[zone], &a.name, a.type,
		a.dnssec_ok && dns_zones()->oracles[zone]->signing != ORACLE_UNSIGNED, &want);
	if (r.rcode != want.rcode || (mrg_dns_header_aa(&r.h) != 0) != want.aa)
		(void)fuzz_wrong(result, "naive: rcode or AA",
			"rcode %u, AA %u; the naive server says %u, %d", r.rcode, mrg_dns_header_aa(&r.h),
			want.rcode, want.aa);
	else if (mrg_dns_header_ancount(&r.h) != want.count[0] ||
		 mrg_dns_header_nscount(&r.h) != want.count[1] ||
		 mrg_dns_header_arcount(&r.h) != want.count[2] + r.edns)
		(void)fuzz_wrong(result, "naive: counts",
			"%u, %u, %u records; the naive server has %zu, %zu, %zu",
			mrg_dns_header_ancount(&r.h), mrg_dns_header_nscount(&r.h),
			mrg_dns_header_arcount(&r.h) - r.edns, want.count[0], want.count[1], want.count[2]);
	else if (!same_records(&r, &want))
		(void)fuzz_wrong(result, "naive: records", "other records than those of the naive server");
}

/* ---- the subjects ---- */

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	return dns_query_make(rng, out, cap);
}

static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)ctx;
	return dns_query_change(rng, in, len, other, other_len, out, cap);
}

static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	return dns_query_smaller(i, in, len, out, cap);
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct own *const o = ctx;
	if (!o->ready && !mrg_guard_open(&o->room, OUT_MAX))
		abort();
	o->ready = true;
	if (o->naive)
		run_naive(o, (struct mrg_span){ in, len }, result);
	else
		run_message(o, (struct mrg_span){ in, len }, result);
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	dns_query_show(in, len, to);
}

FUZZ_POINT_NAMES(point_names)
static struct own of_message, of_answer = { .naive = true };
FUZZ_SUBJECT(dns_server_message, "dns.server.message", of_message, LEN_MAX, POINTS);
FUZZ_SUBJECT(dns_server_answer, "dns.server.answer", of_answer, LEN_MAX, OF_NAIVE);
