/*
 * The zone of an image that `make image` makes: in one piece, as mrg-dns --store writes it, so that nothing is read and nothing built.
 * Stands for zones.c, and so the image has no reader of zone files.
 */
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/vm/zones.h"
#include "protocols/dns/zone_stored.h"

bool zones_take(struct zones *z, const char *value)
{
	(void)z;
	(void)value;
	return said_no_zone(NULL, "a zone in one piece says itself what its name is");
}

/* What is linked is part of the image; an initrd may be anything. */
bool zones_load(struct zones *z, struct vm_app *app, struct mrg_dns_db *db)
{
	const struct mrg_span data = vm_app_data(app);
	if (data.p == NULL)
		return said_no_zone(NULL, "there is neither an initrd nor a zone in the image");
	switch (mrg_dns_zone_stored_open(data, app->boot->initrd.p == NULL, &app->arena, &z->read[0])) {
	case MRG_OK: break;
	case MRG_E_SPACE: return said_no_zone(NULL, "too little memory");
	case MRG_MORE: return said_no_zone(NULL, "the zone ends early");
	default: return said_no_zone(NULL, "not a zone in one piece, or damaged");
	}
	if (mrg_dns_db_init(db, &app->arena, z->read, 1) != MRG_OK)
		return said_no_zone(NULL, "too little memory");
	said_zone(z->read[0], vm_app_data_name(app));
	return true;
}
