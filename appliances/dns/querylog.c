/* Lines about queries: see querylog.h. */
#include "appliances/dns/querylog.h"
#include "appliances/dns/said.h"
#include "dns/name_text.h"
#include "iana/dns_text.h"
#include "mrg_digits.h"
#include "mrg_text.h"
#include "protocols/dns/query.h"
#include "protocols/dns/response.h"

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
static void put_flags(struct mrg_rt_line *l, const struct mrg_dns_query *q, bool truncated)
{
	const struct {
		bool set;
		const char *word;
	} flags[] = { { q->has_edns, "edns" }, { q->dnssec_ok, "do" }, { truncated, "tc" },
		{ (q->options & MRG_DNS_WANTED_COOKIE) != 0, "cookie" }, { q->has_tsig, "tsig" } };
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

struct mrg_span querylog_line(struct mrg_rt_line *l, const struct seen *seen, struct mrg_span query,
	struct mrg_span reply, uint64_t unix_ns)
{
	struct mrg_dns_query q;
	struct mrg_dns_header h;
	struct mrg_reject why = { .at = reply.p };
	const bool whole = mrg_dns_query_question(query, &q) == MRG_DNS_VERDICT_ANSWER;
	const bool replied = mrg_dns_header_check(reply, &h, &why) == MRG_OK;
	if (whole)
		(void)mrg_dns_query_rest(&q); /* as much as can be read */
	mrg_rt_line_begin(l, "info", "query");
	put_time(l, unix_ns);
	mrg_rt_line_addr(l, "peer", &seen->peer);
	mrg_rt_line_str(l, "via", seen->via == MRG_DNS_UDP ? "udp" : "tcp");
	if (replied)
		put_mnemonic(l, "rcode", &mrg_dns_rcode_text, mrg_dns_response_rcode(reply, &h));
	else
		mrg_rt_line_str(l, "rcode", "-");
	put_flags(l, &q, replied && mrg_dns_header_tc(&h) != 0);
	mrg_rt_line_num(l, "size", reply.len);
	mrg_rt_line_num(l, "took_us", (seen->until_ns - seen->since_ns) / MICRO);
	if (!q.has_question)
		return mrg_rt_line_end(l);
	put_mnemonic(l, "class", &mrg_dns_class_text, mrg_dns_question_class(&q.question));
	put_mnemonic(l, "type", &mrg_dns_type_text, mrg_dns_question_type(&q.question));
	put_name(l, &q.question);
	return mrg_rt_line_end(l);
}
