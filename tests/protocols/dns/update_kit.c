/* For tests of dynamic update: see update_kit.h. */
#include "update_kit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "iana/dns.h"

struct kit update_kit;
struct mrg_arena update_tables, update_scratch, update_history;
struct mrg_dns_update_result update_result;

struct mrg_arena update_arena(size_t cap) { return (struct mrg_arena){ calloc(1, cap), 0, cap }; }

void update_setup(void)
{
	kit_init(&update_kit, 1 << 22);
	update_tables = update_arena(1 << 16);
	update_scratch = update_arena(1 << 20);
	update_history = update_arena(1 << 18);
}

void update_teardown(void)
{
	kit_free(&update_kit);
	free(update_tables.p);
	free(update_scratch.p);
	free(update_history.p);
}

/* ---- messages ---- */

void update_counts(struct update_message *m)
{
	struct mrg_w w;
	mrg_w_init(&w, m->p, sizeof m->p);
	mrg_dns_header_put(&w, &(struct mrg_dns_header_args){ .id = 0x1234,
				       .opcode = MRG_DNS_OPCODE_UPDATE,
				       .qdcount = (uint16_t)m->counts[0],
				       .ancount = (uint16_t)m->counts[1],
				       .nscount = (uint16_t)m->counts[2],
				       .arcount = (uint16_t)m->counts[3] });
}

void update_begin(struct update_message *m, struct mrg_span zone, uint16_t type, uint16_t class)
{
	memset(m, 0, sizeof *m);
	mrg_w_init(&m->w, m->p, sizeof m->p);
	mrg_w_use_refs(&m->w, &m->refs); /* names are compressed, in RDATA, too */
	m->w.len = 12;
	mrg_dns_question_put(
		&m->w, &(struct mrg_dns_question_args){ .name = zone, .type = type, .class = class });
	m->counts[0] = 1;
	update_counts(m);
}

void update_put(struct update_message *m, unsigned section, struct mrg_span owner, uint16_t type,
	uint16_t class, uint32_t ttl, struct mrg_span rdata)
{
	uint8_t flat[2048];
	struct mrg_w w;
	struct mrg_dns_rr rr;
	mrg_w_init(&w, flat, sizeof flat);
	mrg_dns_flat_rr_put(
		&w, &(struct mrg_dns_flat_rr_args){
			    .name = owner, .type = type, .class = class, .ttl = ttl, .rdata = rdata });
	const struct mrg_span octets = mrg_w_span(&w, 0);
	ck_assert_int_eq(mrg_dns_rr_check(octets, octets, &rr, NULL), MRG_OK);
	mrg_dns_rr_copy(&m->w, &rr);
	ck_assert_int_eq(m->w.st, MRG_OK);
	m->counts[section]++;
	update_counts(m);
}

struct mrg_span update_octets(const struct update_message *m) { return (struct mrg_span){ m->p, m->w.len }; }

unsigned update_run(struct mrg_span message, const struct mrg_dns_update_rules *rules)
{
	struct mrg_dns_update u;
	const struct mrg_dns_update_memory memory = { &update_kit.arena, &update_tables, &update_scratch,
		&update_history };
	const size_t lens[] = { update_kit.arena.len, update_tables.len, update_history.len };
	memset(&update_result, 0, sizeof update_result);
	unsigned rcode = mrg_dns_update_read(message, &u);
	if (rcode == MRG_DNS_RCODE_NOERROR)
		rcode = mrg_dns_update_apply(&u, update_kit.zones[0], rules, &memory, NULL, &update_result);
	ck_assert_uint_eq(update_scratch.len, 0);
	if (update_result.made == NULL) {
		ck_assert_ptr_null(update_result.step);
		ck_assert_uint_eq(update_kit.arena.len, lens[0]);
		ck_assert_uint_eq(update_tables.len, lens[1]);
		ck_assert_uint_eq(update_history.len, lens[2]);
	} else {
		ck_assert_uint_eq(rcode, MRG_DNS_RCODE_NOERROR);
		ck_assert_uint_eq(update_result.step->from, mrg_dns_zone_serial(update_kit.zones[0]));
		ck_assert_uint_eq(update_result.step->to, mrg_dns_zone_serial(update_result.made));
	}
	return rcode;
}
