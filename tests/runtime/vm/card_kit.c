/*
 * One network card's driver, and frames for it.
 */
#include <string.h>

#include "tests/runtime/vm/card_kit.h"

const uint8_t card_made_mac[6] = { 2, 9, 9, 9, 9, 9 };
const struct mrg_virtio_net_header_args card_plain;
struct vm_net card_net;
struct mrg_arena card_arena;
size_t card_handled, card_bursts, card_biggest;
struct mrg_frame card_last;
uint8_t card_last_bytes[FAKE_FRAME_MAX];
uint8_t card_sent_bytes[FAKE_FRAME_MAX];

/* ---- the kit ---- */

static bool within(const uint8_t *p, size_t len, const uint8_t *area, size_t area_len)
{
	return p >= area && len <= area_len && (size_t)(p - area) <= area_len - len;
}

void card_frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	MUST(ctx == &card_net && count >= 1 && count <= VM_NET_BURST && now_ns == fake.now_ns);
	for (size_t i = 0; i < count; i++) {
		MUST(f[i].len >= 14 && f[i].cap >= f[i].len);
		MUST(within(f[i].p, f[i].cap, fake.memory, fake.memory_len));
		MUST(((uintptr_t)f[i].p + 14u) % 4u == 0);
	}
	card_last = f[count - 1];
	memcpy(card_last_bytes, card_last.p, card_last.len);
	card_handled += count;
	card_bursts++;
	card_biggest = count > card_biggest ? count : card_biggest;
	for (size_t i = 0; i < count; i++)
		memset(f[i].p, 0xee, f[i].cap);
}

void card_start_with(uint64_t features, const struct vm_net_limits *limits)
{
	card_handled = card_bursts = card_biggest = 0;
	fake_begin(MEMORY, features, 0);
	card_arena = fake_arena(vm_net_memory(limits));
	MUST_SAY(vm_net_init(&card_net, &card_arena, &fake_calls, &fake.boot, 0, limits, card_made_mac), "%s",
		card_net.failed);
	card_net.link.user = (struct mrg_link_user){ .ctx = &card_net, .frames = card_frames };
}

void card_start(uint64_t features) { card_start_with(features, &vm_net_usual); }

void card_poll_all(void)
{
	fake.now_ns++;
	while (vm_net_poll(&card_net, fake.now_ns))
		;
	vm_net_flush(&card_net);
}

struct mrg_span card_make(uint8_t tag, size_t len)
{
	static uint8_t bytes[FAKE_FRAME_MAX];
	MUST(len <= sizeof bytes);
	memset(bytes, 0, 6);
	bytes[0] = 2;
	for (size_t i = 6; i < len; i++)
		bytes[i] = (uint8_t)(i * 7u + tag);
	return (struct mrg_span){ bytes, len };
}

void card_give(const struct mrg_virtio_net_header_args *h, uint8_t tag, size_t len)
{
	MUST(fake_give(0, h, card_make(tag, len)));
	fake_publish(0, FAKE_RX);
}

void card_must_have_come(uint8_t tag, size_t len)
{
	MUST_SAY(card_last.len == len, "%zu bytes came of %zu", card_last.len, len);
	const struct mrg_span want = card_make(tag, len);
	MUST(memcmp(card_last_bytes, want.p, len) == 0);
}

enum mrg_io card_send_frame(uint8_t tag, size_t len, const struct mrg_frame_work *work)
{
	const struct mrg_span all = card_make(tag, len);
	const struct mrg_span parts[3] = { { all.p, 14 }, { NULL, 0 }, { all.p + 14, len - 14 } };
	return mrg_link_send(&card_net.link, parts, 3, work);
}

void card_must_have_gone(uint8_t tag, size_t len)
{
	struct mrg_virtio_net_header_fetched h;
	size_t got;
	MUST(fake_take(0, &h, card_sent_bytes, &got));
	MUST(got == len && memcmp(card_sent_bytes, card_make(tag, len).p, len) == 0);
}
