/*
 * update_kit.h - for tests of dynamic update: a zone and memory for its versions, UPDATE messages, and what is made of them.
 */
#ifndef TESTS_UPDATE_KIT_H
#define TESTS_UPDATE_KIT_H

#include "kit.h"
#include "protocols/dns/update.h"

extern struct kit update_kit; /* its arena has the nodes, zones[0] is the version that is served */
extern struct mrg_arena update_tables, update_scratch, update_history;
extern struct mrg_dns_update_result update_result; /* of the last update_run */

struct mrg_arena update_arena(size_t cap);
void update_setup(void);
void update_teardown(void);

struct update_message {
	uint8_t p[8192];
	struct mrg_w w;
	struct mrg_refs refs;
	unsigned counts[4]; /* of the sections */
};

/* A message about a zone; with its records, whose names are compressed; its octets. */
void update_begin(struct update_message *m, struct mrg_span zone, uint16_t type, uint16_t class);
void update_counts(struct update_message *m); /* write the counts again */
void update_put(struct update_message *m, unsigned section, struct mrg_span owner, uint16_t type, uint16_t class,
	uint32_t ttl, struct mrg_span rdata);
struct mrg_span update_octets(const struct update_message *m);

/* Read and apply a message; when there is no new version, the arenas must be as they were.  Returns the RCODE. */
unsigned update_run(struct mrg_span message, const struct mrg_dns_update_rules *rules);

#endif
