/* bench/samples.h - the single messages that the yardsticks are timed on. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "bench/util.h"

extern const struct bench_msg sample_tcp_syn;         /* 40 octets: MSS, SACK permitted, timestamps, scale */
extern const struct bench_msg sample_tcp_established; /* 32 octets: NOP NOP timestamps */
extern const struct bench_msg sample_ip4;       /* 20 octets of header, and the packet that it tells of */
extern const struct bench_msg sample_elf;       /* 64 octets */
extern const struct bench_msg sample_dns_query; /* 33 octets: www.example.com A */
extern const struct bench_msg sample_dns_reply; /* 114 octets: CNAME A AAAA NS, names compressed */

#endif
