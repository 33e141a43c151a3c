/*
 * Transfers out: which record comes next, and messages of them.
 * Reading order: the request, the order of records, messages.
 */
#include "protocols/dns/transfer_out.h"

#include "dns/message.h"
#include "protocols/dns/reply.h"
#include "protocols/dns/zone_store.h"

enum { MESSAGE_MAX = UINT16_MAX }; /* RFC 1035 4.2.2 */

/* ---- the request ---- */

/* The serial number that the client has: of the SOA record of that zone, which alone is in the authority section.  RFC 1995 3 */
static bool take_serial(const struct mrg_dns_query *q, struct mrg_dns_transfer_request *out)
{
	const size_t at = q->header.len + q->question.len;
	struct mrg_dns_rr rr;
	struct mrg_dns_soa soa;
	struct mrg_dns_name_flat owner;
	if (mrg_dns_header_ancount(&q->header) != 0 || mrg_dns_header_nscount(&q->header) != 1 ||
		mrg_dns_rr_check(mrg_dns_after(q->message, at), q->message, &rr, NULL) != MRG_OK ||
		mrg_dns_rr_class(&rr) != MRG_DNS_CLASS_IN || !mrg_dns_rr_rdata_as_soa(&rr, &soa))
		return false;
	const struct mrg_dns_name name = mrg_dns_rr_name(&rr);
	mrg_dns_name_flatten(&name, &owner);
	out->serial = mrg_dns_soa_serial(&soa);
	return mrg_dns_same_name(mrg_dns_name_flat_from(&owner, 0), mrg_dns_name_flat_from(&out->name, 0));
}

bool mrg_dns_transfer_asked(
	struct mrg_span message, enum mrg_dns_transport via, struct mrg_dns_transfer_request *out)
{
	struct mrg_dns_query *const q = &out->query;
	if (mrg_dns_query_question(message, q) != MRG_DNS_VERDICT_ANSWER)
		return false;
	const uint16_t type = mrg_dns_question_type(&q->question);
	const bool axfr = type == MRG_DNS_TYPE_AXFR && via == MRG_DNS_TCP;
	if ((!axfr && type != MRG_DNS_TYPE_IXFR) ||
		mrg_dns_question_class(&q->question) != MRG_DNS_CLASS_IN ||
		mrg_dns_query_rest(q) != MRG_DNS_VERDICT_ANSWER || q->edns_version != 0)
		return false;
	const struct mrg_dns_name view = mrg_dns_question_name(&q->question);
	mrg_dns_name_flatten(&view, &out->name);
	out->incremental = !axfr;
	out->serial = 0;
	return axfr || take_serial(q, out);
}

enum mrg_status mrg_dns_transfer_refuse(const struct mrg_dns_transfer_request *r, unsigned rcode,
	uint16_t udp_size, uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_dns_reply reply;
	const enum mrg_status st = mrg_dns_reply_begin(&reply, &r->query, udp_size, NULL, out, cap);
	if (st != MRG_OK)
		return st;
	reply.rcode = rcode;
	return mrg_dns_reply_end(&reply, len);
}

/* ---- the order of records ---- */

/* Are there fewer records in the steps from `step` on than `most`? */
static bool fewer(const struct mrg_dns_step *newest, const struct mrg_dns_step *step, size_t most)
{
	struct mrg_dns_flat_rr rr;
	size_t count = 0;
	for (; step != NULL && count < most; step = mrg_dns_history_after(newest, step)) {
		struct mrg_span left = step->deleted;
		for (; count < most && mrg_dns_flat_next(&left, &rr); count++)
			;
		left = step->added;
		for (; count < most && mrg_dns_flat_next(&left, &rr); count++)
			;
	}
	return count < most;
}

/* The next record that is no first or last SOA.  MRG_END: there is none. */
static enum mrg_status next_of_zone(struct mrg_dns_transfer *t)
{
	for (;;) {
		const enum mrg_status st = mrg_dns_zone_next(&t->walk, &t->rr);
		if (st != MRG_OK || mrg_dns_rr_type(&t->rr) != MRG_DNS_TYPE_SOA)
			return st;
	}
}

static enum mrg_status next_of_steps(struct mrg_dns_transfer *t)
{
	struct mrg_dns_flat_rr flat;
	while (!mrg_dns_flat_next(&t->left, &flat)) {
		if (t->left.len != 0)
			return MRG_E_VALUE;
		if (t->added) {
			t->step = mrg_dns_history_after(t->newest, t->step);
			if (t->step == NULL)
				return MRG_END;
		}
		t->added = !t->added;
		t->left = t->added ? t->step->added : t->step->deleted;
	}
	const struct mrg_span whole = mrg_dns_flat_rr_span(&flat);
	return mrg_dns_rr_check(whole, whole, &t->rr, NULL);
}

/* Let `rr` be the next record.  MRG_END: there is none. */
static enum mrg_status advance(struct mrg_dns_transfer *t)
{
	if (t->stage == MRG_DNS_TRANSFER_RECORDS) {
		const enum mrg_status st =
			t->kind == MRG_DNS_TRANSFER_WHOLE ? next_of_zone(t) : next_of_steps(t);
		if (st != MRG_END)
			return st;
		t->stage = MRG_DNS_TRANSFER_LAST_SOA;
	}
	t->rr = t->soa;
	switch (t->stage) {
	case MRG_DNS_TRANSFER_FIRST_SOA:
		t->stage = t->kind == MRG_DNS_TRANSFER_CURRENT ? MRG_DNS_TRANSFER_ENDED
							       : MRG_DNS_TRANSFER_RECORDS;
		return MRG_OK;
	case MRG_DNS_TRANSFER_LAST_SOA: t->stage = MRG_DNS_TRANSFER_ENDED; return MRG_OK;
	case MRG_DNS_TRANSFER_RECORDS:
	case MRG_DNS_TRANSFER_ENDED: break;
	}
	return MRG_END;
}

void mrg_dns_transfer_begin(struct mrg_dns_transfer *t, const struct mrg_dns_transfer_request *r,
	const struct mrg_dns_zone *zone, const struct mrg_dns_step *newest,
	const struct mrg_dns_transfer_opt *opt, const struct mrg_dns_transfer_signer *signer)
{
	const struct mrg_dns_query *const q = &r->query;
	const struct mrg_span name = mrg_dns_name_flat_from(&r->name, 0);
	struct mrg_dns_soa soa;
	*t = (struct mrg_dns_transfer){ .kind = MRG_DNS_TRANSFER_WHOLE,
		.zone = zone,
		.id = mrg_dns_header_id(&q->header),
		.type = mrg_dns_question_type(&q->question),
		.udp_size = opt->udp_size,
		.rd = mrg_dns_header_rd(&q->header) != 0,
		.edns = q->has_edns,
		.dnssec_ok = q->dnssec_ok,
		.expires = (q->options & MRG_DNS_WANTED_EXPIRE) != 0,
		.stage = MRG_DNS_TRANSFER_FIRST_SOA,
		.walk = { .zone = zone },
		.newest = newest,
		.name_len = (uint8_t)name.len };
	if (signer != NULL)
		t->signer = *signer;
	memcpy(t->name, name.p, name.len);
	t->st = mrg_dns_node_soa(zone->apex, &t->soa, &soa);
	if (t->st == MRG_OK)
		t->expire_s = opt->is_copy ? opt->expire_s : mrg_dns_soa_expire(&soa);
	if (!r->incremental)
		return;
	if (r->serial == zone->serial || mrg_dns_serial_later(r->serial, zone->serial)) {
		t->kind = MRG_DNS_TRANSFER_CURRENT;
		return;
	}
	size_t steps = 0;
	t->step = mrg_dns_history_from(newest, r->serial, &steps);
	if (t->step != NULL && newest->to == zone->serial && fewer(newest, t->step, zone->record_count)) {
		t->kind = MRG_DNS_TRANSFER_CHANGES;
		t->left = t->step->deleted;
	}
}

/* ---- messages ---- */

/* What the header and, in the first message, the OPT record say is known when the records are in their places. */
static void put_head(const struct mrg_dns_transfer *t, struct mrg_w *w, unsigned records, bool first)
{
	struct mrg_w head;
	mrg_w_init(&head, w->p, MRG_DNS_HEADER_SIZE);
	mrg_dns_header_put(&head, &(struct mrg_dns_header_args){ .id = t->id,
					  .qr = 1,
					  .opcode = MRG_DNS_OPCODE_QUERY,
					  .aa = 1,
					  .rd = t->rd,
					  .qdcount = first,
					  .ancount = (uint16_t)records,
					  .arcount = first && t->edns });
	if (first && t->edns) {
		struct mrg_dns_edns_build eb;
		struct mrg_dns_opt_build ob;
		w->refs = NULL;
		mrg_dns_edns_begin(w, &eb,
			&(struct mrg_dns_edns_args){ .udp_size = t->udp_size, .dnssec_ok = t->dnssec_ok });
		mrg_dns_opt_begin(w, &ob, &(struct mrg_dns_opt_args){ 0 });
		if (t->expires)
			mrg_dns_put_expire(w, &ob, t->expire_s);
		mrg_dns_opt_end(w, &ob);
		mrg_dns_edns_end(w, &eb);
	}
}

/* The records that fit; the first that does not is kept for the next message.  Returns how many there are. */
static unsigned put_records(struct mrg_dns_transfer *t, struct mrg_w *w, enum mrg_status *st)
{
	unsigned count = 0;
	for (;;) {
		*st = t->pending ? MRG_OK : advance(t);
		if (*st != MRG_OK)
			return count;
		const size_t mark = w->len;
		if (t->rr.msg.p != w->refs->from)
			mrg_refs_from(w->refs, t->rr.msg.p);
		mrg_dns_rr_copy(w, &t->rr);
		t->pending = w->st != MRG_OK || count == UINT16_MAX;
		if (t->pending) {
			*st = w->st == MRG_OK ? MRG_E_SPACE : w->st;
			w->len = mark;
			w->st = MRG_OK;
			return count;
		}
		count++;
	}
}

/* Octets of the OPT record of the first message. */
static size_t opt_room(const struct mrg_dns_transfer *t)
{
	return !t->edns ? 0 : MRG_DNS_EDNS_SIZE_MIN + (t->expires ? (size_t)MRG_DNS_EXPIRE_OPTION : 0u);
}

enum mrg_status mrg_dns_transfer_next(struct mrg_dns_transfer *t, uint8_t *out, size_t cap, size_t *len)
{
	const bool first = t->messages == 0;
	const size_t most = cap < MESSAGE_MAX ? cap : (size_t)MESSAGE_MAX,
		     room = t->signer.room + (first ? opt_room(t) : 0u);
	struct mrg_w w;
	enum mrg_status st;
	*len = 0;
	if (t->st != MRG_OK)
		return t->st;
	if (!t->pending && t->stage == MRG_DNS_TRANSFER_ENDED)
		return MRG_END;
	if (most < room + MRG_DNS_HEADER_SIZE)
		return MRG_E_SPACE;
	mrg_w_init(&w, out, most - room);
	mrg_w_use_refs(&w, &t->refs);
	(void)mrg_w_take(&w, MRG_DNS_HEADER_SIZE);
	if (first)
		mrg_dns_question_put(&w, &(struct mrg_dns_question_args){ .name = { t->name, t->name_len },
						 .type = t->type,
						 .class = MRG_DNS_CLASS_IN });
	if (w.st != MRG_OK)
		return w.st;
	const unsigned records = put_records(t, &w, &st);
	if (st != MRG_END && (st != MRG_E_SPACE || records == 0))
		return st;
	w.cap += room;
	put_head(t, &w, records, first);
	enum mrg_status done = mrg_w_finish(&w, len);
	if (done == MRG_OK && t->signer.sign != NULL)
		done = t->signer.sign(t->signer.ctx, out, len, most);
	if (done != MRG_OK)
		return done;
	t->messages++;
	t->records += records;
	t->octets += *len;
	return st == MRG_END ? MRG_OK : MRG_MORE;
}

enum mrg_status mrg_dns_transfer_datagram(struct mrg_dns_transfer *t,
	const struct mrg_dns_transfer_request *r, const struct mrg_dns_zone *zone,
	const struct mrg_dns_step *newest, const struct mrg_dns_transfer_opt *opt,
	const struct mrg_dns_transfer_signer *signer, uint8_t *out, size_t cap, size_t *len)
{
	const size_t room = signer != NULL ? signer->room : 0;
	/* a signature goes on from the one before: so it is tried without, and signed once */
	mrg_dns_transfer_begin(t, r, zone, newest, opt, NULL);
	enum mrg_status st = mrg_dns_transfer_next(t, out, cap < room ? 0 : cap - room, len);
	if (st == MRG_MORE || st == MRG_E_SPACE) {
		mrg_dns_transfer_begin(t, r, zone, newest, opt, NULL);
		t->kind = MRG_DNS_TRANSFER_CURRENT;
		st = mrg_dns_transfer_next(t, out, cap < room ? 0 : cap - room, len);
	}
	if (st == MRG_OK && signer != NULL)
		st = signer->sign(signer->ctx, out, len, cap);
	return st;
}
