/*
 * The authoritative server as a pure function: what is no question for a zone is dealt with here, and the common
 * case, a name that has the type; walk.c does the rest.
 */
#include "protocols/dns/answer.h"

#include "protocols/dns/query.h"
#include "protocols/dns/reply.h"
#include "protocols/dns/walk.h"

enum { UDP_MIN = 512, MESSAGE_MAX = 65535 }; /* RFC 1035 2.3.4, RFC 6891 6.2.3; RFC 1035 4.2.2 */

/* The most that the reply may take. */
static size_t limit(
	const struct mrg_dns_server *s, enum mrg_dns_transport via, const struct mrg_dns_query *q, size_t cap)
{
	size_t most = MESSAGE_MAX;
	if (via == MRG_DNS_UDP) {
		most = q->has_edns && q->udp_size > UDP_MIN ? q->udp_size : (size_t)UDP_MIN;
		if (most > s->udp_max)
			most = s->udp_max > UDP_MIN ? s->udp_max : (size_t)UDP_MIN;
	}
	return most < cap ? most : cap;
}

/* Does the question ask for this name, in any case? */
static bool asks(struct mrg_span name, const char *flat, size_t len)
{
	const void *const p = flat;
	return mrg_dns_same_name(name, (struct mrg_span){ p, len });
}

/* Who is this?  RFC 4892.  Anything else of class CH is refused. */
static void answer_chaos(const struct mrg_dns_server *s, struct mrg_dns_reply *r)
{
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	const struct mrg_span name = mrg_dns_name_span(&view);
	static const char version_bind[] = "\007version\004bind", version_server[] = "\007version\006server";
	static const char hostname_bind[] = "\010hostname\004bind", id_server[] = "\002id\006server";
	const uint16_t type = mrg_dns_question_type(&r->query->question);
	struct mrg_span text = { NULL, 0 };
	if (asks(name, version_bind, sizeof version_bind) ||
		asks(name, version_server, sizeof version_server))
		text = s->version;
	else if (asks(name, hostname_bind, sizeof hostname_bind) || asks(name, id_server, sizeof id_server))
		text = s->identity;
	const bool wanted = type == MRG_DNS_TYPE_TXT || type == MRG_DNS_TYPE_ANY;
	if (text.len == 0 || !wanted || !mrg_dns_reply_text(r, text))
		r->rcode = MRG_DNS_RCODE_REFUSED;
}

/*
 * The name itself has the type, and no rule asks for more than the set: it goes out as it stands.  False: there is
 * more to it.
 */
static bool answer_at_once(struct mrg_dns_reply *r, const struct mrg_dns_node *bucket, uint16_t type)
{
	enum { MORE = MRG_DNS_NODE_CUT | MRG_DNS_NODE_OCCLUDED | MRG_DNS_NODE_HASHED };
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	const struct mrg_dns_node *const n = mrg_dns_bucket_find(bucket, mrg_dns_name_span(&view));
	if (n == NULL || (n->flags & MORE) != 0 || type == MRG_DNS_TYPE_NS)
		return false;
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(n, type);
	if (set == NULL)
		return false;
	r->aa = true;
	mrg_dns_reply_copy(r, set, r->query->dnssec_ok);
	return true;
}

/* The zone that has the answer.  The DS of a zone's apex is in the zone above.  RFC 4035 3.1.4.1 */
static const struct mrg_dns_zone *zone_for(
	const struct mrg_dns_server *s, const struct mrg_dns_name_flat *name, uint16_t type)
{
	const struct mrg_dns_zone *const z = mrg_dns_db_find(s->db, name, 0);
	if (type != MRG_DNS_TYPE_DS || z == NULL || z->origin.count != name->count || name->count == 1)
		return z;
	const struct mrg_dns_zone *const above = mrg_dns_db_find(s->db, name, 1);
	return above != NULL ? above : z;
}

static void answer_from_zones(const struct mrg_dns_asked *a, struct mrg_dns_reply *r, uint16_t type)
{
	struct mrg_dns_walk w;
	if (answer_at_once(r, a->bucket, type))
		return;
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	mrg_dns_name_flatten(&view, &w.name);
	/* with one zone, that the name is in it was taken for granted so far */
	w.zone = a->server->db->only != NULL ? zone_for(a->server, &w.name, type) : a->zone;
	if (w.zone == NULL) {
		r->rcode = MRG_DNS_RCODE_REFUSED;
		return;
	}
	r->aa = true;
	w.reply = r;
	w.type = type;
	w.dnssec = r->query->dnssec_ok;
	w.steps = w.proof_count = w.proofs_written = w.dname_count = 0;
	mrg_dns_walk_run(&w);
}

/* Transfers: refused for the zones that there are.  RFC 5936 2.2.1 and 4.2: AXFR never goes over UDP. */
static unsigned refuse_transfer(
	const struct mrg_dns_server *s, enum mrg_dns_transport via, const struct mrg_dns_question *q)
{
	const struct mrg_dns_name view = mrg_dns_question_name(q);
	struct mrg_dns_name_flat name;
	if (mrg_dns_question_type(q) == MRG_DNS_TYPE_AXFR && via == MRG_DNS_UDP)
		return MRG_DNS_RCODE_NOTIMP;
	mrg_dns_name_flatten(&view, &name);
	const struct mrg_dns_zone *const z = mrg_dns_db_find(s->db, &name, 0);
	return z != NULL && z->origin.count == name.count ? MRG_DNS_RCODE_REFUSED : MRG_DNS_RCODE_NOTAUTH;
}

/* A question of any class and type. */
static void answer(const struct mrg_dns_asked *a, enum mrg_dns_transport via, struct mrg_dns_reply *r)
{
	const struct mrg_dns_question *const q = &r->query->question;
	const uint16_t type = mrg_dns_question_type(q), rr_class = mrg_dns_question_class(q);
	if (r->query->edns_version != 0) { /* RFC 6891 6.1.3 */
		r->rcode = MRG_DNS_RCODE_BADVERS;
	} else if (rr_class == MRG_DNS_CLASS_CH) {
		answer_chaos(a->server, r);
	} else if (rr_class != MRG_DNS_CLASS_IN && rr_class != MRG_DNS_CLASS_ANY) {
		r->rcode = MRG_DNS_RCODE_REFUSED;
	} else if (type == MRG_DNS_TYPE_AXFR || type == MRG_DNS_TYPE_IXFR) {
		r->rcode = refuse_transfer(a->server, via, q);
	} else {
		answer_from_zones(a, r, type);
		if (rr_class == MRG_DNS_CLASS_ANY) /* RFC 1035 6.2: there may be other classes */
			r->aa = false;
	}
}

void mrg_dns_answer_begin(const struct mrg_dns_server *s, struct mrg_span query, struct mrg_dns_asked *out)
{
	out->server = s;
	out->zone = NULL;
	out->bucket = NULL;
	out->verdict = mrg_dns_query_question(query, &out->query);
	if (out->verdict != MRG_DNS_VERDICT_ANSWER)
		return;
	const struct mrg_dns_name view = mrg_dns_question_name(&out->query.question);
	out->zone = s->db->only;
	if (out->zone == NULL) {
		struct mrg_dns_name_flat name;
		mrg_dns_name_flatten(&view, &name);
		out->zone = zone_for(s, &name, mrg_dns_question_type(&out->query.question));
	}
	/* the first name of a message has nothing that it could point to: it is flat */
	if (out->zone != NULL)
		out->slot = mrg_dns_zone_slot(out->zone, mrg_dns_name_span(&view));
}

void mrg_dns_answer_look(struct mrg_dns_asked *a)
{
	if (a->zone != NULL)
		a->bucket = mrg_dns_zone_bucket(a->zone, a->slot);
}

enum mrg_status mrg_dns_answer_finish(
	struct mrg_dns_asked *a, const struct mrg_dns_asker *c, uint8_t *out, size_t cap, size_t *out_len)
{
	const struct mrg_dns_server *const s = a->server;
	struct mrg_dns_query *const q = &a->query;
	struct mrg_dns_reply r;
	*out_len = 0;
	if (a->verdict == MRG_DNS_VERDICT_DROP)
		return MRG_END;
	if (a->verdict == MRG_DNS_VERDICT_ANSWER)
		a->verdict = mrg_dns_query_rest(q);
	const struct mrg_span nsid =
		q->has_edns && q->edns_version == 0 ? s->nsid : (struct mrg_span){ NULL, 0 };
	const enum mrg_status st =
		mrg_dns_reply_begin(&r, q, s->udp_max, nsid, out, limit(s, c->via, q, cap));
	if (st != MRG_OK)
		return st;
	if (a->verdict == MRG_DNS_VERDICT_NOTIMP)
		r.rcode = MRG_DNS_RCODE_NOTIMP;
	else if (a->verdict == MRG_DNS_VERDICT_FORMERR)
		r.rcode = MRG_DNS_RCODE_FORMERR;
	else
		answer(a, c->via, &r);
	return mrg_dns_reply_end(&r, out_len);
}

enum mrg_status mrg_dns_answer(const struct mrg_dns_server *s, const struct mrg_dns_asker *c,
	struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_asked a;
	mrg_dns_answer_begin(s, query, &a);
	mrg_dns_answer_look(&a);
	return mrg_dns_answer_finish(&a, c, out, cap, out_len);
}
