/*
 * The zone of an image that `make image` makes: in one piece, as mrg-dns --store writes it, so that nothing is read and nothing built.
 * Stands for zones.c, and so the image has no reader of zone files, and transfers nothing.
 */
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/vm/memory.h"
#include "appliances/dns/vm/zones.h"
#include "protocols/dns/zone_stored.h"

struct zones {
	struct vm_app *app;
	const struct answering *answering;
	const struct mrg_dns_zone *zone;
	struct mrg_dns_db db;
	struct mrg_dns_server server;
};

static struct zones zones; /* all zero: in no file */

struct zones *zones_of(struct vm_app *app, const struct answering *answering)
{
	zones.app = app;
	zones.answering = answering;
	memory_begin(app);
	return &zones;
}

bool zones_take(struct zones *z, const char *value)
{
	(void)z;
	(void)value;
	return said_no_zone(NULL, "a zone in one piece says itself what its name is");
}

bool zones_configure(struct zones *z, const char *path, const struct args *args, void *ctx)
{
	(void)args;
	(void)ctx;
	return zones_take(z, path);
}

bool zones_most(struct zones *z, const char *value) { return zones_take(z, value); }

/* What is linked is part of the image; an initrd may be anything. */
bool zones_load(struct zones *z)
{
	const struct mrg_span data = vm_app_data(z->app);
	if (data.p == NULL)
		return said_no_zone(NULL, "there is neither an initrd nor a zone in the image");
	switch (mrg_dns_zone_stored_open(data, z->app->boot->initrd.p == NULL, &z->app->arena, &z->zone)) {
	case MRG_OK: break;
	case MRG_E_SPACE: return said_no_zone(NULL, "too little memory");
	case MRG_MORE: return said_no_zone(NULL, "the zone ends early");
	default: return said_no_zone(NULL, "not a zone in one piece, or damaged");
	}
	if (mrg_dns_db_init(&z->db, &z->app->arena, &z->zone, 1) != MRG_OK)
		return said_no_zone(NULL, "too little memory");
	said_zone(z->zone, vm_app_data_name(z->app));
	return true;
}

bool zones_begin(struct zones *z, struct mrg_dns_streams *streams)
{
	(void)streams;
	z->server = z->answering->server;
	z->server.db = &z->db;
	return true;
}

struct answers zones_answers(const struct zones *z) { return (struct answers){ .server = &z->server }; }

bool zones_other(struct zones *z, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out, size_t cap,
	size_t *out_len, enum mrg_dns_said *said)
{
	(void)z;
	(void)call;
	(void)query;
	(void)out;
	(void)cap;
	(void)out_len;
	(void)said;
	return false;
}

enum mrg_dns_said zones_next(struct zones *z, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	(void)z;
	(void)transfer;
	(void)out;
	(void)cap;
	(void)out_len;
	return MRG_DNS_SAID_NOTHING;
}

void zones_done(struct zones *z, void *transfer)
{
	(void)z;
	(void)transfer;
}
