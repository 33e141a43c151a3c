/*
 * letters.h - what a worker hands on to the manager (others.h), by mail, and how it says what the manager has answered.
 */
#ifndef MRG_DNS_LETTERS_H
#define MRG_DNS_LETTERS_H

#include "appliances/dns/others.h"

struct letter;
struct worker;

/* As `notified` and `update` of struct others; ctx is the worker. */
void letters_notified(void *worker, const struct mrg_dns_notify *n, const struct mrg_rt_addr *peer);
bool letters_update(void *worker, struct mrg_span message, const struct mrg_dns_name_flat *zone,
	const struct mrg_dns_auth *auth, const struct reply_to *to);

/* letters_answer - say it to the client whom it is for; the letter is given back. */
void letters_answer(struct worker *w, struct letter *l, uint64_t now_ns);

#endif
