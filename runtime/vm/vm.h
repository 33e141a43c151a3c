/*
 * vm.h - what the monitor of a virtual machine gives the application, and the calls by which that asks for more.
 *
 * References: OASIS Virtual I/O Device 1.2 (2.7 split virtqueues, 4.2 over MMIO, 5 kinds of devices), Xen PVH boot ABI.
 *
 * An image is one static ELF of two parts that share no code. The monitor (monitor/, x86_64/) runs in ring 0: it takes over the
 * machine, finds the devices, and enters vm_main in ring 3, where everything else runs. From then on no page, table or descriptor
 * of the machine can change, and the monitor does nothing but the calls below.
 *
 * What it does not do: no driver is here. The monitor resets a device, agrees on features, reads its configuration and rings its
 * doorbell; rings, buffers and what is in them belong to the application (net.c). It cannot keep a device from reading or writing
 * where a descriptor says: ring 3 writes those, and there is no IOMMU.
 *
 * Use:
 *	void vm_main(const struct vm_boot *boot)
 *	{
 *		const uint64_t now_ns = vm_now(&boot->clock);
 *		struct mrg_arena arena = { boot->memory, 0, boot->memory_len };
 *		vm_write("level=info event=ready\n", 23);
 *		vm_wait(now_ns + 1000000u, vm_device_bit(0));
 *	}	(to return is vm_exit(0))
 *
 * Conventions:
 * - Addresses are the same for the processor and for devices: what is at `p` is at physical address (uint64_t)(uintptr_t)p.
 * - One processor, one thread; ring 3 is never interrupted. Interrupts only end a vm_wait.
 * - An argument that a call does not allow is a fault of the application, or somebody who has taken it over: the monitor panics, as
 *   it does for a memory right that is violated. What a device refuses comes back as false.
 * - Memory of the arena is zero at the start.
 * - A panic is one line on the console, `level=fatal event=panic cause=...` (README.md), and the exit code VM_EXIT_PANIC.
 *
 * Reading order: this file, net.c; for the monitor README.md, monitor/inside.h, x86_64/start.S.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mrg.h"

/* ---- what there is at the start ---- */

enum { VM_DEVICES_MAX = 8, VM_QUEUES_MAX = 8, VM_QUEUE_SIZE_MAX = 1024, VM_CONFIG_MAX = 24, VM_ENTROPY = 32 };

/* How ring 3 reads the time by itself: nanoseconds since the machine was entered, from the time stamp counter. */
struct vm_clock {
	uint64_t base;  /* the counter when the time was 0 */
	uint64_t mult;  /* ns = ((counter - base) * mult) >> shift, in 128 bits */
	uint32_t shift; /* below 64 */
	uint32_t source; /* enum vm_clock_source */
	uint64_t hz;    /* of the counter */
	uint64_t wall_ns; /* since 1970 when the time was 0; 0 when nobody knows */
};

enum vm_clock_source { VM_CLOCK_KVM = 1, VM_CLOCK_CPUID, VM_CLOCK_PIT, VM_CLOCK_WORD /* tsc=HZ on the command line */,
	VM_CLOCK_GENERIC /* the generic timer's, CNTFRQ_EL0 */ };

enum vm_transport { VM_MMIO = 1, VM_PCI };

/* Kinds of devices that are looked for (virtio 1.2, 5: device IDs). Others are left alone. */
enum vm_kind { VM_KIND_NET = 1, VM_KIND_CONSOLE = 3, VM_KIND_ENTROPY = 4 };

/*
 * A virtio 1.x device: reset, its features agreed on (FEATURES_OK), its configuration read; not yet DRIVER_OK.
 * All of it was said by the device, so it is within the limits above and otherwise unchecked.
 */
struct vm_device {
	uint32_t kind;       /* enum vm_kind */
	uint32_t transport;  /* enum vm_transport */
	uint64_t features;   /* bit n: feature n is agreed on; VIRTIO_F_VERSION_1 (32) always is. See vm_features_of_net */
	uint64_t offered;    /* what the device had offered */
	uint32_t queue_count; /* queues there are, at most VM_QUEUES_MAX */
	uint16_t queue_size_max[VM_QUEUES_MAX]; /* a power of two, at most VM_QUEUE_SIZE_MAX */
	uint32_t config_len; /* octets of `config` */
	uint8_t config[VM_CONFIG_MAX]; /* the device's configuration space (virtio 1.2, 5.1.4 for net) as read at the start */
};

/* On pages that ring 3 can only read, as long as the machine runs. */
struct vm_boot {
	uint64_t entered;          /* the counter at the entry of the image, and at the call of vm_main */
	uint64_t started;
	struct mrg_span command_line; /* words separated by spaces, as the boot loader gave them */
	struct mrg_span initrd;    /* the first module; read only; p is NULL when there is none */
	uint8_t *memory;           /* may be read and written, never executed; at a multiple of 4096 */
	size_t memory_len;         /* a multiple of 4096 */
	struct vm_clock clock;
	uint8_t entropy[VM_ENTROPY]; /* from RDSEED or RDRAND: never used for anything else */
	uint8_t build_id[20];      /* of the image, as in a panic */
	uint32_t device_count;
	struct vm_device device[VM_DEVICES_MAX];
};

/*
 * vm_main - the application, in ring 3 on a stack of VM_STACK octets with a guard page. Returning is vm_exit(0).
 */
enum { VM_STACK = 128 << 10 };
void vm_main(const struct vm_boot *boot);

/*
 * Which features of a device the monitor agrees to, where it offers them: a set that whoever has a driver defines. The monitor
 * adds VIRTIO_F_VERSION_1 and never agrees to what it can't keep: VIRTIO_F_ACCESS_PLATFORM (33), VIRTIO_F_RING_PACKED (34),
 * VIRTIO_F_NOTIFICATION_DATA (38), VIRTIO_F_RING_RESET (40). Without a driver none is defined, and nothing more is agreed to.
 */
extern const uint64_t vm_features_of_net;

static inline uint32_t vm_device_bit(uint32_t device) { return UINT32_C(1) << device; }

/* ---- time ---- */

static inline uint64_t vm_ns_of(const struct vm_clock *c, uint64_t counter)
{
	__extension__ typedef unsigned __int128 wide;
	const wide product = (wide)(counter - c->base) * c->mult;
	/* Its bits from `shift` on, without a shift of 128 bits, for which some compilers call a function. */
	const uint64_t ns = (uint64_t)(product >> 64) << 1 << (63u - c->shift) | (uint64_t)product >> c->shift;
	return counter < c->base ? 0 : ns;
}

#if defined(__x86_64__)
static inline uint64_t vm_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
#elif defined(__aarch64__)
static inline uint64_t vm_counter(void)
{
	uint64_t counter;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter));
	return counter;
}
#endif

/* vm_now - nanoseconds since the start, for the `now_ns` of mrg_rt.h. */
static inline uint64_t vm_now(const struct vm_clock *c) { return vm_ns_of(c, vm_counter()); }

/* ---- layout of a virtqueue ---- */

/*
 * A split virtqueue of `size` descriptors in one piece of memory (virtio 1.2, 2.7): the descriptor table at its start, the available
 * ring behind it, the used ring at the next multiple of 64. `size` is a power of two.
 */
enum { VM_RING_ALIGN = 64 };
static inline size_t vm_ring_avail_at(size_t size) { return 16u * size; }
static inline size_t vm_ring_used_at(size_t size)
{
	return (vm_ring_avail_at(size) + 6u + 2u * size + VM_RING_ALIGN - 1u) & ~(size_t)(VM_RING_ALIGN - 1);
}
static inline size_t vm_ring_len(size_t size) { return vm_ring_used_at(size) + 6u + 8u * size; }

/* ---- calls of the monitor ---- */

/*
 * The number of a call. x86-64: in rax; its arguments are in rdi, rsi, rdx, r10, its result in rax; rcx and r11 are lost.
 * AArch64: in x8; its arguments are in x0 to x3, its result in x0; nothing is lost.
 */
enum vm_call { VM_CALL_EXIT, VM_CALL_WRITE, VM_CALL_QUEUE, VM_CALL_START, VM_CALL_KICK, VM_CALL_WAIT, VM_CALLS };

/* Codes that the machine may exit with. QEMU's isa-debug-exit makes 2 * code + 1 of it as the status of its process. */
enum { VM_EXIT_OK = 0, VM_EXIT_MAX = 63, VM_EXIT_BOOT = 64 /* the boot loader's or the command line's fault */, VM_EXIT_PANIC = 65 };

#if defined(__aarch64__)
static inline uint64_t vm_call(enum vm_call number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
	register uint64_t x8 __asm__("x8") = number;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x8) : "memory");
	return x0;
}
#else
static inline uint64_t vm_call(enum vm_call number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t result = number;
	register uint64_t fourth __asm__("r10") = d;
	__asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
	return result;
}
#endif

/*
 * vm_exit - end the machine.   code   at most VM_EXIT_MAX.
 */
_Noreturn static inline void vm_exit(unsigned code)
{
	vm_call(VM_CALL_EXIT, code, 0, 0, 0);
	__builtin_unreachable();
}

/*
 * vm_write - octets to the console, which may take a while: about 90 us each on a real line of 115,200 bits/s. Where there is no
 * console, or it takes nothing for a long time, they are lost.
 *   p   anything that ring 3 may read
 */
static inline void vm_write(const void *p, size_t len) { vm_call(VM_CALL_WRITE, (uint64_t)(uintptr_t)p, len, 0, 0); }

/*
 * vm_queue - give a device a virtqueue, laid out as above.
 *   device   its index in vm_boot
 *   queue    below its queue_count; each may be given once, before vm_start
 *   address  at a multiple of VM_RING_ALIGN; vm_ring_len(size) octets of the arena, zero
 *   size     a power of two, at most queue_size_max of that queue
 * Fails:    false when the device does not take it.
 */
static inline bool vm_queue(uint32_t device, uint32_t queue, void *address, uint32_t size)
{
	return vm_call(VM_CALL_QUEUE, device, queue, (uint64_t)(uintptr_t)address, size) != 0;
}

/*
 * vm_start - DRIVER_OK: from now on the device uses its queues. Once for a device.
 * Fails:    false when the device says that it has failed.
 */
static inline bool vm_start(uint32_t device) { return vm_call(VM_CALL_START, device, 0, 0, 0) != 0; }

/*
 * vm_kick - the doorbell: there is something in the available ring of a queue of a started device.
 */
static inline void vm_kick(uint32_t device, uint32_t queue) { vm_call(VM_CALL_KICK, device, queue, 0, 0); }

/*
 * vm_wait - sleep until a device has something, or the time has come.
 *   until_ns   on the clock of vm_now; UINT64_MAX for never; a time that has passed: look, don't sleep
 *   mask       which devices to wake up for: bits of vm_device_bit, of devices that were started; may be 0
 * Returns:  bits of the devices of `mask` that have interrupted since the last vm_wait that reported them; 0 at the time. A device
 *           may be reported that has nothing (any more), and after VIRTIO_CONFIG changed: look at the rings in any case.
 * A driver asks its device for interrupts (avail_event or flags), looks at the ring once more, and calls this only if there is
 * nothing: what comes after that look ends the sleep.
 */
static inline uint32_t vm_wait(uint64_t until_ns, uint32_t mask)
{
	return (uint32_t)vm_call(VM_CALL_WAIT, until_ns, mask, 0, 0);
}

#endif
