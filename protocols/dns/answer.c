/*
 * The authoritative server as a pure function: what is no question for a zone is dealt with here, and the common
 * case, a name that has the type; walk.c does the rest.
 */
#include "protocols/dns/answer.h"

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

/* Answer with an error, and say more than its code does.  RFC 8914 */
static void fail(struct mrg_dns_reply *r, unsigned rcode, enum mrg_dns_extended_error why)
{
	r->rcode = rcode;
	r->error = (int16_t)why;
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
		fail(r, MRG_DNS_RCODE_REFUSED, MRG_DNS_EXTENDED_ERROR_PROHIBITED);
}

/*
 * The name itself has the type, and no rule asks for more than the set: it goes out as it stands.  False: there is
 * more to it.
 */
static bool answer_at_once(const struct mrg_dns_asked *a, struct mrg_dns_reply *r, uint16_t type)
{
	enum { MORE = MRG_DNS_NODE_CUT | MRG_DNS_NODE_OCCLUDED | MRG_DNS_NODE_HASHED };
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	const struct mrg_dns_node *const n =
		a->expected != NULL ? a->expected : mrg_dns_bucket_find(a->bucket, mrg_dns_name_span(&view));
	if (n == NULL || (n->flags & MORE) != 0 || type == MRG_DNS_TYPE_NS)
		return false;
	const struct mrg_dns_rrset *const set = mrg_dns_node_find(n, type);
	if (set == NULL)
		return false;
	r->aa = true;
	r->about = n;
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

/* Why there are no data for the name, as far as the caller knows. */
static enum mrg_dns_lack lack_of(const struct mrg_dns_server *s, const struct mrg_dns_name_flat *name)
{
	const struct mrg_dns_states *const st = s->states;
	return st != NULL && st->lack != NULL ? st->lack(st->ctx, name) : MRG_DNS_LACK_NONE;
}

/* No zone has the name, or one without data: is one missing that should be there? */
static void answer_without_zone(const struct mrg_dns_asked *a, const struct mrg_dns_zone *absent,
	const struct mrg_dns_name_flat *name, struct mrg_dns_reply *r)
{
	const enum mrg_dns_lack lack = lack_of(a->server, name);
	if (lack == MRG_DNS_LACK_EXPIRED)
		fail(r, MRG_DNS_RCODE_SERVFAIL, MRG_DNS_EXTENDED_ERROR_INVALID_DATA);
	else if (lack == MRG_DNS_LACK_NOT_READY || absent != NULL)
		fail(r, MRG_DNS_RCODE_SERVFAIL, MRG_DNS_EXTENDED_ERROR_NOT_READY);
	else
		fail(r, MRG_DNS_RCODE_REFUSED, MRG_DNS_EXTENDED_ERROR_NOT_AUTHORITATIVE);
}

static void answer_from_zones(const struct mrg_dns_asked *a, struct mrg_dns_reply *r, uint16_t type)
{
	struct mrg_dns_walk w;
	if (answer_at_once(a, r, type))
		return;
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	mrg_dns_name_flatten(&view, &w.name);
	/* with one zone, that the name is in it was taken for granted so far */
	w.zone = a->server->db->only != NULL ? zone_for(a->server, &w.name, type) : a->zone;
	if (w.zone == NULL || mrg_dns_zone_is_absent(w.zone)) {
		answer_without_zone(a, w.zone, &w.name, r);
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
static void refuse_transfer(
	const struct mrg_dns_server *s, enum mrg_dns_transport via, struct mrg_dns_reply *r)
{
	const struct mrg_dns_question *const q = &r->query->question;
	const struct mrg_dns_name view = mrg_dns_question_name(q);
	struct mrg_dns_name_flat name;
	if (mrg_dns_question_type(q) == MRG_DNS_TYPE_AXFR && via == MRG_DNS_UDP) {
		r->rcode = MRG_DNS_RCODE_NOTIMP;
		return;
	}
	mrg_dns_name_flatten(&view, &name);
	const struct mrg_dns_zone *const z = mrg_dns_db_find(s->db, &name, 0);
	if (z != NULL && z->origin.count == name.count)
		fail(r, MRG_DNS_RCODE_REFUSED, MRG_DNS_EXTENDED_ERROR_PROHIBITED);
	else
		fail(r, MRG_DNS_RCODE_NOTAUTH, MRG_DNS_EXTENDED_ERROR_NOT_AUTHORITATIVE);
}

/*
 * When the zone of an SOA record that is the answer expires.  RFC 7314: the primary says what the record does (4.1), a secondary what
 * is left (4.2).
 */
static void tell_expiry(
	const struct mrg_dns_server *s, const struct mrg_dns_asker *c, struct mrg_dns_reply *r)
{
	const struct mrg_dns_name view = mrg_dns_question_name(&r->query->question);
	const struct mrg_dns_states *const st = s->states;
	struct mrg_dns_name_flat name;
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	mrg_dns_name_flatten(&view, &name);
	const struct mrg_dns_zone *const z = mrg_dns_db_find(s->db, &name, 0);
	if (z == NULL || z->origin.count != name.count)
		return;
	r->expires = st != NULL && st->expire != NULL && st->expire(st->ctx, z, c->now_s, &r->expire);
	const struct mrg_dns_rrset *const set = mrg_dns_node_sets(z->negative);
	if (r->expires ||
		mrg_dns_rr_check(mrg_dns_rrset_wire(set, false), mrg_dns_rrset_message(z->negative, set), &rr,
			NULL) != MRG_OK ||
		!mrg_dns_rr_rdata_as_soa(&rr, &soa))
		return;
	r->expires = true;
	r->expire = mrg_dns_soa_expire(&soa);
}

/* A question of any class and type. */
static void answer(const struct mrg_dns_asked *a, const struct mrg_dns_asker *c, struct mrg_dns_reply *r)
{
	const struct mrg_dns_question *const q = &r->query->question;
	const uint16_t type = mrg_dns_question_type(q), rr_class = mrg_dns_question_class(q);
	if (r->query->edns_version != 0) { /* RFC 6891 6.1.3 */
		r->rcode = MRG_DNS_RCODE_BADVERS;
	} else if (rr_class == MRG_DNS_CLASS_CH) {
		answer_chaos(a->server, r);
	} else if (rr_class != MRG_DNS_CLASS_IN && rr_class != MRG_DNS_CLASS_ANY) {
		fail(r, MRG_DNS_RCODE_REFUSED, MRG_DNS_EXTENDED_ERROR_NOT_SUPPORTED);
	} else if (type == MRG_DNS_TYPE_AXFR || type == MRG_DNS_TYPE_IXFR) {
		refuse_transfer(a->server, c->via, r);
	} else {
		answer_from_zones(a, r, type);
		if (rr_class == MRG_DNS_CLASS_ANY) /* RFC 1035 6.2: there may be other classes */
			r->aa = false;
		if (r->extras != NULL && r->extras->expire && r->counts[MRG_DNS_ANSWER] != 0)
			tell_expiry(a->server, c, r);
	}
}

void mrg_dns_answer_begin(const struct mrg_dns_server *s, struct mrg_span query, struct mrg_dns_asked *out)
{
	out->server = s;
	out->zone = NULL;
	out->bucket = out->expected = NULL;
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
	if (a->verdict == MRG_DNS_VERDICT_ANSWER)
		a->verdict = mrg_dns_query_rest(&a->query);
	else if (a->verdict == MRG_DNS_VERDICT_COOKIE &&
		 mrg_dns_query_rest(&a->query) != MRG_DNS_VERDICT_ANSWER)
		a->verdict = MRG_DNS_VERDICT_FORMERR;
}

/* ---- who asks ---- */

/* What is found out of a client on the way to its answer. */
struct asker {
	const struct mrg_dns_asker *client;
	bool has_peer, known; /* its address was asked for; it has shown that it is there */
	struct mrg_rt_addr peer;
	uint8_t cookie[MRG_DNS_COOKIE_REPLY];
	struct mrg_dns_extras extras;
};

/* The client's address, asked for once; NULL: unknown. */
static const struct mrg_rt_addr *peer_of(struct asker *k)
{
	const struct mrg_dns_asker *const c = k->client;
	if (!k->has_peer) {
		k->peer.family = 0;
		if (c->peer != NULL)
			c->peer(c->ctx, c->index, &k->peer);
		k->has_peer = true;
	}
	return k->peer.family != 0 ? &k->peer : NULL;
}

/* Look at its cookie, and make the one that it gets.  RFC 7873 5.2 */
static void take_cookie(struct asker *k, struct mrg_dns_asked *a)
{
	const struct mrg_dns_asker *const c = k->client;
	if (a->server->cookies == NULL || c->now_s == 0 || peer_of(k) == NULL)
		return;
	const bool good =
		mrg_dns_cookie_reply(a->server->cookies, &a->query.cookie, &k->peer, c->now_s, k->cookie);
	k->known = k->known || good;
	k->extras.cookie = (struct mrg_span){ k->cookie, sizeof k->cookie };
	/* RFC 7873 5.4: there a server cookie is shown to know whether it is good */
	if (a->verdict == MRG_DNS_VERDICT_COOKIE && a->query.edns_version == 0 && !good &&
		mrg_dns_cookie_server(&a->query.cookie).len != 0)
		a->verdict = MRG_DNS_VERDICT_BADCOOKIE;
	if (c->cookie_must && c->via == MRG_DNS_UDP && !k->known && a->verdict == MRG_DNS_VERDICT_ANSWER)
		a->verdict = MRG_DNS_VERDICT_BADCOOKIE;
}

/* Is a cookie asked for, and is there one?  RFC 7873 5.4: else it lacks its question. */
static unsigned answer_cookie(const struct asker *k, const struct mrg_dns_query *q)
{
	if (q->edns_version != 0)
		return MRG_DNS_RCODE_BADVERS;
	if ((q->options & MRG_DNS_WANTED_COOKIE) == 0 || k->extras.cookie.len == 0)
		return MRG_DNS_RCODE_FORMERR;
	return MRG_DNS_RCODE_NOERROR;
}

/* What goes into the OPT record of a reply to a query that has options. */
static MRG_NOINLINE void take_options(struct asker *k, struct mrg_dns_asked *a)
{
	const struct mrg_dns_query *const q = &a->query;
	struct mrg_dns_extras *const x = &k->extras;
	*x = (struct mrg_dns_extras){ 0 };
	if ((q->options & MRG_DNS_WANTED_NSID) != 0 && q->edns_version == 0)
		x->nsid = a->server->nsid;
	if ((q->options & MRG_DNS_WANTED_COOKIE) != 0)
		take_cookie(k, a);
	/* over UDP it is ignored: RFC 7828 3.2.1 */
	if ((q->options & MRG_DNS_WANTED_KEEPALIVE) != 0 && k->client->via == MRG_DNS_TCP)
		x->keepalive = a->server->keepalive;
	x->expire = (q->options & MRG_DNS_WANTED_EXPIRE) != 0 && q->has_question &&
		    mrg_dns_question_type(&q->question) == MRG_DNS_TYPE_SOA;
}

/* As what a reply is counted. */
static enum mrg_dns_rate_kind rate_kind(const struct mrg_dns_reply *r)
{
	if (r->rcode == MRG_DNS_RCODE_NXDOMAIN)
		return MRG_DNS_RATE_NXDOMAIN;
	if (r->rcode != MRG_DNS_RCODE_NOERROR)
		return MRG_DNS_RATE_ERROR;
	if (r->counts[MRG_DNS_ANSWER] != 0 || r->tc)
		return MRG_DNS_RATE_ANSWER;
	return r->aa ? MRG_DNS_RATE_NODATA : MRG_DNS_RATE_REFERRAL;
}

/* Does it show what makes a client known, if it is good? */
static bool shows_something(const struct mrg_dns_query *q)
{
	return q->has_tsig ||
	       ((q->options & MRG_DNS_WANTED_COOKIE) != 0 && mrg_dns_cookie_server(&q->cookie).len != 0);
}

void mrg_dns_answer_expect(struct mrg_dns_asked *a, const struct mrg_dns_asker *c)
{
	struct mrg_rt_addr peer = { .family = 0 };
	if (c->rate == NULL || c->via != MRG_DNS_UDP || c->peer == NULL || a->bucket == NULL ||
		a->verdict != MRG_DNS_VERDICT_ANSWER || shows_something(&a->query))
		return;
	const struct mrg_dns_name view = mrg_dns_question_name(&a->query.question);
	a->expected = mrg_dns_bucket_find(a->bucket, mrg_dns_name_span(&view));
	if (a->expected == NULL)
		return;
	c->peer(c->ctx, c->index, &peer);
	a->account = mrg_dns_rate_account(
		c->rate, &peer, MRG_DNS_RATE_ANSWER, a->expected, mrg_dns_question_type(&a->query.question));
}

/* Where the reply is counted, which is known already if it is the expected one. */
static uint64_t account_of(const struct mrg_dns_asked *a, const struct asker *k,
	const struct mrg_dns_reply *r, enum mrg_dns_rate_kind kind)
{
	if (kind != MRG_DNS_RATE_ANSWER)
		return mrg_dns_rate_account(k->client->rate, &k->peer, kind, r->about, 0);
	if (a->expected != NULL && r->about == a->expected)
		return a->account;
	return mrg_dns_rate_account(
		k->client->rate, &k->peer, kind, r->about, mrg_dns_question_type(&r->query->question));
}

/* Is the reply within its client's rate?  False: it is not to be sent. */
static MRG_NOINLINE bool within_rate(const struct mrg_dns_asked *a, struct asker *k, struct mrg_dns_reply *r)
{
	const enum mrg_dns_rate_kind kind = rate_kind(r);
	if (peer_of(k) == NULL)
		return true;
	const enum mrg_dns_rate_verdict v =
		mrg_dns_rate_take(k->client->rate, account_of(a, k, r, kind), kind, k->client->now_ns);
	if (v == MRG_DNS_RATE_CUT)
		mrg_dns_reply_cut(r);
	return v != MRG_DNS_RATE_DROP;
}

/* ---- the reply ---- */

/*
 * Write the reply to what was asked.
 *   room   octets to be left free behind it
 */
static enum mrg_status write_reply(
	struct mrg_dns_asked *a, struct asker *k, size_t room, uint8_t *out, size_t cap, size_t *out_len)
{
	const struct mrg_dns_server *const s = a->server;
	const struct mrg_dns_asker *const c = k->client;
	struct mrg_dns_query *const q = &a->query;
	const size_t most = limit(s, c->via, q, cap);
	struct mrg_dns_reply r;
	if (room > most)
		return MRG_E_SPACE;
	const enum mrg_status st =
		mrg_dns_reply_begin(&r, q, s->udp_max, q->options != 0 ? &k->extras : NULL, out, most - room);
	if (st != MRG_OK)
		return st;
	switch (a->verdict) {
	case MRG_DNS_VERDICT_ANSWER: answer(a, c, &r); break;
	case MRG_DNS_VERDICT_NOTIMP:
		fail(&r, MRG_DNS_RCODE_NOTIMP, MRG_DNS_EXTENDED_ERROR_NOT_SUPPORTED);
		break;
	case MRG_DNS_VERDICT_NOTAUTH: r.rcode = MRG_DNS_RCODE_NOTAUTH; break;
	case MRG_DNS_VERDICT_COOKIE: r.rcode = answer_cookie(k, q); break;
	case MRG_DNS_VERDICT_BADCOOKIE: r.rcode = MRG_DNS_RCODE_BADCOOKIE; break;
	default: r.rcode = MRG_DNS_RCODE_FORMERR; break;
	}
	if (c->rate != NULL && c->via == MRG_DNS_UDP && !k->known && !within_rate(a, k, &r))
		return MRG_END;
	return mrg_dns_reply_end(&r, out_len);
}

/* Check the signature of a query; returns the octets that the reply's takes.  RFC 8945 5.2 */
static MRG_COLD size_t take_signature(struct mrg_dns_asked *a, struct asker *k, struct mrg_dns_auth *auth)
{
	switch (mrg_dns_auth_request(auth, a->server->keys, a->query.message, k->client->now_s)) {
	case MRG_DNS_AUTH_GOOD:
		k->known = true; /* which makes up for a cookie */
		if (a->query.has_question)
			a->verdict = MRG_DNS_VERDICT_ANSWER;
		break;
	case MRG_DNS_AUTH_REFUSED: a->verdict = MRG_DNS_VERDICT_NOTAUTH; break;
	default: a->verdict = MRG_DNS_VERDICT_FORMERR; break;
	}
	return mrg_dns_auth_room(auth);
}

enum mrg_status mrg_dns_answer_finish(
	struct mrg_dns_asked *a, const struct mrg_dns_asker *c, uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_query *const q = &a->query;
	struct mrg_dns_auth auth;
	struct asker k;
	size_t room = 0;
	*out_len = 0;
	if (a->verdict == MRG_DNS_VERDICT_DROP)
		return MRG_END;
	k.client = c;
	k.has_peer = k.known = false;
	if (q->options != 0)
		take_options(&k, a);
	if (q->has_tsig && a->verdict != MRG_DNS_VERDICT_FORMERR)
		room = take_signature(a, &k, &auth);
	const enum mrg_status st = write_reply(a, &k, room, out, cap, out_len);
	return st == MRG_OK && room != 0 ? mrg_dns_auth_sign(&auth, c->now_s, out, cap, out_len) : st;
}

enum mrg_status mrg_dns_answer(const struct mrg_dns_server *s, const struct mrg_dns_asker *c,
	struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_asked a;
	mrg_dns_answer_begin(s, query, &a);
	mrg_dns_answer_look(&a);
	mrg_dns_answer_expect(&a, c);
	return mrg_dns_answer_finish(&a, c, out, cap, out_len);
}
