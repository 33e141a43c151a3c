/* A virtual machine has no files: nothing is kept, nothing is there from before. See ../kept.h. */
#include "appliances/dns/kept.h"

struct version *kept_load(struct kept_reader **r, struct zone_entry *e)
{
	(void)r;
	(void)e;
	return NULL;
}

void kept_reader_close(struct kept_reader **r) { (void)r; }

void kept_forget(const struct zone_entry *e) { (void)e; }

void kept_move(const char *from, const struct zone_entry *e)
{
	(void)from;
	(void)e;
}

const char *kept_changed(const struct mrg_dns_zone *zone, const char *file)
{
	(void)zone;
	(void)file;
	return NULL;
}
