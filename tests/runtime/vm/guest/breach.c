/*
 * What ring 3 must not do, each under a name: `do=NAME` on the command line does it, and the machine must end with a panic. One that comes back
 * says so.
 */
#include "mrg_rt.h"
#include "vm/vm.h"

#if defined(__aarch64__)
#include "runtime/vm/guest/aarch64.h"
#else
#include "runtime/vm/guest/x86_64.h"
#endif

/* An address of which the compiler knows nothing. */
static volatile uint8_t *at(uint64_t address)
{
	__asm__("" : "+r"(address));
	return (volatile uint8_t *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr) */
}

static const struct vm_boot *given;
static const uint8_t constant[64] = { 1 };

static void call(const volatile void *p) { ((void (*)(void))(uintptr_t)p)(); }

static void write_text(void) { *at((uint64_t)(uintptr_t)&write_text) = RET; }
static void write_constant(void) { *at((uint64_t)(uintptr_t)constant) = RET; }
static void write_boot(void) { *at((uint64_t)(uintptr_t)given) = 0; }
static void write_monitor(void) { *at(MONITOR) = 0; }
static void write_tables(void) { *at((uint64_t)(uintptr_t)given->memory - 4096u) = 0; }
static void write_device(void) { *at((uint32_t)SLOT0_AT) = 0; }
static void read_null(void) { (void)*at(16); }
static void read_monitor(void) { (void)*at(MONITOR); }
static void read_tables(void) { (void)*at((uint64_t)(uintptr_t)given->memory - 4096u); }
static void read_apic(void) { (void)*at((uint32_t)APIC_ID_AT); }
static void read_behind(void) { (void)*at((uint64_t)(uintptr_t)given->memory + given->memory_len); }
static void read_nowhere(void) { (void)*at(UINT64_C(0x8000000000000000)); }
static void execute_data(void) { call(code); }
static void execute_constant(void) { call(constant); }
static void execute_null(void) { call(at(16)); }
static void execute_monitor(void) { call(at(MONITOR)); }

static void execute_arena(void)
{
	given->memory[0] = RET;
	call(given->memory);
}

static void execute_stack(void)
{
	volatile uint8_t here[16] = { RET };
	call(here);
}

static uint64_t deeper(uint64_t n)
{
	volatile uint8_t room[1000];
	room[n % sizeof room] = 1;
	return n == UINT64_MAX ? 0 : deeper(n + 1) + room[0];
}
static void overflow_stack(void) { deeper(0); }

static void smash_stack(void)
{
	volatile uint8_t room[16];
	for (volatile size_t i = 0; i < 64; i++)
		*at((uint64_t)(uintptr_t)room + i) = 1;
}

/* ---- calls ---- */

static void call_number(void) { vm_call(VM_CALLS, 0, 0, 0, 0); }
static void call_number_huge(void) { vm_call((enum vm_call) - 1, 0, 0, 0, 0); }
static void call_exit(void) { vm_call(VM_CALL_EXIT, VM_EXIT_MAX + 1, 0, 0, 0); }
static void call_write_monitor(void) { vm_call(VM_CALL_WRITE, MONITOR, 1, 0, 0); }
static void call_write_text(void) { vm_call(VM_CALL_WRITE, (uint64_t)(uintptr_t)&call_write_text, 1, 0, 0); }
static void call_write_null(void) { vm_call(VM_CALL_WRITE, 0, 1, 0, 0); }
static void call_write_wrap(void) { vm_call(VM_CALL_WRITE, (uint64_t)(uintptr_t)code, UINT64_MAX, 0, 0); }
static void call_write_behind(void)
{
	vm_call(VM_CALL_WRITE, (uint64_t)(uintptr_t)given->memory, given->memory_len + 1, 0, 0);
}
static void call_write_tables(void)
{
	vm_call(VM_CALL_WRITE, (uint64_t)(uintptr_t)given->memory - 1, 1, 0, 0);
}
static uint64_t queue(uint64_t device, uint64_t number, uint64_t address, uint64_t size)
{
	return vm_call(VM_CALL_QUEUE, device, number, address, size);
}
static uint64_t arena_at(uint64_t offset) { return (uint64_t)(uintptr_t)given->memory + offset; }
static void call_queue_device(void) { queue(given->device_count, 0, arena_at(0), 8); }
static void call_queue_device_huge(void) { queue(UINT64_MAX, 0, arena_at(0), 8); }
static void call_queue_number(void) { queue(0, given->device[0].queue_count, arena_at(0), 8); }
static void call_queue_size(void) { queue(0, 0, arena_at(0), 7); }
static void call_queue_size_0(void) { queue(0, 0, arena_at(0), 0); }
static void call_queue_size_huge(void) { queue(0, 0, arena_at(0), VM_QUEUE_SIZE_MAX * UINT64_C(2)); }
static void call_queue_unaligned(void) { queue(0, 0, arena_at(8), 8); }
static void call_queue_monitor(void) { queue(0, 0, MONITOR, 8); }
static void call_queue_data(void) { queue(0, 0, (uint64_t)(uintptr_t)&code & ~UINT64_C(63), 8); }
static void call_queue_behind(void) { queue(0, 0, arena_at(given->memory_len - 64), 8); }
static void call_queue_wrap(void) { queue(0, 0, UINT64_MAX & ~UINT64_C(63), 8); }
static void call_queue_twice(void)
{
	queue(0, 0, arena_at(0), 8);
	queue(0, 0, arena_at(4096), 8);
}
static void call_start_device(void) { vm_call(VM_CALL_START, given->device_count, 0, 0, 0); }
static void call_start_empty(void) { vm_call(VM_CALL_START, 0, 0, 0, 0); }
static void call_kick_early(void)
{
	queue(0, 0, arena_at(0), 8);
	vm_call(VM_CALL_KICK, 0, 0, 0, 0);
}
static void call_kick_queue(void) { vm_call(VM_CALL_KICK, 0, VM_QUEUES_MAX, 0, 0); }
static void call_wait_mask(void) { vm_call(VM_CALL_WAIT, 0, UINT64_C(1) << 63, 0, 0); }
static void call_wait_early(void) { vm_call(VM_CALL_WAIT, 0, 1, 0, 0); }

#define BREACH(name)                                                                                         \
	{                                                                                                    \
#name, name                                                                                  \
	}
static const struct breach {
	const char *name;
	void (*commit)(void);
} breaches[] = { BREACH(write_text), BREACH(write_constant), BREACH(write_boot), BREACH(write_monitor),
	BREACH(write_tables), BREACH(write_device), BREACH(read_null), BREACH(read_monitor),
	BREACH(read_tables), BREACH(read_apic), BREACH(read_behind), BREACH(read_nowhere),
	BREACH(execute_data), BREACH(execute_constant), BREACH(execute_null), BREACH(execute_monitor),
	BREACH(execute_arena), BREACH(execute_stack), BREACH(overflow_stack), BREACH(smash_stack),
	ONLY_BREACHES, BREACH(call_number), BREACH(call_number_huge), BREACH(call_exit),
	BREACH(call_write_monitor), BREACH(call_write_text), BREACH(call_write_null), BREACH(call_write_wrap),
	BREACH(call_write_behind), BREACH(call_write_tables), BREACH(call_queue_device),
	BREACH(call_queue_device_huge), BREACH(call_queue_number), BREACH(call_queue_size),
	BREACH(call_queue_size_0), BREACH(call_queue_size_huge), BREACH(call_queue_unaligned),
	BREACH(call_queue_monitor), BREACH(call_queue_data), BREACH(call_queue_behind),
	BREACH(call_queue_wrap), BREACH(call_queue_twice), BREACH(call_start_device),
	BREACH(call_start_empty), BREACH(call_kick_early), BREACH(call_kick_queue), BREACH(call_wait_mask),
	BREACH(call_wait_early) };

static void say(const char *text) { vm_write(text, strlen(text)); }

static bool is_asked_for(struct mrg_span line, const char *name)
{
	const size_t len = strlen(name);
	for (size_t i = 0; i + 3 + len <= line.len; i++)
		if (memcmp(line.p + i, "do=", 3) == 0 && memcmp(line.p + i + 3, name, len) == 0 &&
			(i + 3 + len == line.len || line.p[i + 3 + len] == ' '))
			return true;
	return false;
}

void vm_main(const struct vm_boot *boot)
{
	given = boot;
	code[0] = RET;
	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++)
		if (is_asked_for(boot->command_line, breaches[i].name)) {
			say("committing\n");
			breaches[i].commit();
			say("came back\n");
			return;
		}
	/* The list, for whoever wants to do them all. */
	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		say(breaches[i].name);
		say("\n");
	}
}
