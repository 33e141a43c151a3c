/*
 * Numbers that nobody shall tell in advance: what nmap -O measures of initial sequence numbers, identifications and timestamps; the
 * clock of RFC 6528; ports (RFC 6056).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

static const struct raw_options rich = { .mss = 1460, .scale = 7, .sack_ok = true, .ts = true };

/* ---- what nmap makes of six answers (https://nmap.org/book/osdetect-methods.html#osdetect-probes-seq, osscan2.cc) ---- */

enum { PROBES = 6 };

struct seen {
	uint32_t isn[PROBES], ts[PROBES];
	uint16_t id[PROBES];
};

struct classes {
	double gcd, isr, sp;
	char ti; /* Z: all zero, R: by chance, I: incremental, O: another */
};

static uint32_t gcd_of(uint32_t a, uint32_t b)
{
	while (b != 0) {
		const uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static char id_class(const struct seen *s)
{
	bool zero = true;
	unsigned most = 0;
	for (unsigned i = 0; i < PROBES; i++) {
		zero = zero && s->id[i] == 0;
		const unsigned step = i == 0 ? 0 : (uint16_t)(s->id[i] - s->id[i - 1]);
		most = step > most ? step : most;
	}
	return zero ? 'Z' : most > 20000 ? 'R' : most < 10 ? 'I' : 'O';
}

static struct classes classes_of(const struct seen *s)
{
	enum { STEPS = PROBES - 1 };
	double rate[STEPS], sum = 0, deviation = 0;
	uint32_t gcd = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		const uint32_t up = s->isn[i + 1] - s->isn[i], down = s->isn[i] - s->isn[i + 1];
		const uint32_t step = up < down ? up : down;
		gcd = gcd_of(gcd, step);
		rate[i] = step / 0.1;
		sum += rate[i];
	}
	const double average = sum / STEPS, divisor = gcd > 9 ? gcd : 1;
	for (unsigned i = 0; i < STEPS; i++)
		deviation += pow(rate[i] / divisor - average / divisor, 2);
	deviation = sqrt(deviation / (PROBES - 2));
	return (struct classes){ .gcd = gcd,
		.isr = average < 1 ? 0 : floor(8 * log2(average) + 0.5),
		.sp = deviation <= 1 ? 0 : floor(8 * log2(deviation) + 0.5),
		.ti = id_class(s) };
}

/* Six SYNs from six ports, 100 ms apart. */
static struct seen probe(unsigned run)
{
	struct seen s;
	for (unsigned i = 0; i < PROBES; i++) {
		raw.peer_port = (uint16_t)(10000 + run * PROBES + i);
		SEND(.flags = SYN, .syn = &rich);
		const struct raw_out *const o = EXPECT(SYN | ACK, 0, 1, 0);
		s.isn[i] = o->seq;
		s.id[i] = o->id;
		s.ts[i] = o->ts_value;
		SEND(.flags = RST, .seq = 1);
		raw_forget();
		raw_run(RAW_SECOND / 10);
	}
	return s;
}

static int in_order(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Numbers by chance, of which nothing can be told: as good as it gets. */
static double ideal_sp(void)
{
	struct seen s = { .isn = { 0 } };
	for (unsigned i = 0; i < PROBES; i++)
		s.isn[i] = (uint32_t)any(1u << 16) << 16 | any(1u << 16);
	return classes_of(&s).sp;
}

START_TEST(nmap_classes)
{
	enum { RUNS = 1000 };
	static double sp[RUNS], ideal[RUNS];
	if (_i == 4)
		raw_open(NULL);
	else
		raw_open6();
	any_begin(1);
	for (unsigned run = 0; run < RUNS; run++) {
		const struct seen s = probe(run);
		const struct classes c = classes_of(&s);
		MUST_SAY(c.gcd < 10 && c.isr > 240, "GCD %.0f, ISR %.0f", c.gcd, c.isr);
		MUST_SAY(c.ti == 'Z', "TI %c", c.ti); /* they can't be fragmented: RFC 6864 section 4.1 */
		sp[run] = c.sp;
		ideal[run] = ideal_sp();
	}
	qsort(sp, RUNS, sizeof *sp, in_order);
	qsort(ideal, RUNS, sizeof *ideal, in_order);
	/* six numbers are few: the index of those by chance is between 230 and 271, and 262 in the middle */
	for (unsigned part = 1; part < 20; part++) {
		const unsigned at = part * RUNS / 20;
		MUST_SAY(fabs(sp[at] - ideal[at]) <= 3, "the %u. of %u is %.0f instead of %.0f", at, RUNS,
			sp[at], ideal[at]);
	}
	MUST_SAY(sp[RUNS / 20] >= 250, "SP %.0f", sp[RUNS / 20]);
	MUST_SAY(sp[0] >= 225, "SP %.0f at least", sp[0]);
}
END_TEST

/* nmap tells of timestamps how often they tick only when they are of one clock. */
START_TEST(timestamps_tell_no_uptime)
{
	raw_open(NULL);
	for (unsigned run = 0; run < 100; run++) {
		const struct seen s = probe(run);
		unsigned like_a_clock = 0;
		for (unsigned i = 1; i < PROBES; i++)
			like_a_clock += s.ts[i] - s.ts[i - 1] < 2000;
		MUST(like_a_clock < 2);
	}
}
END_TEST

/* ---- RFC 6528 section 3: the same four numbers see a clock that ticks each 4 microseconds ---- */

START_TEST(the_same_peer_sees_a_clock)
{
	uint32_t last = 0;
	raw_open(NULL);
	for (unsigned i = 0; i < 2000; i++) {
		SEND(.flags = SYN);
		EXPECT(SYN | ACK, 0, 1, 0);
		SEND(.flags = RST, .seq = 1);
		raw_forget();
		const uint32_t step = raw.iss - last;
		/* 4.096 microseconds: what a shift makes of nanoseconds */
		MUST_SAY(i == 0 || (step >= 244140 && step <= 244141), "%u in a second", step);
		last = raw.iss;
		raw_run(RAW_SECOND);
	}
}
END_TEST

/* Where we connect to, the same is true, once a port is used again. */
START_TEST(attempts_begin_by_chance)
{
	enum { COUNT = 500 };
	static uint32_t isn[COUNT];
	unsigned up = 0;
	raw_open(NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		raw_peer("192.0.2.9", (uint16_t)(1000 + i));
		raw_connect_begin();
		isn[i] = raw.iss;
		mrg_tcpip_connect_cancel(&raw.attempt);
		raw_run(RAW_SECOND / 10);
		up += i != 0 && (int32_t)(isn[i] - isn[i - 1]) > 0;
		for (unsigned j = 0; j < i; j++)
			MUST(isn[i] - isn[j] + 1000u > 2000u);
	}
	MUST_SAY(up > COUNT * 2 / 5 && up < COUNT * 3 / 5, "%u", up);
}
END_TEST

/* ---- ports ---- */

enum { PORTS = 4096, CLASSES = 64 };

/* RFC 6056 section 3.1: they are spread evenly (chi squared of 63 degrees: 131 once in a million), and no step tells the next. */
static void must_be_by_chance(const uint16_t *port, unsigned count, uint16_t first, const char *what)
{
	const unsigned range = UINT16_MAX + 1u - first;
	unsigned spread[CLASSES] = { 0 }, steps[CLASSES] = { 0 };
	double odd = 0, odd_steps = 0;
	for (unsigned i = 0; i < count; i++) {
		MUST_SAY(port[i] >= first, "%s: %u", what, port[i]);
		spread[(unsigned)(port[i] - first) * CLASSES / range]++;
		steps[(port[i] + range - port[i == 0 ? count - 1 : i - 1]) % range * CLASSES / range]++;
	}
	const double each = (double)count / CLASSES;
	for (unsigned i = 0; i < CLASSES; i++) {
		odd += pow(spread[i] - each, 2) / each;
		odd_steps += pow(steps[i] - each, 2) / each;
	}
	MUST_SAY(odd < 131 && odd_steps < 131, "%s: %.0f, %.0f", what, odd, odd_steps);
}

static void batch(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	(void)ctx, (void)e, (void)d, (void)count, (void)now_ns;
}

START_TEST(ports_of_udp)
{
	static const struct mrg_dgram_user user = { .batch = batch };
	static uint16_t port[PORTS];
	raw_open(NULL);
	for (unsigned i = 0; i < PORTS; i++) {
		struct mrg_rt_addr a = raw_addr(i % 2 == 0 ? "0.0.0.0" : "::", 0);
		struct mrg_tcpip_udp *const u = mrg_tcpip_udp_bind(raw.s, &a, &user);
		MUST(u != NULL);
		port[i] = a.port;
		mrg_tcpip_udp_close(u);
	}
	must_be_by_chance(port, PORTS, 1024, "UDP");
}
END_TEST

/* Who sees the ports of attempts to himself knows nothing of those to others: only the offset between the two, which is by chance. */
START_TEST(ports_of_attempts)
{
	static uint16_t port[PORTS];
	raw_open(NULL);
	for (unsigned i = 0; i < PORTS; i++) {
		raw_peer(i % 2 == 0 ? "192.0.2.9" : "198.51.100.1", (uint16_t)(1000 + i));
		raw_connect_begin();
		port[i] = raw.port;
		mrg_tcpip_connect_cancel(&raw.attempt);
		raw_run(0);
	}
	must_be_by_chance(port, PORTS, 49152, "TCP");
}
END_TEST

/* A listener whose port is chosen says nothing of the secret. */
START_TEST(ports_of_listeners)
{
	static uint16_t port[PORTS];
	raw_open(NULL);
	for (unsigned i = 0; i < PORTS; i++) {
		struct mrg_rt_addr a = raw_addr("0.0.0.0", 0);
		struct mrg_tcpip_listener *const l = mrg_tcpip_listen(raw.s, &a, &raw.served);
		MUST(l != NULL);
		port[i] = a.port;
		mrg_tcpip_listener_close(l);
	}
	must_be_by_chance(port, PORTS, 49152, "listeners");
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("numbers");
	TCase *const t = tcase_create("numbers");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, nmap_classes, 4, 5);
	tcase_add_loop_test(t, nmap_classes, 6, 7);
	tcase_add_test(t, timestamps_tell_no_uptime);
	tcase_add_test(t, the_same_peer_sees_a_clock);
	tcase_add_test(t, attempts_begin_by_chance);
	tcase_add_test(t, ports_of_udp);
	tcase_add_test(t, ports_of_attempts);
	tcase_add_test(t, ports_of_listeners);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
