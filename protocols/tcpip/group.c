/*
 * Membership of groups: IGMP versions 1 to 3 (RFC 9776, RFC 2236), MLD versions 1 and 2 (RFC 9777, RFC 2710).
 *
 * Everything is asked of a group from whatever source, so that a report of the newest versions has one record without sources; a
 * query for some sources is answered with it, too. Each group has one timer, for the answer to a query and for what is said again.
 * Reading order: struct group, speak, group_join, group_leave, then queries.
 */
#include "net/group.h"
#include "net/igmp.h"
#include "protocols/tcpip/ip.h"

enum {
	ROBUSTNESS = 2,   /* times that a change is told of: RFC 9776 section 8.1 */
	MESSAGE_MAX = 64, /* bytes of a report with one record */
	HOP_LIMIT = 1,
	EXTRA = 8 /* groups of an interface beside those of addresses */
};

static const uint64_t tenth_ns = MRG_RT_SECOND_NS / 10u, milli_ns = MRG_RT_SECOND_NS / 1000u;
static const uint64_t again_ns = MRG_RT_SECOND_NS;      /* RFC 9776 section 8.11 */
static const uint64_t old_ns = 260u * MRG_RT_SECOND_NS; /* RFC 9776 section 8.12: 2 * 125 s + 10 s */
enum { V1_DELAY = 100 };                                /* tenths of a second: RFC 2236 section 4 */

struct group {
	struct mrg_tcpip_if *on; /* NULL: the slot is free */
	struct ip ip;
	uint32_t users;  /* 0: it has been left, and that is still to be said again */
	uint8_t record;  /* enum mrg_net_group_record_type: what is said next */
	uint8_t repeats; /* how often a change is still to be told of */
	bool last;       /* we were the last to report it (RFC 2236 section 3) */
	struct mrg_rt_timer due;
};

/* How long routers of older versions are believed to be there. */
struct querier {
	uint64_t igmp1_until_ns, igmp2_until_ns, mld1_until_ns;
};

struct group_state {
	struct group *groups;
	unsigned used, max;
	struct querier *queriers; /* by interface */
	struct {
		uint64_t queries, reports, errors, out_reports, out_leaves, refused;
	} counts;
};

/* ---- memory ---- */

static unsigned group_max(const struct mrg_tcpip_limits *l)
{
	return (unsigned)(2u * l->address_count + (l->if_count + 1u) * EXTRA);
}

size_t group_memory(const struct mrg_tcpip_limits *l)
{
	return sizeof(struct group_state) + group_max(l) * sizeof(struct group) +
	       (l->if_count + 1u) * sizeof(struct querier) + 3u * _Alignof(max_align_t);
}

struct group_state *group_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	const size_t align = _Alignof(max_align_t);
	struct group_state *const st = mrg_arena_get(a, sizeof *st, align);
	if (st == NULL)
		return NULL;
	st->max = group_max(&s->limits);
	st->groups = mrg_arena_get(a, st->max * sizeof *st->groups, align);
	st->queriers = mrg_arena_get(a, (s->limits.if_count + 1u) * sizeof *st->queriers, align);
	return st->groups != NULL && st->queriers != NULL ? st : NULL;
}

/* ---- what is said ---- */

static unsigned igmp_version(const struct mrg_tcpip_if *on)
{
	const struct querier *const q = &on->stack->ip->group->queriers[on->index];
	const uint64_t now_ns = stack_now(on->stack);
	return now_ns < q->igmp1_until_ns ? 1 : now_ns < q->igmp2_until_ns ? 2 : 3;
}

static bool mld_is_old(const struct mrg_tcpip_if *on)
{
	return stack_now(on->stack) < on->stack->ip->group->queriers[on->index].mld1_until_ns;
}

static struct ip link_group4(uint8_t number)
{
	uint8_t b[sizeof(struct ip)];
	struct mrg_w w;
	mrg_w_init(&w, b, sizeof b);
	mrg_net_ip4_link_group_put(&w, &(struct mrg_net_ip4_link_group_args){ .number = number });
	return ip_from4(mrg_w_span(&w, 0));
}

static struct ip mld2_routers(void)
{
	struct ip out;
	struct mrg_w w;
	mrg_w_init(&w, out.b, sizeof out.b);
	mrg_net_mld2_routers_put(&w, &(struct mrg_net_mld2_routers_args){ 0 });
	return out;
}

static void put_igmp3(struct mrg_w *w, const struct group *g)
{
	struct mrg_net_igmp3_report_build report;
	struct mrg_net_igmp3_record_build record;
	mrg_net_igmp3_report_begin(w, &report, &(struct mrg_net_igmp3_report_args){ 0 });
	mrg_net_igmp3_report_group_records_add(w, &report);
	mrg_net_igmp3_record_begin(w, &record,
		&(struct mrg_net_igmp3_record_args){
			.record_type = g->record, .multicast_address = ip_wire(&g->ip) });
	mrg_net_igmp3_record_end(w, &record);
	mrg_net_igmp3_report_end(w, &report);
}

static void put_igmp(struct mrg_w *w, const struct group *g, uint8_t type)
{
	struct mrg_net_igmp_build b;
	mrg_net_igmp_begin(w, &b, &(struct mrg_net_igmp_args){ .type = type });
	if (type == MRG_NET_IGMP_TYPE_V3_REPORT)
		put_igmp3(w, g);
	else
		mrg_net_igmp_group_put(
			w, &(struct mrg_net_igmp_group_args){ .group_address = ip_wire(&g->ip) });
	mrg_net_igmp_end(w, &b);
}

static bool say4(const struct group *g, bool leave)
{
	static const uint8_t types[] = { 0, MRG_NET_IGMP_TYPE_V1_REPORT, MRG_NET_IGMP_TYPE_V2_REPORT,
		MRG_NET_IGMP_TYPE_V3_REPORT };
	const unsigned version = igmp_version(g->on);
	struct ip_way way = { .to = g->ip, .only = ip_if_index(g->on) };
	struct ip_out o = {
		.protocol = MRG_NET_IP_PROTOCOL_IGMP, .hop_limit = HOP_LIMIT, .router_alert = true
	};
	uint8_t b[MESSAGE_MAX], type = types[version];
	struct mrg_w w;
	if (version == 3) {
		way.to = link_group4(MRG_NET_IGMP3_ROUTERS);
	} else if (leave) {
		if (version == 1 || !g->last)
			return false; /* RFC 2236 section 3 */
		type = MRG_NET_IGMP_TYPE_LEAVE;
		way.to = link_group4(MRG_NET_ALL_ROUTERS4);
	}
	mrg_w_init(&w, b, sizeof b);
	put_igmp(&w, g, type);
	const struct mrg_span whole = mrg_w_span(&w, 0);
	return w.st == MRG_OK && ip_send(g->on->stack, &way, &o, &whole, 1) == MRG_IO_OK;
}

static void put_mld2(struct mrg_w *w, const struct group *g)
{
	struct mrg_net_mld2_report_build report;
	struct mrg_net_mld2_record_build record;
	mrg_net_mld2_report_begin(w, &report, &(struct mrg_net_mld2_report_args){ 0 });
	mrg_net_mld2_report_records_add(w, &report);
	mrg_net_mld2_record_begin(w, &record,
		&(struct mrg_net_mld2_record_args){
			.record_type = g->record, .multicast_address = ip_wire(&g->ip) });
	mrg_net_mld2_record_end(w, &record);
	mrg_net_mld2_report_end(w, &report);
}

static bool say6(const struct group *g, bool leave)
{
	struct ip_way way = { .from = g->on->link_local, .to = g->ip, .only = ip_if_index(g->on) };
	uint8_t b[MESSAGE_MAX], type = MRG_NET_ICMP6_TYPE_MLD_REPORT;
	struct mrg_net_icmp6_build build;
	struct mrg_w w;
	if (!mld_is_old(g->on)) {
		type = MRG_NET_ICMP6_TYPE_MLD2_REPORT;
		way.to = mld2_routers();
	} else if (leave) {
		if (!g->last)
			return false;
		type = MRG_NET_ICMP6_TYPE_MLD_DONE;
		way.to = ip_all_routers();
	}
	mrg_w_init(&w, b, sizeof b);
	mrg_net_icmp6_begin(&w, &build, &(struct mrg_net_icmp6_args){ .type = type });
	if (type == MRG_NET_ICMP6_TYPE_MLD2_REPORT)
		put_mld2(&w, g);
	else
		mrg_net_mld_put(&w, &(struct mrg_net_mld_args){ .multicast_address = ip_wire(&g->ip) });
	mrg_net_icmp6_end(&w, &build);
	return icmp6_send(g->on->stack, &way, &w, HOP_LIMIT, true) == MRG_IO_OK;
}

/* All hosts are members of these anyhow, and what stays on the interface is nobody's business (RFC 9776 section 6, RFC 9777 section 6). */
static bool is_told(const struct mrg_tcpip_if *on, const struct ip *group)
{
	const struct ip systems = link_group4(MRG_NET_ALL_SYSTEMS), nodes = ip_all_nodes();
	return on->link != NULL && !ip_same(group, &systems) && !ip_same(group, &nodes) &&
	       !ip_group_stays_here(group);
}

static uint64_t any_of(struct mrg_tcpip *s, uint64_t below_ns)
{
	return below_ns / UINT16_MAX * ip_random(s, UINT16_MAX);
}

static void set_due(struct group *g, uint64_t at_ns)
{
	mrg_rt_timer_set(g->on->stack->world.timers, &g->due, at_ns);
}

static void slot_free(struct group *g)
{
	mrg_rt_timer_cancel(g->on->stack->world.timers, &g->due);
	g->on = NULL;
}

/* Say what is to be said of the group now, and see to it that a change is said again. */
static void speak(struct group *g)
{
	struct mrg_tcpip *const s = g->on->stack;
	struct group_state *const st = s->ip->group;
	const bool leave = g->users == 0;
	if (ip_is4(&g->ip) ? say4(g, leave) : say6(g, leave))
		(*(leave ? &st->counts.out_leaves : &st->counts.out_reports))++;
	g->last = g->last || !leave;
	if (g->repeats != 0 && --g->repeats != 0) {
		set_due(g, stack_now(s) + any_of(s, again_ns));
		return;
	}
	g->record = MRG_NET_GROUP_RECORD_TYPE_IS_EXCLUDE;
	if (leave)
		slot_free(g);
}

static void on_due(struct mrg_rt_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	speak((struct group *)(void *)((char *)t - offsetof(struct group, due)));
}

/* ---- joining and leaving ---- */

static struct group *find(const struct mrg_tcpip_if *on, const struct ip *group)
{
	const struct group_state *const st = on->stack->ip->group;
	for (unsigned i = 0; i < st->used; i++)
		if (st->groups[i].on == on && ip_same(&st->groups[i].ip, group))
			return &st->groups[i];
	return NULL;
}

/* A free one, or one that has been left. */
static struct group *slot_get(struct group_state *st)
{
	struct group *left = NULL;
	for (unsigned i = 0; i < st->used; i++) {
		if (st->groups[i].on == NULL)
			return &st->groups[i];
		if (st->groups[i].users == 0)
			left = &st->groups[i];
	}
	if (st->used < st->max)
		return &st->groups[st->used++];
	if (left != NULL)
		slot_free(left);
	return left;
}

static void tell(struct group *g, enum mrg_net_group_record_type change)
{
	g->record = (uint8_t)change;
	g->repeats = ROBUSTNESS;
	if (is_told(g->on, &g->ip))
		speak(g);
	else if (g->users == 0)
		slot_free(g);
}

void group_join(struct mrg_tcpip_if *on, const struct ip *group)
{
	struct group_state *const st = on->stack->ip->group;
	struct group *g = find(on, group);
	if (g != NULL && g->users++ != 0)
		return;
	if (g == NULL) {
		g = slot_get(st);
		if (g == NULL) {
			st->counts.refused++;
			return;
		}
		*g = (struct group){ .on = on, .ip = *group, .users = 1, .due = { .fire = on_due } };
	}
	tell(g, MRG_NET_GROUP_RECORD_TYPE_TO_EXCLUDE);
}

void group_leave(struct mrg_tcpip_if *on, const struct ip *group)
{
	struct group *const g = find(on, group);
	if (g == NULL || g->users == 0 || --g->users != 0)
		return;
	mrg_rt_timer_cancel(on->stack->world.timers, &g->due);
	tell(g, MRG_NET_GROUP_RECORD_TYPE_TO_INCLUDE);
}

bool group_member(const struct mrg_tcpip_if *on, const struct ip *group)
{
	const struct group *const g = find(on, group);
	if (g != NULL)
		return g->users != 0;
	const struct ip systems = link_group4(MRG_NET_ALL_SYSTEMS), nodes = ip_all_nodes();
	return ip_same(group, &systems) || ip_same(group, &nodes);
}

/* ---- queries and reports of others ---- */

/* Answer after some time, at most `within_ns`; an answer that is due earlier does as well (RFC 9776 section 5.2). */
static void answer(struct group *g, uint64_t within_ns)
{
	const uint64_t at_ns = stack_now(g->on->stack) + any_of(g->on->stack, within_ns);
	if (g->users != 0 && is_told(g->on, &g->ip) && (!g->due.armed || g->due.at_ns > at_ns))
		set_due(g, at_ns);
}

/* `about` all groups of its family if it is unspecified. */
static void asked(struct mrg_tcpip_if *on, const struct ip *about, bool four, uint64_t within_ns)
{
	struct group_state *const st = on->stack->ip->group;
	const bool all = ip_unspecified(about);
	st->counts.queries++;
	for (unsigned i = 0; i < st->used; i++) {
		struct group *const g = &st->groups[i];
		if (g->on == on && ip_is4(&g->ip) == four && (all || ip_same(&g->ip, about)))
			answer(g, within_ns);
	}
}

/* RFC 2236 section 3, RFC 2710 section 4: somebody else has said it for us; newer versions don't mind. */
static void reported(const struct mrg_tcpip_if *on, const struct ip *about, bool old)
{
	struct group *const g = find(on, about);
	on->stack->ip->group->counts.reports++;
	if (g == NULL || !old || g->users == 0)
		return;
	mrg_rt_timer_cancel(on->stack->world.timers, &g->due);
	g->repeats = 0;
	g->record = MRG_NET_GROUP_RECORD_TYPE_IS_EXCLUDE;
	g->last = false;
}

static void query4(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_igmp *m,
	const struct mrg_net_igmp_query *query)
{
	struct querier *const q = &s->ip->group->queriers[in->on->index];
	const struct ip about = ip_from4(mrg_net_igmp_query_group_address(query));
	struct mrg_net_igmp_float f;
	uint64_t tenths = mrg_net_igmp_max_resp_code(m);
	if (mrg_net_igmp_query_has_version_3(query)) {
		if (mrg_net_igmp_float_check(mrg_net_igmp_span(m), &f, NULL) == MRG_OK)
			tenths = mrg_net_igmp_float_value(&f);
	} else if (tenths != 0) {
		q->igmp2_until_ns = in->now_ns + old_ns;
	} else {
		q->igmp1_until_ns = in->now_ns + old_ns;
		tenths = V1_DELAY;
	}
	asked(in->on, &about, true, tenths * tenth_ns);
}

void group_input4(struct mrg_tcpip *s, const struct ip_in *in)
{
	struct mrg_net_igmp m;
	struct mrg_net_igmp_query query;
	struct mrg_net_igmp_group of;
	/* RFC 9776 section 9.1: to one host alone they would split the link */
	if (!in->to_many || mrg_net_igmp_check(in->payload, &m, NULL) != MRG_OK) {
		s->ip->group->counts.errors++;
		return;
	}
	if (mrg_net_igmp_body_as_query(&m, &query)) {
		query4(s, in, &m, &query);
	} else if (mrg_net_igmp_body_as_v1_report(&m, &of) || mrg_net_igmp_body_as_v2_report(&m, &of)) {
		const struct ip about = ip_from4(mrg_net_igmp_group_group_address(&of));
		reported(in->on, &about, igmp_version(in->on) < 3);
	}
}

static void query6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_mld_query *query)
{
	const struct ip about = ip_from6(mrg_net_mld_query_multicast_address(query));
	struct mrg_net_mld_float f;
	uint64_t millis = mrg_net_mld_query_maximum_response_code(query);
	if (!mrg_net_mld_query_has_version_2(query))
		s->ip->group->queriers[in->on->index].mld1_until_ns = in->now_ns + old_ns;
	else if (mrg_net_mld_float_check(mrg_net_mld_query_span(query), &f, NULL) == MRG_OK)
		millis = mrg_net_mld_float_value(&f);
	asked(in->on, &about, false, millis * milli_ns);
}

void group_input6(struct mrg_tcpip *s, const struct ip_in *in, const struct mrg_net_icmp6 *m)
{
	struct mrg_net_mld_query query;
	struct mrg_net_mld of;
	/* RFC 9777 section 6.2: from elsewhere they mean nothing */
	if (!ip_is_link_local(&in->from) || in->hop_limit != HOP_LIMIT || !in->to_many) {
		s->ip->group->counts.errors++;
		return;
	}
	if (mrg_net_icmp6_body_as_query(m, &query)) {
		query6(s, in, &query);
	} else if (mrg_net_icmp6_body_as_report(m, &of)) {
		const struct ip about = ip_from6(mrg_net_mld_multicast_address(&of));
		reported(in->on, &about, mld_is_old(in->on));
	}
}

void group_counts(const struct mrg_tcpip *s, count_fn *each, void *ctx)
{
	const struct group_state *const st = s->ip->group;
	each(ctx, "group", "in_queries", st->counts.queries);
	each(ctx, "group", "in_reports", st->counts.reports);
	each(ctx, "group", "in_errors", st->counts.errors);
	each(ctx, "group", "out_reports", st->counts.out_reports);
	each(ctx, "group", "out_leaves", st->counts.out_leaves);
	each(ctx, "group", "refused", st->counts.refused);
}
