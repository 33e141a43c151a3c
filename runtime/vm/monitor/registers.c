/*
 * Registers of devices that are not of 32 bits: those of virtio over PCI.
 */
#include "vm/monitor/inside.h"

/* NOLINTBEGIN(performance-no-int-to-ptr) */
uint16_t vm_read16(uint64_t address) { return *(const volatile uint16_t *)(uintptr_t)address; }

/* What was written to memory before is there first: stores stay in order, and the compiler keeps to that. */
void vm_write8(uint64_t address, uint8_t value)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	*(volatile uint8_t *)(uintptr_t)address = value;
}

void vm_write16(uint64_t address, uint16_t value)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	*(volatile uint16_t *)(uintptr_t)address = value;
}
/* NOLINTEND(performance-no-int-to-ptr) */
