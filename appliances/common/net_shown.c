/*
 * What there is to be seen of our own TCP/IP.
 */
#include "appliances/common/net_shown.h"
#include "core/mrg_pcap.h"
#include "mrg_text.h"

/* ---- the last frames ---- */

/* The ring, and a copy of it for a page. */
size_t net_shown_memory(const struct mrg_tape_options *o)
{
	return o->cap == 0 ? 0 : 2u * mrg_tape_memory(o) + MRG_RT_PCAP_BEGIN;
}

static void page_closed(struct mrg_rt_tree *t, struct mrg_rt_file *f)
{
	(void)t;
	f->p = NULL;
}

struct mrg_link *net_shown_tape(struct net_shown *n, struct mrg_arena *arena,
	const struct mrg_tape_options *o, struct mrg_link *link, const uint64_t *now_ns,
	struct net_ahead ahead)
{
	static const struct mrg_rt_tree_ops ops = { .close = page_closed };
	n->tape_cap = o->cap;
	if (o->cap == 0)
		return link;
	n->ahead = ahead;
	n->pages.ops = &ops;
	n->page_room = mrg_arena_get(arena, o->cap + MRG_RT_PCAP_BEGIN, 1);
	if (n->page_room == NULL || !mrg_tape_init(&n->tape, arena, o, link, now_ns))
		return NULL;
	return &n->tape.link;
}

struct mrg_rt_file *net_shown_take(struct net_shown *n)
{
	struct mrg_w w;
	if (n->page.p != NULL)
		return NULL;
	mrg_w_init(&w, n->page_room, n->tape_cap + MRG_RT_PCAP_BEGIN);
	mrg_tape_put(&n->tape, n->ahead.ns(n->ahead.ctx), &w);
	n->page.p = n->page_room;
	n->page.size = w.len;
	return &n->page;
}

/* ---- figures ---- */

struct figures {
	struct mrg_w *w;
	bool begun;
};

static void put_count(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct figures *const f = ctx;
	if (!f->begun)
		mrg_text_put(f->w, "# HELP mrg_net_total What our own TCP/IP has counted.\n"
				   "# TYPE mrg_net_total counter\n");
	f->begun = true;
	mrg_text_put(f->w, "mrg_net_total{protocol=\"");
	mrg_text_put(f->w, protocol);
	mrg_text_put(f->w, "\",name=\"");
	mrg_text_put(f->w, name);
	mrg_text_put(f->w, "\"} ");
	mrg_text_put_dec(f->w, value);
	mrg_text_put(f->w, "\n");
}

void net_shown_figures(const struct net_shown *n, struct mrg_w *w,
	void (*link)(const void *of,
		void (*each)(void *ctx, const char *protocol, const char *name, uint64_t value), void *ctx),
	const void *of)
{
	struct figures figures = { .w = w };
	if (n->stack == NULL)
		return;
	link(of, put_count, &figures);
	mrg_tcpip_counts(n->stack, put_count, &figures);
}

/* ---- connections ---- */

static void put_pair(struct mrg_w *w, const char *name, uint64_t value)
{
	mrg_text_put(w, name);
	mrg_text_put_dec(w, value);
}

static void put_known(struct mrg_w *w, const char *name, uint64_t value)
{
	if (value != 0)
		put_pair(w, name, value);
}

static void put_flags(struct mrg_w *w, const struct mrg_tcpip_connection *c)
{
	const struct {
		const char *name;
		bool set;
	} all[] = { { "ts", c->timestamps }, { "sack", c->sack }, { "ecn", c->ecn },
		{ "recovering", c->recovering }, { "gaps", c->out_of_order }, { "orphan", c->orphan } };
	const char *before = " ";
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (!all[i].set)
			continue;
		mrg_text_put(w, before);
		mrg_text_put(w, all[i].name);
		before = ",";
	}
}

static void put_connection(void *ctx, const struct mrg_tcpip_connection *c)
{
	enum { NO_SSTHRESH = 1 << 30 };
	struct mrg_w *const w = ctx;
	char address[MRG_RT_ADDR_TEXT_MAX];
	mrg_text_put(w, mrg_rt_addr_str(&c->local, address));
	mrg_text_put(w, " ");
	mrg_text_put(w, mrg_rt_addr_str(&c->peer, address));
	mrg_text_put(w, " ");
	mrg_text_put(w, mrg_net_connection_state_str(c->state));
	put_pair(w, " in:", c->in_len);
	put_pair(w, " out:", c->out_len);
	put_known(w, " flight:", c->flight_len);
	put_known(w, " lost:", c->lost_len);
	put_known(w, " cwnd:", c->cwnd);
	put_known(w, " ssthresh:", c->ssthresh < NO_SSTHRESH ? c->ssthresh : 0);
	put_known(w, " snd_wnd:", c->snd_wnd);
	put_known(w, " mss:", c->mss);
	put_known(w, " srtt_us:", c->srtt_us);
	put_known(w, " rttvar_us:", c->rttvar_us);
	put_known(w, " rto_ms:", c->rto_ms);
	put_known(w, " tries:", c->tries);
	put_known(w, " heard_ms:", c->heard_ms);
	put_pair(w, " wscale:", c->snd_scale);
	put_pair(w, ",", c->rcv_scale);
	put_flags(w, c);
	mrg_text_put(w, "\n");
}

void net_shown_connections(const struct net_shown *n, struct mrg_w *w)
{
	if (n->stack == NULL)
		return;
	const size_t count = mrg_tcpip_connections(n->stack, NET_CONNECTIONS_SHOWN, put_connection, w);
	put_pair(w, "# connections: ", count);
	if (count > NET_CONNECTIONS_SHOWN)
		put_pair(w, ", not shown: ", count - NET_CONNECTIONS_SHOWN);
	mrg_text_put(w, "\n");
}
