/*
 * kept.h - zones from elsewhere in files, so that they are there after a restart: those that the configuration names a file for, and members of
 * catalogs, which a template has a pattern for: `file /var/lib/mrg-dns/%s.zone`.
 *
 * The name of a member is whatever a catalog says. One that is not made of letters, digits, hyphens and underscores, or is too long for the
 * name of a file, is replaced by its digest. A member's file begins with a line that says whose it is: a file without it is neither read nor
 * written over nor removed, and one that was kept under another label or for another catalog is not read.
 *
 * What it does not do: it writes nothing by itself, and decides nothing about zones. A virtual machine keeps nothing (vm/kept.c).
 *
 * References: RFC 9432 5.4 (what another label means).
 */
#ifndef MRG_DNS_KEPT_H
#define MRG_DNS_KEPT_H

#include "appliances/dns/zone_table.h"

/* What reads files, one after the other: versions that are made meanwhile lie side by side, which is one mapping for the system. */
struct kept_reader;

/*
 * kept_load - what there is of a member. NULL: nothing; of a file that is its own and can't be read the log says why. With one user.
 *   r   NULL: is opened when it is needed; kept_reader_close when no more is to be read now
 */
struct version *kept_load(struct kept_reader **r, struct zone_entry *e);
void kept_reader_close(struct kept_reader **r);

/* kept_note - its file has what there is of it. */
void kept_note(struct zone_entry *e);

/*
 * kept_write - the zone into its file, which it has one of; as a whole or not at all.
 * Fails:    a positive errno value: ENODATA: there is nothing of it; EEXIST: a file of that name is not the member's.
 */
int kept_write(struct zone_entry *e);

/* kept_forget - the member is no more: its file is removed. */
void kept_forget(const struct zone_entry *e);

/* kept_move - the member's file was of this name, or there was none if it is NULL, before something else was said of it. */
void kept_move(const char *from, const struct zone_entry *e);

/*
 * kept_changed - an update has made this of a zone: it is in the zone's file when this returns.
 * Returns NULL, or why it is not; a string that stays.
 */
const char *kept_changed(const struct mrg_dns_zone *zone, const char *file);

/* Writing all zones that have changed since they were written: some of them now and then, so that nothing else waits. */
struct mrg_unix_loop;

struct keeping {
	struct mrg_unix_loop *loop;
	const struct zone_table *zones;
	struct mrg_rt_timer timer;
	size_t left; /* that were not looked at yet: the first ones of the table */
	size_t written, failed;
};

/* keeping_init - nothing is to be done; *k stays in place.   keeping_begin - write what has changed; the log says when that is done. */
void keeping_init(struct keeping *k, struct mrg_unix_loop *loop, const struct zone_table *zones);
void keeping_begin(struct keeping *k);

#endif
