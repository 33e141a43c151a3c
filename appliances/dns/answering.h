/*
 * answering.h - the options that say how questions are answered: those of every mrg-dns, process or virtual machine.
 *
 * Use:
 *	answering_init(&a);
 *	static const struct arg table[] = { ANSWERING_ARGS(struct options, answering), ... };	whose ctx begins with a
 *	if (!answering_end(&a)) ...		once all are read
 */
#ifndef MRG_DNS_ANSWERING_H
#define MRG_DNS_ANSWERING_H

#include "appliances/common/args.h"
#include "appliances/dns/limits.h"
#include "protocols/dns/answer.h"

enum {
	ANSWERING_UDP_MAX = 1232, /* unless said otherwise */
	ANSWERING_SLIP_MAX = 100,
	ANSWERING_NETWORKS_MAX = 10000000,
	ANSWERING_TCP_MAX = 65535
};

struct answering {
	struct mrg_dns_server server; /* without a database */
	struct rate_option rate;
	struct mrg_dns_cookie_secrets cookies;
	unsigned cookie_secrets; /* that were given */
	bool no_cookies;
	unsigned tcp_per_client; /* connections; 0: no limit */
};

/* Rows for a table of options (args.h): `field` is a struct answering, and the first of `structure`. */
#define ANSWERING_ARGS(structure, field) \
	ARG_TAKES("--udp-max", answering_udp_max), ARG_TAKES("--version-text", answering_version), \
	ARG_TAKES("--identity", answering_identity), ARG_TAKES("--nsid", answering_nsid), \
	ARG_COUNTS("--rate", structure, field.rate.limit, 0, MRG_DNS_RATE_MOST), \
	ARG_COUNTS("--rate-slip", structure, field.rate.slip, 0, ANSWERING_SLIP_MAX), \
	ARG_COUNTS("--rate-networks", structure, field.rate.networks, 1, ANSWERING_NETWORKS_MAX), \
	ARG_COUNTS("--tcp-per-client", structure, field.tcp_per_client, 1, ANSWERING_TCP_MAX), \
	ARG_TAKES("--cookie-secret", answering_cookie_secret), \
	ARG_SETS("--no-cookies", structure, field.no_cookies)

bool answering_udp_max(void *ctx, const char *value);
bool answering_version(void *ctx, const char *value);
bool answering_identity(void *ctx, const char *value);
bool answering_nsid(void *ctx, const char *value);
bool answering_cookie_secret(void *ctx, const char *value);

/* answering_init - what counts where no option says otherwise. */
void answering_init(struct answering *a);

/* answering_end - a secret for cookies if none was given; the server borrows it.   Fails: false: the system has no random octets. */
bool answering_end(struct answering *a);

#endif
