/*
 * seeing.h - what a worker sees of messages, put where the thread finds it that writes it down (reporter.h): of questions one of so many; of
 * transfers, NOTIFY and UPDATE each that was granted, since there are few of them and they are what one looks for afterwards. Those that
 * were refused anybody can send in any number: of them, too, one of so many.
 *
 * What it does not do: it takes no lock and waits for nothing; what finds no room is counted (seen.h). Where nothing is to be written down it
 * does nothing.
 */
#ifndef MRG_DNS_SEEING_H
#define MRG_DNS_SEEING_H

#include "appliances/dns/others.h"

struct worker;

/* A question that came by what the client's ctx is, if its turn has come (sampler_due). */
void seeing_query(struct worker *w, const struct mrg_dns_asker *client, struct mrg_span query, struct mrg_span reply);

/* seeing_other - as `seen` of struct others; ctx is the worker. Whether whoever asked may is seen by the reply. */
void seeing_other(void *worker, const struct sight *s);

/* seeing_granted - he may; the message came at since_ns of the loop's clock. */
void seeing_granted(struct worker *w, const struct sight *s, uint64_t since_ns);

/* A transfer is over, or its connection is. */
void seeing_transfer(struct worker *w, const struct sending_told *told);

#endif
