/*
 * Dynamic updates.
 * Reading order: updating_do at the end, then upwards.
 */
#include "appliances/dns/updating.h"
#include "appliances/common/say.h"
#include "appliances/dns/kept.h"
#include "appliances/dns/said.h"
#include "appliances/dns/system.h"
#include "iana/dns.h"
#include "protocols/dns/update.h"

enum { LEAST = 1 << 20 };

static const size_t SCRATCH = (size_t)1 << 32; /* octets of address space */

/* An update and what it is to change. */
struct wish {
	const struct updating *asked;
	struct mrg_dns_update update;
	const struct zone_option *option;
};

static void log_update(
	const struct wish *w, unsigned rcode, const char *why, const struct mrg_dns_update_result *result)
{
	char record[ZONE_ERROR_TEXT];
	struct mrg_rt_line line;
	const char *const name = mrg_dns_rcode_str(rcode);
	mrg_rt_line_begin(&line, rcode == MRG_DNS_RCODE_NOERROR ? "info" : "warn", "update");
	said_name(&line, "zone", mrg_dns_name_flat_from(&w->update.zone, 0));
	mrg_rt_line_addr(&line, "peer", w->asked->peer);
	mrg_rt_line_str(&line, "rcode", name != NULL ? name : "?");
	if (why != NULL)
		mrg_rt_line_str(&line, "why", why);
	if (rcode != MRG_DNS_RCODE_NOERROR && result->why.owner.count != 0)
		mrg_rt_line_str(&line, "record", zone_error_record(&result->why, record));
	if (rcode == MRG_DNS_RCODE_NOERROR && result->made != NULL)
		mrg_rt_line_num(&line, "serial", mrg_dns_zone_serial(result->made));
	mrg_rt_log_line(&stderr_log, &line);
}

static bool allowed(void *ctx, struct mrg_span owner, uint16_t type)
{
	const struct wish *const w = ctx;
	return update_allowed_find(w->option->update, w->asked->auth->key, owner, type);
}

/* Memory of one update beside the version's. */
struct room {
	struct mrg_arena scratch, history;
};

static int open_room(struct room *r)
{
	const int err = system_arena_open(&r->scratch, SCRATCH, LEAST);
	if (err != 0)
		return err;
	const int other = system_arena_open(&r->history, SCRATCH, LEAST);
	if (other != 0)
		system_arena_close(&r->scratch);
	return other;
}

static void close_room(struct room *r)
{
	system_arena_close(&r->scratch);
	system_arena_close(&r->history);
}

/* The version of a change that was made: what is remembered with it, compact if need be, and in its file. NULL, or why not. */
static const char *keep(struct version **made, const char *file, const struct mrg_dns_update_result *result)
{
	struct version *const v = *made;
	v->zone = result->made;
	version_remember(v, result->step);
	version_compact(made);
	return kept_changed((*made)->zone, file);
}

/* Done to a version, or not at all. */
static unsigned apply(struct wish *w, const struct version *held, struct room *room,
	struct mrg_dns_update_result *result, struct version **made)
{
	const struct mrg_dns_update_rules rules = { .ctx = w, .allowed = allowed };
	struct version *v;
	*result = (struct mrg_dns_update_result){ .reason = "too little memory" };
	if (version_change(&v, held) != 0)
		return MRG_DNS_RCODE_SERVFAIL;
	const struct mrg_dns_update_memory memory = { .nodes = &v->nodes->arena,
		.tables = &v->tables,
		.scratch = &room->scratch,
		.history = &room->history };
	const unsigned rcode =
		mrg_dns_update_apply(&w->update, held->zone, &rules, &memory, held->newest, result);
	if (rcode == MRG_DNS_RCODE_NOERROR && result->made != NULL)
		*made = v;
	else
		version_drop(v);
	return rcode;
}

/* Where there is no room for the change beside the version, it is made to one that has more. */
static unsigned apply_somewhere(struct wish *w, const struct version *held, struct room *room,
	struct mrg_dns_update_result *result, struct version **made)
{
	struct version *roomy;
	const unsigned rcode = apply(w, held, room, result, made);
	if (rcode != MRG_DNS_RCODE_SERVFAIL || version_rebuild(&roomy, held) != 0)
		return rcode;
	const unsigned again = apply(w, roomy, room, result, made);
	version_drop(roomy);
	return again;
}

static unsigned do_it(struct wish *w, const struct served *z, struct room *room, struct version **made)
{
	struct mrg_dns_update_result result;
	unsigned rcode = apply_somewhere(w, z->version, room, &result, made);
	const char *why = result.reason;
	if (*made != NULL) {
		why = keep(made, z->option->file, &result);
		if (why != NULL) {
			rcode = MRG_DNS_RCODE_SERVFAIL;
			version_drop(*made);
			*made = NULL;
		}
	}
	log_update(w, rcode, why, &result);
	return rcode;
}

unsigned updating_do(const struct updating *u, const struct served *z, struct version **made)
{
	struct wish wish = { .asked = u, .option = z->option };
	struct room room;
	*made = NULL;
	unsigned rcode = mrg_dns_update_read(u->message, &wish.update);
	if (rcode != MRG_DNS_RCODE_NOERROR)
		return rcode;
	if (mrg_dns_zone_is_absent(z->version->zone) || open_room(&room) != 0)
		return MRG_DNS_RCODE_SERVFAIL;
	rcode = do_it(&wish, z, &room, made);
	close_room(&room);
	return rcode;
}

size_t updating_reply(const struct updating *u, unsigned rcode, uint8_t *out, size_t cap)
{
	struct mrg_w w;
	size_t len;
	mrg_w_init(&w, out, cap);
	mrg_dns_update_reply(&w, u->message, rcode);
	if (mrg_w_finish(&w, &len) != MRG_OK ||
		mrg_dns_auth_sign(u->auth, system_time_s(), out, cap, &len) != MRG_OK)
		return 0;
	return len;
}
