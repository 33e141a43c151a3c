/*
 * runtime/core: timers against a sorted list, pools, arenas, blocks, addresses as text, log lines, paths, SHA-1, SipHash.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mrg_rt.h"

/* ---- timers ---- */

enum { TIMERS = 300 };

static struct mrg_rt_timers queue;
static struct mrg_rt_timer timer[TIMERS];
static uint64_t fired[4 * TIMERS];
static size_t fired_count;
static uint64_t again_at;

static void note(struct mrg_rt_timer *t, uint64_t now_ns)
{
	ck_assert_uint_le(t->at_ns, now_ns);
	ck_assert(!t->armed);
	fired[fired_count++] = t->at_ns;
}

static void note_and_set_again(struct mrg_rt_timer *t, uint64_t now_ns)
{
	note(t, now_ns);
	mrg_rt_timer_set(&queue, t, again_at);
}

static void cancel_next(struct mrg_rt_timer *t, uint64_t now_ns)
{
	note(t, now_ns);
	mrg_rt_timer_cancel(&queue, t + 1);
}

static void timers_reset(void)
{
	memset(&queue, 0, sizeof queue);
	memset(timer, 0, sizeof timer);
	fired_count = 0;
	for (size_t i = 0; i < TIMERS; i++)
		timer[i].fire = note;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

START_TEST(timers_fire_in_order_and_tell_the_next)
{
	uint64_t at[TIMERS];
	timers_reset();
	ck_assert(mrg_rt_timers_next(&queue) == MRG_RT_NEVER);
	srandom(7);
	for (size_t i = 0; i < TIMERS; i++) {
		at[i] = (uint64_t)random() % 1000u;
		mrg_rt_timer_set(&queue, &timer[i], at[i]);
	}
	qsort(at, TIMERS, sizeof at[0], by_number);
	for (uint64_t now = 0; now < 1000u; now += 7u) {
		ck_assert(fired_count == TIMERS || mrg_rt_timers_next(&queue) == at[fired_count]);
		mrg_rt_timers_run(&queue, now);
		ck_assert(fired_count == TIMERS || mrg_rt_timers_next(&queue) > now);
	}
	mrg_rt_timers_run(&queue, 1000);
	ck_assert_uint_eq(fired_count, TIMERS);
	ck_assert_mem_eq(fired, at, sizeof at);
}
END_TEST

/* Random settings, movings and cancellings, held against a plain array. */
START_TEST(timers_equal_a_plain_array)
{
	uint64_t at[TIMERS];
	timers_reset();
	srandom(11);
	for (size_t i = 0; i < TIMERS; i++)
		at[i] = MRG_RT_NEVER;
	for (unsigned step = 0; step < 20000; step++) {
		const size_t i = (size_t)random() % TIMERS;
		if (random() % 3 == 0) {
			mrg_rt_timer_cancel(&queue, &timer[i]);
			at[i] = MRG_RT_NEVER;
		} else {
			at[i] = (uint64_t)random() % 100000u;
			mrg_rt_timer_set(&queue, &timer[i], at[i]);
		}
		uint64_t least = MRG_RT_NEVER;
		for (size_t k = 0; k < TIMERS; k++)
			least = at[k] < least ? at[k] : least;
		ck_assert_msg(mrg_rt_timers_next(&queue) == least, "step %u", step);
		ck_assert(timer[i].armed == (at[i] != MRG_RT_NEVER));
	}
}
END_TEST

START_TEST(a_run_ends_although_a_timer_sets_itself_again)
{
	timers_reset();
	timer[0].fire = note_and_set_again;
	again_at = 0;
	mrg_rt_timer_set(&queue, &timer[0], 5);
	mrg_rt_timers_run(&queue, 5);
	ck_assert_uint_eq(fired_count, 1);
	ck_assert_uint_eq(mrg_rt_timers_next(&queue), 6);
	mrg_rt_timers_run(&queue, 6);
	ck_assert_uint_eq(fired_count, 2);
	mrg_rt_timers_run(&queue, MRG_RT_NEVER);
	ck_assert_uint_eq(fired_count, 3);
}
END_TEST

START_TEST(a_timer_may_cancel_another_that_is_due)
{
	timers_reset();
	timer[0].fire = cancel_next;
	for (size_t i = 0; i < 3; i++)
		mrg_rt_timer_set(&queue, &timer[i], 1 + i);
	mrg_rt_timers_run(&queue, 10);
	ck_assert_uint_eq(fired_count, 2);
	ck_assert_uint_eq(fired[0], 1);
	ck_assert_uint_eq(fired[1], 3);
}
END_TEST

START_TEST(time_that_goes_back_fires_nothing)
{
	timers_reset();
	mrg_rt_timer_set(&queue, &timer[0], 50);
	mrg_rt_timers_run(&queue, 49);
	mrg_rt_timers_run(&queue, 3);
	mrg_rt_timer_set(&queue, &timer[1], 4);
	mrg_rt_timers_run(&queue, 3);
	ck_assert_uint_eq(fired_count, 0);
	ck_assert_uint_eq(mrg_rt_timers_next(&queue), 4);
}
END_TEST

/* ---- memory ---- */

START_TEST(arenas_align_fill_and_refuse)
{
	static _Alignas(4096) uint8_t room[8192];
	struct mrg_arena a = { .p = room, .cap = sizeof room };
	ck_assert_ptr_eq(mrg_arena_get(&a, 1, 1), room);
	ck_assert_ptr_eq(mrg_arena_get(&a, 3, 8), room + 8);
	ck_assert_ptr_eq(mrg_arena_get(&a, 1, 4096), room + 4096);
	const size_t len = a.len;
	ck_assert_ptr_null(mrg_arena_get(&a, 4096, 1));
	ck_assert_ptr_null(mrg_arena_get(&a, SIZE_MAX, 1));
	ck_assert_ptr_null(mrg_arena_get(&a, SIZE_MAX - 4095u, 4096));
	ck_assert_ptr_null(mrg_arena_get(&a, 1, 4096));
	ck_assert_uint_eq(a.len, len);
	a.cap = 8000; /* not even the gap before the next multiple fits */
	ck_assert_ptr_null(mrg_arena_get(&a, 1, 4096));
	a.cap = sizeof room;
	ck_assert_ptr_nonnull(mrg_arena_get(&a, 4095, 1));
	ck_assert_ptr_nonnull(mrg_arena_get(&a, 0, 1));
	ck_assert_ptr_null(mrg_arena_get(&a, 1, 1));
}
END_TEST

START_TEST(pools_reuse_and_end)
{
	static uint8_t room[4096];
	struct mrg_arena a = { .p = room, .cap = sizeof room };
	struct mrg_rt_pool p;
	void *got[3];
	mrg_rt_pool_init(&p, &a, 100, 3);
	for (size_t i = 0; i < 3; i++) {
		got[i] = mrg_rt_pool_get(&p);
		ck_assert_ptr_nonnull(got[i]);
		memset(got[i], 0x5a, 100);
	}
	ck_assert_ptr_null(mrg_rt_pool_get(&p));
	mrg_rt_pool_put(&p, got[0]);
	mrg_rt_pool_put(&p, got[2]);
	ck_assert_ptr_eq(mrg_rt_pool_get(&p), got[2]);
	ck_assert_ptr_eq(mrg_rt_pool_get(&p), got[0]);
	ck_assert_ptr_null(mrg_rt_pool_get(&p));
	mrg_rt_pool_init(&p, &a, 2048, 8);
	ck_assert_ptr_nonnull(mrg_rt_pool_get(&p));
	ck_assert_ptr_null(mrg_rt_pool_get(&p)); /* the arena is full, though blocks are left */
}
END_TEST

/* ---- blocks ---- */

enum { AREA = 64 << 10, LARGEST = 4096, GOT = 200 };

struct got {
	uint8_t *p;
	size_t size;
	uint8_t octet;
};

static void expect_octets(const struct got *g)
{
	static uint8_t want[LARGEST];
	memset(want, g->octet, g->size);
	if (memcmp(g->p, want, g->size) != 0)
		ck_abort_msg("a block of %zu bytes was written to by another", g->size);
}

/* As many of the largest size as the area holds, and not one more. */
static void expect_whole(struct mrg_rt_blocks *b)
{
	uint8_t *all[AREA / LARGEST];
	for (size_t i = 0; i < AREA / LARGEST; i++) {
		all[i] = mrg_rt_blocks_get(b, LARGEST);
		ck_assert_ptr_nonnull(all[i]);
	}
	ck_assert_ptr_null(mrg_rt_blocks_get(b, 1));
	for (size_t i = 0; i < AREA / LARGEST; i++)
		mrg_rt_blocks_put(b, all[i], LARGEST);
}

START_TEST(blocks_are_trimmed)
{
	enum { UNIT = 256 };
	struct mrg_rt_blocks b;
	struct mrg_arena a = { .p = malloc(mrg_rt_blocks_memory(AREA)), .cap = mrg_rt_blocks_memory(AREA) };
	ck_assert(mrg_rt_blocks_init(&b, &a, LARGEST, LARGEST));
	uint8_t *const p = mrg_rt_blocks_get(&b, LARGEST);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(mrg_rt_blocks_trim(&b, p, LARGEST, LARGEST), LARGEST);
	ck_assert_ptr_null(mrg_rt_blocks_get(&b, 1));
	const size_t kept = mrg_rt_blocks_trim(&b, p, LARGEST, UNIT + 1);
	ck_assert_uint_eq(kept, 2 * UNIT);
	memset(p, 0xa5, kept);
	uint8_t *const half = mrg_rt_blocks_get(&b, LARGEST / 2), *const next = mrg_rt_blocks_get(&b, kept);
	ck_assert_ptr_eq(half, p + LARGEST / 2);
	ck_assert_ptr_eq(next, p + kept);
	memset(half, 0x5a, LARGEST / 2);
	memset(next, 0x5a, kept);
	for (size_t i = 0; i < kept; i++)
		ck_assert_uint_eq(p[i], 0xa5);
	mrg_rt_blocks_put(&b, next, kept);
	mrg_rt_blocks_put(&b, half, LARGEST / 2);
	mrg_rt_blocks_put(&b, p, kept);
	ck_assert_ptr_eq(mrg_rt_blocks_get(&b, LARGEST), p);
	free(a.p);
}
END_TEST

/* Blocks are filled, so that two that overlap would show; in the end all joins again. */
START_TEST(blocks_split_and_join)
{
	const size_t room = mrg_rt_blocks_memory(AREA + 1);
	uint8_t *const p = calloc(1, room);
	struct mrg_arena a = { .p = p, .cap = room };
	struct mrg_rt_blocks b;
	struct got got[GOT] = { { .p = NULL } };
	size_t refused = 0;
	ck_assert(mrg_rt_blocks_init(&b, &a, AREA + 1, LARGEST - 1));
	expect_whole(&b);
	ck_assert_ptr_null(mrg_rt_blocks_get(&b, LARGEST + 1));
	ck_assert_ptr_null(mrg_rt_blocks_get(&b, SIZE_MAX));
	srand(3);
	for (unsigned step = 0; step < 30000; step++) {
		struct got *const g = &got[(unsigned)rand() % GOT];
		if (g->p != NULL) {
			expect_octets(g);
			memset(g->p, 0, g->size);
			mrg_rt_blocks_put(&b, g->p, g->size);
			g->p = NULL;
			continue;
		}
		*g = (struct got){ .size = 1u + (unsigned)rand() % (LARGEST >> rand() % 6) };
		g->p = mrg_rt_blocks_get(&b, g->size);
		refused += g->p == NULL;
		if (g->p == NULL)
			continue;
		expect_octets(g); /* all were zeroed that were given back */
		g->octet = (uint8_t)step;
		memset(g->p, g->octet, g->size);
	}
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_lt(refused, 15000);
	for (size_t i = 0; i < GOT; i++)
		if (got[i].p != NULL)
			mrg_rt_blocks_put(&b, got[i].p, got[i].size);
	expect_whole(&b);
	free(p);
}
END_TEST

START_TEST(blocks_need_room)
{
	uint8_t *const p = calloc(1, 2 * AREA);
	struct mrg_arena a = { .p = p, .cap = AREA };
	struct mrg_rt_blocks b;
	ck_assert(!mrg_rt_blocks_init(&b, &a, AREA, LARGEST)); /* none is left for what begins where */
	a = (struct mrg_arena){ .p = p, .cap = AREA };
	ck_assert(!mrg_rt_blocks_init(&b, &a, AREA + LARGEST, LARGEST));
	a = (struct mrg_arena){ .p = p, .cap = 2 * AREA };
	ck_assert(mrg_rt_blocks_init(&b, &a, LARGEST - 1, LARGEST)); /* less than one block */
	ck_assert_ptr_null(mrg_rt_blocks_get(&b, 1));
	free(p);
}
END_TEST

/* ---- addresses ---- */

static const struct {
	const char *in, *out;
} addresses[] = {
	{ "127.0.0.1:53", "127.0.0.1:53" },
	{ "127.0.0.1", "127.0.0.1:5353" },
	{ "0.0.0.0:0", "0.0.0.0:0" },
	{ "255.255.255.255:65535", "255.255.255.255:65535" },
	{ "[::]:53", "[::]:53" },
	{ "[::1]:53", "[::1]:53" },
	{ "[1::]", "[1::]:5353" },
	{ "[2001:DB8::0:1]:53", "[2001:db8::1]:53" },
	{ "[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1" },
	{ "[1:2:3:4:5:6:7:8]:1", "[1:2:3:4:5:6:7:8]:1" },
	{ "[1::3:4:5:6:7:8]:1", "[1:0:3:4:5:6:7:8]:1" },
	{ "[::ffff:192.0.2.1]:1", "[::ffff:c000:201]:1" },
	{ "[1:2:3:4:5:6:192.0.2.1]:1", "[1:2:3:4:5:6:c000:201]:1" },
	{ "[fe80::1%2]:53", "[fe80::1%2]:53" },
};

START_TEST(addresses_read_and_print)
{
	char text[MRG_RT_ADDR_TEXT_MAX];
	struct mrg_rt_addr a;
	ck_assert_msg(mrg_rt_addr_read(addresses[_i].in, 5353, &a), "%s", addresses[_i].in);
	ck_assert_str_eq(mrg_rt_addr_str(&a, text), addresses[_i].out);
}
END_TEST

static const char *const no_addresses[] = { "", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:053",
	"127.0.0.1:53 ", "127.0.0", "127.0.0.256", "127.0.0.01", "1.2.3.4.5", "::1", "::1:53", "[::1",
	"[]:53", "[:]:53", "[:::]:53", "[1::2::3]:53", "[1:2:3:4:5:6:7]:53", "[1:2:3:4:5:6:7:8:9]:53",
	"[1:2:3:4:5:6:7:8::]:53", "[12345::]:53", "[1:2:3:4:5:6:7:]:53", "[1:2:3:4:5:6:7:1.2.3.4]:53",
	"[1.2.3.4]:53", "[::1.2.3]:53", "[::1%]:53", "[::1%x]:53", "[::1%99999999999]:53", "localhost",
	"[::1]x", "*:53", "999999999999999999999.0.0.1" };

START_TEST(what_is_no_address_is_refused)
{
	struct mrg_rt_addr a;
	ck_assert_msg(!mrg_rt_addr_read(no_addresses[_i], 53, &a), "'%s'", no_addresses[_i]);
}
END_TEST

START_TEST(addresses_are_the_same_or_not)
{
	static const char *const different[] = { "127.0.0.1:53", "127.0.0.1:54", "127.0.0.2:53",
		"[7f00:1::]:53", "[fe80::1%1]:53", "[fe80::1%2]:53", "[fe80::2%2]:53" };
	enum { COUNT = sizeof different / sizeof different[0] };
	struct mrg_rt_addr a, b;
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < COUNT; k++) {
			memset(&a, 0xff, sizeof a); /* what an address does not use may be anything */
			memset(&b, 0, sizeof b);
			ck_assert(mrg_rt_addr_read(different[i], 53, &a) &&
				  mrg_rt_addr_read(different[k], 53, &b));
			if (a.family == 4)
				a.ip[5] = 1;
			ck_assert_msg(
				mrg_rt_addr_same(&a, &b) == (i == k), "%s, %s", different[i], different[k]);
		}
}
END_TEST

static const struct {
	const char *net, *in, *out; /* an address that is in it, and one that is not */
} nets[] = {
	{ "0.0.0.0/0", "255.1.2.3:1", "[::1]:1" },
	{ "192.0.2.0/24", "192.0.2.255:1", "192.0.3.0:1" },
	{ "192.0.2.77/25", "192.0.2.127:1", "192.0.2.128:1" },
	{ "192.0.2.7", "192.0.2.7:99", "192.0.2.6:99" },
	{ "192.0.2.7/32", "192.0.2.7:99", "192.0.2.6:99" },
	{ "::/0", "[ffff::1]:1", "1.2.3.4:1" },
	{ "2001:db8::/33", "[2001:db8:7fff::]:1", "[2001:db8:8000::]:1" },
	{ "fe80::1", "[fe80::1%3]:1", "[fe80::2%3]:1" },
};

START_TEST(addresses_are_in_a_network_or_not)
{
	static const char *const none[] = { "", "any", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/024",
		"192.0.2.0:53", "192.0.2.0/24 ", "192.0.2/24", "::/129", "[::1]/64", "::1%2",
		"2001:db8::/-1" };
	struct mrg_rt_addr net, a;
	unsigned bits;
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		ck_assert_msg(mrg_rt_net_read(nets[i].net, &net, &bits), "%s", nets[i].net);
		ck_assert(mrg_rt_addr_read(nets[i].in, 0, &a));
		ck_assert_msg(mrg_rt_addr_in(&a, &net, bits), "%s", nets[i].net);
		ck_assert(mrg_rt_addr_read(nets[i].out, 0, &a));
		ck_assert_msg(!mrg_rt_addr_in(&a, &net, bits), "%s", nets[i].net);
	}
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		ck_assert_msg(!mrg_rt_net_read(none[i], &net, &bits), "%s", none[i]);
}
END_TEST

START_TEST(addresses_become_their_networks)
{
	struct mrg_rt_addr net, in, out;
	unsigned bits;
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		(void)mrg_rt_net_read(nets[i].net, &net, &bits);
		(void)mrg_rt_addr_read(nets[i].in, 0, &in);
		(void)mrg_rt_addr_read(nets[i].out, 0, &out);
		mrg_rt_addr_net(&net, bits, bits);
		mrg_rt_addr_net(&in, bits, bits);
		ck_assert_msg(memcmp(in.ip, net.ip, sizeof in.ip) == 0, "%s", nets[i].net);
		if (out.family != net.family)
			continue;
		mrg_rt_addr_net(&out, bits, bits);
		ck_assert_msg(memcmp(out.ip, net.ip, sizeof out.ip) != 0, "%s", nets[i].net);
	}
}
END_TEST

/* ---- log lines ---- */

static struct mrg_rt_line line;

static void assert_line(const char *want)
{
	const struct mrg_span got = mrg_rt_line_end(&line);
	ck_assert_uint_eq(got.len, strlen(want));
	ck_assert_mem_eq(got.p, want, got.len);
}

START_TEST(lines_hold_keys_and_values)
{
	const struct mrg_rt_addr a = { .ip = { 192, 0, 2, 1 }, .port = 53, .family = 4 };
	mrg_rt_line_begin(&line, "info", "ready");
	mrg_rt_line_num(&line, "zero", 0);
	mrg_rt_line_num(&line, "most", UINT64_MAX);
	mrg_rt_line_addr(&line, "listen", &a);
	mrg_rt_line_str(&line, "empty", "");
	assert_line(
		"level=info event=ready zero=0 most=18446744073709551615 listen=192.0.2.1:53 empty=\"\"\n");
}
END_TEST

START_TEST(lines_stay_one_line_whatever_the_value)
{
	mrg_rt_line_begin(&line, "info", "x");
	mrg_rt_line_str(&line, "v", "\xff");
	mrg_rt_line_str(&line, "w", "\x7f");
	mrg_rt_line_str(&line, "x", "=");
	assert_line("level=info event=x v=\"\\xff\" w=\"\\x7f\" x=\"=\"\n");
	mrg_rt_line_begin(&line, "info", "x");
	mrg_rt_line_str(&line, "v", "a b=\"c\"\\\n\t\x01\xff");
	assert_line("level=info event=x v=\"a b=\\\"c\\\"\\\\\\n\\t\\x01\\xff\"\n");
}
END_TEST

START_TEST(lines_that_are_too_long_say_so)
{
	char value[MRG_RT_LINE_MAX + 2];
	for (size_t len = 0; len <= MRG_RT_LINE_MAX; len++) {
		memset(value, len % 2 != 0 ? 'v' : '\n', len);
		value[len] = '\0';
		mrg_rt_line_begin(&line, "info", "x");
		mrg_rt_line_str(&line, "v", value);
		mrg_rt_line_str(&line, "w", "1");
		const struct mrg_span got = mrg_rt_line_end(&line);
		ck_assert_uint_le(got.len, MRG_RT_LINE_MAX);
		ck_assert_uint_eq(got.p[got.len - 1], '\n');
		ck_assert_ptr_null(memchr(got.p, '\n', got.len - 1));
		const bool whole = got.len > 5 && memcmp(got.p + got.len - 5, " w=1\n", 5) == 0;
		const bool cut = got.len > 7 && memcmp(got.p + got.len - 7, " cut=1\n", 7) == 0;
		ck_assert(whole != cut);
		/* A field is there whole or not at all. */
		const size_t coded = len % 2 != 0 ? len : 2 * len + 2;
		const size_t none = sizeof "level=info event=x cut=1\n" - 1,
			     one = none + sizeof " v=" - 1 + coded;
		ck_assert(!cut || got.len == none || got.len == one);
	}
}
END_TEST

START_TEST(times_equal_those_of_the_c_library)
{
	char got[MRG_RT_TIME_TEXT], want[64];
	const uint64_t year = 31556952, last = UINT64_C(253402300799);
	for (uint64_t s = 0; s <= last; s += s < 40u * year ? 86399u : 40u * 86400u + 1u) {
		struct tm tm;
		const time_t t = (time_t)s;
		(void)gmtime_r(&t, &tm);
		(void)strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
		ck_assert_str_eq(mrg_rt_time_str(s, got), want);
	}
	ck_assert_str_eq(mrg_rt_time_str(UINT64_MAX, got), "9999-12-31T23:59:59Z");
}
END_TEST

/* ---- paths ---- */

START_TEST(paths_of_trees)
{
	static const char *const good[] = { "", "a", "a/b", "...", "..a", ".a", "a.", "a/.b/c..", "\\",
		"\xff/ ", "*" },
				 *const bad[] = { "/", "/a", "a/", "a//b", "//", ".", "..", "./a", "../a",
					 "a/.", "a/..", "a/./b", "a/../b" };
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(mrg_rt_path_ok((struct mrg_span){ (const uint8_t *)good[i], strlen(good[i]) }),
			"%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!mrg_rt_path_ok((struct mrg_span){ (const uint8_t *)bad[i], strlen(bad[i]) }),
			"%s", bad[i]);
	ck_assert(!mrg_rt_path_ok((struct mrg_span){ (const uint8_t *)"a\0b", 3 }));
	ck_assert(!mrg_rt_path_ok((struct mrg_span){ (const uint8_t *)"a\0/b", 4 }));
	ck_assert(mrg_rt_path_ok((struct mrg_span){ NULL, 0 }));
}
END_TEST

/* ---- digests ---- */

START_TEST(sha1_of_the_rfc)
{
	/* RFC 3174 7.3: TEST1 and TEST2a */
	static const uint8_t abc[20] = { 0xA9, 0x99, 0x3E, 0x36, 0x47, 0x06, 0x81, 0x6A, 0xBA, 0x3E, 0x25,
		0x71, 0x78, 0x50, 0xC2, 0x6C, 0x9C, 0xD0, 0xD8, 0x9D };
	static const uint8_t none[20] = { 0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55, 0xbf,
		0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09 };
	uint8_t out[20];
	mrg_rt_sha1("abc", 3, out);
	ck_assert_mem_eq(out, abc, sizeof out);
	mrg_rt_sha1(NULL, 0, out);
	ck_assert_mem_eq(out, none, sizeof out);
}
END_TEST

/* The test vector of the paper's appendix A, and the first of those that its authors publish with their code. */
START_TEST(hash_of_the_paper)
{
	static const uint64_t key[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t in[64];
	unsigned same = 0;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	ck_assert_uint_eq(mrg_rt_hash(key, (struct mrg_span){ in, 15 }), UINT64_C(0xa129ca6149be45e5));
	/* each octet, the length and the key count */
	for (size_t len = 0; len < sizeof in; len++) {
		const uint64_t h = mrg_rt_hash(key, (struct mrg_span){ in, len });
		const uint64_t other[2] = { key[0], key[1] ^ 1u };
		ck_assert_uint_ne(h, mrg_rt_hash(key, (struct mrg_span){ in, len + 1 }));
		ck_assert_uint_ne(h, mrg_rt_hash(other, (struct mrg_span){ in, len }));
		for (size_t i = 0; i < len; i++) {
			in[i] ^= 0x80;
			same += h == mrg_rt_hash(key, (struct mrg_span){ in, len });
			in[i] ^= 0x80;
		}
	}
	ck_assert_uint_eq(same, 0);
	ck_assert_uint_eq(mrg_rt_hash(key, (struct mrg_span){ NULL, 0 }), UINT64_C(0x726fdb47dd0e0e31));
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/core");
	TCase *const t = tcase_create("core");
	tcase_add_test(t, timers_fire_in_order_and_tell_the_next);
	tcase_add_test(t, timers_equal_a_plain_array);
	tcase_add_test(t, a_run_ends_although_a_timer_sets_itself_again);
	tcase_add_test(t, a_timer_may_cancel_another_that_is_due);
	tcase_add_test(t, time_that_goes_back_fires_nothing);
	tcase_add_test(t, arenas_align_fill_and_refuse);
	tcase_add_test(t, pools_reuse_and_end);
	tcase_add_test(t, blocks_are_trimmed);
	tcase_add_test(t, blocks_split_and_join);
	tcase_add_test(t, blocks_need_room);
	tcase_add_test(t, addresses_are_the_same_or_not);
	tcase_add_test(t, addresses_are_in_a_network_or_not);
	tcase_add_test(t, addresses_become_their_networks);
	tcase_add_loop_test(t, addresses_read_and_print, 0, (int)(sizeof addresses / sizeof addresses[0]));
	tcase_add_loop_test(
		t, what_is_no_address_is_refused, 0, (int)(sizeof no_addresses / sizeof no_addresses[0]));
	tcase_add_test(t, lines_hold_keys_and_values);
	tcase_add_test(t, lines_stay_one_line_whatever_the_value);
	tcase_add_test(t, lines_that_are_too_long_say_so);
	tcase_add_test(t, times_equal_those_of_the_c_library);
	tcase_add_test(t, paths_of_trees);
	tcase_add_test(t, sha1_of_the_rfc);
	tcase_add_test(t, hash_of_the_paper);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
