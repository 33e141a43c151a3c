/* How questions are answered: see answering.h. */
#include "appliances/common/say.h"
#include "appliances/dns/answering.h"

static bool take_text(const char *option, const char *value, struct mrg_span *out)
{
	*out = (struct mrg_span){ (const uint8_t *)value, strlen(value) };
	if (out->len <= UINT8_MAX) /* a character string, RFC 1035 3.3 */
		return true;
	say("mrg-dns: ", option, ": longer than 255 octets", NULL);
	return false;
}

bool answering_udp_max(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	unsigned n;
	if (!args_number("mrg-dns", "--udp-max", value, 512, UINT16_MAX, &n))
		return false;
	a->server.udp_max = (uint16_t)n;
	return true;
}

bool answering_version(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return take_text("--version-text", value, &a->server.version);
}

bool answering_identity(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return take_text("--identity", value, &a->server.identity);
}

bool answering_nsid(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	return take_text("--nsid", value, &a->server.nsid);
}

bool answering_cookie_secret(void *ctx, const char *value)
{
	struct answering *const a = ctx;
	if (a->cookie_secrets == 2) {
		say("mrg-dns: --cookie-secret: two at most, the old one and the new one", NULL);
		return false;
	}
	return cookie_secret_read(value, &a->cookies, a->cookie_secrets++);
}

void answering_init(struct answering *a)
{
	*a = (struct answering){ .server = { .udp_max = ANSWERING_UDP_MAX },
		.rate = { .slip = RATE_SLIP, .networks = RATE_NETWORKS } };
}

bool answering_end(struct answering *a)
{
	if (a->no_cookies)
		return true;
	a->server.cookies = &a->cookies;
	const bool good = a->cookie_secrets != 0 || cookie_secret_any(&a->cookies);
	if (!good)
		say("mrg-dns: cookies: there are no random numbers", NULL);
	return good;
}
