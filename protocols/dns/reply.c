/* Writing a reply. */
#include "protocols/dns/reply.h"

enum { OPTION_HEAD = 4 }; /* RFC 6891 6.1.2 */

static void put_option(struct mrg_w *w, struct mrg_dns_opt_build *ob, uint16_t code, struct mrg_span data)
{
	struct mrg_dns_option_build b;
	mrg_dns_opt_options_add(w, ob);
	mrg_dns_option_begin(w, &b, &(struct mrg_dns_option_args){ .code = code });
	mrg_w_put(w, data);
	mrg_dns_option_end(w, &b);
}

/* The numbers that options carry. */
static void put_number(struct mrg_w *w, struct mrg_dns_opt_build *ob, uint16_t code, uint32_t number)
{
	uint8_t buf[MRG_DNS_EXPIRE_SIZE_MAX];
	struct mrg_w n;
	mrg_w_init(&n, buf, sizeof buf);
	if (code == MRG_DNS_EDNS_OPTION_EXPIRE)
		mrg_dns_expire_put(&n, &(struct mrg_dns_expire_args){
					       .length = MRG_DNS_EXPIRE_SIZE_MAX, .seconds = number });
	else if (code == MRG_DNS_EDNS_OPTION_TCP_KEEPALIVE)
		mrg_dns_tcp_keepalive_put(
			&n, &(struct mrg_dns_tcp_keepalive_args){
				    .length = sizeof(uint16_t), .timeout = (uint16_t)number });
	else
		mrg_dns_ede_put(&n, &(struct mrg_dns_ede_args){ .info_code = (uint16_t)number });
	put_option(w, ob, code, mrg_w_span(&n, 0));
}

void mrg_dns_put_expire(struct mrg_w *w, struct mrg_dns_opt_build *ob, uint32_t seconds)
{
	put_number(w, ob, MRG_DNS_EDNS_OPTION_EXPIRE, seconds);
}

static void put_options(struct mrg_w *w, struct mrg_dns_opt_build *ob, const struct mrg_dns_reply *r)
{
	const struct mrg_dns_extras *const x = r->extras;
	if (r->error >= 0)
		put_number(w, ob, MRG_DNS_EDNS_OPTION_EDE, (uint32_t)r->error);
	if (x == NULL)
		return;
	if (x->nsid.len > 0)
		put_option(w, ob, MRG_DNS_EDNS_OPTION_NSID, x->nsid);
	if (x->cookie.len > 0)
		put_option(w, ob, MRG_DNS_EDNS_OPTION_COOKIE, x->cookie);
	if (x->keepalive != 0)
		put_number(w, ob, MRG_DNS_EDNS_OPTION_TCP_KEEPALIVE, x->keepalive);
	if (r->expires)
		mrg_dns_put_expire(w, ob, r->expire);
}

/* Octets that they take. */
static size_t options_room(const struct mrg_dns_extras *x)
{
	size_t room = 0;
	if (x->nsid.len > 0)
		room += OPTION_HEAD + x->nsid.len;
	if (x->cookie.len > 0)
		room += OPTION_HEAD + x->cookie.len;
	if (x->keepalive != 0)
		room += OPTION_HEAD + sizeof x->keepalive;
	if (x->expire)
		room += MRG_DNS_EXPIRE_OPTION;
	return room;
}

/* The OPT record; its size is needed before, so that it always fits. */
static void put_edns(struct mrg_w *w, const struct mrg_dns_reply *r)
{
	struct mrg_dns_edns_build eb;
	struct mrg_dns_opt_build ob;
	w->refs = NULL;
	mrg_dns_edns_begin(w, &eb,
		&(struct mrg_dns_edns_args){ .udp_size = r->udp_size,
			.extended_rcode = (uint8_t)(r->rcode / 16u),
			.dnssec_ok = r->query->dnssec_ok });
	mrg_dns_opt_begin(w, &ob, &(struct mrg_dns_opt_args){ 0 });
	if (r->extras != NULL || r->error >= 0)
		put_options(w, &ob, r);
	mrg_dns_opt_end(w, &ob);
	mrg_dns_edns_end(w, &eb);
}

enum mrg_status mrg_dns_reply_begin(struct mrg_dns_reply *r, const struct mrg_dns_query *q, uint16_t udp_size,
	const struct mrg_dns_extras *extras, uint8_t *out, size_t cap)
{
	r->query = q;
	r->extras = extras;
	r->room = q->has_edns ? (size_t)MRG_DNS_EDNS_SIZE_MIN : 0u;
	if (extras != NULL)
		r->room += options_room(extras);
	r->error = -1;
	r->expires = false;
	r->about = NULL;
	r->udp_size = udp_size;
	memset(r->counts, 0, sizeof r->counts);
	r->rcode = MRG_DNS_RCODE_NOERROR;
	r->aa = r->tc = r->full = false;
	if (r->room > cap)
		return MRG_E_SPACE;
	mrg_w_init(&r->w, out, cap - r->room);
	if (mrg_w_take(&r->w, MRG_DNS_HEADER_SIZE) == NULL) /* comes last: mrg_dns_reply_end */
		return MRG_E_SPACE;
	if (q->has_question) /* at the place that it had: no pointer can be in it */
		mrg_w_put(&r->w, mrg_dns_question_span(&q->question));
	return r->w.st;
}

/* Let names be compressed from here on, the question's being the first. */
static void compress(struct mrg_dns_reply *r)
{
	const size_t len = r->w.len;
	const struct mrg_dns_name qname = mrg_dns_question_name(&r->query->question);
	if (r->w.refs != NULL)
		return;
	r->w.len = 0;
	mrg_w_use_refs(&r->w, &r->refs);
	r->w.len = MRG_DNS_HEADER_SIZE;
	mrg_dns_name_copy(&r->w, &qname); /* the very octets that are there */
	r->w.len = len;
}

/* All or nothing: keep what was written since `mark`, or forget it. */
static bool settle(
	struct mrg_dns_reply *r, size_t mark, enum mrg_dns_section section, unsigned count, bool required)
{
	if (r->w.st == MRG_OK) {
		r->counts[section] = (uint16_t)(r->counts[section] + count);
		return true;
	}
	r->w.len = mark;
	r->w.st = MRG_OK;
	r->full = true;
	r->tc = r->tc || required;
	return false;
}

/* Write a record of a zone under another name. */
static void put_record(struct mrg_w *w, const struct mrg_dns_stored_rr *stored, struct mrg_span message,
	struct mrg_span owner)
{
	struct mrg_dns_rr rr;
	struct mrg_dns_rr_build b;
	const struct mrg_dns_rr_args args = {
		.name = owner,
		.type = mrg_dns_stored_rr_type(stored),
		.class = mrg_dns_stored_rr_class(stored),
		.ttl = mrg_dns_stored_rr_ttl(stored),
	};
	mrg_dns_rr_begin(w, &b, &args);
	if (mrg_dns_rr_rdata_movable(args.type))
		mrg_w_put(w, mrg_dns_stored_rr_rdata(stored));
	else if (mrg_dns_rr_check(mrg_dns_stored_rr_span(stored), message, &rr, NULL) == MRG_OK)
		mrg_dns_rr_rdata_copy(w, &rr);
	mrg_dns_rr_end(w, &b);
}

/* Write the records that stand in `from`; returns how many. */
static unsigned put_records(
	struct mrg_w *w, struct mrg_span from, struct mrg_span message, struct mrg_span owner)
{
	unsigned count = 0;
	struct mrg_dns_stored_rr stored;
	while (from.len > 0 && w->st == MRG_OK && mrg_dns_stored_rr_check(from, &stored, NULL) == MRG_OK) {
		put_record(w, &stored, message, owner);
		count++;
		from = mrg_dns_after(from, stored.len);
	}
	return count;
}

bool mrg_dns_reply_add(struct mrg_dns_reply *r, enum mrg_dns_section section, const struct mrg_dns_node *n,
	const struct mrg_dns_rrset *set, struct mrg_span owner, unsigned what)
{
	const size_t mark = r->w.len;
	const struct mrg_span message = mrg_dns_rrset_message(n, set);
	const struct mrg_span data = mrg_dns_rrset_wire(set, false);
	const struct mrg_span sigs = { data.p + data.len, set->sig_len };
	unsigned count = 0;
	if (r->full)
		return false;
	compress(r);
	if ((what & MRG_DNS_DATA) != 0)
		count += put_records(&r->w, data, message, owner);
	if ((what & MRG_DNS_SIGS) != 0)
		count += put_records(&r->w, sigs, message, owner);
	return settle(r, mark, section, count, (what & MRG_DNS_OPTIONAL) == 0);
}

bool mrg_dns_reply_copy(struct mrg_dns_reply *r, const struct mrg_dns_rrset *set, bool sigs)
{
	const size_t mark = r->w.len;
	mrg_w_put(&r->w, mrg_dns_rrset_wire(set, sigs));
	return settle(r, mark, MRG_DNS_ANSWER, set->count + (sigs ? set->sig_count : 0u), true);
}

/* A name that ends where the zone's does, which begins at `zone_off` in the question's name. */
static void put_tied(struct mrg_w *w, const struct mrg_dns_tied_name *n, size_t zone_off)
{
	mrg_w_put(w, n->head);
	if (n->tail != MRG_DNS_UNTIED) {
		const struct mrg_dns_name_pointer_args to = { .at = (uint16_t)(MRG_DNS_HEADER_SIZE +
									       zone_off + n->tail) };
		mrg_dns_name_pointer_put(w, &to);
	}
}

bool mrg_dns_reply_soa(struct mrg_dns_reply *r, const struct mrg_dns_soa_form *soa, size_t zone_off)
{
	const size_t mark = r->w.len;
	const struct mrg_dns_tied_name owner = { .tail = 0 };
	uint8_t rdata[MRG_DNS_SOA_SIZE_MAX];
	struct mrg_w w;
	mrg_w_init(&w, rdata, sizeof rdata);
	put_tied(&w, &soa->mname, zone_off);
	put_tied(&w, &soa->rname, zone_off);
	mrg_w_put(&w, soa->numbers);
	const struct mrg_dns_rr_tail_args tail = { .type = MRG_DNS_TYPE_SOA,
		.class = MRG_DNS_CLASS_IN,
		.ttl = soa->ttl,
		.rdata = mrg_w_span(&w, 0) };
	put_tied(&r->w, &owner, zone_off);
	mrg_dns_rr_tail_put(&r->w, &tail);
	return settle(r, mark, MRG_DNS_AUTHORITY, 1, true);
}

bool mrg_dns_reply_cname(struct mrg_dns_reply *r, struct mrg_span owner, uint32_t ttl, struct mrg_span target)
{
	const size_t mark = r->w.len;
	struct mrg_dns_rr_build b;
	if (r->full)
		return false;
	compress(r);
	mrg_dns_rr_begin(&r->w, &b,
		&(struct mrg_dns_rr_args){
			.name = owner, .type = MRG_DNS_TYPE_CNAME, .class = MRG_DNS_CLASS_IN, .ttl = ttl });
	mrg_dns_cname_put(&r->w, &(struct mrg_dns_cname_args){ .cname = target });
	mrg_dns_rr_end(&r->w, &b);
	return settle(r, mark, MRG_DNS_ANSWER, 1, true);
}

bool mrg_dns_reply_text(struct mrg_dns_reply *r, struct mrg_span text)
{
	const size_t mark = r->w.len;
	uint8_t string[1 + 255];
	struct mrg_w w;
	size_t len;
	mrg_w_init(&w, string, sizeof string);
	mrg_dns_char_string_put(&w, &(struct mrg_dns_char_string_args){ .octets = text });
	if (mrg_w_finish(&w, &len) != MRG_OK)
		return false;
	mrg_dns_stored_rr_put(&r->w, &(struct mrg_dns_stored_rr_args){ .type = MRG_DNS_TYPE_TXT,
					     .class = MRG_DNS_CLASS_CH,
					     .ttl = 0,
					     .rdata = { string, len } });
	return settle(r, mark, MRG_DNS_ANSWER, 1, true);
}

void mrg_dns_reply_cut(struct mrg_dns_reply *r)
{
	const struct mrg_dns_query *const q = r->query;
	r->w.len = MRG_DNS_HEADER_SIZE + (q->has_question ? q->question.len : 0);
	r->w.st = MRG_OK;
	memset(r->counts, 0, sizeof r->counts);
	r->tc = true;
}

enum mrg_status mrg_dns_reply_end(struct mrg_dns_reply *r, size_t *len)
{
	const struct mrg_dns_query *const q = r->query;
	struct mrg_w head;
	r->w.cap += r->room;
	if (r->error >= 0 && r->w.cap - r->w.len < r->room + OPTION_HEAD + MRG_DNS_EDE_SIZE_MIN)
		r->error = -1;
	if (q->has_edns)
		put_edns(&r->w, r);
	/* RFC 4035 3.1.6: AD and CD are clear in what an authoritative server says */
	mrg_w_init(&head, r->w.p, MRG_DNS_HEADER_SIZE);
	mrg_dns_header_put(
		&head, &(struct mrg_dns_header_args){ .id = mrg_dns_header_id(&q->header),
			       .qr = 1,
			       .opcode = mrg_dns_header_opcode(&q->header),
			       .aa = r->aa,
			       .tc = r->tc,
			       .rd = mrg_dns_header_rd(&q->header),
			       .rcode = (uint8_t)(r->rcode % 16u),
			       .qdcount = q->has_question,
			       .ancount = r->counts[MRG_DNS_ANSWER],
			       .nscount = r->counts[MRG_DNS_AUTHORITY],
			       .arcount = (uint16_t)(r->counts[MRG_DNS_ADDITIONAL] + q->has_edns) });
	if (head.st != MRG_OK)
		return head.st;
	return mrg_w_finish(&r->w, len);
}
