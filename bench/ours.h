/*
 * bench/ours.h - a DNS message through the generated interface, as a program
 * that uses the library would read it: what hand/dns.h is compared with.
 */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "dns/message.h"

/* Every field of a checked message, added up as hand_dns_walk does. */
uint64_t ours_dns_walk(const struct mrg_dns_message *m);

/* Write a checked message again, names compressed anew; 0 when it does not fit. */
size_t ours_dns_rebuild(const struct mrg_dns_message *m, uint8_t *out, size_t cap);

#endif
