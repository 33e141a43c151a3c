/*
 * A monitor and a host.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/http/guard.h"
#include "tests/runtime/vm/fake_host.h"

struct fake_machine fake;

/* ---- the monitor ---- */

static bool fake_queue(uint32_t device, uint32_t queue, void *address, uint32_t size)
{
	MUST(device < fake.boot.device_count && queue < fake.boot.device[device].queue_count);
	struct fake_card *const c = &fake.card[device];
	uint8_t *const p = address;
	MUST(!c->started && c->ring[queue] == NULL);
	MUST(size != 0 && (size & (size - 1u)) == 0 &&
		size <= fake.boot.device[device].queue_size_max[queue]);
	MUST((uintptr_t)p % VM_RING_ALIGN == 0);
	MUST(p >= fake.memory && vm_ring_len(size) <= (size_t)(fake.memory + fake.memory_len - p));
	if (c->refuse_queue)
		return false;
	c->ring[queue] = p;
	c->size[queue] = size;
	return true;
}

static bool fake_start(uint32_t device)
{
	struct fake_card *const c = &fake.card[device];
	MUST(!c->started);
	c->started = !c->refuse_start;
	return c->started;
}

static void fake_kick(uint32_t device, uint32_t queue)
{
	struct fake_card *const c = &fake.card[device];
	MUST(c->started && c->ring[queue] != NULL);
	c->kicks[queue]++;
}

static uint32_t fake_wait(uint64_t until_ns, uint32_t mask)
{
	fake.waits++;
	fake.until_ns = until_ns;
	if (fake.on_wait != NULL)
		fake.on_wait(&fake);
	else if (until_ns != MRG_RT_NEVER && until_ns > fake.now_ns)
		fake.now_ns = until_ns;
	return mask;
}

static void fake_write(const void *p, size_t len)
{
	MUST(len < sizeof fake.console - fake.console_len);
	memcpy(fake.console + fake.console_len, p, len);
	fake.console_len += len;
	fake.console[fake.console_len] = '\0';
}

static uint64_t fake_now(const struct vm_clock *c)
{
	MUST(c == &fake.boot.clock);
	return fake.now_ns;
}

const struct vm_calls fake_calls = { .queue = fake_queue,
	.start = fake_start,
	.kick = fake_kick,
	.wait = fake_wait,
	.write = fake_write,
	.now = fake_now };

/* ---- the machine ---- */

void fake_begin(size_t memory_len, uint64_t features0, uint64_t features1)
{
	memset(&fake, 0, sizeof fake);
	fake.memory = aligned_alloc(4096, memory_len);
	MUST(fake.memory != NULL);
	memset(fake.memory, 0, memory_len);
	fake.memory_len = memory_len;
	fake.boot.memory = fake.memory;
	fake.boot.device_count = FAKE_CARDS;
	const uint64_t features[FAKE_CARDS] = { features0, features1 };
	for (uint8_t i = 0; i < FAKE_CARDS; i++) {
		struct vm_device *const d = &fake.boot.device[i];
		const uint8_t mac[6] = { 2, 0, 0, 0, 0, i };
		*d = (struct vm_device){ .kind = VM_KIND_NET,
			.features = features[i],
			.queue_count = 2,
			.queue_size_max = { 256, 256 },
			.config_len = 6 };
		memcpy(d->config, mac, sizeof mac);
	}
}

struct mrg_arena fake_arena(size_t len)
{
	MUST(len <= (size_t)(fake.memory + fake.memory_len - fake.boot.memory));
	const struct mrg_arena a = { fake.boot.memory, 0, len };
	fake.boot.memory += (len + 4095u) / 4096u * 4096u; /* an arena begins at a page */
	return a;
}

void fake_end(void) { free(fake.memory); }

void fake_mtu(uint32_t card, uint16_t mtu)
{
	struct vm_device *const d = &fake.boot.device[card];
	d->features |= FAKE_BIT(MRG_VIRTIO_NET_FEATURE_MTU);
	d->config[10] = (uint8_t)mtu;
	d->config[11] = (uint8_t)(mtu >> 8);
	d->config_len = 12;
}

/* ---- rings, as virtio 1.2 section 2.7 draws them ---- */

static uint8_t *avail_of(uint32_t card, uint32_t queue)
{
	return fake.card[card].ring[queue] + 16u * fake.card[card].size[queue];
}

static uint8_t *used_of(uint32_t card, uint32_t queue)
{
	return fake.card[card].ring[queue] + vm_ring_used_at(fake.card[card].size[queue]);
}

static uint16_t slot_of(uint32_t card, uint32_t queue, uint16_t index)
{
	return (uint16_t)(index % fake.card[card].size[queue]);
}

uint16_t fake_avail_flags(uint32_t card, uint32_t queue) { return mrg_le16(avail_of(card, queue)); }
uint16_t fake_avail_index(uint32_t card, uint32_t queue) { return mrg_le16(avail_of(card, queue) + 2); }

uint16_t fake_used_event(uint32_t card, uint32_t queue)
{
	return mrg_le16(avail_of(card, queue) + 4 + 2u * fake.card[card].size[queue]);
}

/* The descriptor; false: it is not in the arena. */
static bool read_descriptor(uint32_t card, uint32_t queue, uint16_t id, uint8_t **p, uint32_t *len)
{
	const struct fake_card *const c = &fake.card[card];
	struct mrg_virtio_descriptor d;
	if (id >= c->size[queue])
		return false;
	MUST(mrg_virtio_descriptor_check((struct mrg_span){ c->ring[queue] + 16u * id, 16 }, &d, NULL) ==
		MRG_OK);
	const uint64_t start = (uint64_t)(uintptr_t)fake.memory,
		       at = mrg_virtio_descriptor_address(&d) - start;
	*len = mrg_virtio_descriptor_length(&d);
	*p = fake.memory + (at < fake.memory_len ? at : 0);
	return at < fake.memory_len && *len <= fake.memory_len - at &&
	       mrg_virtio_descriptor_flags(&d) == (queue == FAKE_RX ? MRG_VIRTIO_DESCRIPTOR_WRITE : 0u);
}

bool fake_next(uint32_t card, uint32_t queue, uint16_t *id, uint8_t **p, uint32_t *len)
{
	struct fake_card *const c = &fake.card[card];
	while (c->seen[queue] != fake_avail_index(card, queue)) {
		*id = mrg_le16(avail_of(card, queue) + 4 + 2u * slot_of(card, queue, c->seen[queue]++));
		if (read_descriptor(card, queue, *id, p, len))
			return true;
		MUST(fake.wild);
	}
	return false;
}

void fake_put_used(uint32_t card, uint32_t queue, uint32_t id, uint32_t len)
{
	uint8_t *const at =
		used_of(card, queue) + 4 + 8u * slot_of(card, queue, fake.card[card].used[queue]++);
	mrg_put_le(at, 4, id);
	mrg_put_le(at + 4, 4, len);
}

void fake_put_index(uint32_t card, uint32_t queue, uint16_t index)
{
	mrg_put_le(used_of(card, queue) + 2, 2, index);
}

void fake_put_flags(uint32_t card, uint32_t queue, uint16_t flags)
{
	mrg_put_le(used_of(card, queue), 2, flags);
}

void fake_put_event(uint32_t card, uint32_t queue, uint16_t event)
{
	mrg_put_le(used_of(card, queue) + 4 + 8u * fake.card[card].size[queue], 2, event);
}

/* Section 2.7.7.2 */
static bool wants_interrupt(uint32_t card, uint32_t queue, uint16_t was, uint16_t is)
{
	if ((fake.boot.device[card].features & FAKE_BIT(MRG_VIRTIO_FEATURE_EVENT_IDX)) == 0)
		return (fake_avail_flags(card, queue) & MRG_VIRTIO_AVAILABLE_NO_INTERRUPT) == 0;
	return (uint16_t)(is - fake_used_event(card, queue) - 1u) < (uint16_t)(is - was);
}

void fake_publish(uint32_t card, uint32_t queue)
{
	struct fake_card *const c = &fake.card[card];
	fake_put_index(card, queue, c->used[queue]);
	c->interrupts += wants_interrupt(card, queue, c->told[queue], c->used[queue]);
	c->told[queue] = c->used[queue];
	/* what the driver puts there next is to be told of, or it is not */
	fake_put_event(card, queue, (uint16_t)(c->seen[queue] - (c->busy[queue] ? 1u : 0u)));
	fake_put_flags(card, queue, c->busy[queue] ? MRG_VIRTIO_USED_NO_NOTIFY : 0);
}

/* ---- frames ---- */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

bool fake_give(uint32_t card, const struct mrg_virtio_net_header_args *h, struct mrg_span frame)
{
	struct fake_card *const c = &fake.card[card];
	const uint16_t seen = c->seen[FAKE_RX], used = c->used[FAKE_RX];
	struct mrg_virtio_net_header_args with = *h;
	uint8_t *first = NULL, *p;
	uint16_t id, buffers = 0;
	uint32_t room;
	size_t done = 0;
	while (first == NULL || done < frame.len) {
		if (!fake_next(card, FAKE_RX, &id, &p, &room)) {
			c->seen[FAKE_RX] = seen;
			c->used[FAKE_RX] = used;
			return false;
		}
		const size_t skip = first == NULL ? FAKE_HEADER : 0;
		const size_t some = least(frame.len - done, room - skip);
		memcpy(p + skip, frame.p + done, some);
		fake_put_used(card, FAKE_RX, id, (uint32_t)(skip + some));
		first = first == NULL ? p : first;
		done += some;
		buffers++;
	}
	struct mrg_w w;
	with.num_buffers = buffers;
	mrg_w_init(&w, first, FAKE_HEADER);
	mrg_virtio_net_header_put(&w, &with);
	MUST(w.st == MRG_OK);
	return true;
}

bool fake_take(uint32_t card, struct mrg_virtio_net_header_fetched *h, uint8_t *frame, size_t *len)
{
	uint16_t id;
	uint32_t size;
	uint8_t *p;
	if (!fake_next(card, FAKE_TX, &id, &p, &size))
		return false;
	MUST(size >= FAKE_HEADER && size - FAKE_HEADER <= FAKE_FRAME_MAX);
	MUST(mrg_virtio_net_header_fetch(p, size, h, NULL) == MRG_OK);
	*len = size - FAKE_HEADER;
	memcpy(frame, p + FAKE_HEADER, *len);
	fake_put_used(card, FAKE_TX, id, 0);
	fake_publish(card, FAKE_TX);
	return true;
}
