/*
 * bench/parse.c - generated parsers beside the hand-written yardsticks.
 *
 * Every subject is a row of messages and two or three ways to check them and
 * read every field.  Before anything is timed, the ways are held against each
 * other: they must accept the same messages and add up the same fields, also
 * for every prefix and, of single messages, for every octet's top bit flipped.
 */
#include "bench/hand/dns.h"
#include "bench/hand/net.h"
#include "bench/ours.h"
#include "bench/ours_net.h"
#include "bench/samples.h"
#include "bench/util.h"

#include <stdlib.h>
#include <string.h>

/* Check a message, and perhaps add up its fields. */
typedef struct bench_reading reader(const uint8_t *p, size_t len);

/* One way to do it. */
struct way {
	const char *name;
	reader *check, *read; /* check alone; check, then read every field */
};

struct subject {
	const char *name;
	const struct bench_msg *m;
	size_t count;
	const struct way *ours, *hand;
	reader *fused; /* checks and reads in one pass; may be NULL */
};

/* --- the ways ------------------------------------------------------------------------ */

static const struct bench_reading refused = { false, 0 };

static struct bench_reading ours_dns_check(const uint8_t *p, size_t len)
{
	struct mrg_dns_message m;

	if (mrg_dns_message_check((struct mrg_span){ p, len }, &m, NULL) != MRG_OK)
		return refused;
	return (struct bench_reading){ true, m.len };
}

static struct bench_reading ours_dns(const uint8_t *p, size_t len)
{
	struct mrg_dns_message m;

	if (mrg_dns_message_check((struct mrg_span){ p, len }, &m, NULL) != MRG_OK)
		return refused;
	return (struct bench_reading){ true, ours_dns_walk(&m) };
}

static struct bench_reading hand_dns_checked(const uint8_t *p, size_t len)
{
	struct hand_dns m;

	if (!hand_dns_check(p, len, &m))
		return refused;
	return (struct bench_reading){ true, m.len };
}

static struct bench_reading hand_dns(const uint8_t *p, size_t len)
{
	struct hand_dns m;

	if (!hand_dns_check(p, len, &m))
		return refused;
	return (struct bench_reading){ true, hand_dns_walk(&m) };
}

static struct bench_reading fused_dns(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	bool ok = hand_dns_parse(p, len, &sum);

	return (struct bench_reading){ ok, sum };
}

static struct bench_reading hand_ip4_checked(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_ip4_check(p, len, &v) ? (struct bench_reading){ true, v.len } : refused;
}

static struct bench_reading hand_ip4(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_ip4_check(p, len, &v) ? (struct bench_reading){ true, hand_ip4_walk(&v) } : refused;
}

static struct bench_reading hand_tcp_checked(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_tcp_check(p, len, &v) ? (struct bench_reading){ true, v.len } : refused;
}

static struct bench_reading hand_tcp(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_tcp_check(p, len, &v) ? (struct bench_reading){ true, hand_tcp_walk(&v) } : refused;
}

static struct bench_reading hand_elf_checked(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_elf_check(p, len, &v) ? (struct bench_reading){ true, v.len } : refused;
}

static struct bench_reading hand_elf(const uint8_t *p, size_t len)
{
	struct hand_view v;

	return hand_elf_check(p, len, &v) ? (struct bench_reading){ true, hand_elf_walk(&v) } : refused;
}

static const struct way ways_dns[2] = { { "ours", ours_dns_check, ours_dns },
	{ "hand", hand_dns_checked, hand_dns } };
static const struct way ways_ip4[2] = { { "ours", ours_ip4_check, ours_ip4 },
	{ "hand", hand_ip4_checked, hand_ip4 } };
static const struct way ways_tcp[2] = { { "ours", ours_tcp_check, ours_tcp },
	{ "hand", hand_tcp_checked, hand_tcp } };
static const struct way ways_elf[2] = { { "ours", ours_elf_check, ours_elf },
	{ "hand", hand_elf_checked, hand_elf } };

/* --- do they agree? -------------------------------------------------------------- */

static void agree(const struct subject *s, const uint8_t *p, size_t len, const char *what)
{
	struct bench_reading a = s->ours->read(p, len), b = s->hand->read(p, len),
			     c = s->fused ? s->fused(p, len) : b;
	struct bench_reading d = s->ours->check(p, len), e = s->hand->check(p, len);

	if (a.ok != b.ok || b.ok != c.ok || a.ok != d.ok || b.ok != e.ok)
		bench_die("%s: %s of %zu octets: accepted by ours %d, hand %d, fused %d", s->name, what, len,
			a.ok, b.ok, c.ok);
	if (a.sum != b.sum || b.sum != c.sum || d.sum != e.sum)
		bench_die("%s: %s: fields add up to %llu, %llu, %llu; sizes are %llu, %llu", s->name, what,
			(unsigned long long)a.sum, (unsigned long long)b.sum, (unsigned long long)c.sum,
			(unsigned long long)d.sum, (unsigned long long)e.sum);
}

static void agree_all(const struct subject *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct bench_msg *m = &s->m[i];
		if (!s->hand->check(m->p, m->len).ok)
			bench_die("%s: message %zu is refused", s->name, i);
		agree(s, m->p, m->len, "whole");
		for (size_t n = 0; n < m->len; n++)
			agree(s, m->p, n, "prefix");
		if (s->count > 1)
			continue;
		uint8_t *copy = bench_alloc(m->len);
		memcpy(copy, m->p, m->len);
		for (size_t n = 0; n < m->len; n++) {
			copy[n] ^= 0x80u;
			agree(s, copy, m->len, "top bit flipped");
			copy[n] ^= 0x80u;
		}
		free(copy);
	}
}

/* --- timing ------------------------------------------------------------------------ */

struct pass {
	const struct subject *s;
	reader *read;
	size_t times; /* so that a pass over one message takes long enough */
};

static void pass(void *ctx)
{
	const struct pass *p = ctx;

	for (size_t t = 0; t < p->times; t++) {
		for (size_t i = 0; i < p->s->count; i++) {
			struct bench_reading r = p->read(p->s->m[i].p, p->s->m[i].len);
			if (!r.ok)
				bench_die("%s: refused", p->s->name);
			bench_keep(r.sum);
		}
	}
}

static void report(const struct subject *s, const char *who, const char *what, reader *read, unsigned ms)
{
	struct pass p = { s, read, s->count == 1 ? 1000u : 1u };
	char name[64];

	snprintf(name, sizeof name, "%s %s%s", who, s->name, what);
	bench_result(name, bench_time(pass, &p, s->count * p.times, ms));
}

static void report_all(const struct subject *s, unsigned ms)
{
	report(s, "ours", " check", s->ours->check, ms);
	report(s, "hand", " check", s->hand->check, ms);
	report(s, "ours", "", s->ours->read, ms);
	report(s, "hand", "", s->hand->read, ms);
	if (s->fused)
		report(s, "fused", "", s->fused, ms);
}

/* --- rebuilding ----------------------------------------------------------------------- */

struct rebuild {
	const struct bench_msg *m;
	size_t count;
};

static void rebuild_ours(void *ctx)
{
	const struct rebuild *r = ctx;
	uint8_t out[4096];

	for (size_t i = 0; i < r->count; i++) {
		struct mrg_dns_message m;
		if (mrg_dns_message_check((struct mrg_span){ r->m[i].p, r->m[i].len }, &m, NULL) != MRG_OK)
			bench_die("rebuild: message %zu is refused", i);
		size_t len = ours_dns_rebuild(&m, out, sizeof out);
		if (len == 0)
			bench_die("rebuild: message %zu cannot be written", i);
		bench_keep(len);
	}
}

static void rebuild_hand(void *ctx)
{
	const struct rebuild *r = ctx;
	uint8_t out[4096];

	for (size_t i = 0; i < r->count; i++) {
		struct hand_dns m;
		if (!hand_dns_check(r->m[i].p, r->m[i].len, &m))
			bench_die("rebuild: message %zu is refused", i);
		size_t len = hand_dns_rebuild(&m, out, sizeof out);
		if (len == 0)
			bench_die("rebuild: message %zu cannot be written", i);
		bench_keep(len);
	}
}

/* What was rebuilt must be a message of the same fields, no longer than before. */
static void rebuilt_well(const struct bench_msg *m, size_t i, const uint8_t *out, size_t len, const char *who)
{
	uint64_t before, after;

	if (!hand_dns_parse(m->p, m->len, &before) || !hand_dns_parse(out, len, &after))
		bench_die("%s: rebuilt message %zu is refused", who, i);
	if (before != after && m->len == len)
		bench_die("%s: rebuilt message %zu has other fields", who, i);
	if (len > m->len)
		bench_die("%s: rebuilt message %zu grew from %zu to %zu", who, i, m->len, len);
}

static void rebuild_check(const struct rebuild *r)
{
	uint8_t out[4096];

	for (size_t i = 0; i < r->count; i++) {
		const struct bench_msg *m = &r->m[i];
		struct mrg_dns_message ours;
		struct hand_dns hand;
		if (mrg_dns_message_check((struct mrg_span){ m->p, m->len }, &ours, NULL) != MRG_OK)
			bench_die("rebuild: message %zu is refused", i);
		rebuilt_well(m, i, out, ours_dns_rebuild(&ours, out, sizeof out), "ours");
		if (!hand_dns_check(m->p, m->len, &hand))
			bench_die("rebuild: message %zu is refused", i);
		rebuilt_well(m, i, out, hand_dns_rebuild(&hand, out, sizeof out), "hand");
	}
}

static void rebuild_report(const char *part, struct rebuild r, unsigned ms)
{
	char name[64];

	rebuild_check(&r);
	snprintf(name, sizeof name, "ours mix %s rebuild", part);
	bench_result(name, bench_time(rebuild_ours, &r, r.count, ms));
	snprintf(name, sizeof name, "hand mix %s rebuild", part);
	bench_result(name, bench_time(rebuild_hand, &r, r.count, ms));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		bench_die("usage: parse MIX MILLISECONDS");
	struct bench_msgs mix = bench_msgs_read(argv[1]);
	unsigned ms = (unsigned)atoi(argv[2]);
	size_t half = mix.count / 2u;
	const struct subject subjects[] = {
		{ "tcp syn", &sample_tcp_syn, 1, &ways_tcp[0], &ways_tcp[1], NULL },
		{ "tcp established", &sample_tcp_established, 1, &ways_tcp[0], &ways_tcp[1], NULL },
		{ "ip4", &sample_ip4, 1, &ways_ip4[0], &ways_ip4[1], NULL },
		{ "elf", &sample_elf, 1, &ways_elf[0], &ways_elf[1], NULL },
		{ "dns query", &sample_dns_query, 1, &ways_dns[0], &ways_dns[1], fused_dns },
		{ "dns reply", &sample_dns_reply, 1, &ways_dns[0], &ways_dns[1], fused_dns },
		{ "mix query", mix.m, half, &ways_dns[0], &ways_dns[1], fused_dns },
		{ "mix answer", mix.m + half, half, &ways_dns[0], &ways_dns[1], fused_dns },
	};

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		agree_all(&subjects[i]);
		report_all(&subjects[i], ms);
	}
	rebuild_report("query", (struct rebuild){ mix.m, half }, ms);
	rebuild_report("answer", (struct rebuild){ mix.m + half, half }, ms);
	return 0;
}
