/*
 * Requests, replies, figures.
 * Reading order: pinger_begin at the end, then upwards.
 */
#include <stdio.h>

#include "appliances/common/say.h"
#include "appliances/ping/ping.h"

enum {
	HEADER_LEN = 8,
	HEADERS4 = 20 + HEADER_LEN
}; /* what goes before the data: ICMP, and IPv4 without options */

static const uint64_t US_NS = 1000;
static const uint64_t SOON_NS = MRG_RT_SECOND_NS / 10u;

/* ---- replies ---- */

/* Three figures, more for what is short. */
static void print_time(uint64_t us)
{
	if (us >= 100000u - 50u)
		(void)printf(" time=%llu ms", (unsigned long long)((us + 500u) / 1000u));
	else if (us >= 10000u - 5u)
		(void)printf(" time=%llu.%llu ms", (unsigned long long)((us + 50u) / 1000u),
			(unsigned long long)((us + 50u) % 1000u / 100u));
	else if (us >= 1000u)
		(void)printf(" time=%llu.%02llu ms", (unsigned long long)((us + 5u) / 1000u),
			(unsigned long long)((us + 5u) % 1000u / 10u));
	else
		(void)printf(" time=0.%03llu ms", (unsigned long long)us);
}

static void print_wrong(const struct pinger *p, struct mrg_span data)
{
	if (data.len != p->options->size) {
		(void)printf(" (%s)", data.len < p->options->size ? "truncated" : "too long");
		return;
	}
	for (size_t i = 0; i < data.len; i++)
		if (data.p[i] != p->data[i]) {
			(void)printf("\nwrong data byte #%zu should be 0x%x but was 0x%x", i, p->data[i],
				data.p[i]);
			return;
		}
}

static void count_time(struct pinger *p, uint64_t us)
{
	if (p->received == 1 || us < p->least_us)
		p->least_us = us;
	if (us > p->most_us)
		p->most_us = us;
	p->sum_us += us;
	p->squares += us * us;
}

/* How many requests were under way when this one was answered. */
static void count_pipe(struct pinger *p, uint16_t sequence)
{
	const uint64_t behind = (uint16_t)((uint16_t)p->transmitted - sequence);
	if (behind + 1u > p->pipe)
		p->pipe = behind + 1u;
}

static void finish_when_done(struct pinger *p)
{
	const uint64_t count = p->options->count;
	if (count == 0 || p->received + p->errors < count)
		return;
	mrg_rt_timer_cancel(p->timers, &p->next);
	p->over = true;
}

static void heard_error(struct pinger *p, const char *from, uint16_t sequence, const char *error)
{
	p->errors++;
	if (!p->options->quiet)
		(void)printf("From %s icmp_seq=%u %s\n", from, sequence, error);
}

static void heard_reply(struct pinger *p, const char *from, uint16_t sequence, struct mrg_span data,
	unsigned hop_limit, uint64_t now_ns)
{
	const uint64_t sent_ns = p->sent_ns[sequence];
	const uint64_t us = now_ns > sent_ns ? (now_ns - sent_ns) / US_NS : 0;
	const bool again = p->heard[sequence];
	p->heard[sequence] = true;
	*(again ? &p->repeated : &p->received) += 1u;
	if (!again) {
		count_time(p, us);
		count_pipe(p, sequence);
	}
	if (p->options->quiet)
		return;
	(void)printf(
		"%zu bytes from %s: icmp_seq=%u ttl=%u", data.len + HEADER_LEN, from, sequence, hop_limit);
	print_time(us);
	if (again)
		(void)printf(" (DUP!)");
	print_wrong(p, data);
	(void)printf("\n");
}

/* A sequence number that is not under way is somebody's invention. */
static bool was_sent(const struct pinger *p, uint16_t sequence)
{
	return p->transmitted >= SEQUENCES || (sequence != 0 && sequence <= p->transmitted);
}

static void heard(struct mrg_tcpip_ping *ping, const struct mrg_rt_addr *from, uint16_t sequence,
	struct mrg_span data, unsigned hop_limit, const char *error, uint64_t now_ns)
{
	struct pinger *const p = ping->ctx;
	char text[MRG_RT_ADDR_TEXT_MAX];
	if (p->over || !was_sent(p, sequence))
		return;
	mrg_rt_addr_host_str(from, text);
	if (error != NULL)
		heard_error(p, text, sequence, error);
	else
		heard_reply(p, text, sequence, data, hop_limit, now_ns);
	(void)fflush(stdout);
	finish_when_done(p);
}

/* ---- requests ---- */

/* How long to wait for the reply to the last one. */
static uint64_t patience(const struct pinger *p)
{
	const uint64_t twice_ns = 2u * p->most_us * US_NS;
	if (p->received == 0)
		return p->options->patience_ns;
	return twice_ns > p->options->interval_ns ? twice_ns : p->options->interval_ns;
}

static void send_next(struct pinger *p, uint64_t now_ns)
{
	const uint16_t sequence = (uint16_t)++p->transmitted;
	const struct mrg_span data = { p->data, p->options->size };
	p->sent_ns[sequence] = now_ns;
	p->heard[sequence] = false;
	const bool last = p->transmitted == p->options->count;
	mrg_rt_timer_set(p->timers, &p->next, now_ns + (last ? patience(p) : p->options->interval_ns));
	/* a reply may come before this returns */
	if (mrg_tcpip_ping_send(&p->ping, &p->options->to, sequence, data) != MRG_IO_RESET)
		return;
	if (p->transmitted == 1 && p->options->net.dhcp && now_ns - p->begun_ns < p->options->patience_ns) {
		/* there is no lease yet */
		p->transmitted = 0;
		mrg_rt_timer_set(p->timers, &p->next, now_ns + SOON_NS);
		return;
	}
	say("mrg-ping: sendmsg: Network is unreachable", NULL);
}

static void on_time(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct pinger *const p = (struct pinger *)(void *)((char *)t - offsetof(struct pinger, next));
	if (p->options->count != 0 && p->transmitted >= p->options->count)
		p->over = true;
	else
		send_next(p, now_ns);
}

/* ---- from beginning to end ---- */

void pinger_begin(struct pinger *p, struct mrg_tcpip *stack, struct mrg_rt_timers *timers,
	const struct options *options, uint64_t now_ns)
{
	char to[MRG_RT_ADDR_TEXT_MAX];
	p->options = options;
	p->timers = timers;
	p->ping = (struct mrg_tcpip_ping){ .ctx = p, .heard = heard };
	p->next.fire = on_time;
	p->begun_ns = now_ns;
	for (size_t i = 0; i < options->size; i++)
		p->data[i] = (uint8_t)i;
	mrg_rt_addr_host_str(&options->to, to);
	if (options->to.family == 4)
		(void)printf("PING %s (%s) %zu(%zu) bytes of data.\n", to, to, options->size,
			options->size + HEADERS4);
	else
		(void)printf("PING %s(%s) %zu data bytes\n", to, to, options->size);
	(void)fflush(stdout);
	mrg_tcpip_ping_open(stack, &p->ping);
	send_next(p, now_ns);
}

static uint64_t root_of(uint64_t x)
{
	uint64_t low = 0, high = UINT64_C(1) << 32;
	while (high - low > 1u) {
		const uint64_t middle = low + (high - low) / 2u;
		*(middle * middle <= x ? &low : &high) = middle;
	}
	return low;
}

static void print_round(const char *between, uint64_t us)
{
	(void)printf(
		"%s%llu.%03llu", between, (unsigned long long)(us / 1000u), (unsigned long long)(us % 1000u));
}

static void print_rounds(const struct pinger *p)
{
	const uint64_t n = p->received, mean = p->sum_us / n, mean_square = p->squares / n;
	print_round("rtt min/avg/max/mdev = ", p->least_us);
	print_round("/", mean);
	print_round("/", p->most_us);
	print_round("/", mean_square > mean * mean ? root_of(mean_square - mean * mean) : 0);
	(void)printf(" ms");
	if (p->pipe > 1)
		(void)printf(", pipe %llu", (unsigned long long)p->pipe);
	(void)printf("\n");
}

int pinger_end(struct pinger *p, uint64_t now_ns)
{
	char to[MRG_RT_ADDR_TEXT_MAX];
	mrg_rt_timer_cancel(p->timers, &p->next);
	mrg_tcpip_ping_close(&p->ping);
	(void)printf("\n--- %s ping statistics ---\n", mrg_rt_addr_host_str(&p->options->to, to));
	(void)printf("%llu packets transmitted, %llu received", (unsigned long long)p->transmitted,
		(unsigned long long)p->received);
	if (p->repeated != 0)
		(void)printf(", +%llu duplicates", (unsigned long long)p->repeated);
	if (p->errors != 0)
		(void)printf(", +%llu errors", (unsigned long long)p->errors);
	const uint64_t lost = p->transmitted - p->received;
	(void)printf(", %g%% packet loss, time %llums\n", (double)lost * 100.0 / (double)p->transmitted,
		(unsigned long long)((now_ns - p->begun_ns) / (1000u * US_NS)));
	if (p->received != 0)
		print_rounds(p);
	else
		(void)printf("\n");
	return fflush(stdout) != 0 ? PING_WRONG : p->received != 0 ? PING_HEARD : PING_NOTHING;
}
