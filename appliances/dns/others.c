/*
 * What is no question about zones.
 * Reading order: NOTIFY, UPDATE, then datagrams and streams at the end.
 */
#include "appliances/dns/others.h"
#include "appliances/common/say.h"
#include "appliances/dns/system.h"
#include "protocols/dns/notify.h"
#include "protocols/dns/update.h"

enum { UDP_MIN = 512 /* RFC 1035 2.3.4 */ };

/* This is said to it now. */
static void see(const struct others *o, struct mrg_span message, const struct reply_to *to,
	struct mrg_span reply, bool goes_on)
{
	const struct sight sight = {
		.end = to->end, .peer = to->peer, .message = message, .reply = reply, .goes_on = goes_on
	};
	if (o->seen != NULL)
		o->seen(o->ctx, &sight);
}

/* ---- NOTIFY ---- */

/* A primary's own address will do: all that comes of it is a question to that primary. Others are said by allow-notify. */
static bool may_notify(
	const struct zone_option *z, const struct mrg_rt_addr *peer, const struct mrg_dns_tsig_key *key)
{
	for (const struct remote *r = z->primaries; r != NULL; r = r->next)
		if (mrg_rt_addr_in(peer, &r->addr, r->addr.family == 6 ? 128 : 32))
			return true;
	return allowed_find(z->notify_from, peer, key);
}

/* The RCODE of the reply to it. */
static unsigned judge_notify(const struct others *o, enum mrg_dns_notify_kind kind,
	const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer, enum mrg_dns_auth_result good,
	const struct mrg_dns_tsig_key *key)
{
	if (kind == MRG_DNS_NOTIFY_MALFORMED || good == MRG_DNS_AUTH_MALFORMED)
		return MRG_DNS_RCODE_FORMERR;
	if (kind == MRG_DNS_NOTIFY_UNKNOWN)
		return MRG_DNS_RCODE_NOTIMP;
	if (good != MRG_DNS_AUTH_NONE && good != MRG_DNS_AUTH_GOOD)
		return MRG_DNS_RCODE_NOTAUTH;
	const struct served *const z = database_named(o->db, &n->zone);
	if (z == NULL || z->option->primaries == NULL)
		return MRG_DNS_RCODE_NOTAUTH;
	if (!may_notify(z->option, peer, key))
		return MRG_DNS_RCODE_REFUSED;
	o->notified(o->ctx, n, peer);
	return MRG_DNS_RCODE_NOERROR;
}

static bool answer_notify(const struct others *o, struct mrg_span message, const struct reply_to *to,
	uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_notify n;
	struct mrg_dns_auth auth;
	const enum mrg_dns_notify_kind kind = mrg_dns_notify_read(message, &n);
	if (kind == MRG_DNS_NOTIFY_OTHER)
		return false;
	const uint64_t now_s = system_time_s();
	const enum mrg_dns_auth_result good = mrg_dns_auth_request(&auth, o->db->server.keys, message, now_s);
	const unsigned rcode = judge_notify(o, kind, &n, to->peer, good, auth.key);
	const size_t room = mrg_dns_auth_room(&auth);
	*out_len = 0;
	if (room > cap ||
		mrg_dns_notify_reply(&n, rcode, o->db->server.udp_max, out, cap - room, out_len) != MRG_OK ||
		mrg_dns_auth_sign(&auth, now_s, out, cap, out_len) != MRG_OK)
		*out_len = 0;
	see(o, message, to, (struct mrg_span){ out, *out_len }, false);
	return true;
}

/* ---- UPDATE ---- */

/* The RCODE at once, or NOERROR and the zone whose turn it is: only who has a key can change anything. */
static unsigned judge_update(const struct others *o, struct mrg_span message, enum mrg_dns_auth_result good,
	const struct mrg_dns_tsig_key *key, struct mrg_dns_name_flat *zone)
{
	struct mrg_dns_update u;
	const unsigned rcode = mrg_dns_update_read(message, &u);
	if (rcode != MRG_DNS_RCODE_NOERROR || good == MRG_DNS_AUTH_MALFORMED)
		return MRG_DNS_RCODE_FORMERR;
	if (good != MRG_DNS_AUTH_NONE && good != MRG_DNS_AUTH_GOOD)
		return MRG_DNS_RCODE_NOTAUTH;
	const struct served *const z = database_named(o->db, &u.zone);
	if (z == NULL || u.zone_class != MRG_DNS_CLASS_IN)
		return MRG_DNS_RCODE_NOTAUTH;
	if (key == NULL || z->option->update == NULL)
		return MRG_DNS_RCODE_REFUSED;
	*zone = u.zone;
	return MRG_DNS_RCODE_NOERROR;
}

/* false: it is none. *out_len 0: the answer comes later. */
static bool answer_update(const struct others *o, struct mrg_span message, const struct reply_to *to,
	uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_query q;
	struct mrg_dns_auth auth;
	struct mrg_w writer;
	struct mrg_dns_name_flat zone;
	if (mrg_dns_query_question(message, &q) != MRG_DNS_VERDICT_NOTIMP ||
		mrg_dns_header_opcode(&q.header) != MRG_DNS_OPCODE_UPDATE)
		return false;
	*out_len = 0;
	const uint64_t now_s = system_time_s();
	const enum mrg_dns_auth_result good = mrg_dns_auth_request(&auth, o->db->server.keys, message, now_s);
	unsigned rcode = judge_update(o, message, good, auth.key, &zone);
	if (rcode == MRG_DNS_RCODE_NOERROR) {
		if (o->update(o->ctx, message, &zone, &auth, to))
			return true;
		rcode = MRG_DNS_RCODE_SERVFAIL;
	}
	mrg_w_init(&writer, out, cap);
	mrg_dns_update_reply(&writer, message, rcode);
	if (mrg_w_finish(&writer, out_len) != MRG_OK ||
		mrg_dns_auth_sign(&auth, now_s, out, cap, out_len) != MRG_OK)
		*out_len = 0;
	see(o, message, to, (struct mrg_span){ out, *out_len }, false);
	return true;
}

/* ---- datagrams and streams ---- */

bool others_datagram(const struct others *o, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d)
{
	struct mrg_dns_transfer_request r;
	struct mrg_rt_addr peer;
	const struct reply_to to = { .end = e, .index = index, .peer = &peer };
	e->ops->peer(e, index, &peer);
	if (answer_notify(o, d->in, &to, d->out, d->out_cap, &d->out_len) ||
		answer_update(o, d->in, &to, d->out, d->out_cap, &d->out_len))
		return true;
	if (!mrg_dns_transfer_asked(d->in, MRG_DNS_UDP, &r))
		return false;
	size_t cap = r.query.has_edns && r.query.udp_size > UDP_MIN ? r.query.udp_size : (size_t)UDP_MIN;
	if (cap > d->out_cap)
		cap = d->out_cap;
	if (sending_datagram(o->db, d->in, &r, &peer, d->out, cap, &d->out_len) != MRG_OK)
		d->out_len = 0;
	see(o, d->in, &to, (struct mrg_span){ d->out, d->out_len }, false);
	return true;
}

/* Is it a question that zones have the answer to? Nearly all are. */
static bool is_question(struct mrg_span message)
{
	struct mrg_dns_query q;
	const enum mrg_dns_verdict verdict = mrg_dns_query_question(message, &q);
	if (verdict != MRG_DNS_VERDICT_ANSWER)
		return verdict != MRG_DNS_VERDICT_NOTIMP;
	const uint16_t type = mrg_dns_question_type(&q.question);
	return type != MRG_DNS_TYPE_AXFR && type != MRG_DNS_TYPE_IXFR;
}

bool others_stream(const struct others *o, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
	size_t cap, size_t *out_len, enum mrg_dns_said *said)
{
	struct mrg_dns_transfer_request r;
	struct mrg_rt_addr peer;
	const struct reply_to to = { .ticket = call->ticket, .peer = &peer };
	if (is_question(query))
		return false;
	mrg_stream_peer(call->stream, &peer);
	if (mrg_dns_transfer_asked(query, MRG_DNS_TCP, &r)) {
		*said = sending_begin(o->sendings, o->db, query, &r, call, out, cap, out_len);
		see(o, query, &to, (struct mrg_span){ out, *said != MRG_DNS_SAID_NOTHING ? *out_len : 0 },
			*said == MRG_DNS_SAID_PART);
		return true;
	}
	if (answer_notify(o, query, &to, out, cap, out_len)) {
		*said = *out_len != 0 ? MRG_DNS_SAID_ALL : MRG_DNS_SAID_NOTHING;
		return true;
	}
	if (answer_update(o, query, &to, out, cap, out_len)) {
		*said = *out_len != 0 ? MRG_DNS_SAID_ALL : MRG_DNS_SAID_LATER;
		return true;
	}
	return false;
}
