/*
 * mrg_glue.h - one way to call the generated C of any packet, for fuzzers: check it, walk it, write it again.
 *
 * gen/mrg/emit/fuzz_glue.py writes one C file a module: a table with a row for each packet.  A walk tells what a message says, as
 * events that another reader of the same specification (gen/mrg/field_ids.py is one) can tell as well; then the two are compared.
 *
 * EVENTS.  An event is (id, value).  Ids are numbers of packets and of their items: see field_ids() in gen/mrg/field_ids.py for how
 * they are given out.  A message has the events of its packet:
 *
 *	packet P      the events of its items in their order, then (P, octets it takes)
 *	scalar        (item, value); a signed one's sign extended to 64 bits
 *	varint, let   (item, value)
 *	bytes         (item, how many), (item, mrg_glue_hash of them); the octet that ends an `until` is none of them
 *	sub           the events of its packet; none of its own
 *	region        the events of its item; none of its own
 *	optional      (item, 1), then the events of its items; or (item, 0) where it is absent, and nothing for what would be in it
 *	switch        (item, the arm taken: 0 is the first in the specification), then the events of the arm's item if it has one
 *	list          the events of each element, then (item, how many)
 *	chain         for each "item" arm in the order visited, also behind a goto: (item, which arm: 0 is the first of all the chain's
 *	              arms), then the events of its packet; at the end (item, how many of those).  Stops and gotos have none.
 *
 * An item without an accessor has no events, nor has anything in it: told() in gen/mrg/field_ids.py says which.  Those are items
 * without a name; padding, constraints, the choice of an octet order; a let of a position, of octets ahead or of a user's function, or
 * of such a let.  A group (optional) without a named item directly in it (its gate(), which may be the item of a region) has no event
 * (item, 0 or 1) of its own; what is in it is told all the same, where it is there.
 */
#ifndef MRG_GLUE_H
#define MRG_GLUE_H

#include "mrg.h"

/* Without octets that are none of both, so that events are the same when their octets are. */
struct mrg_event {
	uint64_t id, value;
};

/* Where a walk puts its events. */
struct mrg_events {
	struct mrg_event *at;
	size_t cap;
	size_t count; /* how many are there, at most cap */
	size_t lost;  /* how many did not fit */
};

static inline void mrg_event(struct mrg_events *ev, uint32_t id, uint64_t value)
{
	if (ev->count == ev->cap) {
		ev->lost++;
		return;
	}
	ev->at[ev->count++] = (struct mrg_event){ id, value };
}

/*
 * Of octets: from h = len * K, for each 8 octets as a little-endian number w, the last ones filled up with zeros:
 * h = (h ^ w) * K, then h ^= h >> 32.
 */
static inline uint64_t mrg_glue_hash(const uint8_t *p, size_t len)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = len * k;
	for (; len >= 8; p += 8, len -= 8) {
		h = (h ^ mrg_le64(p)) * k;
		h ^= h >> 32;
	}
	if (len != 0) {
		h = (h ^ mrg_le(p, (unsigned)len)) * k;
		h ^= h >> 32;
	}
	return h;
}

static inline void mrg_event_octets(struct mrg_events *ev, uint32_t id, struct mrg_span s)
{
	mrg_event(ev, id, s.len);
	mrg_event(ev, id, mrg_glue_hash(s.p, s.len));
}

/*
 * A packet.  Buffer parameters are the input itself; args are the number parameters, in order.
 *
 * A module's table is mrg_glue_MODULE ("dns.rr": mrg_glue_dns_rr), in the order of the specification; its last row has no packet.
 * Packets that a user's function decides about are left out.
 */
struct mrg_glue {
	const char *packet; /* "Message"; NULL ends the table */

	/* *used: octets the packet takes; of one that is refused 0, unless the check left something in its view.  rj may be NULL. */
	enum mrg_status (*check)(struct mrg_span in, const uint64_t *args, size_t *used, struct mrg_reject *rj);

	/* Tells the events of what check accepts; of anything else none. */
	void (*walk)(struct mrg_span in, const uint64_t *args, struct mrg_events *ev);

	/* Writes the message anew as the packet's builder would; the status is that of the check.  NULL: the packet has no builder. */
	enum mrg_status (*again)(struct mrg_span in, const uint64_t *args, struct mrg_w *w);

	/* The same by the builder itself, from all that the view says.  NULL: `again` does that, or there is no builder. */
	enum mrg_status (*built)(struct mrg_span in, const uint64_t *args, struct mrg_w *w);

	/*
	 * Gives the builder what the view says, but for one argument that is too large, too long or too short: each in turn, whatever is in `w`.
	 * Which of them it took, counted from 1; else 0.  NULL: there are none.
	 */
	unsigned (*misfits)(struct mrg_span in, const uint64_t *args, struct mrg_w *w);

	bool choosy;     /* the builder may refuse values that are read: `send` constraints */
	size_t arg_count; /* of args */
};

#endif
