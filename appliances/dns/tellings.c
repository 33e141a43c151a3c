/* Telling of changes: see tellings.h. */

#include "appliances/dns/tellings.h"
#include "appliances/dns/system.h"
#include "appliances/common/say.h"
#include "appliances/dns/said.h"
#include "protocols/dns/notify.h"
#include "protocols/dns/tsig.h"

enum { TRIES = 5 /* RFC 1996 3.6 */ };

static const uint64_t FIRST_NS = 2u * MRG_RT_SECOND_NS; /* then twice as long each time */

size_t tellings_memory(void) { return TELLINGS_MAX * sizeof(struct telling) + 64u; }

static struct mrg_span origin_of(const struct telling *one)
{
	return (struct mrg_span){ one->origin, one->origin_len };
}

static void log_it(const char *level, const char *event, const struct telling *one, const char *why)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, level, event);
	said_name(&l, "zone", origin_of(one));
	mrg_rt_line_addr(&l, "peer", &one->to);
	if (why != NULL)
		mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(&stderr_log, &l);
}

static void end(struct telling *one)
{
	mrg_rt_timer_cancel(one->all->timers, &one->again);
	one->origin_len = 0;
}

static void say_it(struct telling *one, uint64_t now_ns)
{
	one->all->sent++;
	outward_send(one->all->outward, &one->to, (struct mrg_span){ one->message, one->len });
	mrg_rt_timer_set(one->all->timers, &one->again, now_ns + (FIRST_NS << one->tries));
	one->tries++;
}

static void again(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct telling *const one = (struct telling *)(void *)((char *)t - offsetof(struct telling, again));
	if (one->tries < TRIES) {
		say_it(one, now_ns);
		return;
	}
	one->all->given_up++;
	log_it("warn", "notify_unanswered", one, NULL);
	end(one);
}

bool tellings_init(
	struct tellings *t, struct outward *outward, struct mrg_arena *arena, struct mrg_rt_timers *timers)
{
	*t = (struct tellings){ .outward = outward, .timers = timers };
	t->list = mrg_arena_get(arena, TELLINGS_MAX * sizeof *t->list, _Alignof(struct telling));
	return t->list != NULL;
}

/* The message, signed if there is a key. */
static bool put_message(struct telling *one, const struct version *v, const struct key_option *key)
{
	struct mrg_dns_auth auth;
	if (!system_random(&one->id, sizeof one->id) ||
		mrg_dns_notify_put(v->zone, one->id, one->message, TELLING_OCTETS, &one->len) != MRG_OK)
		return false;
	return key == NULL || mrg_dns_auth_ask(&auth, &key->tsig, system_time_s(), one->message,
				      TELLING_OCTETS, &one->len) == MRG_OK;
}

/* What is being told to this one of the zone, or one that is free; NULL: all are in use. */
static struct telling *find(struct tellings *t, struct mrg_span origin, const struct mrg_rt_addr *to)
{
	struct telling *unused = NULL;
	for (size_t i = 0; i < TELLINGS_MAX; i++) {
		struct telling *const one = &t->list[i];
		if (one->origin_len == 0)
			unused = unused == NULL ? one : unused;
		else if (mrg_rt_addr_same(&one->to, to) && mrg_dns_name_flat_equal(origin_of(one), origin))
			return one;
	}
	return unused;
}

void tellings_begin(struct tellings *t, const struct served *z, uint64_t now_ns)
{
	const struct mrg_span origin = { z->option->origin, z->option->origin_len };
	for (const struct remote *r = z->option->notify; r != NULL; r = r->next) {
		struct telling *const one = find(t, origin, &r->addr);
		if (one == NULL)
			return; /* they find out by asking */
		if (one->origin_len != 0)
			end(one);
		one->all = t;
		one->again.fire = again;
		one->to = r->addr;
		one->tries = 0;
		if (!put_message(one, z->version, r->key))
			return;
		memcpy(one->origin, origin.p, origin.len);
		one->origin_len = origin.len;
		say_it(one, now_ns);
	}
}

void tellings_end(struct tellings *t, struct mrg_span origin)
{
	for (size_t i = 0; i < TELLINGS_MAX; i++) {
		struct telling *const one = &t->list[i];
		if (one->origin_len != 0 && mrg_dns_name_flat_equal(origin_of(one), origin))
			end(one);
	}
}

bool tellings_take(struct tellings *t, const struct mrg_rt_addr *peer, struct mrg_span message)
{
	for (size_t i = 0; i < TELLINGS_MAX; i++) {
		struct telling *const one = &t->list[i];
		unsigned rcode;
		if (one->origin_len == 0 || !mrg_rt_addr_same(peer, &one->to) ||
			!mrg_dns_notify_heard(origin_of(one), one->id, message, &rcode))
			continue;
		const char *const why = mrg_dns_rcode_str(rcode);
		t->heard++;
		if (rcode != MRG_DNS_RCODE_NOERROR)
			log_it("warn", "notify_refused", one, why);
		end(one);
		return true;
	}
	return false;
}
