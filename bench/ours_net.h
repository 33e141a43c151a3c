/*
 * bench/ours_net.h - the yardsticks' small headers through generated code:
 * what hand/net.h is compared with.
 */
#ifndef BENCH_OURS_NET_H
#define BENCH_OURS_NET_H

#include "bench/util.h"

/* Check alone: the sum is the size. */
struct bench_reading ours_ip4_check(const uint8_t *p, size_t len);
struct bench_reading ours_tcp_check(const uint8_t *p, size_t len);
struct bench_reading ours_elf_check(const uint8_t *p, size_t len);

/* Check, then read every field. */
struct bench_reading ours_ip4(const uint8_t *p, size_t len);
struct bench_reading ours_tcp(const uint8_t *p, size_t len);
struct bench_reading ours_elf(const uint8_t *p, size_t len);

#endif
