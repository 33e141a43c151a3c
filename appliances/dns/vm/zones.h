/*
 * zones.h - the zones of a virtual machine. zones.c: the data it was given is the text of one, or an archive (mrg-pack) with several, and
 * perhaps with a configuration, by which they are transferred to and from others (keeper.h). zones_stored.c: the zone of `make image`.
 *
 * Use:
 *	struct zones *z = zones_of(&app, &answering);
 *	if (!zones_take(z, "example.org") || !zones_load(z)) ...	(the log says why)
 *	if (!zones_begin(z, &streams)) ...				(when all else has its memory)
 *	zones_answers(z)
 */
#ifndef MRG_DNS_VM_ZONES_H
#define MRG_DNS_VM_ZONES_H

#include "appliances/dns/answering.h"
#include "appliances/dns/answers.h"
#include "appliances/vm/app.h"
#include "protocols/dns/stream.h"

struct zones;

/*
 * zones_of - those of the one app that there is; none yet.   answering   what options say, until zones_begin
 */
struct zones *zones_of(struct vm_app *app, const struct answering *answering);

/*
 * zones_take - one more zone: ORIGIN, or ORIGIN=FILE with the path of a file in the archive.   Lifetime: borrows `value`.
 */
bool zones_take(struct zones *z, const char *value);

/*
 * zones_configure - read a configuration in the archive.   args, ctx   for lines that are options
 */
bool zones_configure(struct zones *z, const char *path, const struct args *args, void *ctx);

/* zones_most - the most that a version of a zone may take that is transferred, in MiB. */
bool zones_most(struct zones *z, const char *value);

/* zones_load - read them. */
bool zones_load(struct zones *z);

/*
 * zones_begin - there is something to answer from, and who else has the zones is asked and told.   streams   of those who ask
 */
bool zones_begin(struct zones *z, struct mrg_dns_streams *streams);

/* zones_answers - what a batch or a query is answered from now. */
struct answers zones_answers(const struct zones *z);

/* As `answer` of a struct mrg_dns_answerer, for what the zones alone have no answer to; false: it is none of that. */
bool zones_other(struct zones *z, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap,
	size_t *out_len, enum mrg_dns_said *said);

/* As `next` and `done` of it. */
enum mrg_dns_said zones_next(struct zones *z, void *transfer, uint8_t *out, size_t cap, size_t *out_len);
void zones_done(struct zones *z, void *transfer);

#endif
