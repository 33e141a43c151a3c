/*
 * A split virtqueue, the driver's side.
 * Reading order: the shared memory, vm_virtq_init, what is lent, what comes back, who is told.
 */
#include "virtio.h"
#include "vm/virtq.h"
#include "vm/vm.h"

enum {
	HEAD = MRG_VIRTIO_AVAILABLE_HEAD_SIZE_MAX, /* bytes before a ring's entries */
	ENTRY = MRG_VIRTIO_AVAILABLE_ENTRY_SIZE_MAX,
	ELEMENT = sizeof((struct mrg_virtio_used_element_fetched *)0)->bytes,
	DESCRIPTOR = MRG_VIRTIO_DESCRIPTOR_SIZE_MAX
};

_Static_assert(
	(int)HEAD == (int)sizeof((struct mrg_virtio_used_head_fetched *)0)->bytes, "both rings begin alike");

/* ---- the shared memory ---- */

/* One store, which is seen after all that was stored before: half of an index would be another one. */
static void store(void *at, uint16_t v)
{
	typedef uint16_t __attribute__((__may_alias__)) word;
	uint16_t little;
	mrg_put_le((uint8_t *)&little, sizeof little, v);
	__atomic_store_n((word *)at, little, __ATOMIC_RELEASE);
}

/* What was stored before is seen by the device before what is loaded from now on was stored by it. */
static void fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* The flags and the index of the used ring. What the device had written before the index is there. */
static void used_head(const struct vm_virtq *q, uint16_t *flags, uint16_t *index)
{
	struct mrg_virtio_used_head_fetched head;
	const bool whole = mrg_virtio_used_head_fetch(q->used, HEAD, &head, NULL) == MRG_OK;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*flags = whole ? mrg_virtio_used_head_flags(&head.view) : 0;
	*index = whole ? mrg_virtio_used_head_index(&head.view) : q->taken;
}

/* Which index of the available ring the device waits for. */
static uint16_t avail_event(const struct vm_virtq *q)
{
	struct mrg_virtio_event_fetched event;
	if (mrg_virtio_event_fetch(q->used + HEAD + (size_t)q->size * ELEMENT, ENTRY, &event, NULL) != MRG_OK)
		return q->added;
	return mrg_virtio_event_index(&event.view);
}

/* ---- the beginning ---- */

size_t vm_virtq_memory(uint32_t size) { return vm_ring_len(size) + VM_RING_ALIGN + size * sizeof(bool); }

bool vm_virtq_init(struct vm_virtq *q, struct mrg_arena *arena, uint32_t size, bool event_idx)
{
	*q = (struct vm_virtq){ .event_idx = event_idx };
	if (size == 0 || size > VM_QUEUE_SIZE_MAX || (size & (size - 1u)) != 0)
		return false;
	uint8_t *const ring = mrg_arena_get(arena, vm_ring_len(size), VM_RING_ALIGN);
	q->lent = mrg_arena_get(arena, size * sizeof *q->lent, sizeof *q->lent);
	if (ring == NULL || q->lent == NULL)
		return false;
	q->ring = ring;
	q->size = (uint16_t)size;
	q->avail = ring + vm_ring_avail_at(size);
	q->used = ring + vm_ring_used_at(size);
	vm_virtq_quiet(q);
	return true;
}

/* ---- what is lent ---- */

void vm_virtq_set(struct vm_virtq *q, uint16_t id, const void *p, uint32_t len, bool writable)
{
	struct mrg_w w;
	mrg_w_init(&w, q->ring + (size_t)id * DESCRIPTOR, DESCRIPTOR);
	mrg_virtio_descriptor_put(&w, &(struct mrg_virtio_descriptor_args){ .address = (uint64_t)(uintptr_t)p,
					      .length = len,
					      .flags = writable ? MRG_VIRTIO_DESCRIPTOR_WRITE : 0 });
}

void vm_virtq_lend(struct vm_virtq *q, uint16_t id)
{
	struct mrg_w w;
	mrg_w_init(&w, q->avail + HEAD + (q->added & (q->size - 1u)) * (size_t)ENTRY, ENTRY);
	mrg_virtio_available_entry_put(&w, &(struct mrg_virtio_available_entry_args){ .id = id });
	q->lent[id] = true;
	q->out++;
	q->added++;
}

void vm_virtq_publish(struct vm_virtq *q) { store(q->avail + MRG_VIRTIO_AVAILABLE_HEAD_INDEX_AT, q->added); }

/* ---- what comes back ---- */

uint16_t vm_virtq_look(struct vm_virtq *q)
{
	uint16_t flags;
	if (q->broken)
		return 0;
	used_head(q, &flags, &q->there);
	const uint16_t count = (uint16_t)(q->there - q->taken);
	if (MRG_LIKELY(count <= q->out))
		return count;
	q->broken = true;
	q->there = q->taken;
	q->counts.bad_index++;
	return 0;
}

bool vm_virtq_take(struct vm_virtq *q, uint16_t *id, uint32_t *len)
{
	while (q->taken != q->there) {
		struct mrg_virtio_used_element_fetched e;
		const uint8_t *const at = q->used + HEAD + (q->taken & (q->size - 1u)) * (size_t)ELEMENT;
		const bool whole = mrg_virtio_used_element_fetch(at, ELEMENT, &e, NULL) == MRG_OK;
		const uint32_t which = whole ? mrg_virtio_used_element_id(&e.view) : UINT32_MAX;
		q->taken++;
		if (MRG_UNLIKELY(which >= q->size || !q->lent[which])) {
			q->counts.bad_id++;
			continue;
		}
		q->lent[which] = false;
		q->out--;
		*id = (uint16_t)which;
		*len = mrg_virtio_used_element_length(&e.view);
		return true;
	}
	return false;
}

/* ---- who is told ---- */

bool vm_virtq_kick(struct vm_virtq *q)
{
	uint16_t flags, index;
	const uint16_t since = (uint16_t)(q->added - q->kicked);
	if (since == 0 || q->broken)
		return false;
	fence();
	q->kicked = q->added;
	/* Section 2.7.10: with EVENT_IDX the flag says nothing. The event is one of the entries since: vring_need_event. */
	if (q->event_idx)
		return (uint16_t)(q->added - avail_event(q) - 1u) < since;
	used_head(q, &flags, &index);
	return (flags & MRG_VIRTIO_USED_NO_NOTIFY) == 0;
}

void vm_virtq_wake(struct vm_virtq *q)
{
	if (q->event_idx)
		store(q->avail + HEAD + (size_t)q->size * ENTRY, q->taken);
	else
		store(q->avail + MRG_VIRTIO_AVAILABLE_HEAD_FLAGS_AT, 0);
	fence();
}

void vm_virtq_quiet(struct vm_virtq *q)
{
	/* With EVENT_IDX the index of the farthest entry: half of all numbers from now on. */
	if (q->event_idx)
		store(q->avail + HEAD + (size_t)q->size * ENTRY, (uint16_t)(q->taken + (UINT16_MAX / 2 + 1)));
	else
		store(q->avail + MRG_VIRTIO_AVAILABLE_HEAD_FLAGS_AT, MRG_VIRTIO_AVAILABLE_NO_INTERRUPT);
}
