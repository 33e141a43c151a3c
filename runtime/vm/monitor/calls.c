/*
 * The calls of ring 3. Each argument is checked against what may be at all; an application that is in order never comes near.
 */
#include "vm/monitor/inside.h"

struct vm_machine vm_machine __attribute__((section(".bss.sealed")));

/* What was done with each device. */
static struct {
	uint32_t queues; /* bit n: queue n was given */
	bool started;
} used[VM_DEVICES_MAX];

static void call_write(uint64_t at, uint64_t len, uint64_t rip)
{
	bool readable = len == 0;
	for (size_t i = 0; !readable && i < vm_machine.readable_count; i++)
		readable = vm_range_holds(vm_machine.readable[i], at, len);
	if (!readable)
		vm_bad_call("write-address", rip);
	vm_user_open();
	const uint8_t *const p = (const uint8_t *)(uintptr_t)at; /* NOLINT(performance-no-int-to-ptr) */
	for (uint64_t i = 0; i < len; i++)
		vm_console_put(p[i]);
	vm_user_close();
}

static const struct vm_port *port_of(uint64_t device, uint64_t rip)
{
	if (device >= vm_machine.device_count)
		vm_bad_call("device", rip);
	return &vm_machine.port[device];
}

static const struct vm_port *queue_of(uint64_t device, uint64_t queue, uint64_t rip)
{
	const struct vm_port *const p = port_of(device, rip);
	if (queue >= p->queue_count)
		vm_bad_call("queue", rip);
	return p;
}

static bool call_queue(uint64_t device, uint64_t queue, uint64_t at, uint64_t size, uint64_t rip)
{
	const struct vm_port *const p = queue_of(device, queue, rip);
	if (used[device].started || (used[device].queues & 1u << queue) != 0)
		vm_bad_call("queue-again", rip);
	if (size == 0 || (size & (size - 1)) != 0 || size > p->queue_size_max[queue])
		vm_bad_call("queue-size", rip);
	if (at % VM_RING_ALIGN != 0 || !vm_range_holds(vm_machine.arena, at, vm_ring_len((size_t)size)))
		vm_bad_call("queue-address", rip);
	used[device].queues |= 1u << queue;
	return vm_mmio_queue(&p->place, (uint32_t)queue, at, (uint32_t)size);
}

static bool call_start(uint64_t device, uint64_t rip)
{
	const struct vm_port *const p = port_of(device, rip);
	if (used[device].started || used[device].queues == 0)
		vm_bad_call("start", rip);
	used[device].started = true;
	vm_irq_enable(&p->place);
	return vm_mmio_start(&p->place);
}

static void call_kick(uint64_t device, uint64_t queue, uint64_t rip)
{
	const struct vm_port *const p = queue_of(device, queue, rip);
	if (!used[device].started || (used[device].queues & 1u << queue) == 0)
		vm_bad_call("kick", rip);
	vm_mmio_kick(&p->place, (uint32_t)queue);
}

static uint32_t call_wait(uint64_t until_ns, uint64_t mask, uint64_t rip)
{
	if (mask >> vm_machine.device_count != 0)
		vm_bad_call("wait-mask", rip);
	for (uint32_t i = 0; i < vm_machine.device_count; i++)
		if ((mask >> i & 1u) != 0 && !used[i].started)
			vm_bad_call("wait-mask", rip);
	vm_let_in();
	for (;;) {
		const uint32_t got = vm_pending & (uint32_t)mask;
		vm_pending &= ~got;
		if (got != 0 || (until_ns != UINT64_MAX && vm_time() >= until_ns))
			return got;
		vm_sleep(until_ns);
	}
}

uint64_t vm_call_do(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t number, uint64_t rip)
{
	switch (number) {
	case VM_CALL_EXIT:
		if (a > VM_EXIT_MAX)
			vm_bad_call("exit-code", rip);
		vm_halt((unsigned)a);
	case VM_CALL_WRITE: call_write(a, b, rip); return 0;
	case VM_CALL_QUEUE: return call_queue(a, b, c, d, rip);
	case VM_CALL_START: return call_start(a, rip);
	case VM_CALL_KICK: call_kick(a, b, rip); return 0;
	case VM_CALL_WAIT: return call_wait(a, b, rip);
	default: vm_bad_call("number", rip);
	}
}
