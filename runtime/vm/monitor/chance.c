/*
 * Chance from virtio's source of entropy (virtio 1.2, 5.4), for processors that have none: its one queue is driven here, before ring 3
 * runs, and the device is reset behind it.
 */
#include "vm/monitor/inside.h"

enum { TURNS = 64 /* a device may give less than it was asked for */ };

static uint8_t given[64]; /* what the device may write to */

static bool take_all(struct vm_ask *a, uint8_t *out, size_t len)
{
	for (unsigned i = 0; len != 0 && i < TURNS; i++) {
		uint32_t n;
		if (!vm_ask(a, given, (uint32_t)(len < sizeof given ? len : sizeof given), true, &n))
			return false;
		memcpy(out, given, n);
		out += n;
		len -= n;
	}
	return len == 0;
}

/* One octet again and again is what a device gives that has none. */
static bool is_plain(const uint8_t *p, size_t len)
{
	size_t i = 1;
	while (i < len && p[i] == p[0])
		i++;
	return i >= len;
}

const char *vm_chance_take(struct vm_place *p, uint8_t *out, size_t len)
{
	static struct vm_device d;
	static struct vm_ask a;
	const char *why = vm_device_open(p, 0, &d);
	if (why != NULL)
		return why;
	if (!vm_ask_begin(&a, p, 0) || !vm_mmio_start(p))
		why = "queues";
	else if (!take_all(&a, out, len) || is_plain(out, len))
		why = "entropy";
	vm_mmio_reset(p);
	memset(given, 0, sizeof given);
	return why;
}
