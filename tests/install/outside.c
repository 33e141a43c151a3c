/* A program that knows only the installed headers and libraries: builds an MX record, reads it back, prints it as text. */
#include <stdio.h>
#include "dns/rr.h"
#include "dns/rr_text.h"
#include "protocols/dns/answer.h"

/* Names as they stand on the wire: each label with its length in front. */
static const uint8_t owner[] = "\3www\7example\3org";
static const uint8_t target[] = "\4mail\7example\3org";

static size_t build(uint8_t *to, size_t cap)
{
	struct mrg_dns_rr_build b;
	struct mrg_w w;
	size_t len = 0;

	mrg_w_init(&w, to, cap);
	mrg_dns_rr_begin(&w, &b, &(struct mrg_dns_rr_args){ .name = { owner, sizeof owner }, .type = MRG_DNS_TYPE_MX,
		.class = MRG_DNS_CLASS_IN, .ttl = 3600 });
	mrg_dns_mx_put(&w, &(struct mrg_dns_mx_args){ .preference = 10, .exchange = { target, sizeof target } });
	mrg_dns_rr_end(&w, &b);
	return mrg_w_finish(&w, &len) == MRG_OK ? len : 0;
}

/* A server without zones refuses: one call that draws in the protocol library and what it rests on. */
static enum mrg_status ask(struct mrg_span query)
{
	static const struct mrg_dns_db none;
	const struct mrg_dns_server server = { .db = &none, .udp_max = 1232 };
	const struct mrg_dns_asker client = { .via = MRG_DNS_UDP };
	uint8_t out[512];
	size_t len = 0;

	return mrg_dns_answer(&server, &client, query, out, sizeof out, &len);
}

int main(void)
{
	uint8_t bytes[128], text[256];
	const struct mrg_span message = { bytes, build(bytes, sizeof bytes) };
	struct mrg_dns_rr rr;
	struct mrg_w line;
	size_t len = 0;

	if (mrg_dns_rr_check(message, message, &rr, NULL) != MRG_OK)
		return 1;
	mrg_w_init(&line, text, sizeof text);
	mrg_dns_rr_to_text(&rr, &line);
	if (mrg_w_finish(&line, &len) != MRG_OK)
		return 2;
	printf("%.*s\n", (int)len, (const char *)text);
	return ask((struct mrg_span){ bytes, 0 }) == MRG_END ? 0 : 3;
}
