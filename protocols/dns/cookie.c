/* DNS cookies.  RFC 9018 section 4 */
#include "protocols/dns/cookie.h"

void mrg_dns_cookie_secret_set(
	struct mrg_dns_cookie_secrets *s, unsigned place, const uint8_t octets[MRG_DNS_COOKIE_SECRET])
{
	struct mrg_dns_cookie_secret v;
	if (mrg_dns_cookie_secret_check((struct mrg_span){ octets, MRG_DNS_COOKIE_SECRET }, &v, NULL) !=
		MRG_OK)
		return;
	s->key[place][0] = mrg_dns_cookie_secret_low(&v);
	s->key[place][1] = mrg_dns_cookie_secret_high(&v);
	s->two = s->two || place == 1;
}

/* The hash of a cookie, for the client at this address. */
static uint64_t hash(const uint64_t key[2], const struct mrg_dns_cookie_hashed_args *what)
{
	uint8_t buf[MRG_DNS_COOKIE_HASHED_SIZE_MIN + sizeof((struct mrg_rt_addr *)0)->ip];
	struct mrg_w w;
	mrg_w_init(&w, buf, sizeof buf);
	mrg_dns_cookie_hashed_put(&w, what);
	return mrg_rt_hash(key, mrg_w_span(&w, 0));
}

/* Seconds from when a cookie was made until now, in serial arithmetic; negative: it comes from the future. */
static int32_t age(const struct mrg_dns_server_cookie *c, uint64_t now_s)
{
	return (int32_t)((uint32_t)now_s - mrg_dns_server_cookie_made(c));
}

/* What a cookie is worth. */
enum worth { WORTHLESS, OLD, GOOD /* as it is */ };

static enum worth worth(const struct mrg_dns_cookie_secrets *s, const struct mrg_dns_server_cookie *c,
	struct mrg_dns_cookie_hashed_args *what, uint64_t now_s)
{
	const int32_t old = age(c, now_s);
	if (old > (int32_t)MRG_DNS_COOKIE_OLD || old < -(int32_t)MRG_DNS_COOKIE_EARLY)
		return WORTHLESS;
	what->made = mrg_dns_server_cookie_made(c);
	what->reserved = mrg_dns_server_cookie_reserved(c);
	const uint64_t got = mrg_dns_server_cookie_hash(c), first = hash(s->key[0], what);
	if (mrg_rt_same_secret(&got, &first, sizeof got))
		return old < (int32_t)MRG_DNS_COOKIE_RENEW ? GOOD : OLD;
	if (!s->two)
		return WORTHLESS;
	const uint64_t second = hash(s->key[1], what);
	return mrg_rt_same_secret(&got, &second, sizeof got) ? OLD : WORTHLESS;
}

bool mrg_dns_cookie_reply(const struct mrg_dns_cookie_secrets *s, const struct mrg_dns_cookie *c,
	const struct mrg_rt_addr *peer, uint64_t now_s, uint8_t out[MRG_DNS_COOKIE_REPLY])
{
	struct mrg_dns_cookie_hashed_args what = { .client = mrg_dns_cookie_client(c),
		.address = mrg_rt_addr_octets(peer) };
	const struct mrg_span shown = mrg_dns_cookie_server(c);
	struct mrg_dns_server_cookie server;
	struct mrg_w w;
	enum worth is = WORTHLESS;
	mrg_w_init(&w, out, MRG_DNS_COOKIE_REPLY);
	mrg_w_put(&w, what.client);
	if (shown.len == MRG_DNS_SERVER_COOKIE_SIZE_MAX &&
		mrg_dns_server_cookie_check(shown, &server, NULL) == MRG_OK)
		is = worth(s, &server, &what, now_s);
	if (is == GOOD) {
		mrg_w_put(&w, shown);
		return true;
	}
	what.made = (uint32_t)now_s;
	what.reserved = 0;
	mrg_dns_server_cookie_put(&w,
		&(struct mrg_dns_server_cookie_args){ .made = what.made, .hash = hash(s->key[0], &what) });
	return is == OLD;
}
