/*
 * said.h - lines of the log about zones. They need no system.
 */
#ifndef MRG_DNS_SAID_H
#define MRG_DNS_SAID_H

#include "appliances/dns/read.h"

/* file   NULL: there is none */
void said_zone(const struct mrg_dns_zone *zone, const char *file);
void said_fault(const struct fault *f);

/* said_notified - somebody has told that a zone has changed.   serial   NULL: it was not said */
void said_notified(struct mrg_span zone, const struct mrg_rt_addr *peer, const uint32_t *serial);

/* said_no_zone - a zone that can't be served.   which   NULL: no certain one   Returns: false */
bool said_no_zone(const char *which, const char *why);

enum { SAID_NAME_MAX = 1100 /* octets of a name in text, each octet of it escaped, and a little */ };

/* A name in flat wire form as text, the name of a zone. */
void said_name_put(struct mrg_span name, struct mrg_w *w);
void said_origin(const struct mrg_dns_zone *zone, struct mrg_w *w);

/* A field of a line of the log: a name, in flat wire form, its first 256 characters. */
void said_name(struct mrg_rt_line *l, const char *key, struct mrg_span name);

#endif
