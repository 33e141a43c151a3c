/*
 * keeper.h - what the manager is to a process, for a virtual machine, and in its one thread: the zones that are served, those of primaries
 * elsewhere kept as they are there, transfers, NOTIFY.
 *
 * What it does not do: it reads no file, and nothing is written back: after a start secondaries are fetched anew. No catalogs, no updates.
 *
 * Use:
 *	keeper_init(&k, &app, &settings);
 *	keeper_add(&k, option, version);	(for each zone; version NULL: there is none yet)
 *	if (!keeper_begin(&k, most)) ...	(the log says why)
 */
#ifndef MRG_DNS_VM_KEEPER_H
#define MRG_DNS_VM_KEEPER_H

#include "appliances/dns/others.h"
#include "appliances/dns/outward_own.h"
#include "appliances/dns/secondaries.h"
#include "appliances/dns/tellings.h"
#include "appliances/vm/app.h"

/* A zone of them. */
struct keeper_zone {
	struct keeper *all;
	struct served now;
	struct secondary_zone *secondary; /* NULL: it has no primaries */
	bool changed;                     /* those who keep copies are to be told, once it is served */
};

struct keeper {
	struct vm_app *app;
	struct settings *settings;
	struct keeper_zone *list;
	struct served *served; /* room for a database's */
	size_t count, cap;
	struct database *db;
	bool dirty; /* they are not what is served */
	struct mrg_arena sending_arena;
	struct sendings sendings;
	struct others others;
	struct outward_own outward;
	struct secondaries *secondaries; /* NULL: no zone has primaries */
	struct tellings tellings;
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
 *   most   octets of a version that is transferred; 0: as memory.h has it
 */
bool keeper_begin(struct keeper *k, size_t most);

#endif
