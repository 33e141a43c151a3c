/*
 * card_kit.h - for tests of runtime/vm: one network card's driver, frames for it that can be told from each other, and who takes them.
 */
#ifndef TESTS_VM_CARD_KIT_H
#define TESTS_VM_CARD_KIT_H

#include "tests/protocols/http/guard.h"
#include "tests/runtime/vm/fake_host.h"

enum {
	PLAIN = 0,
	MEMORY = 4 << 20,
	LONGEST = 14 + 65535,
	QUEUE = 256 /* entries */
};

#define F(name) FAKE_BIT(MRG_VIRTIO_NET_FEATURE_##name)
#define EVENT_IDX FAKE_BIT(MRG_VIRTIO_FEATURE_EVENT_IDX)
#define MAC F(MAC)
#define SUMS (F(CSUM) | F(GUEST_CSUM))
#define TSO (SUMS | F(GUEST_TSO4) | F(GUEST_TSO6) | F(HOST_TSO4) | F(HOST_TSO6))
#define ALL (MAC | TSO | F(MRG_RXBUF) | EVENT_IDX)

extern const uint8_t card_made_mac[6];
extern const struct mrg_virtio_net_header_args card_plain;
extern struct vm_net card_net;
extern struct mrg_arena card_arena;
extern size_t card_handled, card_bursts, card_biggest; /* frames, calls, frames of the longest call */
extern struct mrg_frame card_last;
extern uint8_t card_last_bytes[FAKE_FRAME_MAX], card_sent_bytes[FAKE_FRAME_MAX];

/* A card with these features, on a machine of its own; fake_end() ends it. */
void card_start_with(uint64_t features, const struct vm_net_limits *limits);
void card_start(uint64_t features);
void card_poll_all(void);

/* A frame of `len` bytes to our address, the others such as `tag` makes them; good until the next one. */
struct mrg_span card_make(uint8_t tag, size_t len);

/* From the host, and what must be the last that came; then the other way. */
void card_give(const struct mrg_virtio_net_header_args *h, uint8_t tag, size_t len);
void card_must_have_come(uint8_t tag, size_t len);
enum mrg_io card_send_frame(uint8_t tag, size_t len, const struct mrg_frame_work *work);
void card_must_have_gone(uint8_t tag, size_t len);

/* The user that card_start sets. */
void card_frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns);

#endif
