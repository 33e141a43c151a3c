/*
 * pair.h - for tests of protocols/tcpip: two hosts with stacks on a simulated wire, or more, and users who send each other bytes that
 * can be told from all others.
 */
#ifndef TESTS_TCPIP_PAIR_H
#define TESTS_TCPIP_PAIR_H

#include "protocols/tcpip/tcp.h"
#include "protocols/tcpip/tcpip.h"
#include "sim/mrg_sim.h"
#include "tests/protocols/http/guard.h"

#define MS UINT64_C(1000000)
#define SECOND MRG_RT_SECOND_NS

/* One side of a connection: it sends `size` bytes, then finishes, and closes when the peer has finished, too. */
struct side {
	struct mrg_stream *stream;
	uint64_t seed;       /* of what it sends; the peer's is seed ^ 1 */
	uint64_t size, sent, got;
	uint32_t read_max;   /* bytes that it reads at a time; 0: as many as there are */
	bool mute;           /* it reads nothing */
	bool stay;           /* it does not finish by itself */
	bool linger;         /* it does not close by itself when both have finished */
	bool opened, finished, eof, reset, closed, wrong, refuses;
	uint64_t opened_ns, closed_ns;
	struct pair *kit;
};

enum { SIDES = 4096, PAIR_HOSTS_MAX = 4 };

struct pair {
	struct mrg_sim *sim;
	int count; /* of hosts */
	struct mrg_sim_host *host[PAIR_HOSTS_MAX];
	struct mrg_link *link[PAIR_HOSTS_MAX];
	struct mrg_tcpip *stack[PAIR_HOSTS_MAX];
	struct mrg_tcpip_if *on[PAIR_HOSTS_MAX];
	struct mrg_sim_wire *wire;
	struct mrg_rt_addr address[PAIR_HOSTS_MAX]; /* port 0 */
	/* host 1 listens at port 80: its connections in the order in which they were opened */
	struct side served[SIDES];
	size_t served_count;
	struct side pattern; /* what each begins as */
	struct mrg_stream_user server;
	struct mrg_tcpip_listener *listener;
};

extern struct mrg_tcpip_limits pair_limits; /* small; changed by tests before pair_begin, and reset by pair_reset */
extern int pair_hosts; /* 2; likewise */
void pair_reset(void);

/* The hosts; version 4 or 6. The clocks are not the same. Everything is as `seed` says. */
struct pair *pair_begin(const struct mrg_sim_options *o, uint64_t seed, unsigned version);

/* An attempt of host 0 at port 80 of host 1. */
struct attempt {
	struct mrg_tcpip_connect connect;
	struct mrg_stream_user user;
	struct side side;
	bool failed;
	enum mrg_net_why why;
};
void pair_connect(struct pair *k, struct attempt *a, uint64_t seed, uint64_t size);
void pair_connect_from(struct pair *k, int host, struct attempt *a, uint64_t seed, uint64_t size); /* of another host than 0 */

/* Let it run until `until_ns` from now, or, if `over` is given, until that is over.   Returns: whether it is. */
void pair_run(struct pair *k, uint64_t for_ns);
bool pair_run_until(struct pair *k, uint64_t for_ns, bool (*over)(const struct pair *k, const struct attempt *a), const struct attempt *a);
bool pair_both_over(const struct pair *k, const struct attempt *a); /* the attempt's side and the first served one have closed */

bool pair_quiet(const struct pair *k, const struct attempt *a); /* no connection is left on any host */

/* All memory of the stacks is back: no connection, no block, no piece. */
void pair_must_be_empty(const struct pair *k);
/* The transfer of this attempt with the n-th served side is complete, right and over. */
void pair_must_be_done(const struct pair *k, const struct attempt *a, size_t n);

uint64_t pair_count(const struct pair *k, int host, const char *name); /* a counter of TCP */

#endif
