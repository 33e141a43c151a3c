/*
 * Transfers in: messages are read record by record, and what may follow what is said by the machine of specs/dns/transfer.mrg.
 * Reading order: what the machine asks for, a record, a message.
 */
#include "protocols/dns/transfer_in.h"

#include "dns/message.h"
#include "iana/dns.h"
#include "protocols/dns/history.h"
#include "protocols/dns/response.h"
#include "protocols/dns/zone_store.h"

/* ---- what the machine asks for ---- */

static void fail(struct mrg_dns_transfer_in *t, enum mrg_dns_transfer_fault fault)
{
	if (t->fault == 0)
		t->fault = fault;
	t->result = MRG_DNS_TRANSFER_FAILED;
}

static void give(struct mrg_dns_transfer_in *t, const struct mrg_dns_flat_rr_args *rr)
{
	if (t->fault == 0 && !t->sink.record(t->sink.ctx, rr))
		fail(t, MRG_DNS_TRANSFER_FAULT_REFUSED);
}

static void begin_part(struct mrg_dns_transfer_in *t, enum mrg_dns_transfer_part part, uint32_t serial)
{
	if (!t->sink.begin(t->sink.ctx, part, serial))
		fail(t, MRG_DNS_TRANSFER_FAULT_REFUSED);
}

void mrg_dns_transfer_order_do_whole(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	const struct mrg_dns_flat_rr_args soa = { .name = mrg_dns_name_flat_from(&t->name, 0),
		.type = MRG_DNS_TYPE_SOA,
		.class = MRG_DNS_CLASS_IN,
		.ttl = t->first_ttl,
		.rdata = { t->first, t->first_len } };
	(void)m;
	begin_part(t, MRG_DNS_TRANSFER_ZONE, t->serial);
	give(t, &soa);
}

void mrg_dns_transfer_order_do_deleted(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	begin_part(t, MRG_DNS_TRANSFER_DELETED, t->soa_serial);
	give(t, &t->rr);
}

void mrg_dns_transfer_order_do_added(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	t->step_to = t->soa_serial;
	begin_part(t, MRG_DNS_TRANSFER_ADDED, t->soa_serial);
	give(t, &t->rr);
}

void mrg_dns_transfer_order_do_keep(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	give(t, &t->rr);
}

void mrg_dns_transfer_order_do_complete(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	t->result = MRG_DNS_TRANSFER_COMPLETE;
}

void mrg_dns_transfer_order_do_current(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	t->result = MRG_DNS_TRANSFER_UP_TO_DATE;
}

void mrg_dns_transfer_order_do_overflow(const struct mrg_dns_transfer_order *m, void *ctx)
{
	struct mrg_dns_transfer_in *const t = ctx;
	(void)m;
	t->result = MRG_DNS_TRANSFER_OVERFLOW;
}

void mrg_dns_transfer_order_do_fail(const struct mrg_dns_transfer_order *m, void *ctx, uint8_t fault)
{
	(void)m;
	fail(ctx, (enum mrg_dns_transfer_fault)fault);
}

/* ---- a record ---- */

static void take_soa(struct mrg_dns_transfer_in *t, const struct mrg_dns_rr *rr)
{
	struct mrg_dns_soa soa;
	if (t->owner.count != t->name.count || !mrg_dns_rr_rdata_as_soa(rr, &soa)) {
		fail(t, MRG_DNS_TRANSFER_FAULT_OUTSIDE);
		return;
	}
	const uint32_t serial = mrg_dns_soa_serial(&soa);
	if (t->m.state == MRG_DNS_TRANSFER_ORDER_ASKED && t->rr.rdata.len <= sizeof t->first) {
		t->serial = serial;
		t->first_ttl = t->rr.ttl;
		t->first_len = t->rr.rdata.len;
		memcpy(t->first, t->rr.rdata.p, t->rr.rdata.len);
	}
	const bool later = mrg_dns_serial_later(serial, t->soa_serial);
	t->soa_serial = serial;
	(void)mrg_dns_transfer_order_on_soa(
		&t->m, t, serial == t->serial, serial == t->wanted.serial, serial == t->step_to, later);
}

/*
 * Names in the RDATA may be compressed, also those of types for which nobody should (RFC 3597 4): write it again without.
 * False: it would be too long.
 */
static bool flatten_rdata(struct mrg_dns_transfer_in *t, const struct mrg_dns_rr *rr)
{
	struct mrg_w w;
	mrg_w_init(&w, t->rdata, sizeof t->rdata);
	mrg_dns_rr_rdata_copy(&w, rr);
	t->rr.rdata = mrg_w_span(&w, 0);
	return w.st == MRG_OK;
}

static void take_record(struct mrg_dns_transfer_in *t, const struct mrg_dns_rr *rr)
{
	const struct mrg_dns_name name = mrg_dns_rr_name(rr);
	mrg_dns_name_flatten(&name, &t->owner);
	t->rr.name = mrg_dns_name_flat_from(&t->owner, 0);
	t->rr.type = mrg_dns_rr_type(rr);
	t->rr.class = mrg_dns_rr_class(rr);
	t->rr.ttl = mrg_dns_rr_ttl(rr);
	if (t->rr.class != MRG_DNS_CLASS_IN)
		fail(t, MRG_DNS_TRANSFER_FAULT_CLASS);
	else if (!mrg_dns_name_within(&t->owner, &t->name))
		fail(t, MRG_DNS_TRANSFER_FAULT_OUTSIDE);
	else if (!flatten_rdata(t, rr))
		fail(t, MRG_DNS_TRANSFER_FAULT_MALFORMED);
	else if (t->records++ == t->wanted.record_max)
		fail(t, MRG_DNS_TRANSFER_FAULT_LIMIT);
	else if (t->rr.type == MRG_DNS_TYPE_SOA)
		take_soa(t, rr);
	else
		(void)mrg_dns_transfer_order_on_record(&t->m, t);
}

/* ---- a message ---- */

/* The records that are no answers: only OPT tells something.  False: they can't be read. */
static bool read_others(struct mrg_dns_transfer_in *t, struct mrg_span message, struct mrg_span left,
	unsigned authority, unsigned additional)
{
	struct mrg_dns_response_edns edns;
	if (!mrg_dns_response_edns(message, left, authority + additional, additional, &edns))
		return false;
	t->rcode += edns.upper;
	if (edns.has_expire) {
		t->has_expire = true;
		t->expire_s = edns.expire_s;
	}
	return true;
}

static void read_message(struct mrg_dns_transfer_in *t, struct mrg_span message, bool all)
{
	struct mrg_dns_header h;
	size_t question_len;
	if (mrg_dns_header_check(message, &h, NULL) != MRG_OK) {
		fail(t, MRG_DNS_TRANSFER_FAULT_MALFORMED);
		return;
	}
	const struct mrg_dns_response_to asked = { .zone = mrg_dns_name_flat_from(&t->name, 0),
		.id = t->wanted.id,
		.type = t->wanted.incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR,
		.opcode = MRG_DNS_OPCODE_QUERY,
		.again = t->messages != 0 };
	if (!mrg_dns_response_is(&asked, message, &h, &question_len)) {
		fail(t, MRG_DNS_TRANSFER_FAULT_UNASKED);
		return;
	}
	struct mrg_span left = mrg_dns_after(message, h.len + question_len);
	t->rcode = mrg_dns_header_rcode(&h);
	if (t->rcode != MRG_DNS_RCODE_NOERROR)
		fail(t, MRG_DNS_TRANSFER_FAULT_RCODE);
	else if (mrg_dns_header_tc(&h) != 0)
		fail(t, MRG_DNS_TRANSFER_FAULT_TRUNCATED);
	for (unsigned i = mrg_dns_header_ancount(&h); i > 0 && t->fault == 0; i--) {
		struct mrg_dns_rr rr;
		if (mrg_dns_rr_check(left, message, &rr, NULL) == MRG_OK) {
			take_record(t, &rr);
			left = mrg_dns_after(left, rr.len);
		} else {
			fail(t, MRG_DNS_TRANSFER_FAULT_MALFORMED);
		}
	}
	if (t->fault == 0 &&
		!read_others(t, message, left, mrg_dns_header_nscount(&h), mrg_dns_header_arcount(&h)))
		fail(t, MRG_DNS_TRANSFER_FAULT_MALFORMED);
	if (t->fault == 0 && t->rcode != MRG_DNS_RCODE_NOERROR)
		fail(t, MRG_DNS_TRANSFER_FAULT_RCODE);
	if (t->fault == 0)
		(void)mrg_dns_transfer_order_on_message_end(&t->m, t, all);
}

enum mrg_dns_transfer_result mrg_dns_transfer_in_feed(
	struct mrg_dns_transfer_in *t, struct mrg_span message, bool all)
{
	const struct mrg_dns_transfer_verifier *const v = &t->wanted.verifier;
	if (t->result != MRG_DNS_TRANSFER_GOES_ON)
		return t->result;
	t->octets += message.len;
	if (t->octets > t->wanted.octet_max)
		fail(t, MRG_DNS_TRANSFER_FAULT_LIMIT);
	else if (v->verify != NULL && v->verify(v->ctx, message) != MRG_OK)
		fail(t, MRG_DNS_TRANSFER_FAULT_SIGNATURE);
	else
		read_message(t, message, all);
	t->messages++;
	if (t->result != MRG_DNS_TRANSFER_GOES_ON && t->fault == 0 && v->complete != NULL &&
		!v->complete(v->ctx))
		fail(t, MRG_DNS_TRANSFER_FAULT_SIGNATURE);
	return t->result;
}

enum mrg_dns_transfer_result mrg_dns_transfer_in_lost(struct mrg_dns_transfer_in *t)
{
	if (t->result == MRG_DNS_TRANSFER_GOES_ON)
		(void)mrg_dns_transfer_order_on_lost(&t->m, t);
	return t->result;
}

/* ---- asking ---- */

void mrg_dns_transfer_in_begin(struct mrg_dns_transfer_in *t, const struct mrg_dns_transfer_wanted *wanted,
	const struct mrg_dns_transfer_sink *sink)
{
	t->fault = 0;
	t->rcode = 0;
	t->serial = t->step_to = t->expire_s = 0;
	t->soa_serial = wanted->serial;
	t->has_expire = false;
	t->records = t->messages = 0;
	t->octets = 0;
	t->result = MRG_DNS_TRANSFER_GOES_ON;
	t->wanted = *wanted;
	t->sink = *sink;
	t->first_len = 0;
	mrg_dns_transfer_order_begin(&t->m);
	if (mrg_dns_name_flat_check(wanted->zone, &t->name) != MRG_OK)
		fail(t, MRG_DNS_TRANSFER_FAULT_MALFORMED);
	(void)mrg_dns_transfer_order_on_ask(&t->m, t, wanted->incremental);
}

/* The SOA record that tells which version is held: nobody looks at more of it than its serial number.  RFC 1995 3 */
static void put_held(struct mrg_w *w, const struct mrg_dns_transfer_in *t)
{
	static const uint8_t root[] = { 0 };
	struct mrg_dns_rr_build b;
	mrg_dns_rr_begin(w, &b,
		&(struct mrg_dns_rr_args){ .name = mrg_dns_name_flat_from(&t->name, 0),
			.type = MRG_DNS_TYPE_SOA,
			.class = MRG_DNS_CLASS_IN });
	mrg_dns_soa_put(w, &(struct mrg_dns_soa_args){ .mname = { root, sizeof root },
				   .rname = { root, sizeof root },
				   .serial = t->wanted.serial });
	mrg_dns_rr_end(w, &b);
}

enum mrg_status mrg_dns_transfer_in_query(
	const struct mrg_dns_transfer_in *t, uint8_t *out, size_t cap, size_t *len)
{
	struct mrg_w w;
	mrg_w_init(&w, out, cap);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = t->wanted.id,
				       .opcode = MRG_DNS_OPCODE_QUERY,
				       .qdcount = 1,
				       .nscount = t->wanted.incremental,
				       .arcount = t->wanted.udp_size != 0 });
	mrg_dns_question_put(
		&w, &(struct mrg_dns_question_args){ .name = mrg_dns_name_flat_from(&t->name, 0),
			    .type = t->wanted.incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR,
			    .class = MRG_DNS_CLASS_IN });
	if (t->wanted.incremental)
		put_held(&w, t);
	if (t->wanted.udp_size != 0)
		mrg_dns_response_ask(&w, t->wanted.udp_size);
	return mrg_w_finish(&w, len);
}

const char *mrg_dns_transfer_fault_why(enum mrg_dns_transfer_fault fault)
{
	switch (fault) {
	case MRG_DNS_TRANSFER_FAULT_NO_SOA: return "no SOA record at the beginning";
	case MRG_DNS_TRANSFER_FAULT_OTHER_SOA: return "another SOA record in the middle";
	case MRG_DNS_TRANSFER_FAULT_GAP: return "differences from another version than the one that is there";
	case MRG_DNS_TRANSFER_FAULT_BACK: return "an older version than the one that is there";
	case MRG_DNS_TRANSFER_FAULT_AFTER: return "records behind the end";
	case MRG_DNS_TRANSFER_FAULT_CUT: return "cut off before the end";
	case MRG_DNS_TRANSFER_FAULT_MALFORMED: return "not a message";
	case MRG_DNS_TRANSFER_FAULT_UNASKED: return "not a response to what was asked";
	case MRG_DNS_TRANSFER_FAULT_RCODE: return "an error is the answer";
	case MRG_DNS_TRANSFER_FAULT_TRUNCATED: return "the message says that it is cut";
	case MRG_DNS_TRANSFER_FAULT_OUTSIDE: return "a record that is not in the zone";
	case MRG_DNS_TRANSFER_FAULT_CLASS: return "a record of another class";
	case MRG_DNS_TRANSFER_FAULT_LIMIT: return "longer than is allowed";
	case MRG_DNS_TRANSFER_FAULT_SIGNATURE: return "not signed as it should be";
	case MRG_DNS_TRANSFER_FAULT_REFUSED: return "a record can't be taken";
	}
	return "nothing is wrong";
}
