/*
 * others.h - messages that the zones alone have no answer to: transfers, NOTIFY, UPDATE.
 *
 * References: RFC 1995 2, RFC 1996, RFC 2136, RFC 5936, RFC 8945 5.
 *
 * What it does not do: it changes no zone: what does is handed on to the manager (mail.h).
 */
#ifndef MRG_DNS_OTHERS_H
#define MRG_DNS_OTHERS_H

#include "appliances/dns/answers.h"
#include "protocols/dns/stream.h"

struct letter;
struct worker;

/* As `other` of struct answers; ctx is the worker. */
bool others_datagram(void *worker, struct mrg_dgram_end *e, size_t index, struct mrg_dgram *d);

/*
 * others_stream - the same for a query on a stream.
 *   said   written on true
 */
bool others_stream(struct worker *w, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap,
	size_t *out_len, enum mrg_dns_said *said);

/* others_answer - say what the manager has answered to one of this worker's clients; the letter is given back. */
void others_answer(struct worker *w, struct letter *l, uint64_t now_ns);

#endif
