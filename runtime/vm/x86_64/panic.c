/*
 * The end of the machine, with the code that somebody may be waiting for; and what an exception is called.
 */
#include "vm/x86_64/cpu.h"

enum { VECTOR_UD = 6, VECTOR_DF = 8, VECTOR_PF = 14, CS_RING = 3, ERROR_WRITE = 2, ERROR_FETCH = 16 };

/* Intel SDM 3A, table 6-1 */
static const char *const names[32] = { "divide-error", "debug", "nmi", "breakpoint", "overflow",
	"bound-range", "invalid-opcode", "device-not-available", "double-fault", "vector-9", "invalid-tss",
	"segment-not-present", "stack-fault", "general-protection", "page-fault", "vector-15", "x87-error",
	"alignment-check", "machine-check", "simd-error", "virtualization", "control-protection", "vector-22",
	"vector-23", "vector-24", "vector-25", "vector-26", "vector-27", "hypervisor-injection",
	"vmm-communication", "security", "vector-31" };

/* Where the application ends when it finds its canary changed (app/start.c). */
extern uint8_t vm_app_smashed[];

/* ---- how a machine ends ---- */

enum {
	DEBUG_EXIT = 0x501 /* QEMU's isa-debug-exit where it is by default */,
	I8042_COMMAND = 0x64,
	I8042_RESET = 0xfe
};

_Noreturn void vm_halt(unsigned code)
{
	/* Should one of these steps fault, the next call goes on with the one behind it. */
	static uint32_t i;
	while (i < vm_machine.device_count)
		vm_mmio_reset(&vm_machine.port[i++].place); /* it writes no more */
	vm_console_flush();
	vm_out8(DEBUG_EXIT, (uint8_t)code);
	vm_out8(I8042_COMMAND, I8042_RESET); /* Firecracker's way */
	static const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = { 0, 0 };
	/* A fault that has no handler, with no handler for that: the processor gives up. */
	for (;;)
		__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

/* ---- what is said ---- */

bool vm_in_stack(uint64_t at)
{
	const struct vm_range stacks[] = { { vm_at(vm_stack), vm_at(vm_stack_top) - vm_at(vm_stack) },
		{ vm_at(vm_trap_stack), vm_at(vm_trap_stack_top) - vm_at(vm_trap_stack) },
		{ vm_at(vm_nmi_stack), vm_at(vm_nmi_stack_top) - vm_at(vm_nmi_stack) },
		{ vm_at(vm_user_stack), vm_at(vm_user_stack_top) - vm_at(vm_user_stack) } };
	for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++)
		if (at % 8 == 0 && vm_range_holds(stacks[i], at, 16))
			return true;
	return false;
}

static const char *cause_of(const struct vm_frame *f, uint64_t cr2)
{
	if (f->vector == VECTOR_UD && f->rip == vm_at(vm_app_smashed))
		return "stack-smashed";
	if (f->vector == VECTOR_PF && cr2 < VM_PAGE)
		return "null-page";
	if (f->vector != VECTOR_PF && f->vector != VECTOR_DF)
		return names[f->vector];
	const uint64_t guards[] = { vm_at(vm_user_stack), vm_at(vm_stack), vm_at(vm_trap_stack),
		vm_at(vm_nmi_stack) };
	for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++)
		if (cr2 < guards[i] && guards[i] - cr2 <= VM_PAGE)
			return "stack-overflow";
	return names[f->vector];
}

_Noreturn void vm_panic_trap(const struct vm_frame *f)
{
	uint64_t cr2;
	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	struct vm_fault fault = { .cause = cause_of(f, cr2),
		.has_vector = true,
		.vector = f->vector,
		.error = f->error,
		.rip = f->rip,
		.address = f->vector == VECTOR_PF ? cr2 : 0,
		.rsp = f->rsp,
		.rbp = f->rbp,
		.ring = f->cs & CS_RING };
	if (f->vector == VECTOR_PF)
		fault.access = (f->error & ERROR_FETCH) != 0   ? "execute"
			       : (f->error & ERROR_WRITE) != 0 ? "write"
							       : "read";
	vm_panic(&fault);
}
