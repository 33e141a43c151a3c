/*
 * appliances/ping/pinger: what ping(8) of iputils prints and how it ends; the stack is a fake.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocols/http/guard.h"

#include "appliances/ping/pinger.c"

static const uint64_t second = MRG_RT_SECOND_NS, micro = MRG_RT_SECOND_NS / 1000000;

/* ---- the stack ---- */

static struct {
	struct mrg_tcpip_ping *ping;
	enum mrg_io outcome;
	size_t sent, len;
	uint16_t sequence;
} fake;

void mrg_tcpip_ping_open(struct mrg_tcpip *s, struct mrg_tcpip_ping *p) { (void)s, fake.ping = p; }
void mrg_tcpip_ping_close(struct mrg_tcpip_ping *p)
{
	MUST(p == fake.ping);
	fake.ping = NULL;
}

enum mrg_io mrg_tcpip_ping_send(
	struct mrg_tcpip_ping *p, const struct mrg_rt_addr *to, uint16_t sequence, struct mrg_span data)
{
	MUST(p == fake.ping && to->family != 0);
	fake.sent++;
	fake.sequence = sequence;
	fake.len = data.len;
	return fake.outcome;
}

static char complaints[2000];

void say(const char *first, ...) { strcat(strcat(complaints, first), "\n"); }

/* ---- time, and what is printed ---- */

static struct pinger pinger;
static struct options options;
static struct mrg_rt_timers timers;
static uint64_t now;
static FILE *out;
static int out_before;

static void begin(const char *to, uint64_t count)
{
	memset(&pinger, 0, sizeof pinger);
	memset(&timers, 0, sizeof timers);
	memset(&fake, 0, sizeof fake);
	complaints[0] = '\0';
	options.count = count;
	options.interval_ns = second;
	options.patience_ns = 10 * second;
	MUST(mrg_rt_addr_read(to, 0, &options.to));
	now = 100 * second;
	(void)fflush(stdout);
	out = tmpfile();
	out_before = dup(1);
	MUST(out != NULL && dup2(fileno(out), 1) == 1);
	pinger_begin(&pinger, NULL, &timers, &options, now);
}

static void until(uint64_t end)
{
	while (mrg_rt_timers_next(&timers) <= end) {
		now = mrg_rt_timers_next(&timers);
		mrg_rt_timers_run(&timers, now);
	}
	now = end;
}

/* A reply `us` after the request, with so many of the octets that were sent, the first `wrong` of them changed. */
static void reply(uint16_t sequence, uint64_t us, size_t len, size_t wrong)
{
	static uint8_t data[70000];
	until(pinger.sent_ns[sequence] + us * micro);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i < wrong ? 0xff : i);
	fake.ping->heard(
		fake.ping, &options.to, sequence, guarded((struct mrg_span){ data, len }), 64, NULL, now);
}

/* All that was printed. */
static const char *end_with(int code)
{
	static char text[20000];
	MUST(pinger_end(&pinger, now) == code);
	(void)fflush(stdout);
	MUST(dup2(out_before, 1) == 1);
	(void)close(out_before);
	rewind(out);
	text[fread(text, 1, sizeof text - 1, out)] = '\0';
	(void)fclose(out);
	MUST(fake.ping == NULL && mrg_rt_timers_next(&timers) == MRG_RT_NEVER);
	return text;
}

static void usual(void) { options = (struct options){ .size = 56 }; }

/* ---- tests ---- */

START_TEST(replies)
{
	usual();
	begin("192.0.2.1", 5);
	ck_assert_uint_eq(fake.len, 56);
	reply(1, 83, 56, 0);
	until(101 * second);
	reply(2, 1234, 56, 0);
	until(102 * second);
	reply(3, 12345, 56, 0);
	until(103 * second);
	reply(4, 123456, 56, 0);
	until(104 * second);
	ck_assert_uint_eq(fake.sequence, 5);
	ck_assert(!pinger.over);
	reply(5, 999, 56, 0);
	ck_assert(pinger.over);
	ck_assert_str_eq(end_with(0), "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n"
				      "64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.083 ms\n"
				      "64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=1.23 ms\n"
				      "64 bytes from 192.0.2.1: icmp_seq=3 ttl=64 time=12.3 ms\n"
				      "64 bytes from 192.0.2.1: icmp_seq=4 ttl=64 time=123 ms\n"
				      "64 bytes from 192.0.2.1: icmp_seq=5 ttl=64 time=0.999 ms\n"
				      "\n--- 192.0.2.1 ping statistics ---\n"
				      "5 packets transmitted, 5 received, 0% packet loss, time 4000ms\n"
				      "rtt min/avg/max/mdev = 0.083/27.623/123.456/48.127 ms\n");
}
END_TEST

START_TEST(replies_in_ipv6)
{
	usual();
	begin("[2001:db8::1]", 1);
	reply(1, 83, 56, 0);
	ck_assert_str_eq(end_with(0), "PING 2001:db8::1(2001:db8::1) 56 data bytes\n"
				      "64 bytes from 2001:db8::1: icmp_seq=1 ttl=64 time=0.083 ms\n"
				      "\n--- 2001:db8::1 ping statistics ---\n"
				      "1 packets transmitted, 1 received, 0% packet loss, time 0ms\n"
				      "rtt min/avg/max/mdev = 0.083/0.083/0.083/0.000 ms\n");
}
END_TEST

START_TEST(nobody_answers)
{
	usual();
	begin("192.0.2.1", 3);
	until(111 * second);
	ck_assert(!pinger.over);
	until(112 * second);
	ck_assert(pinger.over);
	ck_assert_uint_eq(fake.sent, 3);
	ck_assert_str_eq(end_with(1),
		"PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n"
		"\n--- 192.0.2.1 ping statistics ---\n"
		"3 packets transmitted, 0 received, 100% packet loss, time 12000ms\n\n");
}
END_TEST

START_TEST(lost_repeated_and_refused)
{
	usual();
	begin("192.0.2.1", 0);
	reply(1, 100, 56, 0);
	reply(1, 200, 56, 0);
	until(101 * second);
	until(102 * second);
	const struct mrg_rt_addr router = { .family = 4, .ip = { 10, 0, 0, 1 } };
	fake.ping->heard(
		fake.ping, &router, 3, (struct mrg_span){ NULL, 0 }, 64, "Destination Host Unreachable", now);
	until(102 * second + 1000 * micro);
	ck_assert_str_eq(end_with(0),
		"PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n"
		"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.100 ms\n"
		"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.200 ms (DUP!)\n"
		"From 10.0.0.1 icmp_seq=3 Destination Host Unreachable\n"
		"\n--- 192.0.2.1 ping statistics ---\n"
		"3 packets transmitted, 1 received, +1 duplicates, +1 errors, 66.6667% packet loss, time 2001ms\n"
		"rtt min/avg/max/mdev = 0.100/0.100/0.100/0.000 ms\n");
}
END_TEST

START_TEST(late_replies)
{
	usual();
	begin("192.0.2.1", 2);
	reply(1, 1500000, 56, 0);
	ck_assert(!pinger.over);
	reply(2, 700000, 56, 0);
	ck_assert(pinger.over);
	const char *const text = end_with(0);
	ck_assert_ptr_nonnull(strstr(text, "icmp_seq=1 ttl=64 time=1500 ms\n"));
	ck_assert_ptr_nonnull(strstr(text, ", pipe 2\n"));
}
END_TEST

START_TEST(octets_that_are_not_those_sent)
{
	usual();
	begin("192.0.2.1", 0);
	reply(1, 1, 56, 3);
	until(101 * second);
	reply(2, 1, 55, 0);
	until(102 * second);
	reply(3, 1, 57, 0);
	const char *const text = end_with(0);
	ck_assert_ptr_nonnull(strstr(
		text, "icmp_seq=1 ttl=64 time=0.001 ms\nwrong data byte #0 should be 0x0 but was 0xff\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "63 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.001 ms (truncated)\n"));
	ck_assert_ptr_nonnull(strstr(text, "icmp_seq=3 ttl=64 time=0.001 ms (too long)\n"));
}
END_TEST

START_TEST(replies_to_nothing)
{
	usual();
	begin("192.0.2.1", 2);
	reply(0, 0, 56, 0);
	fake.ping->heard(fake.ping, &options.to, 2, (struct mrg_span){ NULL, 0 }, 64, NULL, now);
	fake.ping->heard(fake.ping, &options.to, 65535, (struct mrg_span){ NULL, 0 }, 64, NULL, now);
	ck_assert_uint_eq(pinger.received, 0);
	(void)end_with(1);
}
END_TEST

START_TEST(sequence_numbers_go_round)
{
	usual();
	options.quiet = true;
	begin("192.0.2.1", 0);
	for (unsigned i = 0; i < 70000; i++) {
		now = pinger.sent_ns[fake.sequence];
		fake.ping->heard(fake.ping, &options.to, fake.sequence, (struct mrg_span){ pinger.data, 56 },
			64, NULL, now);
		until(now + second);
	}
	ck_assert_uint_eq(pinger.received, 70000);
	ck_assert_uint_eq(pinger.repeated, 0);
	ck_assert_ptr_nonnull(
		strstr(end_with(0), "70001 packets transmitted, 70000 received, 0.00142855% packet loss"));
}
END_TEST

START_TEST(no_way)
{
	usual();
	begin("192.0.2.1", 2);
	fake.outcome = MRG_IO_RESET;
	until(101 * second);
	ck_assert_str_eq(complaints, "mrg-ping: sendmsg: Network is unreachable\n");
	until(200 * second);
	(void)end_with(1);
}
END_TEST

/* With DHCP there is no way at first. */
START_TEST(no_lease_yet)
{
	usual();
	options.net.dhcp = true;
	begin("192.0.2.1", 0);
	pinger.transmitted = 0;
	fake.outcome = MRG_IO_RESET;
	until(104 * second);
	ck_assert_str_eq(complaints, "");
	ck_assert_uint_eq(fake.sequence, 1);
	fake.outcome = MRG_IO_OK;
	until(105 * second);
	reply(1, 2000000, 56, 0);
	ck_assert_uint_eq(pinger.received, 1);
	(void)end_with(0);
	begin("192.0.2.1", 0);
	pinger.transmitted = 0;
	fake.outcome = MRG_IO_RESET;
	until(112 * second);
	ck_assert_str_ne(complaints, "");
	(void)end_with(1);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("appliances/ping");
	TCase *const t = tcase_create("pinger");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, replies);
	tcase_add_test(t, replies_in_ipv6);
	tcase_add_test(t, nobody_answers);
	tcase_add_test(t, lost_repeated_and_refused);
	tcase_add_test(t, late_replies);
	tcase_add_test(t, octets_that_are_not_those_sent);
	tcase_add_test(t, replies_to_nothing);
	tcase_add_test(t, sequence_numbers_go_round);
	tcase_add_test(t, no_way);
	tcase_add_test(t, no_lease_yet);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
