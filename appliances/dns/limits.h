/*
 * limits.h - what protects others from this server's answers: rates of replies to one network, and cookies.
 *
 * References: RFC 7873, RFC 9018; protocols/dns/rate.h.
 */
#ifndef MRG_DNS_LIMITS_H
#define MRG_DNS_LIMITS_H

#include "protocols/dns/cookie.h"
#include "protocols/dns/rate.h"

/* As --rate, --rate-slip and --rate-networks say. */
struct rate_option {
	unsigned limit; /* replies of a kind a second; 0: none */
	unsigned slip, networks;
};

enum { RATE_SLIP = 2, RATE_NETWORKS = 100000 /* unless said otherwise */ };

size_t rate_memory(const struct rate_option *r); /* octets of the arena for a table */

/*
 * rate_table - the table of one of so many workers.   Fails: false: the arena has no room, or there are no random numbers.
 */
bool rate_table(const struct rate_option *r, size_t workers, struct mrg_dns_rate *out, struct mrg_arena *arena);

/* cookie_secret_read - 32 hexadecimal digits; false: it has been said that they are not. */
bool cookie_secret_read(const char *value, struct mrg_dns_cookie_secrets *secrets, unsigned place);

/* cookie_secret_any - one that nobody knows.   Fails: false: there are no random numbers. */
bool cookie_secret_any(struct mrg_dns_cookie_secrets *secrets);

#endif
