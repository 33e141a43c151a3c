/* servers.c - the subjects that are no packets and no texts: servers, the stack, machines. */
#include "mrg_fuzz_again.h"

#include "fuzz/dns_server.h"
#include "fuzz/http_files.h"
#include "fuzz/http_server.h"
#include "fuzz/tcpip_stack.h"
#include "fuzz/words.h"

const struct mrg_fuzz_subject *const mrg_fuzz_subjects[] = { &dns_server_message, &dns_server_answer,
	&dns_server_stream, &dns_server_transfer, &dns_server_catalog, &http_server_requests,
	&http_server_files, &tcpip_stack, &appliance_words, NULL };
