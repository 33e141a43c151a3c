/*
 * The end of the machine, with the code that somebody may be waiting for; what an exception is called; registers of devices.
 */
#include "vm/aarch64/cpu.h"

/* Where the application ends when it finds its canary changed (app/start.c). */
extern uint8_t vm_app_smashed[];

/* ---- how a machine ends ---- */

enum {
	SYS_EXIT = 0x18,
	APPLICATION_EXIT = 0x20026
};                                     /* Arm semihosting, SYS_EXIT: QEMU's -semihosting-config */
enum { SYSTEM_OFF = (int)0x84000008 }; /* PSCI 1.1 (DEN0022), 5.1.9 */

enum { FLUSH, CALL_HOST, CALL_FIRMWARE };

static bool by_smc VM_SEALED;
static bool halting;
static unsigned halt_code;

void vm_firmware_is(enum mrg_dtb_conduit conduit) { by_smc = conduit == MRG_DTB_CONDUIT_SMC; }

_Noreturn void vm_halt(unsigned code)
{
	/* Should one of these steps fault, the next call goes on with the one behind it. */
	static uint32_t i, step;
	if (!halting)
		halt_code = code;
	halting = true;
	const uint64_t parameters[2] = { APPLICATION_EXIT, halt_code };
	while (i < vm_machine.device_count)
		vm_mmio_reset(&vm_machine.port[i++].place); /* it writes no more */
	while (step <= CALL_FIRMWARE)
		switch (step++) {
		case FLUSH: vm_console_flush(); break;
		case CALL_HOST: vm_semihosting(SYS_EXIT, parameters); break;
		case CALL_FIRMWARE: vm_firmware((uint32_t)SYSTEM_OFF, 0, by_smc); break;
		default: break;
		}
	for (;;)
		VM_BARRIER("wfi");
}

/* ---- what is said ---- */

bool vm_in_stack(uint64_t at)
{
	const struct vm_range stacks[] = { { vm_at(vm_stack), vm_at(vm_stack_top) - vm_at(vm_stack) },
		{ vm_at(vm_trap_stack), vm_at(vm_trap_stack_top) - vm_at(vm_trap_stack) },
		{ vm_at(vm_user_stack), vm_at(vm_user_stack_top) - vm_at(vm_user_stack) } };
	for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++)
		if (at % 8 == 0 && vm_range_holds(stacks[i], at, 16))
			return true;
	return false;
}

/* ESR_EL1: D24.2.40 */
enum {
	SYNCHRONOUS = 0,
	CLASS = 26,
	UNKNOWN = 0x00,
	FETCH_3 = 0x20,
	FETCH_0 = 0x21,
	ACCESS_3 = 0x24,
	ACCESS_0 = 0x25,
	FAULT = 0x3f,
	FAULT_ALIGNMENT = 0x21,
	FAULT_EXTERNAL = 0x10,
	WRITE = 1 << 6,
	STATUS_LEVEL = 0xc
};

static const char *name_of(unsigned class)
{
	switch (class) {
	case UNKNOWN: return "invalid-opcode";
	case 0x01: return "wait-for-interrupt";
	case 0x07: return "device-not-available";
	case 0x0e: return "illegal-state";
	case 0x16:
	case 0x17: return "firmware-call";
	case 0x18: return "system-register";
	case 0x22: return "pc-alignment";
	case 0x26: return "sp-alignment";
	case 0x2c: return "floating-point";
	case 0x30:
	case 0x31:
	case 0x32:
	case 0x33:
	case 0x34:
	case 0x35: return "debug";
	case 0x3c: return "breakpoint";
	default: return "exception";
	}
}

static const char *cause_of_page(const struct vm_frame *f)
{
	const uint64_t fault = f->syndrome & FAULT;
	if (fault == FAULT_ALIGNMENT)
		return "alignment-check";
	if (fault == FAULT_EXTERNAL)
		return "bus-error";
	if (f->address < VM_PAGE)
		return "null-page";
	const uint64_t guards[] = { vm_at(vm_user_stack), vm_at(vm_stack), vm_at(vm_trap_stack) };
	for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++)
		if (f->address < guards[i] && guards[i] - f->address <= VM_PAGE)
			return "stack-overflow";
	return "page-fault";
}

_Noreturn void vm_trap(const struct vm_frame *f)
{
	static const char *const kinds[] = { "", "interrupt", "fast-interrupt", "bus-error" };
	const unsigned class = (unsigned)(f->syndrome >> CLASS) & 0x3f;
	const bool fetch = class == FETCH_0 || class == FETCH_3,
		   access = class == ACCESS_0 || class == ACCESS_3;
	if (halting)
		vm_halt(halt_code);
	struct vm_fault fault = { .cause = name_of(class),
		.has_vector = true,
		.vector = class,
		.error = f->syndrome,
		.rip = f->pc,
		.rsp = f->sp,
		.rbp = f->x[29],
		.link = f->x[30],
		.ring = (f->status & STATUS_LEVEL) == 0 ? 3 : 0 };
	if (f->kind != SYNCHRONOUS)
		fault.cause = kinds[f->kind & 3];
	else if (fetch || access) {
		fault.cause = cause_of_page(f);
		fault.access = fetch ? "execute" : (f->syndrome & WRITE) != 0 ? "write" : "read";
		fault.address = f->address;
	} else if (class == UNKNOWN && f->pc == vm_at(vm_app_smashed))
		fault.cause = "stack-smashed";
	vm_panic(&fault);
}

/* ---- registers of devices ---- */

/* NOLINTBEGIN(performance-no-int-to-ptr) */
/* By instructions of one register, which a hypervisor can see through; ordered against memory on both sides (virtio 1.2, 4.2.3). */
uint8_t vm_read8(uint64_t address)
{
	uint32_t value;
	__asm__ volatile("ldrb %w0, [%1]; dmb oshld" : "=r"(value) : "r"(address) : "memory");
	return (uint8_t)value;
}

uint32_t vm_read32(uint64_t address)
{
	uint32_t value;
	__asm__ volatile("ldr %w0, [%1]; dmb oshld" : "=r"(value) : "r"(address) : "memory");
	return value;
}

void vm_write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("dmb oshst; str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}
/* NOLINTEND(performance-no-int-to-ptr) */
