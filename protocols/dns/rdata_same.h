/*
 * rdata_same.h - where names are in RDATA, and are two RDATA the same?  For the files of this folder only.
 * References: RFC 2136 1.1.1, RFC 4034 6.2, RFC 6840 5.1.
 */
#ifndef MRG_DNS_RDATA_SAME_H
#define MRG_DNS_RDATA_SAME_H

#include "mrg.h"

enum { MRG_DNS_RDATA_NAMES = 2 }; /* that one RDATA has at most */

/*
 * mrg_dns_rdata_names - where in flat RDATA names stand whose case does not count; returns how many, in order.
 * Those of NSEC are none of them: RFC 6840 5.1.
 */
unsigned mrg_dns_rdata_names(uint16_t type, struct mrg_span rdata, struct mrg_span out[MRG_DNS_RDATA_NAMES]);

/*
 * mrg_dns_rdata_same - compare flat RDATA of one type: octet by octet, names without regard to case.
 */
bool mrg_dns_rdata_same(uint16_t type, struct mrg_span a, struct mrg_span b);

#endif
