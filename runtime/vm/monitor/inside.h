/*
 * inside.h - what the parts of the monitor share that do not depend on the architecture.
 *
 * What it does not do: it is no interface; vm.h is. Nothing here is linked into the application.
 *
 * Reading order: start.c (the boot loader), words.c (the command line), mmio.c and pci.c (devices), queue.c and chance.c (what the monitor
 * asks of them itself), calls.c (what ring 3 may ask for), panic.c.
 */
#ifndef VM_MONITOR_INSIDE_H
#define VM_MONITOR_INSIDE_H

#include "vm/vm.h"

enum { VM_PAGE = 4096, VM_COMMAND_LINE_MAX = 2048, VM_RANGES_MAX = 80, VM_MODULES_MAX = 4 };

/* Octets of physical memory. */
struct vm_range {
	uint64_t at, len;
};

static inline bool vm_range_holds(struct vm_range r, uint64_t at, uint64_t len)
{
	return at >= r.at && len <= r.len && at - r.at <= r.len - len;
}

static inline bool vm_range_meets(struct vm_range a, struct vm_range b)
{
	return a.len != 0 && b.len != 0 && (a.at < b.at ? b.at - a.at < a.len : a.at - b.at < b.len);
}

/* Whole pages around a range, which ends below 2^63. */
static inline struct vm_range vm_range_pages(struct vm_range r)
{
	const uint64_t at = r.at & ~(uint64_t)(VM_PAGE - 1);
	return (struct vm_range){ at, (r.at + r.len + VM_PAGE - 1 - at) & ~(uint64_t)(VM_PAGE - 1) };
}

/* ---- what the boot loader gave: start.c ---- */

/* Physical memory as it can be read: the octet at address a is base[a]. */
struct vm_memory {
	uintptr_t base;
	uint64_t len;
};

struct vm_start {
	struct vm_range ram[VM_RANGES_MAX], taken[VM_RANGES_MAX]; /* what there is; what of it is in use */
	size_t ram_count, taken_count;
	struct vm_range initrd; /* len 0: none */
	size_t command_line_len;
	char command_line[VM_COMMAND_LINE_MAX];
};

/*
 * vm_start_read - read the start info of the PVH boot ABI at address `at`; everything in it is checked and copied.
 *   image   where this program is
 * Returns:  NULL, or what is wrong with it: a few words joined by `-`.
 */
const char *vm_start_read(const struct vm_memory *m, uint64_t at, struct vm_range image, struct vm_start *out);

/* vm_start_is_ram - whether there is memory at `r`, all of it in one piece. */
bool vm_start_is_ram(const struct vm_start *s, struct vm_range r);

/*
 * vm_start_free - the longest run of free pages from 1 MiB up to `top`; len 0: there is none.
 */
struct vm_range vm_start_free(const struct vm_start *s, uint64_t top);

/* ---- the command line: words.c ---- */

/* Of a device by PCI: doorbells, what is its kind's own, the message for its interrupt. */
enum vm_part { VM_PART_NOTIFY, VM_PART_CONFIG, VM_PART_MESSAGE, VM_PARTS };

/* Where the registers of a device are, and which interrupt is its. */
struct vm_place {
	struct vm_range registers; /* by MMIO all of them; by PCI the common ones */
	uint32_t irq;
	uint32_t pci_kind; /* enum vm_kind, of a device by PCI; 0: it is one by MMIO, and the rest means nothing */
	struct vm_range part[VM_PARTS]; /* len 0: there is none */
	uint32_t notify_step;
	uint64_t doorbell[VM_QUEUES_MAX]; /* their addresses; of queues that there are */
};

enum {
	VM_IRQS = 48 /* of two I/O APICs */,
	VM_IRQ_MESSAGE = VM_IRQS + 1 /* this and the next ones: of devices by PCI, in order */,
	VM_PLACES_MAX = VM_DEVICES_MAX
};

/* vm_word - the value of the first word `key` (with its `=`) of the line; false when there is none. */
bool vm_word(struct mrg_span line, const char *key, struct mrg_span *value);

/* vm_word_number - a number at the start of `text`, in decimal or with 0x, which is taken off; false if there is none or it is too large. */
bool vm_word_number(struct mrg_span *text, uint64_t *value);

/*
 * vm_word_places - the places that the words virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID] name, in order.
 * Returns:  NULL, or what is wrong with one of them.
 */
const char *vm_word_places(struct mrg_span line, struct vm_place out[VM_PLACES_MAX], size_t *count);

/* ---- devices: mmio.c, whose functions are for those by PCI as well, but vm_mmio_present ---- */

/* vm_mmio_present - whether there is a virtio device at this place that can be used; else `why` says what there is, NULL if nothing. */
bool vm_mmio_present(const struct vm_place *p, const char **why);

/*
 * vm_mmio_open - reset, features, configuration, queues: all up to FEATURES_OK.
 *   wanted   features to agree on where they are offered
 * Returns:  NULL, or what is wrong with the device, which is then left reset.
 */
const char *vm_mmio_open(const struct vm_place *p, uint64_t wanted, struct vm_device *out);

/* vm_device_open - likewise; of a device by PCI the doorbells are found, too. */
const char *vm_device_open(struct vm_place *p, uint64_t wanted, struct vm_device *out);

bool vm_mmio_queue(const struct vm_place *p, uint32_t queue, uint64_t address, uint32_t size);
bool vm_mmio_start(const struct vm_place *p);
void vm_mmio_kick(const struct vm_place *p, uint32_t queue);
bool vm_mmio_interrupted(const struct vm_place *p); /* whether it has interrupted; that is then acknowledged */
void vm_mmio_reset(const struct vm_place *p);
uint32_t vm_mmio_kind(const struct vm_place *p); /* enum vm_kind, or another */

/* ---- devices by PCI: pci.c ---- */

enum { VM_PCI_CONFIG = 256, VM_PCI_BARS = 6 };

/* A function: its configuration space, and where it answers in memory (len 0: nowhere). */
struct vm_pci_function {
	uint8_t config[VM_PCI_CONFIG];
	struct vm_range bar[VM_PCI_BARS];
};

/*
 * vm_pci_place - where the registers of a virtio device are, by what its configuration space says.
 *   msix_at   of the capability for messages, in configuration space
 * Returns:  NULL, or what is wrong with it: "kind" when nobody wants to know about it.
 */
const char *vm_pci_place(const struct vm_pci_function *f, struct vm_place *out, uint32_t *msix_at);

/*
 * vm_pci_find - the devices of all buses, ready to be used: they answer in memory, may write to it, and send messages, all of which are
 * still masked.
 *   skipped   called with the address of a virtio device (bus, device and function as in a configuration address) that is of no use
 * Returns:  how many of `out` there are now, with `count` before.
 */
size_t vm_pci_find(struct vm_place out[VM_PLACES_MAX], size_t count, void (*skipped)(uint64_t at, const char *why));

/* ---- what the monitor asks of a device itself: queue.c, chance.c ---- */

enum { VM_ASK_RING = 2 * VM_RING_ALIGN };
#define VM_ASK_NS UINT64_C(2000000000) /* so long for an answer */

/* A queue of one entry, in memory that the device may write to. */
struct vm_ask {
	uint8_t ring[VM_ASK_RING] __attribute__((aligned(VM_RING_ALIGN)));
	const struct vm_place *place;
	uint32_t queue;
	uint16_t index;
};

/* vm_ask_begin - give the device this queue, of the device at p; then it is to be started. false when it does not take it. */
bool vm_ask_begin(struct vm_ask *a, const struct vm_place *p, uint32_t queue);

/*
 * vm_ask - a buffer for the device to read, or to write to, and wait until it has done that.
 *   written   at most len, and 0 where the device does not write
 * Fails:    false when it takes too long, or says what can't be; then the queue is of no more use.
 */
bool vm_ask(struct vm_ask *a, const void *octets, uint32_t len, bool device_writes, uint32_t *written);

/*
 * vm_chance_take - `len` octets of a device of VM_KIND_ENTROPY, which is reset behind that.
 * Returns:  NULL, or what is wrong with the device.
 */
const char *vm_chance_take(struct vm_place *p, uint8_t *out, size_t len);

/* ---- devices of any kind: devices.c ---- */

/* vm_device_skipped - tell of a device that is of no use.   where   "at=" or "pci=", and at is its address there */
void vm_device_skipped(const char *where, uint64_t at, const char *why);

/* vm_devices_look - add a place with registers in memory if a device is there. */
void vm_devices_look(const struct vm_place *p, struct vm_place places[VM_PLACES_MAX], size_t *found);

/* vm_devices_open - agree with all of them, and put them into the boot record and vm_machine. */
void vm_devices_open(struct vm_place *places, size_t count, struct vm_boot *boot);

/* vm_devices_chance - entropy of the first that has some; without any the machine does not start. */
void vm_devices_chance(struct vm_place *places, size_t count, uint8_t *out, size_t len);

/* ---- tables of pages: pages.c ---- */

/* Written at the start only: the pages of this are read-only from then on. */
#define VM_SEALED __attribute__((section(".bss.sealed")))

enum { PAGE_WRITE = 1, PAGE_USER = 2, PAGE_DEVICE = 4 /* not cached */, PAGE_EXECUTE = 8 };

void vm_pages_begin(struct vm_range tables); /* whole pages */
void vm_pages_map(struct vm_range r, unsigned rights);
uint64_t vm_pages_root(void);

/* ---- text on the console: say.c ---- */

void vm_say(const char *text);
void vm_say_hex(uint64_t value);
void vm_say_number(uint64_t value);

/* ---- the end: panic.c ---- */

/* Why the application, or the monitor, does not go on. */
struct vm_fault {
	const char *cause, *access, *what; /* the last two may be NULL */
	bool has_vector;                   /* it is an exception: `vector` and `error` are the processor's */
	uint64_t vector, error;
	uint64_t rip, address, rsp, rbp;   /* where, the memory at fault or 0, the stack, the frame */
	uint64_t link;                     /* where the function at rip would return to, if a register may say; else 0 */
	unsigned ring;                     /* 0 or 3 */
};

_Noreturn void vm_panic(const struct vm_fault *f);
_Noreturn void vm_boot_fails(const char *why);    /* the boot loader, the machine or the command line is not as it must be */
_Noreturn void vm_bad_call(const char *what, uint64_t rip); /* panic for the call at rip */
const uint8_t *vm_build_id(size_t *len);

/* Borders of the image, from image.ld. */
extern uint8_t vm_image[], vm_monitor_rodata[], vm_text[], vm_rodata[], vm_stack[], vm_stack_top[];

static inline uint64_t vm_at(const volatile void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- what an architecture provides ---- */

/* Entries of tables of pages: 2^this octets for each of the first table, one for another table, one for memory. */
extern const unsigned vm_pages_shift;
uint64_t vm_page_table(uint64_t at);
bool vm_page_is_table(uint64_t entry);
uint64_t vm_page_entry(uint64_t at, unsigned rights, bool large);

/* Whether the two words at this address are on one of the stacks. */
bool vm_in_stack(uint64_t at);
/* Ring 3's stack at its last call. */
extern uint64_t vm_user_rsp;

/* Registers of devices. Those of odd sizes are in registers.c. */
uint8_t vm_read8(uint64_t address);
uint16_t vm_read16(uint64_t address);
void vm_write8(uint64_t address, uint8_t value);
void vm_write16(uint64_t address, uint16_t value);
uint32_t vm_read32(uint64_t address);
void vm_write32(uint64_t address, uint32_t value);

/* The 32 bits of PCI configuration space at an address as in the register of mechanism 1; whether there is any. */
bool vm_pci_present(void);
uint32_t vm_pci_get(uint32_t address);
void vm_pci_put(uint32_t address, uint32_t value);

/* The console: one octet; lost where there is none. */
void vm_console_put(uint8_t octet);

/* Ring 3's memory may be read between these two. */
void vm_user_open(void);
void vm_user_close(void);

/* Sleep until an interrupt came, or the clock says until_ns; vm_pending then has the devices that interrupted. */
void vm_sleep(uint64_t until_ns);
/* Let in what interrupts there are, now. */
void vm_let_in(void);
extern volatile uint32_t vm_pending;

/* The interrupt of a device, from now on. */
void vm_irq_enable(const struct vm_place *p);

uint64_t vm_time(void);
_Noreturn void vm_halt(unsigned code); /* end the machine */

/* ---- what ring 3 may ask for: calls.c ---- */

enum { VM_READABLE_MAX = 6 };

/* The monitor's own account of what it told ring 3, whose pages it opens for vm_write only. */
struct vm_machine {
	struct vm_clock clock;
	uint32_t device_count;
	struct vm_port {
		struct vm_place place;
		uint32_t queue_count;
		uint16_t queue_size_max[VM_QUEUES_MAX];
	} port[VM_DEVICES_MAX];
	struct vm_range arena;
	struct vm_range readable[VM_READABLE_MAX]; /* by ring 3 */
	size_t readable_count;
};

extern struct vm_machine vm_machine;

/*
 * vm_call_do - do call `number` for ring 3; rip: where it was made. Returns its result, if at all.
 */
uint64_t vm_call_do(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t number, uint64_t rip);

#endif
