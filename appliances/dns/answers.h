/*
 * answers.h - datagrams with queries, many at a time.
 */
#ifndef MRG_DNS_ANSWERS_H
#define MRG_DNS_ANSWERS_H

#include "mrg_rt.h"
#include "protocols/dns/answer.h"

/*
 * answers_batch - the reply to each datagram; where there is to be none its out_len is 0.
 */
void answers_batch(const struct mrg_dns_server *s, struct mrg_dgram *d, size_t count);

#endif
