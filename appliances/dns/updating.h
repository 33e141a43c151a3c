/*
 * updating.h - dynamic updates: what a client wants to be changed, to a new version of the zone, which a process has in its file as well.
 *
 * References: RFC 2136, RFC 3007.
 *
 * What it does not do: it serves nothing, and sends no reply.
 */
#ifndef MRG_DNS_UPDATING_H
#define MRG_DNS_UPDATING_H

#include "appliances/dns/version.h"
#include "protocols/dns/tsig.h"

/* What is asked for, and by whom. */
struct updating {
	struct mrg_span message;
	const struct mrg_rt_addr *peer;
	struct mrg_dns_auth *auth; /* of the request, for the reply */
};

/*
 * updating_do - what is asked for, done to a version.
 *   z      what the zone is now
 *   made   NULL: nothing has changed; else the version that is to be served before the reply is sent, with one user
 * Returns the RCODE. What went wrong has been logged.
 */
unsigned updating_do(const struct updating *u, const struct served *z, struct version **made);

/* updating_reply - the reply, signed as the request was.   Returns how many octets it has; 0: there is none. */
size_t updating_reply(const struct updating *u, unsigned rcode, uint8_t *out, size_t cap);

#endif
