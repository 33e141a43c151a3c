/*
 * virtq.h - the driver's side of a split virtqueue, each entry of it a single descriptor.
 *
 * References: OASIS virtio 1.2 section 2.7; the wire is specs/virtio.mrg.
 *
 * What it does not do: it makes no chains (one buffer is one entry), rings no doorbell, and knows no device.
 *
 * Use:
 *	vm_virtq_init(&q, &arena, 256, true);		give q.ring to the device
 *	vm_virtq_set(&q, id, buffer, len, true);	what the descriptor is
 *	vm_virtq_lend(&q, id);				it is the device's from vm_virtq_publish on
 *	vm_virtq_publish(&q);
 *	if (vm_virtq_kick(&q)) ...			ring the doorbell
 *	for (vm_virtq_look(&q); vm_virtq_take(&q, &id, &len);) ...
 *
 * The device may do with the ring what it wants, at any time. Nothing that it could have changed is believed: an index or an entry is
 * loaded once and held against what the driver keeps for itself, which descriptors are lent above all. An id that is none, or is not
 * lent, is counted and passed over. An index that says that more came back than was lent is no index: the queue is `broken` then, and
 * gives nothing any more.
 */
#ifndef VM_VIRTQ_H
#define VM_VIRTQ_H

#include "mrg_rt.h"

struct vm_virtq_counts {
	uint64_t bad_id;    /* came back: no descriptor of this queue, or one that was not lent */
	uint64_t bad_index; /* more came back than was lent: at most once */
};

struct vm_virtq {
	uint8_t *ring; /* what is shared; NULL: there is none */
	uint16_t size; /* descriptors, a power of two */
	bool broken;
	struct vm_virtq_counts counts;
	/* private */
	uint8_t *avail, *used;
	bool *lent;        /* by id: the device has it */
	bool event_idx;    /* EVENT_IDX was agreed on */
	uint16_t added;    /* as the device sees it after vm_virtq_publish; indexes count modulo 2^16 */
	uint16_t kicked;   /* `added` when the device was last told, or did not want to be */
	uint16_t taken;    /* entries of the used ring that were */
	uint16_t there;    /* and that there are, as of the last look */
	uint16_t out;      /* descriptors that are lent */
};

size_t vm_virtq_memory(uint32_t size); /* bytes of the arena that one takes at most */

/*
 * vm_virtq_init - an empty queue.   size   a power of two, at most VM_QUEUE_SIZE_MAX
 * Fails:    false when the arena is too small, or the size is none.
 */
bool vm_virtq_init(struct vm_virtq *q, struct mrg_arena *arena, uint32_t size, bool event_idx);

/*
 * vm_virtq_set - what a descriptor stands for; not while it is lent.   writable   by the device
 * vm_virtq_lend - an entry of the available ring for it; not while it is lent.
 * vm_virtq_publish - the device may see all those entries.
 */
void vm_virtq_set(struct vm_virtq *q, uint16_t id, const void *p, uint32_t len, bool writable);
void vm_virtq_lend(struct vm_virtq *q, uint16_t id);
void vm_virtq_publish(struct vm_virtq *q);

/*
 * vm_virtq_kick - does the device want to be told of what was published since this was last asked? Then it counts as told.
 */
bool vm_virtq_kick(struct vm_virtq *q);

/*
 * vm_virtq_look - how many entries came back and were not taken; at most `size`.
 * vm_virtq_take - the next of those that were there at the last look, as far as it makes sense; false: there is none.
 *   len   bytes that the device says it has written; unchecked
 */
uint16_t vm_virtq_look(struct vm_virtq *q);
bool vm_virtq_take(struct vm_virtq *q, uint16_t *id, uint32_t *len);

static inline bool vm_virtq_is_lent(const struct vm_virtq *q, uint16_t id) { return q->lent[id]; }

/*
 * vm_virtq_wake - an interrupt is wanted from the next entry on; then vm_virtq_look once more before sleeping.
 * vm_virtq_quiet - none is wanted until then; one may come all the same.
 */
void vm_virtq_wake(struct vm_virtq *q);
void vm_virtq_quiet(struct vm_virtq *q);

#endif
