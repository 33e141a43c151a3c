/* What a message says, told of the walker's tree as mrg_glue.h wants it told. */
#include "mrg_plan_inside.h"

static void tell_packet(
	const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet, const uint8_t *data);
static void tell_items(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	uint32_t first, uint32_t n, const uint8_t *data);

static void tell_list(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	const struct mrg_node *list, const uint8_t *data);

static void tell_chain(
	const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *chain, const uint8_t *data)
{
	const struct mrg_plan_item *const item = &w->plan->items[chain->item];
	uint64_t count = 0;
	for (uint32_t at = chain->first; at != 0; at = w->nodes[at].next) {
		const struct mrg_node *const one = &w->nodes[at];
		if (w->plan->arms[one->arm].kind != MRG_PLAN_ITEM)
			continue;
		mrg_event(ev, item->id, one->arm - item->a);
		tell_packet(w, ev, one, data);
		count++;
	}
	mrg_event(ev, item->id, count);
}

/* A node of an item that is told of. */
static void tell_node(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	uint32_t index, const struct mrg_node *n, const uint8_t *data)
{
	const struct mrg_plan_item *const item = &w->plan->items[index];
	switch (item->kind) {
	case MRG_PLAN_BYTES:
		mrg_event_octets(ev, item->id, (struct mrg_span){ data + n->bit_off / 8, (size_t)n->value });
		return;
	case MRG_PLAN_PACKET: tell_packet(w, ev, n, data); return;
	case MRG_PLAN_LIST: tell_list(w, ev, packet, n, data); return;
	case MRG_PLAN_CHAIN: tell_chain(w, ev, n, data); return;
	case MRG_PLAN_SWITCH:
		mrg_event(ev, item->id, n->arm);
		if (w->plan->arms[item->a + n->arm].item != MRG_PLAN_NONE)
			tell_items(w, ev, packet, w->plan->arms[item->a + n->arm].item, 1, data);
		return;
	default: mrg_event(ev, item->id, n->value); return;
	}
}

static void tell_list(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	const struct mrg_node *list, const uint8_t *data)
{
	const struct mrg_plan_item *const item = &w->plan->items[list->item];
	for (uint32_t at = list->first; at != 0; at = w->nodes[at].next)
		tell_node(w, ev, packet, item->a, &w->nodes[at], data);
	mrg_event(ev, item->id, list->child_n);
}

static void tell_group(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	const struct mrg_plan_item *group, const uint8_t *data)
{
	const bool there = group->gate == MRG_PLAN_NONE || w->slots[packet->slots + group->gate] != 0;
	if (group->gate != MRG_PLAN_NONE)
		mrg_event(ev, group->id, there);
	if (there)
		tell_items(w, ev, packet, group->a, group->n, data);
}

static void tell_items(const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet,
	uint32_t first, uint32_t n, const uint8_t *data)
{
	for (uint32_t i = first; i < first + n; i++) {
		const struct mrg_plan_item *const item = &w->plan->items[i];
		const uint32_t at = w->slots[packet->slots + item->slot];
		if (item->kind == MRG_PLAN_REGION)
			tell_items(w, ev, packet, item->a, 1, data);
		else if (item->kind == MRG_PLAN_OPTIONAL)
			tell_group(w, ev, packet, item, data);
		else if (item->id != 0 && at != 0)
			tell_node(w, ev, packet, i, &w->nodes[at], data);
	}
}

static void tell_packet(
	const struct mrg_walk *w, struct mrg_events *ev, const struct mrg_node *packet, const uint8_t *data)
{
	const struct mrg_plan_packet *const p = &w->plan->packets[packet->packet];
	tell_items(w, ev, packet, p->items, p->item_n, data);
	mrg_event(ev, p->id, packet->bit_len / 8);
}

void mrg_plan_events(const struct mrg_walk *w, const uint8_t *data, struct mrg_events *ev)
{
	tell_packet(w, ev, &w->nodes[0], data);
}
