/*
 * cookie.h - DNS cookies: a client that shows one gets answers where it says that it is.
 *
 * References: RFC 7873, RFC 9018 (how all servers that share a secret make them).
 *
 * Use: the secrets are in struct mrg_dns_server (answer.h); the rest is for this folder.
 */
#ifndef MRG_DNS_COOKIE_H
#define MRG_DNS_COOKIE_H

#include "dns/edns.h"
#include "mrg.h"
#include "mrg_rt.h"

/*
 * Secrets that cookies are made with: the first, and accepted with: both.  To change the secret without a client losing its cookie:
 * put the new one second on all servers, then first, then take the old one away after an hour.  RFC 9018 section 5
 */
struct mrg_dns_cookie_secrets {
	uint64_t key[2][2];
	bool two; /* the second is there */
};

enum { MRG_DNS_COOKIE_SECRET = MRG_DNS_COOKIE_SECRET_SIZE_MAX }; /* octets of one */

/*
 * mrg_dns_cookie_secret_set - put a secret at place 0 or 1.   octets   16 that nobody can guess
 */
void mrg_dns_cookie_secret_set(
	struct mrg_dns_cookie_secrets *s, unsigned place, const uint8_t octets[MRG_DNS_COOKIE_SECRET]);

/* Octets of the data of the option in a reply: the client's and the server's. */
enum { MRG_DNS_COOKIE_REPLY = 8 + MRG_DNS_SERVER_COOKIE_SIZE_MAX };

/*
 * mrg_dns_cookie_reply - check a client's cookie and make the one that it gets.
 *   now_s   seconds since 1970
 * Returns whether the client has shown a server cookie that is good; *out is to be sent in any case.
 * Cost:     a hash, or two when there are two secrets or the cookie is to be renewed.
 */
bool mrg_dns_cookie_reply(const struct mrg_dns_cookie_secrets *s, const struct mrg_dns_cookie *c,
	const struct mrg_rt_addr *peer, uint64_t now_s, uint8_t out[MRG_DNS_COOKIE_REPLY]);

#endif
