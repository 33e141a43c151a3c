/*
 * kit.h - for tests of protocols/dns: zones from text, queries from a line, replies as text.
 *
 * Each query and each reply stands right before a page that can't be touched, and each reply is read again by the
 * generated check: it must be a message, take all octets, and keep to the limit.
 */
#ifndef TESTS_KIT_H
#define TESTS_KIT_H

#include "protocols/dns/answer.h"

struct kit {
	struct mrg_arena arena;
	const struct mrg_dns_zone *zones[8];
	size_t zone_count;
	struct mrg_dns_db db;
	struct mrg_dns_server server;
	struct mrg_dns_asker client; /* all zero, but for its transport: nothing is known of it */
};

/* An empty kit with an arena of this many octets. */
void kit_init(struct kit *k, size_t arena_cap);
void kit_free(struct kit *k);

/* Add a zone; returns what is wrong with it, MRG_DNS_ZONE_SOUND if nothing.  Records that are refused end it. */
enum mrg_dns_zone_fault kit_zone(struct kit *k, const char *origin, const char *text);

/* The same with a builder that has begun; the zone is put at zones[zone_count], which stays as it is. */
enum mrg_dns_zone_fault kit_zone_in(struct kit *k, struct mrg_dns_zone_builder *b, const char *text);

/*
 * The wire form of a query.  `line` is "NAME TYPE [CLASS]", or without that nothing is asked, and words after it:
 *   rd cd ad aa tc ra   bits of the header      id=N op=N       fields of the header
 *   edns=N   an OPT record of that size         do nsid keepalive expire ver=N cookie=HEX   of the OPT record
 */
size_t kit_query(const char *line, uint8_t *out, size_t cap);

/* Answer wire octets; the reply, checked, as text (see kit_dump), or "drop".  The last `cap` octets may be used. */
const char *kit_send(
	const struct kit *k, enum mrg_dns_transport via, const void *query, size_t len, size_t cap);

/* kit_query and kit_send; the word `tcp` chooses the transport. */
const char *kit_ask(const struct kit *k, const char *line);

/*
 * A reply as text: "NOERROR aa rd; www.example. A IN" then a line a record: "an www.example. 3600 IN A 192.0.2.1",
 * then "opt 1232 [do] [CODE=...]", where what is not visible ASCII is hexadecimal.
 */
const char *kit_dump(const uint8_t *p, size_t len);

/* The reply to the last kit_send, still before its guard page. */
const uint8_t *kit_reply(size_t *len);

#endif
