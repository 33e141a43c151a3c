/*
 * ping.h - what the files of mrg-ping share.
 *
 * References: RFC 792, RFC 4443 section 4; ping(8) of iputils, whose words, figures and exit codes these are.
 */
#ifndef MRG_PING_H
#define MRG_PING_H

#include "appliances/common/net.h"

/* How the program ends. */
enum { PING_HEARD = 0, PING_NOTHING = 1, PING_WRONG = 2 };

enum { SIZE_MAX_4 = 65507, SIZE_USUAL = 56, SEQUENCES = 1 << 16 };

struct options {
	struct net_options net;
	struct mrg_rt_addr to;
	uint64_t count;       /* 0: until it is ended */
	uint64_t interval_ns; /* from one to the next */
	uint64_t patience_ns; /* for the last reply, when there was none before */
	size_t size;          /* octets of data */
	bool quiet;
};

/*
 * options_read - false: *code is how the program ends, and what there was to say has been said.
 */
bool options_read(struct options *o, int argc, char *const argv[], int *code);

/* Requests to one address, and what came of them.  Zero-initialised. */
struct pinger {
	bool over; /* nothing more will come */
	/* private */
	const struct options *options;
	struct mrg_tcpip_ping ping;
	struct mrg_rt_timers *timers;
	struct mrg_rt_timer next; /* the next request, or the end of patience */
	uint64_t begun_ns;
	uint64_t transmitted, received, repeated, errors, pipe;
	uint64_t least_us, most_us, sum_us, squares;
	uint64_t sent_ns[SEQUENCES];
	bool heard[SEQUENCES]; /* since it was sent last */
	uint8_t data[SIZE_MAX_4];
};

/*
 * pinger_begin - say to whom, and send the first request.   options    must stay in place
 */
void pinger_begin(struct pinger *p, struct mrg_tcpip *stack, struct mrg_rt_timers *timers, const struct options *options, uint64_t now_ns);

/*
 * pinger_end - say what came of it; returns the exit code.
 */
int pinger_end(struct pinger *p, uint64_t now_ns);

#endif
