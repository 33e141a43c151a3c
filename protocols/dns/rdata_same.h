/*
 * rdata_same.h - are two RDATA the same?  For the files of this folder only.
 * References: RFC 2136 1.1.1, RFC 4034 6.2, RFC 6840 5.1.
 */
#ifndef MRG_DNS_RDATA_SAME_H
#define MRG_DNS_RDATA_SAME_H

#include "mrg.h"

/*
 * mrg_dns_rdata_same - compare flat RDATA of one type: octet by octet, names without regard to case.
 * Names in the RDATA of types that no zone of today has (RT, NSAP-PTR, PX, ...) are compared as the other octets are.
 */
bool mrg_dns_rdata_same(uint16_t type, struct mrg_span a, struct mrg_span b);

#endif
