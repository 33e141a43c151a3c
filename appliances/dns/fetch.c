/*
 * A transfer from a primary.
 * Reading order: how it ends, what comes, beginning.
 */
#include <string.h>

#include "appliances/dns/fetch.h"
#include "appliances/dns/read.h"
#include "appliances/dns/system.h"
#include "iana/dns.h"

enum {
	MIB = 1 << 20,
	QUERY_MAX = 1024,
	RECORDS_MAX = INT32_MAX, /* of a transfer */
	UDP_SIZE = 1232,
	ALIGN = 64
};

static const struct mrg_dns_client_limits LIMITS = {
	.connect_ns = 10u * MRG_RT_SECOND_NS, .reply_ns = 30u * MRG_RT_SECOND_NS, .idle_ns = MRG_RT_SECOND_NS
};

size_t fetches_memory(size_t count)
{
	return (count < FETCHES_MAX ? count : FETCHES_MAX) *
	       (sizeof(struct fetch) + mrg_dns_client_memory() + 2 * ALIGN);
}

void fetches_init(
	struct fetches *f, const struct system_loop *loop, struct outward *outward, struct mrg_arena *arena)
{
	*f = (struct fetches){ .loop = *loop, .outward = outward, .arena = arena };
}

/* ---- how it ends ---- */

static void end(struct fetch *f)
{
	outward_cancel(f->all->outward, &f->connect);
	if (f->receiving != NULL)
		receiving_end(f->receiving);
	f->receiving = NULL;
	f->busy = false;
	zone_option_drop(f->what.option);
	settings_drop(f->what.settings);
}

static void told(struct fetch *f, enum fetch_outcome outcome, struct version *version)
{
	end(f);
	f->what.done(f->what.ctx, f, outcome, version);
}

/* As much of it as there is room for. */
static void add_why(struct fetch *f, const char *text)
{
	const size_t at = strlen(f->why), room = sizeof f->why - 1 - at, len = strlen(text);
	memcpy(f->why + at, text, len < room ? len : room);
	f->why[at + (len < room ? len : room)] = '\0';
}

/* For whatever was said first. */
static void failed(struct fetch *f, const char *why)
{
	if (f->why[0] == '\0')
		add_why(f, why);
	told(f, FETCH_FAILED, NULL);
}

/* Which record was at fault, if one was. */
static void say_record(struct fetch *f, const struct mrg_dns_zone_error *e)
{
	char record[ZONE_ERROR_TEXT];
	f->full = e->fault == MRG_DNS_ZONE_FULL && f->asked_whole && !f->what.great;
	add_why(f, zone_error_what(e));
	add_why(f, ": ");
	add_why(f, zone_error_record(e, record));
	told(f, FETCH_FAILED, NULL);
}

static void transfer_failed(struct fetch *f)
{
	const struct mrg_dns_zone_error *const why = receiving_why(f->receiving);
	const char *const refused = receiving_refused(f->receiving);
	const char *const rcode = mrg_dns_rcode_str((uint16_t)f->in.rcode);
	if (f->in.fault == MRG_DNS_TRANSFER_FAULT_REFUSED && why->fault != MRG_DNS_ZONE_SOUND)
		say_record(f, why);
	else if (f->in.fault == MRG_DNS_TRANSFER_FAULT_REFUSED && refused != NULL)
		failed(f, refused);
	else if (f->in.fault == MRG_DNS_TRANSFER_FAULT_RCODE && rcode != NULL)
		failed(f, rcode);
	else
		failed(f, mrg_dns_transfer_fault_why(f->in.fault));
}

static void next_turn(struct fetch *f)
{
	mrg_rt_timer_set(f->all->loop.timers, &f->next_piece, *f->all->loop.now_ns);
}

/* A piece of a large zone is done; what has come meanwhile is answered before the next. */
static void put_together(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct fetch *const f = (struct fetch *)(void *)((char *)t - offsetof(struct fetch, next_piece));
	struct version *v;
	const char *why = NULL;
	(void)now_ns;
	f->pieces++;
	const enum mrg_status st = receiving_finish(f->receiving, &v, &why);
	if (st == MRG_MORE) {
		next_turn(f);
		return;
	}
	f->took_ns = system_now_ns() - f->begun_ns;
	if (st == MRG_OK)
		told(f, FETCH_NEW, v);
	else if (receiving_why(f->receiving)->fault != MRG_DNS_ZONE_SOUND)
		say_record(f, receiving_why(f->receiving));
	else
		failed(f, why);
}

static void complete(struct fetch *f)
{
	f->has_expire = f->in.has_expire;
	f->expire_s = f->in.expire_s;
	f->records = f->in.records;
	f->octets = f->in.octets;
	if (f->result == MRG_DNS_TRANSFER_UP_TO_DATE) {
		told(f, FETCH_CURRENT, NULL);
		return;
	}
	f->changes = receiving_incremental(f->receiving);
	f->pieces = 0;
	next_turn(f);
}

/* ---- what comes ---- */

static enum mrg_dns_client_verdict take_message(void *ctx, struct mrg_span message)
{
	struct fetch *const f = ctx;
	f->reached = true;
	f->result = mrg_dns_transfer_in_feed(&f->in, message, false);
	switch (f->result) {
	case MRG_DNS_TRANSFER_GOES_ON: return MRG_DNS_CLIENT_CONTINUED;
	case MRG_DNS_TRANSFER_COMPLETE:
	case MRG_DNS_TRANSFER_UP_TO_DATE: mrg_dns_client_finish(&f->client); return MRG_DNS_CLIENT_ANSWERED;
	default: return MRG_DNS_CLIENT_STOP;
	}
}

static const char *why_closed(enum mrg_dns_client_end how)
{
	switch (how) {
	case MRG_DNS_CLIENT_TIMEOUT: return "no answer in time";
	case MRG_DNS_CLIENT_ENDED: return "the primary has ended the connection";
	case MRG_DNS_CLIENT_BROKEN: return "the connection broke";
	case MRG_DNS_CLIENT_UNSOLICITED: return "a message that nobody had asked for";
	default: return "no connection";
	}
}

static void closed(void *ctx, enum mrg_dns_client_end how, unsigned lost)
{
	struct fetch *const f = ctx;
	(void)lost;
	if (f->result == MRG_DNS_TRANSFER_COMPLETE || f->result == MRG_DNS_TRANSFER_UP_TO_DATE)
		complete(f);
	else if (f->result == MRG_DNS_TRANSFER_FAILED)
		transfer_failed(f);
	else
		failed(f, why_closed(how));
}

static void unreachable(struct outward_connect *t, const char *why, uint64_t now_ns)
{
	struct fetch *const f = (struct fetch *)(void *)((char *)t - offsetof(struct fetch, connect));
	(void)now_ns;
	add_why(f, why);
	mrg_dns_client_unreachable(&f->client);
}

/* ---- beginning ---- */

static struct fetch *new_fetch(struct fetches *all)
{
	struct fetch *const f = mrg_arena_get(all->arena, sizeof *f, ALIGN);
	if (f == NULL)
		return NULL;
	f->all = all;
	f->next_piece.fire = put_together;
	const struct mrg_dns_client_handler handler = { .ctx = f, .message = take_message, .closed = closed };
	return mrg_dns_client_init(&f->client, all->arena, all->loop.timers, &LIMITS, &handler) == MRG_OK
		       ? f
		       : NULL;
}

struct fetch *fetch_get(struct fetches *all)
{
	for (size_t i = 0; i < FETCHES_MAX; i++) {
		if (all->list[i] == NULL)
			all->list[i] = new_fetch(all);
		if (all->list[i] == NULL || !all->list[i]->busy)
			return all->list[i];
	}
	return NULL;
}

static enum mrg_status verify(void *ctx, struct mrg_span message)
{
	struct fetch *const f = ctx;
	const enum mrg_dns_auth_result result = mrg_dns_auth_take(&f->auth, message, system_time_s());
	return result == MRG_DNS_AUTH_GOOD || result == MRG_DNS_AUTH_LATER ? MRG_OK : MRG_E_VALUE;
}

static bool all_signed(void *ctx)
{
	const struct fetch *const f = ctx;
	return mrg_dns_auth_over(&f->auth);
}

/* The query, signed if there is a key. */
static bool put_query(struct fetch *f, uint8_t *query, size_t *len)
{
	const struct key_option *const key = f->what.from->key;
	if (mrg_dns_transfer_in_query(&f->in, query, QUERY_MAX, len) != MRG_OK)
		return false;
	return key == NULL ||
	       mrg_dns_auth_ask(&f->auth, &key->tsig, system_time_s(), query, QUERY_MAX, len) == MRG_OK;
}

/* The query goes out as soon as there is a connection. */
static const char *ask(struct fetch *f)
{
	uint8_t query[QUERY_MAX];
	size_t len;
	uint16_t id;
	if (!system_random(&id, sizeof id))
		return "no random number to be had";
	const struct zone_option *const z = f->what.option;
	f->asked_whole = f->what.held == NULL || f->what.whole;
	const struct mrg_dns_transfer_wanted wanted = { .zone = { z->origin, z->origin_len },
		.incremental = !f->asked_whole,
		.serial = f->what.held != NULL ? mrg_dns_zone_serial(f->what.held->zone) : 0,
		.id = id,
		.udp_size = UDP_SIZE,
		.record_max = RECORDS_MAX,
		.octet_max = (uint64_t)(z->size_limit_mib != 0 ? z->size_limit_mib
							       : (unsigned)ZONE_SIZE_LIMIT_MIB) *
			     MIB,
		.verifier = { .ctx = f,
			.verify = f->what.from->key != NULL ? verify : NULL,
			.complete = f->what.from->key != NULL ? all_signed : NULL } };
	const struct mrg_dns_transfer_sink sink = receiving_sink(f->receiving);
	mrg_dns_transfer_in_begin(&f->in, &wanted, &sink);
	mrg_dns_client_begin(&f->client, *f->all->loop.now_ns);
	if (!put_query(f, query, &len) ||
		mrg_dns_client_ask(&f->client, (struct mrg_span){ query, len }) != MRG_OK)
		return "the query can't be made";
	return NULL;
}

void fetch_begin(struct fetch *f, const struct fetch_what *what)
{
	f->what = *what;
	zone_option_keep(what->option);
	settings_keep(what->settings);
	f->busy = true;
	f->why[0] = '\0';
	f->octets = f->records = 0;
	f->has_expire = f->reached = f->full = false;
	f->begun_ns = system_now_ns();
	f->result = MRG_DNS_TRANSFER_GOES_ON;
	if (receiving_begin(&f->receiving, what->option, what->held, what->great) != 0) {
		failed(f, "not enough memory");
		return;
	}
	f->connect = (struct outward_connect){ .user = &f->client.user, .failed = unreachable };
	const char *why = ask(f);
	if (why == NULL)
		why = outward_connect(f->all->outward, &f->connect, &what->from->addr);
	if (why != NULL)
		unreachable(&f->connect, why, *f->all->loop.now_ns);
}

static void nobody(void *ctx, struct fetch *f, enum fetch_outcome outcome, struct version *version)
{
	(void)ctx;
	(void)f;
	if (outcome == FETCH_NEW)
		version_drop(version);
}

void fetch_cancel(struct fetch *f)
{
	f->what.done = nobody;
	if (!f->next_piece.armed) {
		mrg_dns_client_close(&f->client);
		return;
	}
	mrg_rt_timer_cancel(f->all->loop.timers, &f->next_piece);
	failed(f, "it is given up");
}
