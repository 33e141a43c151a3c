/*
 * Path MTUs: a few, in sets of four by a keyed hash; of a full set the one goes that would be forgotten first.
 */
#include "net/ip4.h"
#include "net/ip6.h"
#include "protocols/tcpip/path_mtu.h"

enum { SETS = 16, SET_SIZE = 4 };

static const uint64_t keep_ns = 600u * MRG_RT_SECOND_NS; /* RFC 8201 section 5.3 */

struct entry {
	struct ip to;
	uint64_t until_ns;
	uint16_t mtu; /* 0: free */
};

struct path_mtus {
	struct entry entry[SETS][SET_SIZE];
	unsigned used;
	struct mrg_rt_timer timer; /* of the first to be forgotten */
	struct mrg_tcpip *stack;
};

static unsigned set_of(const struct mrg_tcpip *s, const struct ip *to)
{
	return (unsigned)(mrg_rt_hash(s->world.secret, (struct mrg_span){ to->b, sizeof to->b }) % SETS);
}

uint16_t path_mtu_of(const struct mrg_tcpip *s, const struct ip *to)
{
	const struct path_mtus *const t = s->ip->path_mtus;
	if (t->used == 0)
		return 0;
	const struct entry *const set = t->entry[set_of(s, to)];
	for (unsigned i = 0; i < SET_SIZE; i++)
		if (set[i].mtu != 0 && ip_same(&set[i].to, to))
			return set[i].mtu;
	return 0;
}

static struct entry *place(struct path_mtus *t, struct entry *set, const struct ip *to)
{
	struct entry *place = &set[0];
	for (unsigned i = 0; i < SET_SIZE; i++) {
		if (set[i].mtu != 0 && ip_same(&set[i].to, to))
			return &set[i];
		if (set[i].mtu == 0 || (place->mtu != 0 && set[i].until_ns < place->until_ns))
			place = &set[i];
	}
	if (place->mtu == 0)
		t->used++;
	*place = (struct entry){ .to = *to, .mtu = UINT16_MAX };
	return place;
}

void ip_path_mtu(struct mrg_tcpip *s, const struct ip *to, uint16_t mtu)
{
	struct path_mtus *const t = s->ip->path_mtus;
	const uint16_t least = ip_is4(to) ? MRG_NET_IP4_MTU_MIN : MRG_NET_IP6_MTU_MIN;
	if (mtu < least)
		mtu = least;
	struct entry *const e = place(t, t->entry[set_of(s, to)], to);
	if (mtu >= e->mtu && e->mtu != UINT16_MAX)
		return;
	e->mtu = mtu;
	e->until_ns = stack_now(s) + keep_ns;
	s->ip->count.path_mtu_lowered++;
	if (!t->timer.armed)
		mrg_rt_timer_set(s->world.timers, &t->timer, e->until_ns);
	ways_forget(s);
}

static void fire(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	struct path_mtus *const t =
		(struct path_mtus *)(void *)((char *)timer - offsetof(struct path_mtus, timer));
	uint64_t next_ns = MRG_RT_NEVER;
	for (unsigned i = 0; i < SETS * SET_SIZE; i++) {
		struct entry *const e = &t->entry[i / SET_SIZE][i % SET_SIZE];
		if (e->mtu == 0)
			continue;
		if (e->until_ns <= now_ns) {
			e->mtu = 0;
			t->used--;
		} else if (e->until_ns < next_ns) {
			next_ns = e->until_ns;
		}
	}
	if (next_ns != MRG_RT_NEVER)
		mrg_rt_timer_set(t->stack->world.timers, timer, next_ns);
	ways_forget(t->stack);
}

uint16_t path_mtu_below(uint16_t len)
{
	/* RFC 1191 section 7: usual MTUs of links, falling */
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006 };
	for (unsigned i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return MRG_NET_IP4_MTU_MIN;
}

size_t path_mtu_memory(void) { return sizeof(struct path_mtus) + _Alignof(struct path_mtus); }

struct path_mtus *path_mtu_open(struct mrg_tcpip *s, struct mrg_arena *a)
{
	struct path_mtus *const t = mrg_arena_get(a, sizeof *t, _Alignof(struct path_mtus));
	if (t != NULL) {
		t->stack = s;
		t->timer.fire = fire;
	}
	return t;
}
