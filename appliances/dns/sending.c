/* Transfers that are sent: see sending.h. */
#include "appliances/dns/sending.h"
#include "appliances/common/say.h"
#include "iana/dns.h"

/* One under way. */
struct sending {
	struct mrg_dns_transfer transfer;
	struct version *version;
	struct mrg_rt_addr peer;
	uint64_t octets;
};

void sendings_init(struct sendings *s, struct mrg_arena *arena)
{
	*s = (struct sendings){ .begun = 0 };
	mrg_rt_pool_init(&s->pool, arena, sizeof(struct sending), SENDINGS_MAX);
}

static struct version *find_version(const struct database *db, const struct mrg_dns_name_flat *name)
{
	const struct mrg_dns_zone *const zone = mrg_dns_db_find(&db->index, name, 0);
	for (size_t i = 0; zone != NULL && i < db->count; i++) {
		if (db->versions[i]->zone == zone &&
			mrg_dns_name_flat_equal(mrg_dns_zone_origin(zone), mrg_dns_name_flat_from(name, 0)))
			return db->versions[i];
	}
	return NULL;
}

/* Whose version it is, or NULL and the RCODE that says why there is none to be had. */
static struct version *choose(const struct database *db, const struct mrg_dns_transfer_request *r,
	const struct mrg_rt_addr *peer, unsigned *rcode)
{
	struct version *const v = find_version(db, &r->name);
	if (v == NULL)
		*rcode = MRG_DNS_RCODE_NOTAUTH;
	else if (!allowed_find(v->option->transfer, peer, NULL))
		*rcode = MRG_DNS_RCODE_REFUSED;
	else if (mrg_dns_zone_is_absent(v->zone))
		*rcode = MRG_DNS_RCODE_SERVFAIL;
	else
		return v;
	return NULL;
}

static void log_transfer(
	const char *event, const struct version *v, const struct mrg_rt_addr *peer, uint64_t octets)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", event);
	mrg_rt_line_str(&l, "zone", v->option->text);
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(v->zone));
	mrg_rt_line_addr(&l, "peer", peer);
	if (octets != 0)
		mrg_rt_line_num(&l, "octets", octets);
	mrg_rt_log_line(&stderr_log, &l);
}

static enum mrg_dns_said refuse(struct sendings *s, const struct mrg_dns_transfer_request *r, unsigned rcode,
	uint16_t udp_size, uint8_t *out, size_t cap, size_t *out_len)
{
	s->refused++;
	return mrg_dns_transfer_refuse(r, rcode, udp_size, out, cap, out_len) == MRG_OK
		       ? MRG_DNS_SAID_ALL
		       : MRG_DNS_SAID_NOTHING;
}

enum mrg_dns_said sending_next(struct sendings *s, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	struct sending *const one = transfer;
	const enum mrg_status st = mrg_dns_transfer_next(&one->transfer, out, cap, out_len);
	if (st != MRG_OK && st != MRG_MORE)
		return MRG_DNS_SAID_NOTHING;
	s->octets += *out_len;
	one->octets += *out_len;
	if (st == MRG_MORE)
		return MRG_DNS_SAID_PART;
	log_transfer("transfer_sent", one->version, &one->peer, one->octets);
	return MRG_DNS_SAID_ALL;
}

void sending_done(struct sendings *s, void *transfer)
{
	struct sending *const one = transfer;
	version_drop(one->version);
	mrg_rt_pool_put(&s->pool, one);
}

enum mrg_dns_said sending_begin(struct sendings *s, const struct database *db,
	const struct mrg_dns_transfer_request *r, struct mrg_dns_call *call, uint8_t *out, size_t cap,
	size_t *out_len)
{
	struct mrg_rt_addr peer;
	unsigned rcode;
	mrg_stream_peer(call->stream, &peer);
	struct version *const v = choose(db, r, &peer, &rcode);
	if (v == NULL)
		return refuse(s, r, rcode, db->server.udp_max, out, cap, out_len);
	struct sending *const one = mrg_rt_pool_get(&s->pool);
	if (one == NULL)
		return refuse(s, r, MRG_DNS_RCODE_SERVFAIL, db->server.udp_max, out, cap, out_len);
	version_keep(v);
	one->version = v;
	one->peer = peer;
	one->octets = 0;
	s->begun++;
	mrg_dns_transfer_begin(&one->transfer, r, v->zone, v->newest, db->server.udp_max, NULL);
	const enum mrg_dns_said said = sending_next(s, one, out, cap, out_len);
	if (said == MRG_DNS_SAID_PART)
		call->transfer = one;
	else
		sending_done(s, one);
	return said;
}

enum mrg_status sending_datagram(const struct database *db, const struct mrg_dns_transfer_request *r,
	const struct mrg_rt_addr *peer, uint8_t *out, size_t cap, size_t *out_len)
{
	struct mrg_dns_transfer t;
	unsigned rcode;
	const struct version *const v = choose(db, r, peer, &rcode);
	if (v == NULL)
		return mrg_dns_transfer_refuse(r, rcode, db->server.udp_max, out, cap, out_len);
	return mrg_dns_transfer_datagram(
		&t, r, v->zone, v->newest, db->server.udp_max, NULL, out, cap, out_len);
}
