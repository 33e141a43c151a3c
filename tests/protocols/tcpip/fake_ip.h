/*
 * fake_ip.h - for tests of UDP without IP below: what is sent is kept, what comes is said by the test.
 *
 * Who uses it has these functions instead of those of protocols/tcpip.
 */
#ifndef TESTS_TCPIP_FAKE_IP_H
#define TESTS_TCPIP_FAKE_IP_H

#include "protocols/http/guard.h"
#include "protocols/tcpip/inside.h"

enum { FAKE_SENT_MAX = 300 };

/* One packet that was sent, without its IP header. */
struct fake_sent {
	struct ip from, to;
	struct ip_out o;
	uint16_t only;
	uint8_t *p;
	size_t len, parts;
};

struct fake {
	struct mrg_tcpip stack;
	uint64_t now_ns;
	struct fake_sent sent[FAKE_SENT_MAX]; /* the last ones */
	size_t sent_count;                    /* all */
	unsigned unreachables;                /* ICMP errors that were asked for */
	unsigned finds;                       /* ways that were looked for */
	uint16_t path_mtu;                    /* that was believed */
	bool sums;                            /* the link completes checksums */
	bool no_way;                          /* nothing leads anywhere */
	enum mrg_io outcome;                  /* of each ip_send */
};
extern struct fake fake;

/* A stack of UDP alone. The arena is just as long as udp_memory says. */
struct mrg_tcpip *fake_stack(const struct mrg_tcpip_limits *l);

struct mrg_rt_addr fake_addr(const char *text); /* an address, perhaps with a port */
struct ip fake_ip(const char *text);

/* A datagram that came. */
struct fake_datagram {
	const char *from, *to; /* with ports */
	struct mrg_span octets;
	size_t length;        /* what its header says; 0: what is right */
	size_t extra, cut;    /* octets of the IP payload behind it, or that are missing of it */
	uint16_t sum_off;     /* added to the right checksum */
	bool no_sum, sum_ok, to_many;
	struct mrg_tcpip_if *on;
};

/* Hand it in; its octets end where memory ends. With `keep` they stay as they are, so that a batch can be made of several. */
void fake_input(const struct fake_datagram *d, bool keep);

/* Whether length and checksum of what was sent are right, seen from outside. */
bool fake_sum_right(const struct fake_sent *f);

#endif
