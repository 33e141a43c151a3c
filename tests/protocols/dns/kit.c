/* For tests of protocols/dns: see kit.h. */
#include "kit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/edns.h"
#include "dns/message.h"
#include "dns/rr_text.h"
#include "iana/dns.h"
#include "protocols/dns/master.h"

enum { AREA = 1 << 17 }; /* octets of a guarded area */

static char text[1 << 18];
static size_t reply_len;
static const uint8_t *reply;

/* Octets that end where memory ends. */
static uint8_t *guarded(unsigned which)
{
	static uint8_t *areas[2];
	if (areas[which] == NULL) {
		const size_t page = (size_t)sysconf(_SC_PAGESIZE);
		areas[which] =
			mmap(NULL, AREA + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(areas[which], MAP_FAILED);
		ck_assert_int_eq(mprotect(areas[which] + AREA, page, PROT_NONE), 0);
	}
	return areas[which] + AREA;
}

void kit_init(struct kit *k, size_t arena_cap)
{
	memset(k, 0, sizeof *k);
	k->arena.p = mmap(
		NULL, arena_cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(k->arena.p, MAP_FAILED);
	k->arena.cap = arena_cap;
	k->server = (struct mrg_dns_server){ .db = &k->db, .udp_max = 1232 };
}

void kit_free(struct kit *k) { munmap(k->arena.p, k->arena.cap); }

/* --- zones --------------------------------------------------------------------------------------------- */

struct loading {
	struct mrg_dns_zone_builder *b;
	struct mrg_dns_zone_error err;
};

static bool keep(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct loading *const l = ctx;
	return mrg_dns_zone_add(l->b, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &l->err) == MRG_OK;
}

static void complain(void *ctx, const struct mrg_dns_master_error *e)
{
	(void)ctx;
	ck_abort_msg("%s:%u:%u: %s: %s", e->file, e->line, e->col, e->field, e->what);
}

static size_t name_wire(const char *name, uint8_t *out, size_t cap)
{
	struct mrg_text t;
	struct mrg_w w;
	char line[512];
	snprintf(line, sizeof line, "%s A IN", name);
	mrg_text_line(
		&t, (struct mrg_span){ (const uint8_t *)line, strlen(line) }, (struct mrg_span){ NULL, 0 });
	mrg_w_init(&w, out, cap);
	ck_assert_int_eq(mrg_dns_question_from_text(&t, &w, NULL), MRG_OK);
	return w.len - 4;
}

enum mrg_dns_zone_fault kit_zone_in(struct kit *k, struct mrg_dns_zone_builder *b, const char *master)
{
	static struct mrg_dns_master m;
	struct loading l = { .b = b };
	const struct mrg_dns_master_events ev = { .ctx = &l, .record = keep, .error = complain };
	const struct mrg_dns_master_source src = {
		.p = (const uint8_t *)master, .len = strlen(master), .name = "zone"
	};
	const struct mrg_span origin = mrg_dns_zone_origin(b->zone);
	size_t errors;
	if (mrg_dns_master_read(&m, &src, origin, 3600, &ev, &errors) != MRG_OK)
		return l.err.fault;
	if (mrg_dns_zone_finish(b, &k->zones[k->zone_count], &l.err) != MRG_OK)
		return l.err.fault;
	return MRG_DNS_ZONE_SOUND;
}

enum mrg_dns_zone_fault kit_zone(struct kit *k, const char *origin, const char *master)
{
	static struct mrg_dns_zone_builder b;
	uint8_t name[300];
	const struct mrg_span o = { name, name_wire(origin, name, sizeof name) };
	ck_assert_int_eq(mrg_dns_zone_begin(&b, &k->arena, o), MRG_OK);
	const enum mrg_dns_zone_fault fault = kit_zone_in(k, &b, master);
	if (fault != MRG_DNS_ZONE_SOUND)
		return fault;
	k->zone_count++;
	ck_assert_int_eq(mrg_dns_db_init(&k->db, &k->arena, k->zones, k->zone_count), MRG_OK);
	return MRG_DNS_ZONE_SOUND;
}

/* --- queries --------------------------------------------------------------------------------------------- */

/* Is `word` this one, or this one and "=N"? */
static bool is(const char *word, const char *name, unsigned *value)
{
	const size_t n = strlen(name);
	if (strncmp(word, name, n) != 0 || (word[n] != '\0' && word[n] != '='))
		return false;
	if (value != NULL && word[n] == '=')
		*value = (unsigned)strtoul(word + n + 1, NULL, 0);
	return true;
}

struct asked {
	struct mrg_dns_header_args head;
	bool edns;
	unsigned options; /* of enum mrg_dns_wanted */
	uint8_t cookie[64];
	size_t cookie_len;
	struct mrg_dns_edns_args opt;
	char question[600];
};

static size_t unhex(const char *digits, uint8_t *out)
{
	size_t len = 0;
	while (sscanf(digits + 2 * len, "%2hhx", &out[len]) == 1)
		len++;
	return len;
}

static void read_line(const char *line, struct asked *a)
{
	char copy[1200], *save = NULL;
	unsigned v = 0, words = 0;
	memset(a, 0, sizeof *a);
	a->head.id = 0x1234;
	a->opt.udp_size = 1232;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		v = 1;
		if (is(w, "tcp", NULL))
			continue;
		else if (is(w, "rd", NULL))
			a->head.rd = 1;
		else if (is(w, "cd", NULL))
			a->head.cd = 1;
		else if (is(w, "ad", NULL))
			a->head.ad = 1;
		else if (is(w, "aa", NULL))
			a->head.aa = 1;
		else if (is(w, "tc", NULL))
			a->head.tc = 1;
		else if (is(w, "ra", NULL))
			a->head.ra = 1;
		else if (is(w, "id", &v))
			a->head.id = (uint16_t)v;
		else if (is(w, "op", &v))
			a->head.opcode = (uint8_t)v;
		else if (is(w, "edns", &v))
			a->edns = true, a->opt.udp_size = (uint16_t)v;
		else if (is(w, "do", NULL))
			a->edns = true, a->opt.dnssec_ok = 1;
		else if (is(w, "nsid", NULL))
			a->edns = true, a->options |= MRG_DNS_WANTED_NSID;
		else if (is(w, "keepalive", NULL))
			a->edns = true, a->options |= MRG_DNS_WANTED_KEEPALIVE;
		else if (is(w, "expire", NULL))
			a->edns = true, a->options |= MRG_DNS_WANTED_EXPIRE;
		else if (strncmp(w, "cookie=", 7) == 0)
			a->edns = true, a->options |= MRG_DNS_WANTED_COOKIE,
			a->cookie_len = unhex(w + 7, a->cookie);
		else if (is(w, "ver", &v))
			a->edns = true, a->opt.version = (uint8_t)v;
		else if (words++ < 3)
			strcat(strcat(a->question, w), " ");
	}
	a->head.qdcount = words != 0;
	if (words == 2)
		strcat(a->question, "IN");
	a->head.arcount = a->edns;
}

static void add_option(struct mrg_w *w, struct mrg_dns_opt_build *ob, uint16_t code, struct mrg_span data)
{
	struct mrg_dns_option_build b;
	mrg_dns_opt_options_add(w, ob);
	mrg_dns_option_begin(w, &b, &(struct mrg_dns_option_args){ .code = code });
	mrg_w_put(w, data);
	mrg_dns_option_end(w, &b);
}

size_t kit_query(const char *line, uint8_t *out, size_t cap)
{
	struct asked a;
	struct mrg_text t;
	struct mrg_w w;
	read_line(line, &a);
	mrg_w_init(&w, out, cap);
	mrg_dns_header_put(&w, &a.head);
	mrg_text_line(&t, (struct mrg_span){ (const uint8_t *)a.question, strlen(a.question) },
		(struct mrg_span){ NULL, 0 });
	if (a.head.qdcount != 0)
		ck_assert_int_eq(mrg_dns_question_from_text(&t, &w, NULL), MRG_OK);
	if (a.edns) {
		struct mrg_dns_edns_build eb;
		struct mrg_dns_opt_build ob;
		mrg_dns_edns_begin(&w, &eb, &a.opt);
		mrg_dns_opt_begin(&w, &ob, &(struct mrg_dns_opt_args){ 0 });
		const struct mrg_span none = { NULL, 0 }, cookie = { a.cookie, a.cookie_len };
		if ((a.options & MRG_DNS_WANTED_NSID) != 0)
			add_option(&w, &ob, MRG_DNS_EDNS_OPTION_NSID, none);
		if ((a.options & MRG_DNS_WANTED_KEEPALIVE) != 0)
			add_option(&w, &ob, MRG_DNS_EDNS_OPTION_TCP_KEEPALIVE, none);
		if ((a.options & MRG_DNS_WANTED_EXPIRE) != 0)
			add_option(&w, &ob, MRG_DNS_EDNS_OPTION_EXPIRE, none);
		if ((a.options & MRG_DNS_WANTED_COOKIE) != 0)
			add_option(&w, &ob, MRG_DNS_EDNS_OPTION_COOKIE, cookie);
		mrg_dns_opt_end(&w, &ob);
		mrg_dns_edns_end(&w, &eb);
	}
	ck_assert_int_eq(w.st, MRG_OK);
	return w.len;
}

/* --- replies --------------------------------------------------------------------------------------------- */

static void put(struct mrg_w *w, const char *s)
{
	mrg_w_put(w, (struct mrg_span){ (const uint8_t *)s, strlen(s) });
}

static void dump_head(struct mrg_w *w, const struct mrg_dns_message *m, unsigned upper)
{
	const struct mrg_dns_header h = mrg_dns_message_header(m);
	const unsigned rcode = upper * 16u + mrg_dns_header_rcode(&h);
	const char *const name = mrg_dns_rcode_str(rcode);
	struct mrg_dns_message_question_it it = mrg_dns_message_question(m);
	struct mrg_dns_question q;
	ck_assert_uint_eq(mrg_dns_header_qr(&h), 1);
	put(w, name != NULL ? name : "?");
	put(w, mrg_dns_header_aa(&h) ? " aa" : "");
	put(w, mrg_dns_header_tc(&h) ? " tc" : "");
	put(w, mrg_dns_header_rd(&h) ? " rd" : "");
	put(w, mrg_dns_header_ra(&h) ? " ra" : "");
	put(w, mrg_dns_header_ad(&h) ? " ad" : "");
	put(w, mrg_dns_header_cd(&h) ? " cd" : "");
	while (mrg_dns_message_question_next(&it, &q)) {
		put(w, "; ");
		mrg_dns_question_to_text(&q, w);
	}
	put(w, "\n");
}

static void dump_rr(struct mrg_w *w, const char *section, const struct mrg_dns_rr *rr)
{
	put(w, section);
	put(w, " ");
	mrg_dns_rr_to_text(rr, w);
	put(w, "\n");
}

/* As it stands, or in hexadecimal. */
static void put_option(struct mrg_w *w, struct mrg_span data)
{
	char digits[3];
	bool visible = true;
	for (size_t i = 0; i < data.len; i++)
		visible = visible && data.p[i] > ' ' && data.p[i] < 0x7f;
	if (visible) {
		mrg_w_put(w, data);
		return;
	}
	for (size_t i = 0; i < data.len; i++) {
		snprintf(digits, sizeof digits, "%02x", data.p[i]);
		put(w, digits);
	}
}

static void dump_opt(struct mrg_w *w, const struct mrg_dns_edns *e)
{
	char line[40];
	const struct mrg_dns_opt opt = mrg_dns_edns_rdata(e);
	struct mrg_dns_opt_options_it it = mrg_dns_opt_options(&opt);
	struct mrg_dns_option o;
	snprintf(line, sizeof line, "opt %u%s", mrg_dns_edns_udp_size(e),
		mrg_dns_edns_dnssec_ok(e) ? " do" : "");
	put(w, line);
	ck_assert_uint_eq(mrg_dns_edns_version(e), 0);
	while (mrg_dns_opt_options_next(&it, &o)) {
		snprintf(line, sizeof line, " %u=", mrg_dns_option_code(&o));
		put(w, line);
		put_option(w, mrg_dns_option_data_raw(&o));
	}
	put(w, "\n");
}

const char *kit_dump(const uint8_t *p, size_t len)
{
	struct mrg_dns_message m;
	struct mrg_reject rj;
	const enum mrg_status st = mrg_dns_message_check((struct mrg_span){ p, len }, &m, &rj);
	if (st != MRG_OK)
		ck_abort_msg("reply is no message: %s: %s", mrg_status_str(st),
			rj.site != NULL ? rj.site->path : "");
	ck_assert_uint_eq(m.len, len);
	struct mrg_dns_message_answer_it an = mrg_dns_message_answer(&m);
	struct mrg_dns_message_authority_it ns = mrg_dns_message_authority(&m);
	struct mrg_dns_message_additional_it ar = mrg_dns_message_additional(&m);
	struct mrg_dns_rr rr;
	struct mrg_dns_edns edns = { 0 };
	struct mrg_w w, body;
	static char rest[1 << 17];
	mrg_w_init(&body, rest, sizeof rest);
	while (mrg_dns_message_answer_next(&an, &rr))
		dump_rr(&body, "an", &rr);
	while (mrg_dns_message_authority_next(&ns, &rr))
		dump_rr(&body, "ns", &rr);
	while (mrg_dns_message_additional_next(&ar, &rr)) {
		if (mrg_dns_rr_type(&rr) != MRG_DNS_TYPE_OPT)
			dump_rr(&body, "ar", &rr);
		else
			ck_assert_int_eq(
				mrg_dns_edns_check((struct mrg_span){ rr.p, rr.len }, &edns, NULL), MRG_OK);
	}
	if (edns.p != NULL)
		dump_opt(&body, &edns);
	mrg_w_init(&w, text, sizeof text - 1);
	dump_head(&w, &m, edns.p != NULL ? mrg_dns_edns_extended_rcode(&edns) : 0);
	mrg_w_put(&w, mrg_w_span(&body, 0));
	text[w.len] = '\0';
	return text;
}

const char *kit_send(
	const struct kit *k, enum mrg_dns_transport via, const void *query, size_t len, size_t cap)
{
	uint8_t *const in = guarded(0) - len, *const out = guarded(1) - cap;
	struct mrg_dns_asker client = k->client;
	memcpy(in, query, len);
	client.via = via;
	const enum mrg_status st =
		mrg_dns_answer(&k->server, &client, (struct mrg_span){ in, len }, out, cap, &reply_len);
	ck_assert_mem_eq(in, query, len);
	reply = out;
	if (st != MRG_OK) {
		ck_assert_uint_eq(reply_len, 0);
		return st == MRG_END ? "drop" : mrg_status_str(st);
	}
	ck_assert_uint_le(reply_len, cap);
	return kit_dump(out, reply_len);
}

const uint8_t *kit_reply(size_t *len)
{
	*len = reply_len;
	return reply;
}

const char *kit_ask(const struct kit *k, const char *line)
{
	uint8_t query[600];
	const size_t len = kit_query(line, query, sizeof query);
	return kit_send(k, strstr(line, " tcp") != NULL ? MRG_DNS_TCP : MRG_DNS_UDP, query, len, 65535);
}
