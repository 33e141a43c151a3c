/*
 * answering.h - the options that say how questions are answered: those of every mrg-dns, process or virtual machine.
 *
 * Use: tables of options (args.h) name these takers; their ctx is what begins with a struct mrg_dns_server.
 */
#ifndef MRG_DNS_ANSWERING_H
#define MRG_DNS_ANSWERING_H

#include "protocols/dns/answer.h"

enum { ANSWERING_UDP_MAX = 1232 /* unless said otherwise */ };

bool answering_udp_max(void *ctx, const char *value);
bool answering_version(void *ctx, const char *value);
bool answering_identity(void *ctx, const char *value);
bool answering_nsid(void *ctx, const char *value);

#endif
