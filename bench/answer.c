/*
 * bench/answer.c - the pure answer function: query octets to reply octets.
 *
 * Loads a zone through the master-file reader into an arena, asks for every
 * name in a shuffled order, checks that each is found, and prints the time of
 * an answer, and of loading.
 */
#include "bench/util.h"

#include "appliances/dns/load.h"

#include <stdlib.h>
#include <string.h>

static void on_fault(void *ctx, const struct fault *f)
{
	(void)ctx;
	bench_die("%s:%u:%u: %s: %s", f->file, f->line, f->col, f->field, f->what);
}

/* "a.example." to wire form; no escapes. */
static void wire_name(const char *text, struct zone_option *out)
{
	for (size_t n; (n = strcspn(text, ".")) > 0; text += n + 1u) {
		if (out->origin_len + n + 2u > sizeof out->origin || text[n] == 0)
			bench_die("not the origin of a zone");
		out->origin[out->origin_len] = (uint8_t)n;
		memcpy(out->origin + out->origin_len + 1u, text, n);
		out->origin_len += n + 1u;
	}
	out->origin_len++; /* the root */
}

/* In memory as the server has it. */
static const struct database *zone_load(const char *path, const char *origin)
{
	static struct zone_option zone;
	static struct settings s = {
		.users = 1, .options = { .answering = { .server = { .udp_max = 1232 } } }
	}; /* which the database keeps */
	struct database *db;

	zone.file = path;
	s.options.zones.list = &zone;
	s.options.zones.count = 1;
	wire_name(origin, &zone);
	if (load(&s, false, &(struct report){ .fault = on_fault }, &db) != OUTCOME_OK)
		bench_die("%s can't be loaded", path);
	return db;
}

struct asking {
	struct mrg_dns_server server;
	struct bench_msgs queries;
};

static const struct mrg_dns_asker client = { .via = MRG_DNS_UDP };

static void pass(void *ctx)
{
	const struct asking *a = ctx;
	uint8_t reply[1232];
	size_t len;

	for (size_t i = 0; i < a->queries.count; i++) {
		struct mrg_span q = { a->queries.m[i].p, a->queries.m[i].len };
		if (mrg_dns_answer(&a->server, &client, q, reply, sizeof reply, &len) != MRG_OK)
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
			if (mrg_dns_answer_finish(&asked[i], &client, reply, sizeof reply, &len) != MRG_OK)
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
		if (mrg_dns_answer(&a->server, &client, q, reply, sizeof reply, &len) != MRG_OK)
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

	if (argc != 5)
		bench_die("usage: answer ZONE QUERIES MILLISECONDS ORIGIN");
	uint64_t start = bench_now_ns();
	const struct database *const db = zone_load(argv[1], argv[4]);
	bench_result("load ms", (double)(bench_now_ns() - start) / 1e6);
	bench_result("records", (double)db->record_count);
	bench_result("arena bytes", (double)db->arena.len);
	a.server = db->server;
	a.queries = bench_msgs_read(argv[2]);
	check(&a);
	bench_result("answer", bench_time(pass, &a, a.queries.count, (unsigned)atoi(argv[3])));
	bench_result("together", bench_time(pass_together, &a, a.queries.count, (unsigned)atoi(argv[3])));
	return 0;
}
