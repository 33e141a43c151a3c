/*
 * dns_server.h - queries for the zones of dns_zones.h, and what a reply to one must be: for the subjects of dns_server.c and dns_stream.c.
 */
#ifndef FUZZ_DNS_SERVER_H
#define FUZZ_DNS_SERVER_H

#include "fuzz/dns_zones.h"
#include "fuzz/subject.h"

enum { DNS_QUERY_MAX = 4096 }; /* octets that are made; others may be longer */

/* A message by chance, mostly a query for something in the zones.  0: not this time. */
size_t dns_query_make(struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t dns_query_change(struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other, size_t other_len, uint8_t *out,
	size_t cap);
size_t dns_query_smaller(size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);
void dns_query_show(const uint8_t *in, size_t len, FILE *to);

/* Many, each behind its length. */
void dns_queries_show(const uint8_t *in, size_t len, FILE *to);

/* Subjects. */
extern const struct mrg_fuzz_subject dns_server_message; /* each message against what is known of its reply */
extern const struct mrg_fuzz_subject dns_server_answer;  /* each query against the naive server */
extern const struct mrg_fuzz_subject dns_server_stream;  /* many, on a connection */
extern const struct mrg_fuzz_subject dns_server_transfer; /* what comes when a zone is asked for */
extern const struct mrg_fuzz_subject dns_server_catalog;  /* zones that list others */

#endif
