/*
 * reload.h - the configuration and the zones, read again while the server runs: all of it is as it says then, or nothing has changed.
 *
 * What it does not do: it hands nothing to the workers (manager.h).
 */
#ifndef MRG_DNS_RELOAD_H
#define MRG_DNS_RELOAD_H

#include "appliances/dns/manager.h"

/*
 * reload_all - the configuration, and all zones that have files; who has primaries is asked for.
 * Returns NULL, or why nothing has changed, good until the next call; what is wrong in detail is in the log.
 */
const char *reload_all(struct manager *m);

/* reload_zone - the file of one zone.   Returns as reload_all. */
const char *reload_zone(struct manager *m, struct zone_entry *e);

#endif
