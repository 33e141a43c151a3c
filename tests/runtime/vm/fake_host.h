/*
 * fake_host.h - for tests of runtime/vm: a monitor and a host in a process. The host keeps to the rules of virtio 1.2 where the
 * functions below do, and writes what it wants to the rings otherwise.
 */
#ifndef TESTS_VM_FAKE_HOST_H
#define TESTS_VM_FAKE_HOST_H

#include "virtio.h"
#include "vm/net.h"

enum { FAKE_CARDS = 2, FAKE_RX = 0, FAKE_TX = 1, FAKE_HEADER = 12, FAKE_FRAME_MAX = 14 + 65536 };

#define FAKE_BIT(feature) (UINT64_C(1) << (feature))

/* The host's side of a card. */
struct fake_card {
	uint8_t *ring[2]; /* what the driver gave */
	uint32_t size[2];
	bool started, refuse_queue, refuse_start;
	bool busy[2];          /* wants no kicks */
	unsigned kicks[2], interrupts;
	uint16_t seen[2];      /* entries of the available ring that the host has taken */
	uint16_t used[2];      /* entries of the used ring that it has written */
	uint16_t told[2];      /* of them, when it last thought of an interrupt */
};

struct fake_machine {
	struct vm_boot boot;
	struct fake_card card[FAKE_CARDS];
	uint8_t *memory; /* of the arena: all buffers lie in it */
	size_t memory_len;
	uint64_t now_ns;
	bool wild; /* rings may say what the driver did not: that is passed over */
	unsigned waits;
	uint64_t until_ns; /* of the last wait */
	void (*on_wait)(struct fake_machine *m);
	char console[4096];
	size_t console_len;
};

extern struct fake_machine fake;
extern const struct vm_calls fake_calls;

/* A machine with `memory_len` bytes and one card for each set of features, its address 02:00:00:00:00:0N. */
void fake_begin(size_t memory_len, uint64_t features0, uint64_t features1);
struct mrg_arena fake_arena(size_t len); /* the next `len` bytes of the memory */
void fake_end(void);
void fake_mtu(uint32_t card, uint16_t mtu);

/* The index of the available ring, and what the driver says of interrupts. */
uint16_t fake_avail_index(uint32_t card, uint32_t queue);
uint16_t fake_avail_flags(uint32_t card, uint32_t queue);
uint16_t fake_used_event(uint32_t card, uint32_t queue);

/* What the driver has lent next; false: nothing more. It lies in the arena, or the test ends, unless the host is wild. */
bool fake_next(uint32_t card, uint32_t queue, uint16_t *id, uint8_t **p, uint32_t *len);

/* An entry of the used ring, and then the index and perhaps an interrupt. */
void fake_put_used(uint32_t card, uint32_t queue, uint32_t id, uint32_t len);
void fake_put_index(uint32_t card, uint32_t queue, uint16_t index);
void fake_publish(uint32_t card, uint32_t queue);
void fake_put_flags(uint32_t card, uint32_t queue, uint16_t flags);
void fake_put_event(uint32_t card, uint32_t queue, uint16_t event);

/* A frame behind its header, in as many buffers as it takes; num_buffers is filled in. false: they are too few. Not published. */
bool fake_give(uint32_t card, const struct mrg_virtio_net_header_args *h, struct mrg_span frame);

/* The next frame that the driver sends; false: none. It is used and published. */
bool fake_take(uint32_t card, struct mrg_virtio_net_header_fetched *h, uint8_t *frame, size_t *len);

#endif
