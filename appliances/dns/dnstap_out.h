/*
 * dnstap_out.h - what was seen of queries for those that collect it: messages of dnstap (specs/dnstap.mrg) in Frame Streams (specs/fstrm.mrg), into a
 * file or to whoever listens on a local socket. Who goes away is asked for again, less and less often; meanwhile records are kept as far as there
 * is room.
 *
 * What it does not do: it has no thread; its owner calls it again and again. Nothing here waits.
 *
 * References: https://dnstap.info, https://farsightsec.github.io/fstrm
 */
#ifndef MRG_DNS_DNSTAP_OUT_H
#define MRG_DNS_DNSTAP_OUT_H

#include "appliances/dns/seen.h"
#include "appliances/dns/sink.h"
#include "fstrm.h"

struct dnstap {
	const char *socket;        /* NULL: it goes into a file */
	struct mrg_span identity;  /* of the server */
	struct mrg_rt_timers *timers;
	struct sink data, control; /* frames; those of the connection, which go before */
	uint8_t *payload, *frames; /* where they are made */
	bool ended; /* a file has its end */
	/* a connection */
	struct mrg_fstrm_sender sender;
	struct mrg_rt_timer patience;
	uint64_t now_ns;
	uint64_t retry_ns, retry_at_ns; /* how long between two attempts, and when the next one is due */
	uint8_t in[MRG_FSTRM_CONTROL_SIZE_MAX];
	size_t in_len;
};

size_t dnstap_memory(void); /* octets of the arena that it takes at most */

/* dnstap_socket - the name of the socket in the value of the option; NULL: it is that of a file. */
const char *dnstap_socket(const char *value);

/*
 * dnstap_open - open the file, if it is one; a socket is connected to by dnstap_round.
 *   value      of the option.   identity    borrowed
 * Fails:    a positive errno value.
 */
int dnstap_open(struct dnstap *t, struct mrg_arena *arena, struct mrg_rt_timers *timers, const char *value,
	struct mrg_span identity);

/*
 * dnstap_put - a query that was seen, and its reply.   unix_ns, reply_unix_ns   when they came and went, since 1970
 */
void dnstap_put(struct dnstap *t, const struct seen *seen, struct mrg_span query, struct mrg_span reply,
	uint64_t unix_ns, uint64_t reply_unix_ns);

/*
 * dnstap_round - get on with all that can be done now.
 *   ending   nothing more is put
 * Returns:  is there nothing left to do?
 */
bool dnstap_round(struct dnstap *t, bool ending, uint64_t now_ns);

/* dnstap_reopen - the file may have another one in its place. */
void dnstap_reopen(struct dnstap *t);

#endif
