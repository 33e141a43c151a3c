/*
 * A virtqueue of one entry (virtio 1.2, 2.7) for what the monitor itself asks of a device: one buffer at a time, and it waits for it.
 */
#include "vm/monitor/inside.h"

enum { DESCRIPTOR_WRITE = 2, AVAILABLE_NO_INTERRUPT = 1, ENTRIES = 1 };

/* Where vm_ring_avail_at and vm_ring_used_at say. The device may write to `used` at any time: each of its numbers is loaded once. */
struct vm_ring {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
	struct {
		uint16_t flags, index, id, used_event;
	} available;
	uint8_t unused[40];
	struct {
		uint16_t flags, index;
		uint32_t id, length;
		uint16_t available_event;
	} used;
};
_Static_assert(offsetof(struct vm_ring, used) == VM_RING_ALIGN, "where vm_ring_used_at says, of one entry");
_Static_assert(sizeof(struct vm_ring) <= VM_ASK_RING, "a queue has so much room");

bool vm_ask_begin(struct vm_ask *a, const struct vm_place *p, uint32_t queue)
{
	a->place = p;
	a->queue = queue;
	a->index = 0;
	memset(a->ring, 0, sizeof a->ring);
	return vm_mmio_queue(p, queue, (uint64_t)(uintptr_t)a->ring, ENTRIES);
}

bool vm_ask(struct vm_ask *a, const void *octets, uint32_t len, bool device_writes, uint32_t *written)
{
	volatile struct vm_ring *const r = (volatile struct vm_ring *)(void *)a->ring;
	r->address = (uint64_t)(uintptr_t)octets;
	r->length = len;
	r->flags = device_writes ? DESCRIPTOR_WRITE : 0;
	r->available.flags = AVAILABLE_NO_INTERRUPT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	r->available.index = ++a->index;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vm_mmio_kick(a->place, a->queue);
	const uint64_t end_ns = vm_time() + VM_ASK_NS;
	while (r->used.index != a->index)
		if (vm_time() > end_ns)
			return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*written = r->used.length;
	return r->used.id == 0 && *written <= (device_writes ? len : 0);
}
