/* How questions are answered: see answering.h. */
#include "appliances/common/args.h"
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
	struct mrg_dns_server *const s = ctx;
	unsigned n;
	if (!args_number("mrg-dns", "--udp-max", value, 512, UINT16_MAX, &n))
		return false;
	s->udp_max = (uint16_t)n;
	return true;
}

bool answering_version(void *ctx, const char *value)
{
	struct mrg_dns_server *const s = ctx;
	return take_text("--version-text", value, &s->version);
}

bool answering_identity(void *ctx, const char *value)
{
	struct mrg_dns_server *const s = ctx;
	return take_text("--identity", value, &s->identity);
}

bool answering_nsid(void *ctx, const char *value)
{
	struct mrg_dns_server *const s = ctx;
	return take_text("--nsid", value, &s->nsid);
}
