/*
 * updating.h - dynamic updates: what a client wants to be changed, to a new version of the zone that is in its file as well.
 *
 * References: RFC 2136, RFC 3007.
 *
 * What it does not do: it serves nothing, and sends no reply.
 */
#ifndef MRG_DNS_UPDATING_H
#define MRG_DNS_UPDATING_H

#include "appliances/dns/mail.h"
#include "appliances/dns/version.h"

/*
 * updating_do - what a letter asks for, done to a version.
 *   z      what the zone is now
 *   made   NULL: nothing has changed; else the version that is to be served before the reply is sent, with one user
 * Returns the RCODE. What went wrong has been logged.
 */
unsigned updating_do(const struct letter *l, const struct served *z, struct version **made);

#endif
