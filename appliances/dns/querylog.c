/* Lines about queries: see querylog.h. */
#include "appliances/dns/querylog.h"
#include "appliances/dns/said.h"
#include "dns/name_text.h"
#include "iana/dns_text.h"
#include "mrg_digits.h"
#include "mrg_text.h"
#include "protocols/dns/query.h"
#include "protocols/dns/response.h"
#include "protocols/dns/tsig.h"

enum {
	WORD = 64,   /* a mnemonic, or one in its place */
	MICRO = 1000 /* nanoseconds */
};

/* RFC 3339, in microseconds. */
static void put_time(struct mrg_rt_line *l, uint64_t unix_ns)
{
	char seconds[MRG_RT_TIME_TEXT];
	uint8_t text[MRG_RT_TIME_TEXT + 8];
	struct mrg_w w;
	mrg_rt_time_str(unix_ns / MRG_RT_SECOND_NS, seconds);
	mrg_w_init(&w, text, sizeof text);
	mrg_w_put(&w,
		(struct mrg_span){ (const uint8_t *)seconds, MRG_RT_TIME_TEXT - 2 }); /* without Z and NUL */
	mrg_w_u8(&w, '.');
	mrg_digits_put(&w, unix_ns % MRG_RT_SECOND_NS / MICRO, 6);
	mrg_w_u8(&w, 'Z');
	mrg_rt_line_span(l, "time", mrg_w_span(&w, 0));
}

static void put_mnemonic(
	struct mrg_rt_line *l, const char *key, const struct mrg_text_enum *e, uint64_t value)
{
	uint8_t text[WORD];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	mrg_text_put_mnemonic(&w, e, value);
	mrg_rt_line_span(l, key, mrg_w_span(&w, 0));
}

/* The last of the line, since it may be long. */
static void put_name(struct mrg_rt_line *l, const struct mrg_dns_question *q)
{
	const struct mrg_dns_name name = mrg_dns_question_name(q);
	uint8_t text[SAID_NAME_MAX];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	mrg_dns_name_to_text(&name, &w);
	mrg_rt_line_span(l, "name", mrg_w_span(&w, 0));
}

/* What of the query is to be told beside its question. */
static void put_flags(struct mrg_rt_line *l, const struct mrg_dns_query *q, bool truncated, bool cut)
{
	const struct {
		bool set;
		const char *word;
	} flags[] = { { q->has_edns, "edns" }, { q->dnssec_ok, "do" }, { truncated, "tc" },
		{ (q->options & MRG_DNS_WANTED_COOKIE) != 0, "cookie" }, { q->has_tsig, "tsig" },
		{ cut, "cut" } };
	uint8_t text[WORD];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (!flags[i].set)
			continue;
		if (w.len != 0)
			mrg_w_u8(&w, ',');
		mrg_text_put(&w, flags[i].word);
	}
	mrg_rt_line_span(l, "flags", w.len != 0 ? mrg_w_span(&w, 0) : MRG_LITERAL("-"));
}

/* The name of the key that it is said to be signed with; the RCODE tells what that was worth. */
static void put_key(struct mrg_rt_line *l, struct mrg_span query)
{
	struct mrg_dns_auth auth;
	if (mrg_dns_auth_request(&auth, NULL, query, 0) == MRG_DNS_AUTH_REFUSED)
		said_name(l, "key", mrg_dns_name_flat_from(&auth.name, 0));
}

/* Read as much of a message as can be read. */
static void read_message(struct mrg_span message, struct mrg_dns_query *q)
{
	const enum mrg_dns_verdict verdict = mrg_dns_query_question(message, q);
	if (verdict == MRG_DNS_VERDICT_NOTIMP &&
		(mrg_dns_header_opcode(&q->header) == MRG_DNS_OPCODE_NOTIFY ||
			mrg_dns_header_opcode(&q->header) == MRG_DNS_OPCODE_UPDATE))
		(void)mrg_dns_query_zone(q);
	if (q->has_question)
		(void)mrg_dns_query_rest(q);
}

static bool asks_transfer(const struct mrg_dns_query *q)
{
	const uint16_t type = q->has_question ? mrg_dns_question_type(&q->question) : 0;
	return type == MRG_DNS_TYPE_AXFR || type == MRG_DNS_TYPE_IXFR;
}

static const char *event_of(const struct mrg_dns_query *q)
{
	if (!q->has_question || mrg_dns_header_opcode(&q->header) == MRG_DNS_OPCODE_QUERY)
		return asks_transfer(q) ? "transfer" : "query";
	return mrg_dns_header_opcode(&q->header) == MRG_DNS_OPCODE_NOTIFY ? "notify" : "update";
}

/* What was said to it. What follows the first message of a transfer is no other thing than that was, or it would not follow. */
static void put_reply(
	struct mrg_rt_line *l, const struct seen *seen, const struct mrg_dns_query *q, struct mrg_span reply)
{
	struct mrg_dns_header h;
	struct mrg_reject why = { .at = reply.p };
	const bool replied = mrg_dns_header_check(reply, &h, &why) == MRG_OK;
	if (replied)
		put_mnemonic(l, "rcode", &mrg_dns_rcode_text, mrg_dns_response_rcode(reply, &h));
	else if (seen->messages != 0)
		put_mnemonic(l, "rcode", &mrg_dns_rcode_text, MRG_DNS_RCODE_NOERROR);
	else
		mrg_rt_line_str(l, "rcode", "-");
	put_flags(l, q, replied && mrg_dns_header_tc(&h) != 0, seen->stage == SEEN_CUT);
	mrg_rt_line_num(l, "size", seen->messages != 0 ? seen->octets : reply.len);
	if (seen->messages != 0)
		mrg_rt_line_num(l, "messages", seen->messages);
	else if (replied && asks_transfer(q))
		mrg_rt_line_num(l, "messages", 1);
}

struct mrg_span querylog_line(struct mrg_rt_line *l, const struct seen *seen, struct mrg_span query,
	struct mrg_span reply, uint64_t unix_ns)
{
	struct mrg_dns_query q;
	struct mrg_dns_header h;
	struct mrg_reject why = { .at = query.p };
	read_message(query, &q);
	mrg_rt_line_begin(l, "info", event_of(&q));
	put_time(l, unix_ns);
	mrg_rt_line_addr(l, "peer", &seen->peer);
	mrg_rt_line_str(l, "via", seen->via == MRG_DNS_UDP ? "udp" : "tcp");
	if (mrg_dns_header_check(query, &h, &why) == MRG_OK)
		put_mnemonic(l, "opcode", &mrg_dns_opcode_text, mrg_dns_header_opcode(&h));
	put_reply(l, seen, &q, reply);
	mrg_rt_line_num(l, "took_us", (seen->until_ns - seen->since_ns) / MICRO);
	if (q.has_tsig)
		put_key(l, query);
	if (!q.has_question)
		return mrg_rt_line_end(l);
	put_mnemonic(l, "class", &mrg_dns_class_text, mrg_dns_question_class(&q.question));
	put_mnemonic(l, "type", &mrg_dns_type_text, mrg_dns_question_type(&q.question));
	put_name(l, &q.question);
	return mrg_rt_line_end(l);
}
