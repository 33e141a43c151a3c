/*
 * store.h - a zone file to a zone in one piece.
 */
#ifndef MRG_DNS_STORE_H
#define MRG_DNS_STORE_H

#include "appliances/dns/options.h"

/*
 * store - what --store asks for. The file takes its name when it is whole.
 * Fails:    OUTCOME_INPUT for faults of the zone, OUTCOME_SYSTEM when the file can't be written or memory does not do; it has been said why.
 */
enum outcome store(const struct options *o);

#endif
