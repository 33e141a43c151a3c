/*
 * transfer_kit.h - for tests of transfers: requests, steps from text, records as sorted lines.
 */
#ifndef TESTS_DNS_TRANSFER_KIT_H
#define TESTS_DNS_TRANSFER_KIT_H

#include "protocols/dns/history.h"
#include "protocols/dns/transfer_out.h"
#include "tests/protocols/dns/kit.h"

/* kit_query, and for IXFR the SOA record of that zone with this serial number; without EDNS. */
size_t transfer_query(const char *line, const char *zone, uint32_t serial, uint8_t *out, size_t cap);

/* Records from text, a line each in full ("a.example. 60 IN A 192.0.2.1"), as flat ones. */
struct mrg_span transfer_flat(struct mrg_arena *a, const char *text);

/* A step behind `before`, from text. */
const struct mrg_dns_step *transfer_step(
	struct mrg_arena *a, const struct mrg_dns_step *before, const char *deleted, const char *added);

/* Lines of text. */
struct lines {
	char *text[4096];
	size_t count;
};

void lines_add(struct lines *l, const char *line, size_t len);
/* The lines of `text` that begin with `head`, without that. */
void lines_take(struct lines *l, const char *text, const char *head);
void lines_sort(struct lines *l);
void lines_free(struct lines *l);
/* Fails the test if they aren't the same. */
void lines_same(const struct lines *a, const struct lines *b);

/* All records of a zone, sorted. */
void lines_of_zone(struct lines *l, const struct mrg_dns_zone *zone);

#endif
