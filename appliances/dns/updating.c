/*
 * Dynamic updates.
 * Reading order: updating_do at the end, then upwards.
 */
#include <errno.h>
#include <string.h>

#include "appliances/dns/updating.h"
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "appliances/dns/show.h"
#include "iana/dns.h"
#include "protocols/dns/update.h"
#include "unix/mrg_unix.h"

enum { LEAST = 1 << 20 };

static const size_t SCRATCH = (size_t)1 << 32; /* octets of address space */

static void log_update(
	const struct letter *l, unsigned rcode, const char *why, const struct mrg_dns_update_result *result)
{
	char record[ZONE_ERROR_TEXT];
	struct mrg_rt_line line;
	const char *const name = mrg_dns_rcode_str(rcode);
	mrg_rt_line_begin(&line, rcode == MRG_DNS_RCODE_NOERROR ? "info" : "warn", "update");
	said_name(&line, "zone", mrg_dns_name_flat_from(&l->zone, 0));
	mrg_rt_line_addr(&line, "peer", &l->peer);
	mrg_rt_line_str(&line, "rcode", name != NULL ? name : "?");
	if (why != NULL)
		mrg_rt_line_str(&line, "why", why);
	if (rcode != MRG_DNS_RCODE_NOERROR && result->why.owner.count != 0)
		mrg_rt_line_str(&line, "record", zone_error_record(&result->why, record));
	if (rcode == MRG_DNS_RCODE_NOERROR && result->made != NULL)
		mrg_rt_line_num(&line, "serial", mrg_dns_zone_serial(result->made));
	mrg_rt_log_line(&stderr_log, &line);
}

/* Who wants what to be changed. */
struct wish {
	const struct letter *letter;
	const struct zone_option *option;
};

static bool allowed(void *ctx, struct mrg_span owner, uint16_t type)
{
	const struct wish *const w = ctx;
	return update_allowed_find(w->option->update, w->letter->auth.key, owner, type);
}

/* Memory of one update beside the version's. */
struct room {
	struct mrg_arena scratch, history;
};

static int open_room(struct room *r)
{
	const int err = mrg_unix_arena_open(&r->scratch, SCRATCH, LEAST);
	if (err != 0)
		return err;
	const int other = mrg_unix_arena_open(&r->history, SCRATCH, LEAST);
	if (other != 0)
		mrg_unix_arena_close(&r->scratch);
	return other;
}

static void close_room(struct room *r)
{
	mrg_unix_arena_close(&r->scratch);
	mrg_unix_arena_close(&r->history);
}

/* The version of a change that was made: what is remembered with it, compact if need be, and in its file. NULL, or why not. */
static const char *keep(struct version **made, const char *file, const struct mrg_dns_update_result *result,
	struct room *room)
{
	struct version *const v = *made;
	v->zone = result->made;
	if (mrg_dns_history_copy(&v->tables, result->step, version_history(v), &v->newest) != MRG_OK)
		return "not enough memory";
	version_compact(made, &room->scratch);
	const int err = show_write((*made)->zone, file, (struct mrg_span){ NULL, 0 });
	return err == 0 ? NULL : strerrordesc_np(err);
}

static unsigned apply(const struct letter *l, const struct mrg_dns_update *u, const struct served *z,
	struct room *room, struct version **made)
{
	struct mrg_dns_update_result result;
	struct wish wish = { l, z->option };
	const struct version *const held = z->version;
	const struct mrg_dns_update_rules rules = { .ctx = &wish, .allowed = allowed };
	struct version *v;
	if (version_change(&v, held) != 0)
		return MRG_DNS_RCODE_SERVFAIL;
	const struct mrg_dns_update_memory memory = { .nodes = &v->nodes->arena,
		.tables = &v->tables,
		.scratch = &room->scratch,
		.history = &room->history };
	unsigned rcode = mrg_dns_update_apply(u, held->zone, &rules, &memory, held->newest, &result);
	const char *why = result.reason;
	if (rcode == MRG_DNS_RCODE_NOERROR && result.made != NULL) {
		why = keep(&v, z->option->file, &result, room);
		if (why != NULL)
			rcode = MRG_DNS_RCODE_SERVFAIL;
	}
	log_update(l, rcode, why, &result);
	if (rcode == MRG_DNS_RCODE_NOERROR && result.made != NULL)
		*made = v;
	else
		version_drop(v);
	return rcode;
}

unsigned updating_do(const struct letter *l, const struct served *z, struct version **made)
{
	struct mrg_dns_update u;
	struct room room;
	*made = NULL;
	unsigned rcode = mrg_dns_update_read((struct mrg_span){ l->message, l->len }, &u);
	if (rcode != MRG_DNS_RCODE_NOERROR)
		return rcode;
	if (mrg_dns_zone_is_absent(z->version->zone) || open_room(&room) != 0)
		return MRG_DNS_RCODE_SERVFAIL;
	rcode = apply(l, &u, z, &room, made);
	close_room(&room);
	return rcode;
}
