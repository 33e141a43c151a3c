/*
 * bench/answer.c - the pure answer function: query octets to reply octets.
 *
 * Loads a zone through the master-file reader into an arena, asks for every
 * name in a shuffled order, checks that each is found, and prints the time of
 * an answer, and of loading.
 */
#include "bench/util.h"

#include "protocols/dns/answer.h"
#include "protocols/dns/db.h"
#include "protocols/dns/master.h"
#include "protocols/dns/zone.h"
#include "unix/mrg_unix.h"

#include <stdlib.h>
#include <string.h>

struct load {
	struct mrg_dns_zone_builder builder;
	struct mrg_dns_zone_error error;
	size_t records;
};

static bool on_record(void *ctx, const struct mrg_dns_master_rr *rr)
{
	struct load *l = ctx;

	if (mrg_dns_zone_add(&l->builder, rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, &l->error) !=
		MRG_OK)
		bench_die("line %u: %s", rr->line, mrg_dns_zone_fault_str(l->error.fault));
	l->records++;
	return true;
}

static void on_error(void *ctx, const struct mrg_dns_master_error *e)
{
	(void)ctx;
	bench_die("line %u: %s", e->line, e->what);
}

/* Memory as the server gives it to a zone of this size (appliances/dns/load.c). */
static struct mrg_arena arena_make(size_t text_len)
{
	enum { MIB = 1 << 20 };
	struct mrg_arena a;

	if (mrg_unix_arena_open(&a, (size_t)1024 * MIB + 64u * text_len, (size_t)16 * MIB,
		    text_len >= 2u * MIB ? text_len + text_len / 2u : 0) != 0)
		bench_die("no address space");
	return a;
}

/* "a.example." to wire form; no escapes. */
static struct mrg_span wire_name(const char *text)
{
	size_t len = strlen(text), at = 0;
	uint8_t *b = bench_alloc(len + 2u);

	for (size_t i = 0; i < len;) {
		size_t n = strcspn(text + i, ".");
		b[at] = (uint8_t)n;
		memcpy(b + at + 1u, text + i, n);
		at += n + 1u;
		i += n + 1u;
	}
	b[at] = 0;
	return (struct mrg_span){ b, at + 1u };
}

static const struct mrg_dns_zone *zone_load(struct mrg_arena *a, const char *path, const char *origin)
{
	static struct load load;
	struct mrg_dns_master *m = bench_alloc(sizeof *m);
	const struct mrg_dns_master_events events = { .ctx = &load, .record = on_record, .error = on_error };
	const struct mrg_dns_zone *zone;
	struct mrg_dns_master_source text = { .name = path };
	size_t errors = 0;
	struct mrg_span name = wire_name(origin);

	text.p = bench_file_read(path, &text.len);
	*a = arena_make(text.len);
	if (mrg_dns_zone_begin(&load.builder, a, name) != MRG_OK)
		bench_die("no zone");
	if (mrg_dns_master_read(m, &text, name, 3600, &events, &errors) != MRG_OK || errors)
		bench_die("%s: %zu errors", path, errors);
	if (mrg_dns_zone_finish(&load.builder, &zone, &load.error) != MRG_OK)
		bench_die("%s: %s", path, mrg_dns_zone_fault_str(load.error.fault));
	bench_result("records", (double)load.records);
	return zone;
}

struct asking {
	struct mrg_dns_server server;
	struct bench_msgs queries;
};

static void pass(void *ctx)
{
	const struct asking *a = ctx;
	uint8_t reply[1232];
	size_t len;

	for (size_t i = 0; i < a->queries.count; i++) {
		struct mrg_span q = { a->queries.m[i].p, a->queries.m[i].len };
		if (mrg_dns_answer(&a->server, MRG_DNS_UDP, q, reply, sizeof reply, &len) != MRG_OK)
			bench_die("query %zu has no answer", i);
		bench_keep(len);
	}
}

/* The same as the server does it (appliances/dns/worker.c): each step for 16 queries before the next. */
static void pass_together(void *ctx)
{
	enum { TOGETHER = 16 };
	const struct asking *a = ctx;
	struct mrg_dns_asked asked[TOGETHER];
	uint8_t reply[1232];
	size_t len;

	for (size_t from = 0; from < a->queries.count; from += TOGETHER) {
		const size_t left = a->queries.count - from, n = left < TOGETHER ? left : (size_t)TOGETHER;
		for (size_t i = 0; i < n; i++) {
			const struct bench_msg *const m = &a->queries.m[from + i];
			mrg_dns_answer_begin(&a->server, (struct mrg_span){ m->p, m->len }, &asked[i]);
		}
		for (size_t i = 0; i < n; i++)
			mrg_dns_answer_look(&asked[i]);
		for (size_t i = 0; i < n; i++) {
			if (mrg_dns_answer_finish(&asked[i], MRG_DNS_UDP, reply, sizeof reply, &len) !=
				MRG_OK)
				bench_die("query %zu has no answer", from + i);
			bench_keep(len);
		}
	}
}

/* QR, AA, rcode 0, one answer, and the question as it was asked. */
static void check(const struct asking *a)
{
	uint8_t reply[1232];
	size_t len;

	for (size_t i = 0; i < a->queries.count; i++) {
		struct mrg_span q = { a->queries.m[i].p, a->queries.m[i].len };
		if (mrg_dns_answer(&a->server, MRG_DNS_UDP, q, reply, sizeof reply, &len) != MRG_OK)
			bench_die("query %zu has no answer", i);
		if (len <= q.len || memcmp(reply, q.p, 2) != 0 ||
			memcmp(reply + 12, q.p + 12, q.len - 12u) != 0)
			bench_die("query %zu: the answer is to another one", i);
		if (reply[2] != 0x84u || (reply[3] & 15u) != 0 || reply[6] != 0 || reply[7] != 1)
			bench_die("query %zu: not one authoritative answer", i);
	}
}

int main(int argc, char **argv)
{
	static struct asking a;
	struct mrg_dns_db db;

	if (argc != 5)
		bench_die("usage: answer ZONE QUERIES MILLISECONDS ORIGIN");
	struct mrg_arena arena;
	uint64_t start = bench_now_ns();
	const struct mrg_dns_zone *zone = zone_load(&arena, argv[1], argv[4]);
	if (mrg_dns_db_init(&db, &arena, &zone, 1) != MRG_OK)
		bench_die("no database");
	bench_result("load ms", (double)(bench_now_ns() - start) / 1e6);
	bench_result("arena bytes", (double)arena.len);
	a.server = (struct mrg_dns_server){ .db = &db, .udp_max = 1232 };
	a.queries = bench_msgs_read(argv[2]);
	check(&a);
	bench_result("answer", bench_time(pass, &a, a.queries.count, (unsigned)atoi(argv[3])));
	bench_result("together", bench_time(pass_together, &a, a.queries.count, (unsigned)atoi(argv[3])));
	return 0;
}
