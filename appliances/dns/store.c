/*
 * A zone in one piece.
 */
#include "appliances/common/say.h"
#include "appliances/common/whole_file.h"
#include "appliances/dns/load.h"
#include "appliances/dns/show.h"
#include "appliances/dns/store.h"
#include "protocols/dns/zone_stored.h"
#include "unix/mrg_unix.h"

static int write_file(const char *name, struct mrg_span octets)
{
	struct whole_file f;
	const int err = whole_file_begin(&f, name);
	if (err != 0)
		return err;
	whole_file_put(&f, octets);
	return whole_file_end(&f);
}

enum outcome store(const struct options *o)
{
	const struct mrg_dns_zone *zone;
	struct mrg_arena arena, all;
	struct mrg_w w;
	size_t len;
	const enum outcome outcome = load_alone(o, &stderr_report, &arena, &zone);
	if (outcome != OUTCOME_OK)
		return outcome;
	const size_t cap = arena.len + MRG_DNS_ZONE_STORED_MORE;
	if (mrg_unix_arena_open(&all, cap, cap) != 0) {
		say("mrg-dns: not enough memory for the zone", NULL);
		return OUTCOME_SYSTEM;
	}
	mrg_w_init(&w, all.p, cap);
	mrg_dns_zone_store(&w, zone, &arena);
	if (mrg_w_finish(&w, &len) != MRG_OK) {
		say("mrg-dns: ", o->zones.list[0].file, ": too large to be stored", NULL);
		return OUTCOME_SYSTEM;
	}
	const int err = write_file(o->store, (struct mrg_span){ all.p, len });
	if (err != 0)
		say("mrg-dns: ", o->store, ": ", strerrordesc_np(err), NULL);
	return err == 0 ? OUTCOME_OK : OUTCOME_SYSTEM;
}
