/* Limits: see limits.h. */
#include <string.h>

#include "appliances/dns/limits.h"
#include "appliances/common/say.h"
#include "appliances/dns/system.h"
#include "mrg_text.h"

/* Each worker gets its part of a network's datagrams, and so of its limit. */
static struct mrg_dns_rate_limits limits_of(const struct rate_option *r, size_t workers)
{
	enum { WINDOW_S = 15, PREFIX4 = 24, PREFIX6 = 56 };
	struct mrg_dns_rate_limits limits = { .window_s = WINDOW_S,
		.slip = r->slip,
		.prefix4 = PREFIX4,
		.prefix6 = PREFIX6,
		.networks = r->networks };
	const uint32_t part = (uint32_t)((r->limit + workers - 1) / workers);
	for (unsigned i = 0; i < MRG_DNS_RATE_KINDS; i++)
		limits.per_second[i] = part;
	return limits;
}

size_t rate_memory(const struct rate_option *r)
{
	const struct mrg_dns_rate_limits limits = limits_of(r, 1);
	return r->limit != 0 ? mrg_dns_rate_memory(&limits) : 0;
}

bool rate_table(
	const struct rate_option *r, size_t workers, struct mrg_dns_rate *out, struct mrg_arena *arena)
{
	const struct mrg_dns_rate_limits limits = limits_of(r, workers);
	uint64_t secret[2];
	return system_random(secret, sizeof secret) &&
	       mrg_dns_rate_init(out, arena, &limits, secret) == MRG_OK;
}

bool cookie_secret_read(const char *value, struct mrg_dns_cookie_secrets *secrets, unsigned place)
{
	uint8_t octets[MRG_DNS_COOKIE_SECRET];
	struct mrg_text t;
	struct mrg_w w;
	mrg_text_line(
		&t, (struct mrg_span){ (const uint8_t *)value, strlen(value) }, (struct mrg_span){ NULL, 0 });
	mrg_text_begin(&t, NULL);
	mrg_w_init(&w, octets, sizeof octets);
	if (!mrg_text_hex(&t, &w, true) || w.st != MRG_OK || w.len != sizeof octets) {
		say("mrg-dns: --cookie-secret: expected 32 hexadecimal digits", NULL);
		return false;
	}
	mrg_dns_cookie_secret_set(secrets, place, octets);
	return true;
}

bool cookie_secret_any(struct mrg_dns_cookie_secrets *secrets)
{
	uint8_t octets[MRG_DNS_COOKIE_SECRET];
	if (!system_random(octets, sizeof octets))
		return false;
	mrg_dns_cookie_secret_set(secrets, 0, octets);
	return true;
}
