/* bench/samples.c - the single messages that the yardsticks are timed on: see samples.h. */
#include "bench/samples.h"

/* clang-format off */

static const uint8_t tcp_syn[] = {
	0xc0, 0x01, 0x00, 0x35, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0xbe, 0xef, 0, 0,
	2, 4, 0x05, 0xb4,                            /* MSS 1460 */
	4, 2,                                        /* SACK permitted */
	8, 10, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0,   /* timestamps */
	1, 3, 3, 7,                                  /* NOP, scale 7 */
};

static const uint8_t tcp_established[] = {
	0xc0, 0x01, 0x00, 0x35, 0x12, 0x34, 0x56, 0x79, 0x0a, 0x0b, 0x0c, 0x0d, 0x80, 0x10, 0x01, 0xf6, 0xbe, 0xef, 0, 0,
	1, 1, 8, 10, 0x01, 0x02, 0x03, 0x05, 0x0a, 0x0b, 0x0c, 0x0e, /* NOP NOP timestamps */
};

static const uint8_t ip4[60] = {
	0x45, 0, 0, 60, 0x1c, 0x46, 0x40, 0, 64, 6, 0xb1, 0xe6, 192, 0, 2, 1, 198, 51, 100, 2, /* TCP, 60 octets */
};

static const uint8_t elf[64] = {
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0, 1, 0, 0, 0, /* shared, x86-64 */
	0x40, 0x10, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0x38, 0x3a, 0, 0, 0, 0, 0, 0, /* entry, phoff, shoff */
	0, 0, 0, 0, 64, 0, 56, 0, 13, 0, 64, 0, 31, 0, 30, 0, /* flags, sizes and counts */
};

static const uint8_t dns_query[] = {
	0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0,                                          /* RD, one question */
	3, 'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1, /* A IN */
};

static const uint8_t dns_reply[] = {
	0x12, 0x34, 0x85, 0x00, 0, 1, 0, 3, 0, 1, 0, 0,                             /* QR AA RD, 3 + 1 records */
	3, 'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1,
	0xc0, 12, 0, 5, 0, 1, 0, 0, 14, 16, 0, 6, 3, 'w', 'e', 'b', 0xc0, 16,       /* CNAME web.example.com */
	0xc0, 45, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1,                     /* A */
	0xc0, 45, 0, 28, 0, 1, 0, 0, 14, 16, 0, 16,                                 /* AAAA */
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0xc0, 16, 0, 2, 0, 1, 0, 0, 14, 16, 0, 7, 4, 'n', 's', '0', '1', 0xc0, 16,  /* NS ns01.example.com */
};

/* clang-format on */

const struct bench_msg sample_tcp_syn = { tcp_syn, sizeof tcp_syn };
const struct bench_msg sample_tcp_established = { tcp_established, sizeof tcp_established };
const struct bench_msg sample_ip4 = { ip4, sizeof ip4 };
const struct bench_msg sample_elf = { elf, sizeof elf };
const struct bench_msg sample_dns_query = { dns_query, sizeof dns_query };
const struct bench_msg sample_dns_reply = { dns_reply, sizeof dns_reply };

_Static_assert(sizeof tcp_syn == 40 && sizeof tcp_established == 32, "as samples.h says");
_Static_assert(sizeof dns_query == 33 && sizeof dns_reply == 114, "as samples.h says");
