/*
 * bench/hand/dns.h - by hand: the checks on a DNS message that specs/dns asks
 * for, in the best C that we can write.  The yardstick for generated code.
 *
 * The message, each question, each record and the inner structure of the RDATA
 * of the types in RDATA_* below are checked as specs/dns/{message,rr,rdata*}.mrg
 * say; RDATA of other types is opaque, so this is no parser for others to use.
 */
#ifndef BENCH_HAND_DNS_H
#define BENCH_HAND_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A checked message: it borrows the bytes. */
struct hand_dns {
	const uint8_t *p;
	size_t len; /* bytes of the message; the input may have been longer */
};

/* Check everything, keep the view: what generated `check` does. */
bool hand_dns_check(const uint8_t *p, size_t len, struct hand_dns *out);

/* Read every field of a checked message once and add them up: no check is repeated. */
uint64_t hand_dns_walk(const struct hand_dns *v);

/* Both in one pass over the bytes: what a program that wants no view could do. */
bool hand_dns_parse(const uint8_t *p, size_t len, uint64_t *sum);

/* Write a checked message again, names compressed anew; 0 when it does not fit. */
size_t hand_dns_rebuild(const struct hand_dns *v, uint8_t *out, size_t cap);

#endif
