/*
 * keeper.h - what the manager is to a process, for a virtual machine, and in its one thread: the zones that are served (zone_keeper.h), those
 * of primaries elsewhere kept as they are there, members of catalogs, updates, transfers, NOTIFY.
 *
 * What it does not do: it reads no file, and nothing is written back: after a start secondaries and members are fetched anew, and nothing is
 * known of updates.
 *
 * Use:
 *	keeper_init(&k, &app, &settings);
 *	keeper_add(&k, option, version);	(for each zone; version NULL: there is none yet)
 *	if (!keeper_begin(&k, most, &streams)) ...	(the log says why)
 */
#ifndef MRG_DNS_VM_KEEPER_H
#define MRG_DNS_VM_KEEPER_H

#include "appliances/dns/others.h"
#include "appliances/dns/outward_own.h"
#include "appliances/dns/zone_keeper.h"
#include "appliances/vm/app.h"

/* An update that waits for the turn of the loop in which it is done. */
struct keeper_update;

struct keeper {
	struct vm_app *app;
	struct zone_keeper zones;
	struct served *said; /* of the configuration: until keeper_begin */
	size_t said_count;
	struct database *db;
	struct mrg_arena sending_arena;
	struct sendings sendings;
	struct others others;
	struct outward_own outward;
	struct secondaries *secondaries; /* NULL: no zone has primaries */
	struct tellings tellings;
	struct mrg_dns_streams *streams;
	struct keeper_update *first, *last; /* that wait */
	size_t waiting;
	struct mrg_rt_timer pace; /* of those */
};

/* keeper_init - no zone yet.   most   zones   Fails: false: too little memory. */
bool keeper_init(struct keeper *k, struct vm_app *app, struct settings *settings, size_t most);

/*
 * keeper_add - one zone more; at most as many as were said.
 *   version   one that stays; NULL: there is none yet
 */
void keeper_add(struct keeper *k, const struct zone_option *option, struct version *version);

/*
 * keeper_begin - serve them, from the app's turns on, and begin to ask and to tell.
 *   most      octets of a version that is transferred or made by an update; 0: as memory.h has it
 *   streams   of those who ask for updates
 */
bool keeper_begin(struct keeper *k, size_t most, struct mrg_dns_streams *streams);

#endif
