/* Transfers that are sent: see sending.h. */
#include "appliances/dns/sending.h"
#include "appliances/dns/system.h"
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "iana/dns.h"
#include "protocols/dns/tsig.h"

/* One under way. */
struct sending {
	struct mrg_dns_transfer transfer;
	struct mrg_dns_auth auth;
	struct version *version;
	struct settings *settings; /* that the key is of */
	uint64_t now_s;
	struct sending_told told;
};

size_t sendings_memory(void) { return SENDINGS_MAX * (sizeof(struct sending) + 64u); }

void sendings_init(struct sendings *s, struct mrg_arena *arena)
{
	*s = (struct sendings){ .begun = 0 };
	mrg_rt_pool_init(&s->pool, arena, sizeof(struct sending), SENDINGS_MAX);
}

/* Whose version it is, or NULL and the RCODE that says why there is none to be had. */
static struct version *choose(const struct database *db, const struct mrg_dns_transfer_request *r,
	const struct mrg_rt_addr *peer, const struct mrg_dns_auth *auth, unsigned *rcode)
{
	const struct served *const z = database_named(db, &r->name);
	if (z == NULL)
		*rcode = MRG_DNS_RCODE_NOTAUTH;
	else if (!allowed_find(z->option->transfer, peer, auth->key))
		*rcode = MRG_DNS_RCODE_REFUSED;
	else if (mrg_dns_zone_is_absent(z->version->zone))
		*rcode = MRG_DNS_RCODE_SERVFAIL;
	else
		return z->version;
	return NULL;
}

static void log_transfer(
	const char *event, const struct version *v, const struct mrg_rt_addr *peer, uint64_t octets)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", event);
	said_name(&l, "zone", mrg_dns_zone_origin(v->zone));
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(v->zone));
	mrg_rt_line_addr(&l, "peer", peer);
	if (octets != 0)
		mrg_rt_line_num(&l, "octets", octets);
	mrg_rt_log_line(&stderr_log, &l);
}

/* A reply without records, signed as the request was. */
static enum mrg_status refuse(const struct mrg_dns_transfer_request *r, unsigned rcode,
	struct mrg_dns_auth *auth, uint64_t now_s, uint16_t udp_size, uint8_t *out, size_t cap,
	size_t *out_len)
{
	const size_t room = mrg_dns_auth_room(auth);
	if (room > cap)
		return MRG_E_SPACE;
	const enum mrg_status st = mrg_dns_transfer_refuse(r, rcode, udp_size, out, cap - room, out_len);
	return st == MRG_OK ? mrg_dns_auth_sign(auth, now_s, out, cap, out_len) : st;
}

static enum mrg_status sign(void *ctx, uint8_t *message, size_t *len, size_t cap)
{
	struct sending *const one = ctx;
	return mrg_dns_auth_sign(&one->auth, one->now_s, message, cap, len);
}

enum mrg_dns_said sending_next(struct sendings *s, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	struct sending *const one = transfer;
	one->now_s = system_time_s();
	const enum mrg_status st = mrg_dns_transfer_next(&one->transfer, out, cap, out_len);
	if (st != MRG_OK && st != MRG_MORE)
		return MRG_DNS_SAID_NOTHING;
	s->octets += *out_len;
	one->told.octets += *out_len;
	one->told.messages++;
	if (st == MRG_MORE)
		return MRG_DNS_SAID_PART;
	one->told.whole = true;
	log_transfer("transfer_sent", one->version, &one->told.peer, one->told.octets);
	return MRG_DNS_SAID_ALL;
}

const struct sending_told *sending_told(const void *transfer)
{
	const struct sending *const one = transfer;
	return &one->told;
}

void sending_done(struct sendings *s, void *transfer)
{
	struct sending *const one = transfer;
	version_drop(one->version);
	settings_drop(one->settings);
	mrg_rt_pool_put(&s->pool, one);
}

/* Is it signed as it should be, if it is at all? false: the RCODE that says why not.  RFC 8945 5.2 */
static bool authentic(struct mrg_dns_auth *auth, const struct database *db, struct mrg_span query,
	uint64_t now_s, unsigned *rcode)
{
	switch (mrg_dns_auth_request(auth, db->server.keys, query, now_s)) {
	case MRG_DNS_AUTH_NONE:
	case MRG_DNS_AUTH_GOOD: return true;
	case MRG_DNS_AUTH_MALFORMED: *rcode = MRG_DNS_RCODE_FORMERR; return false;
	default: *rcode = MRG_DNS_RCODE_NOTAUTH; return false;
	}
}

/* What is said of a version beside its records. */
static struct mrg_dns_transfer_opt opt_of(const struct database *db, const struct version *v, uint64_t now_s)
{
	struct mrg_dns_transfer_opt opt = { .udp_size = db->server.udp_max };
	opt.is_copy = version_expire(v, now_s, &opt.expire_s);
	return opt;
}

static void keep_request(struct sending_told *told, struct mrg_span request)
{
	told->request_len = request.len < sizeof told->request ? request.len : sizeof told->request;
	memcpy(told->request, request.p, told->request_len);
}

static struct sending *new_sending(
	struct sendings *s, const struct database *db, struct version *v, const struct mrg_dns_auth *auth)
{
	struct sending *const one = mrg_rt_pool_get(&s->pool);
	if (one == NULL)
		return NULL;
	version_keep(v);
	settings_keep(db->settings);
	one->version = v;
	one->settings = db->settings;
	one->auth = *auth;
	one->told.octets = one->told.messages = 0;
	one->told.whole = false;
	s->begun++;
	return one;
}

enum mrg_dns_said sending_begin(struct sendings *s, const struct database *db, struct mrg_span query,
	const struct mrg_dns_transfer_request *r, struct mrg_dns_call *call, uint8_t *out, size_t cap,
	size_t *out_len)
{
	struct mrg_dns_auth auth;
	struct mrg_rt_addr peer;
	unsigned rcode = MRG_DNS_RCODE_SERVFAIL;
	const uint64_t now_s = system_time_s();
	mrg_stream_peer(call->stream, &peer);
	struct version *const v =
		authentic(&auth, db, query, now_s, &rcode) ? choose(db, r, &peer, &auth, &rcode) : NULL;
	struct sending *const one = v != NULL ? new_sending(s, db, v, &auth) : NULL;
	if (one == NULL) {
		s->refused++;
		return refuse(r, rcode, &auth, now_s, db->server.udp_max, out, cap, out_len) == MRG_OK
			       ? MRG_DNS_SAID_ALL
			       : MRG_DNS_SAID_NOTHING;
	}
	one->told.peer = peer;
	one->told.since_ns = call->now_ns;
	keep_request(&one->told, query);
	const struct mrg_dns_transfer_signer signer = {
		.ctx = one, .room = mrg_dns_auth_room(&one->auth), .sign = sign
	};
	const struct mrg_dns_transfer_opt opt = opt_of(db, v, now_s);
	mrg_dns_transfer_begin(
		&one->transfer, r, v->zone, v->newest, &opt, auth.key != NULL ? &signer : NULL);
	const enum mrg_dns_said said = sending_next(s, one, out, cap, out_len);
	if (said == MRG_DNS_SAID_PART)
		call->transfer = one;
	else
		sending_done(s, one);
	return said;
}

enum mrg_status sending_datagram(const struct database *db, struct mrg_span query,
	const struct mrg_dns_transfer_request *r, const struct mrg_rt_addr *peer, uint8_t *out, size_t cap,
	size_t *out_len)
{
	struct sending one;
	unsigned rcode = MRG_DNS_RCODE_SERVFAIL;
	one.now_s = system_time_s();
	const struct version *const v = authentic(&one.auth, db, query, one.now_s, &rcode)
						? choose(db, r, peer, &one.auth, &rcode)
						: NULL;
	if (v == NULL)
		return refuse(r, rcode, &one.auth, one.now_s, db->server.udp_max, out, cap, out_len);
	const struct mrg_dns_transfer_signer signer = {
		.ctx = &one, .room = mrg_dns_auth_room(&one.auth), .sign = sign
	};
	const struct mrg_dns_transfer_opt opt = opt_of(db, v, one.now_s);
	return mrg_dns_transfer_datagram(&one.transfer, r, v->zone, v->newest, &opt,
		one.auth.key != NULL ? &signer : NULL, out, cap, out_len);
}
