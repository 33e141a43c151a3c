/*
 * dns_transfer.c - messages that come when a zone, or what has changed in it, was asked for: the input is those messages, each behind its
 * length, behind which the connection ends.  They are taken as an answer to AXFR, and to IXFR from version HELD.
 *
 * Whatever they are, whoever gets the records gets a zone or steps that follow each other, all of it in the zone and flat, nothing behind
 * the end; what came of it does not depend on how records are divided into messages; and a limit of records is kept to the record.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "fuzz/dns_server.h"
#include "fuzz/frames.h"
#include "protocols/dns/history.h"
#include "protocols/dns/transfer_in.h"

enum { LEN_MAX = 16384, ID = 0x1234, HELD = 3, LENGTH = 2, RECORDS_MAX = 4096, MESSAGES_MAX = 12 };

static const uint8_t zone[] = "\7example", outside[] = "\5other", below[] = "\1a\7example";

/* Faults are points of their own, each behind its number. */
enum point { WHOLE, CHANGES, MORE_STEPS, CURRENT, FAULTS, POINTS = FAULTS + MRG_DNS_TRANSFER_FAULT_LIMIT };

static const char *const point_names[POINTS] = { "a whole zone", "a step", "steps", "nothing new",
	"no SOA first", "another SOA", "a gap", "a step back", "records behind the end", "cut off",
	"malformed", "not asked for", "an RCODE", "truncated", "outside", "another class", "too much" };

struct own {
	struct mrg_dns_transfer_in t;
	uint8_t flat[1 << 18]; /* the answer's records once more, each by itself */
	uint8_t reached[POINTS];
};

/* What was got. */
struct taken {
	struct mrg_fuzz_result *result;
	uint64_t sum; /* of all, in order */
	unsigned parts, steps;
	size_t records; /* of all parts */
	bool fresh;     /* a part has begun, and its SOA has not come */
	bool over;
	enum mrg_dns_transfer_part part;
	uint32_t serial;
};

static void add(struct taken *k, const void *p, size_t len)
{
	const uint8_t *const octets = p;
	for (size_t i = 0; i < len; i++)
		k->sum = (k->sum ^ octets[i]) * 0x100000001b3u;
}

static bool begin(void *ctx, enum mrg_dns_transfer_part part, uint32_t serial)
{
	struct taken *const k = ctx;
	if (k->over || k->fresh)
		(void)fuzz_wrong(k->result, "parts", "a part begins %s",
			k->over ? "behind the end" : "behind an empty one");
	if (part == MRG_DNS_TRANSFER_ZONE ? k->parts != 0
					  : (part == MRG_DNS_TRANSFER_ADDED) != (k->parts % 2 != 0))
		(void)fuzz_wrong(k->result, "parts", "part %u is of kind %d", k->parts, part);
	if (part == MRG_DNS_TRANSFER_DELETED && serial != (k->parts == 0 ? (uint32_t)HELD : k->serial))
		(void)fuzz_wrong(k->result, "serials", "a step from %u behind one to %u", serial, k->serial);
	if (part == MRG_DNS_TRANSFER_ADDED && !mrg_dns_serial_later(serial, k->serial))
		(void)fuzz_wrong(k->result, "serials", "a step from %u to %u", k->serial, serial);
	k->steps += part == MRG_DNS_TRANSFER_ADDED;
	k->parts++;
	k->part = part;
	k->serial = serial;
	k->fresh = true;
	add(k, &part, sizeof part);
	add(k, &serial, sizeof serial);
	return true;
}

static bool record(void *ctx, const struct mrg_dns_flat_rr_args *rr)
{
	static uint8_t room[1 << 17];
	struct taken *const k = ctx;
	struct mrg_dns_name_flat owner;
	struct mrg_dns_rr view;
	struct mrg_dns_soa soa;
	struct mrg_w w;
	mrg_w_init(&w, room, sizeof room);
	mrg_dns_flat_rr_put(&w, rr);
	k->records++;
	if (k->over || k->parts == 0)
		return fuzz_wrong(k->result, "parts", "a record of no part");
	if (w.st != MRG_OK ||
		mrg_dns_rr_check(mrg_w_span(&w, 0), (struct mrg_span){ NULL, 0 }, &view, NULL) != MRG_OK ||
		mrg_dns_name_flat_check(rr->name, &owner) != MRG_OK)
		return fuzz_wrong(k->result, "not flat", "a record that can't be read by itself");
	if (owner.count < 2 || !mrg_dns_name_flat_equal(mrg_dns_name_flat_from(&owner, owner.count - 2),
				       (struct mrg_span){ zone, sizeof zone }))
		return fuzz_wrong(k->result, "outside", "a record that is not in the zone");
	const bool is_soa = mrg_dns_rr_rdata_as_soa(&view, &soa);
	if (rr->class != MRG_DNS_CLASS_IN || is_soa != k->fresh ||
		(is_soa && mrg_dns_soa_serial(&soa) != k->serial))
		return fuzz_wrong(k->result, "records", "a record that should not be where it is");
	k->fresh = false;
	add(k, room, w.len);
	return true;
}

/* ---- one way of taking the messages ---- */

static const struct mrg_dns_transfer_wanted usual = { .zone = { zone, sizeof zone },
	.serial = HELD,
	.id = ID,
	.record_max = RECORDS_MAX,
	.octet_max = 1 << 20 };

static void take_all(struct own *o, const struct mrg_dns_transfer_wanted *w, const uint8_t *in, size_t len,
	struct taken *k)
{
	const struct mrg_dns_transfer_sink sink = { k, begin, record };
	size_t at = 0;
	mrg_dns_transfer_in_begin(&o->t, w, &sink);
	while (at < len) {
		const struct frame f = frames_next(in, len, &at);
		if (f.p == NULL || f.len != f.said)
			break;
		(void)mrg_dns_transfer_in_feed(&o->t, (struct mrg_span){ f.p, f.len }, false);
		k->over = o->t.result != MRG_DNS_TRANSFER_GOES_ON;
	}
	(void)mrg_dns_transfer_in_lost(&o->t);
	if (o->t.result == MRG_DNS_TRANSFER_GOES_ON ||
		(o->t.result == MRG_DNS_TRANSFER_FAILED) != (o->t.fault != 0))
		(void)fuzz_wrong(k->result, "no end", "result %d, fault %d", o->t.result, o->t.fault);
	if (o->t.result == MRG_DNS_TRANSFER_COMPLETE &&
		(k->parts == 0 || k->fresh || k->serial != o->t.serial ||
			(k->part == MRG_DNS_TRANSFER_DELETED)))
		(void)fuzz_wrong(k->result, "parts", "complete with %u parts, the last of version %u",
			k->parts, k->serial);
}

/* Write the answers of all messages once more, a record a message.  0: there is no room. */
static size_t divide(struct own *o, const uint8_t *in, size_t len, uint16_t type)
{
	struct mrg_w w;
	size_t at = 0;
	bool first = true;
	mrg_w_init(&w, o->flat, sizeof o->flat);
	while (at < len) {
		const struct frame f = frames_next(in, len, &at);
		struct mrg_dns_message m;
		struct mrg_dns_rr rr;
		if (f.p == NULL || mrg_dns_message_check((struct mrg_span){ f.p, f.len }, &m, NULL) != MRG_OK)
			break;
		struct mrg_dns_message_answer_it it = mrg_dns_message_answer(&m);
		while (mrg_dns_message_answer_next(&it, &rr)) {
			const size_t mark = w.len;
			(void)mrg_w_take(&w, LENGTH);
			mrg_dns_header_put(&w, &(struct mrg_dns_header_args){
						       .id = ID, .qr = 1, .qdcount = first, .ancount = 1 });
			if (first)
				mrg_dns_question_put(
					&w, &(struct mrg_dns_question_args){ .name = { zone, sizeof zone },
						    .type = type,
						    .class = MRG_DNS_CLASS_IN });
			mrg_dns_rr_copy(&w, &rr);
			if (w.st != MRG_OK || w.len - mark - LENGTH > UINT16_MAX)
				return 0;
			struct mrg_w prefix;
			mrg_w_init(&prefix, w.p + mark, LENGTH);
			mrg_w_be16(&prefix, (uint16_t)(w.len - mark - LENGTH));
			first = false;
		}
	}
	return w.len;
}

static void mark(struct own *o, const struct taken *k)
{
	switch (o->t.result) {
	case MRG_DNS_TRANSFER_COMPLETE:
		o->reached[k->part == MRG_DNS_TRANSFER_ZONE ? WHOLE
			   : k->steps == 1                  ? CHANGES
							    : MORE_STEPS] = 1;
		break;
	case MRG_DNS_TRANSFER_UP_TO_DATE: o->reached[CURRENT] = 1; break;
	default:
		if (o->t.fault >= 1 && o->t.fault <= MRG_DNS_TRANSFER_FAULT_LIMIT)
			o->reached[FAULTS + o->t.fault - 1] = 1;
	}
}

static bool run_as(
	struct own *o, bool incremental, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct mrg_dns_transfer_wanted w = usual;
	struct taken k = { .result = result };
	w.incremental = incremental;
	take_all(o, &w, in, len, &k);
	mark(o, &k);
	const bool complete = o->t.result == MRG_DNS_TRANSFER_COMPLETE;
	const size_t records = o->t.records;
	if (!complete || result->verdict == MRG_FUZZ_WRONG)
		return complete;
	if (incremental && o->t.serial == HELD) /* alone in a message its SOA means that there is nothing new */
		return true;
	struct taken again = { .result = result };
	const size_t divided = divide(o, in, len, incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR);
	if (divided != 0) {
		w.octet_max = sizeof o->flat;
		take_all(o, &w, o->flat, divided, &again);
		if (o->t.result != MRG_DNS_TRANSFER_COMPLETE || again.sum != k.sum)
			(void)fuzz_wrong(result, "divided",
				"record by record something else comes: result %d, fault %d", o->t.result,
				o->t.fault);
	}
	struct taken few = { .result = result };
	w.record_max = records - 1;
	take_all(o, &w, in, len, &few);
	mark(o, &few);
	if (o->t.fault != MRG_DNS_TRANSFER_FAULT_LIMIT)
		(void)fuzz_wrong(result, "limit", "%zu records are taken where one less may come", records);
	return true;
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	struct own *const o = ctx;
	const bool zones = run_as(o, false, in, len, result), changes = run_as(o, true, in, len, result);
	if (result->verdict != MRG_FUZZ_WRONG)
		result->verdict = zones || changes ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
}

/* ---- messages by chance ---- */

static const uint8_t root[] = { 0 };

static void put_soa(struct mrg_w *w, uint32_t serial)
{
	struct mrg_dns_rr_build b;
	mrg_dns_rr_begin(w, &b,
		&(struct mrg_dns_rr_args){
			.name = { zone, sizeof zone }, .type = MRG_DNS_TYPE_SOA, .class = MRG_DNS_CLASS_IN });
	mrg_dns_soa_put(w,
		&(struct mrg_dns_soa_args){ .mname = { root, 1 }, .rname = { root, 1 }, .serial = serial });
	mrg_dns_rr_end(w, &b);
}

static void put_other(struct mrg_w *w, struct mrg_rng *rng)
{
	struct mrg_dns_rr_build b;
	const bool strange = mrg_rng_below(rng, 60) == 0;
	struct mrg_dns_rr_args a = {
		.name = { below, sizeof below }, .type = MRG_DNS_TYPE_NS, .class = MRG_DNS_CLASS_IN
	};
	if (strange && mrg_rng_below(rng, 2) == 0)
		a.name = (struct mrg_span){ outside, sizeof outside };
	else if (strange)
		a.class = MRG_DNS_CLASS_CH;
	mrg_dns_rr_begin(w, &b, &a);
	mrg_dns_ns_put(w, &(struct mrg_dns_ns_args){ .nsdname = a.name });
	mrg_dns_rr_end(w, &b);
}

/* The serial numbers of the SOA records that come, one after the other, mostly as they should. */
static unsigned plan(struct mrg_rng *rng, bool incremental, uint32_t *serials)
{
	unsigned n = 0;
	const unsigned steps = (unsigned)mrg_rng_below(rng, 4);
	uint32_t at = HELD;
	serials[n++] = incremental ? HELD + steps : (uint32_t)mrg_rng_below(rng, 6);
	for (unsigned i = 0; incremental && i < steps; i++, at++) {
		serials[n++] = at;
		serials[n++] = at + 1;
	}
	if (!incremental || steps != 0)
		serials[n++] = serials[0];
	if (mrg_rng_below(rng, 8) == 0)
		serials[mrg_rng_below(rng, n)] = (uint32_t)mrg_rng_below(rng, 8);
	return n;
}

static struct mrg_dns_header_args head_by_chance(struct mrg_rng *rng)
{
	struct mrg_dns_header_args h = { .id = ID, .qr = 1, .aa = 1 };
	switch (mrg_rng_below(rng, 120)) {
	case 0: h.id++; break;
	case 1: h.qr = 0; break;
	case 2: h.tc = 1; break;
	case 3: h.rcode = (uint8_t)mrg_rng_below(rng, 16); break;
	default: break;
	}
	return h;
}

/* A message that has begun, behind its length. */
struct making {
	struct mrg_w w;
	struct mrg_refs refs;
	struct mrg_dns_header_args h;
	size_t mark;
	bool first;
};

static void message_begin(struct making *m, struct mrg_rng *rng, bool incremental)
{
	m->mark = m->w.len;
	m->w.refs = NULL;
	m->h = head_by_chance(rng);
	m->h.qdcount = m->first;
	(void)mrg_w_take(&m->w, LENGTH);
	if (mrg_rng_below(rng, 4) != 0)
		mrg_w_use_refs(&m->w, &m->refs);
	(void)mrg_w_take(&m->w, MRG_DNS_HEADER_SIZE);
	if (m->first)
		mrg_dns_question_put(
			&m->w, &(struct mrg_dns_question_args){ .name = { zone, sizeof zone },
				       .type = incremental ? MRG_DNS_TYPE_IXFR : MRG_DNS_TYPE_AXFR,
				       .class = MRG_DNS_CLASS_IN });
	m->first = false;
}

static void message_end(struct making *m)
{
	struct mrg_w head;
	if (m->w.st != MRG_OK)
		return;
	mrg_w_init(&head, m->w.p + m->mark, LENGTH + MRG_DNS_HEADER_SIZE);
	mrg_w_be16(&head, (uint16_t)(m->w.len - m->mark - LENGTH));
	mrg_dns_header_put(&head, &m->h);
}

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	static struct making m;
	uint32_t serials[16];
	const bool incremental = mrg_rng_below(rng, 2) != 0;
	const unsigned soas = plan(rng, incremental, serials);
	(void)ctx;
	mrg_w_init(&m.w, out, cap);
	m.first = true;
	message_begin(&m, rng, incremental);
	for (unsigned i = 0; i < soas; i++) {
		const unsigned others =
			i + 1 == soas && mrg_rng_below(rng, 20) != 0 ? 0 : (unsigned)mrg_rng_below(rng, 4);
		for (unsigned k = 0; k <= others; k++) {
			if (mrg_rng_below(rng, 5) == 0) {
				message_end(&m);
				message_begin(&m, rng, incremental);
			}
			if (k == 0)
				put_soa(&m.w, serials[i]);
			else if (!(incremental && i == 0) || mrg_rng_below(rng, 8) == 0)
				put_other(&m.w, rng);
			else
				continue;
			m.h.ancount++;
		}
	}
	message_end(&m);
	return m.w.st == MRG_OK ? m.w.len : 0;
}

/* A message of a few records, to stand among others. */
static size_t make_one(struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	static struct making m;
	const unsigned records = (unsigned)mrg_rng_below(rng, 4);
	if (cap < LENGTH)
		return 0;
	mrg_w_init(&m.w, out, cap);
	m.first = false;
	message_begin(&m, rng, false);
	for (unsigned i = 0; i < records; i++, m.h.ancount++) {
		if (mrg_rng_below(rng, 2) == 0)
			put_soa(&m.w, (uint32_t)mrg_rng_below(rng, 8));
		else
			put_other(&m.w, rng);
	}
	message_end(&m);
	if (m.w.st != MRG_OK)
		return 0;
	memmove(out, out + LENGTH, m.w.len - LENGTH);
	return m.w.len - LENGTH;
}

/* Other octets, or fewer. */
static size_t change_one(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	const size_t n = fuzz_least(len, cap);
	(void)other;
	(void)other_len;
	if (n == 0)
		return 0;
	memcpy(out, in, n);
	if (mrg_rng_below(rng, 6) == 0)
		return (size_t)mrg_rng_below(rng, n) + 1;
	for (uint64_t i = mrg_rng_below(rng, 3) + 1; i > 0; i--) {
		uint8_t *const at = out + mrg_rng_below(rng, n);
		*at = mrg_rng_below(rng, 2) == 0 ? (uint8_t)mrg_rng_next(rng)
						 : (uint8_t)(*at ^ 1u << mrg_rng_below(rng, 8));
	}
	return n;
}

static const struct frames_maker maker = { .most = MESSAGES_MAX, .make = make_one, .change = change_one };

FRAMES_WAYS(maker)

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	dns_queries_show(in, len, to);
}

FUZZ_POINT_NAMES(point_names)
static struct own of_transfer;
FUZZ_SUBJECT(dns_server_transfer, "dns.server.transfer", of_transfer, LEN_MAX, POINTS);
