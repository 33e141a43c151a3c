/*
 * runtime/vm/monitor: virtio devices by PCI, whose configuration space is played here and says what it is told to; and what the monitor
 * asks of a device itself.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vm/monitor/chance.c"
#include "vm/monitor/inside.h"
#include "vm/monitor/pci.c"
#include "vm/monitor/queue.c"

#include "vm/monitor/mmio.c"

/* ---- functions, each with a configuration space and base addresses ---- */

enum {
	FUNCTIONS_MAX = 4,
	BAR_AT = 0xe0000000,
	BAR_LEN = 0x4000,
	MSIX_AT = 0x40,
	PARTS_AT = 0x50,
	PART = 0x14
};
#define HIGH (UINT64_C(0x70) << 32)

static struct function {
	uint32_t address; /* as in the register */
	uint8_t config[256];
	uint32_t mask[VM_PCI_BARS]; /* bits of a base address that it takes */
} functions[FUNCTIONS_MAX];
static size_t function_count, reads;
static bool no_bus;

static struct function *function_at(uint32_t address)
{
	for (size_t i = 0; i < function_count; i++)
		if (functions[i].address == (address & ~(uint32_t)255))
			return &functions[i];
	return NULL;
}

bool vm_pci_present(void) { return !no_bus; }

uint32_t vm_pci_get(uint32_t address)
{
	const struct function *const f = function_at(address);
	uint32_t four = UINT32_MAX;
	ck_assert(address % 4 == 0 && address < BUSES * BUS);
	reads++;
	if (f != NULL)
		memcpy(&four, f->config + address % 256, 4);
	return four;
}

void vm_pci_put(uint32_t address, uint32_t value)
{
	struct function *const f = function_at(address);
	const uint32_t at = address % 256, bar = (at - MRG_PCI_DEVICE_HEADER_BARS_AT) / 4;
	ck_assert(f != NULL && address % 4 == 0);
	if (at >= MRG_PCI_DEVICE_HEADER_BARS_AT && bar < VM_PCI_BARS) {
		uint32_t was;
		memcpy(&was, f->config + at, 4);
		value = (value & f->mask[bar]) | (was & 15u & ~f->mask[bar]);
	}
	/* Neither the state behind the command nor what stands before MSI-X's control can be written. */
	const size_t from = at == MSIX_AT ? 2 : 0, to = at == MRG_PCI_HEADER_COMMAND_AT ? 2 : 4;
	memcpy(f->config + at + from, (const uint8_t *)&value + from, to - from);
}

static void put8(struct function *f, size_t at, uint8_t v) { f->config[at] = v; }
static void put16(struct function *f, size_t at, uint16_t v) { memcpy(f->config + at, &v, 2); }
static void put32(struct function *f, size_t at, uint32_t v) { memcpy(f->config + at, &v, 4); }

static void put_part(
	struct function *f, unsigned which, unsigned part, unsigned bar, uint32_t offset, uint32_t len)
{
	const size_t at = PARTS_AT + which * PART;
	memset(f->config + at, 0, PART);
	put8(f, at, 9);
	put8(f, at + 1, (uint8_t)(which == 3 ? 0 : at + PART));
	put8(f, at + 2, PART);
	put8(f, at + 3, (uint8_t)part);
	put8(f, at + 4, (uint8_t)bar);
	put32(f, at + 8, offset);
	put32(f, at + 12, len);
	put32(f, at + 16, part == 2 ? 4 : 0);
}

/* As QEMU's network card: messages behind base address 1, all else behind 4 and 5, of 64 bits. */
static struct function *add_card(uint32_t address, uint64_t at)
{
	struct function *const f = &functions[function_count++];
	memset(f, 0, sizeof *f);
	f->address = address;
	put16(f, 0, 0x1af4);
	put16(f, 2, 0x1041);
	put16(f, 6, 0x10);
	put32(f, 0x14, 0xf0000000);
	put32(f, 0x20, (uint32_t)at | 0xc);
	put32(f, 0x24, (uint32_t)(at >> 32));
	put8(f, 0x34, MSIX_AT);
	put8(f, MSIX_AT, 0x11);
	put8(f, MSIX_AT + 1, PARTS_AT);
	put16(f, MSIX_AT + 2, 2);
	put32(f, MSIX_AT + 4, 1);
	put32(f, MSIX_AT + 8, 0x801);
	for (unsigned i = 0; i < 4; i++)
		put_part(f, i, i + 1, 4, i * 0x1000, 0x1000);
	f->mask[1] = 0xfffff000;
	f->mask[4] = ~(uint32_t)(BAR_LEN - 1);
	f->mask[5] = UINT32_MAX;
	return f;
}

static void add_bridge(uint32_t address, uint8_t secondary)
{
	struct function *const f = &functions[function_count++];
	memset(f, 0, sizeof *f);
	f->address = address;
	put16(f, 0, 0x1b36);
	put8(f, 0x0e, 1);
	put8(f, 0x19, secondary);
}

static const char *skipped_why;
static uint64_t skipped_at;
static void skipped(uint64_t at, const char *why)
{
	skipped_at = at;
	skipped_why = why;
}

static struct vm_place places[VM_PLACES_MAX];
static size_t find(void)
{
	skipped_why = NULL;
	reads = 0;
	memset(places, 0, sizeof places);
	return vm_pci_find(places, 0, skipped);
}

static void begin(void)
{
	function_count = 0;
	no_bus = false;
}

START_TEST(found)
{
	begin();
	ck_assert_uint_eq(find(), 0);
	struct function *const f = add_card(3 << 11, BAR_AT);
	ck_assert_uint_eq(find(), 1);
	ck_assert_ptr_null(skipped_why);
	const struct vm_place *const p = &places[0];
	ck_assert(p->pci_kind == VM_KIND_NET && p->irq == VM_IRQ_MESSAGE && p->notify_step == 4);
	ck_assert(p->registers.at == BAR_AT && p->registers.len == 0x1000);
	ck_assert(p->part[VM_PART_NOTIFY].at == BAR_AT + 0x1000 &&
		  p->part[VM_PART_CONFIG].at == BAR_AT + 0x3000);
	ck_assert(p->part[VM_PART_MESSAGE].at == 0xf0000000 && p->part[VM_PART_MESSAGE].len == 16);
	/* It is told to answer, to write and to send messages, and its base addresses are what they were. */
	ck_assert(f->config[4] == 6 && f->config[5] == 4);
	ck_assert(f->config[MSIX_AT + 3] == 0x80 && f->config[0x20] == 0xc && f->config[0x23] == 0xe0);
	no_bus = true;
	ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(found_high_and_behind_bridges)
{
	begin();
	add_card(2 << 11, HIGH + BAR_AT);
	add_bridge(5 << 11, 7);
	add_card(7 << 16, BAR_AT);
	ck_assert_uint_eq(find(), 2);
	ck_assert(places[0].registers.at == HIGH + BAR_AT && places[1].registers.at == BAR_AT);
	ck_assert(places[0].irq == VM_IRQ_MESSAGE && places[1].irq == VM_IRQ_MESSAGE + 1);
	/* A bridge that leads back, or to itself, is not followed. */
	functions[1].config[0x19] = 0;
	ck_assert_uint_eq(find(), 1);
	functions[1].address = 7 << 16;
	functions[1].config[0x19] = 7;
	ck_assert_uint_eq(find(), 1);
	ck_assert_uint_lt(reads, 1000);
	/* Functions other than the first are looked at where there are many. */
	begin();
	add_card(1 << 11, BAR_AT);
	add_card(1 << 11 | 5 << 8, HIGH);
	ck_assert_uint_eq(find(), 1);
	functions[0].config[0x0e] = 0x80;
	ck_assert_uint_eq(find(), 2);
}
END_TEST

START_TEST(found_transitional)
{
	begin();
	struct function *const f = add_card(0, BAR_AT);
	put16(f, 2, 0x1000);
	put16(f, 0x2e, VM_KIND_ENTROPY);
	ck_assert(find() == 1 && places[0].pci_kind == VM_KIND_ENTROPY);
	put16(f, 6, 0);
	ck_assert_uint_eq(find(), 0);
	ck_assert_str_eq(skipped_why, "legacy");
}
END_TEST

#define REFUSED(change, expected)                                                                            \
	do {                                                                                                 \
		begin();                                                                                     \
		struct function *const f = add_card(4 << 11, BAR_AT);                                        \
		change;                                                                                      \
		ck_assert_msg(find() == 0 && skipped_why != NULL && strcmp(skipped_why, expected) == 0,      \
			"%s: %s", #change, skipped_why == NULL ? "accepted" : skipped_why);                  \
		ck_assert_uint_eq(skipped_at, 4 << 11);                                                      \
		ck_assert((f->config[4] & 6) == 0);                                                          \
	} while (0)

START_TEST(lies)
{
	REFUSED(put16(f, 2, 0x1042), "kind");
	REFUSED(put16(f, 2, 0x1080), "kind");
	REFUSED(put8(f, 0x0e, 2), "kind");
	REFUSED(put8(f, 0x34, 0), "registers");
	REFUSED(put8(f, 0x34, 0x3f), "capability");
	REFUSED(put8(f, MSIX_AT + 1, 4), "capability");
	REFUSED(put8(f, MSIX_AT + 1, MSIX_AT), "capability-loop");
	REFUSED(put8(f, PARTS_AT + 3 * PART + 1, PARTS_AT), "capability-loop");
	/* parts that are none, are too short, or lie outside */
	REFUSED(put8(f, PARTS_AT + 3, 9), "registers");
	REFUSED(put8(f, PARTS_AT + 2, 15), "registers");
	REFUSED(put8(f, PARTS_AT + PART + 2, 16), "registers");
	REFUSED(put8(f, PARTS_AT + 4, 6), "registers");
	REFUSED(put8(f, PARTS_AT + 4, 0), "registers");
	REFUSED(put8(f, PARTS_AT + 4, 5), "registers");
	REFUSED(put32(f, PARTS_AT + 12, 0x37), "registers");
	REFUSED(put32(f, PARTS_AT + 12, BAR_LEN + 1), "registers");
	REFUSED(put32(f, PARTS_AT + 8, BAR_LEN), "registers");
	REFUSED(put32(f, PARTS_AT + 8, UINT32_MAX - 3), "registers");
	REFUSED(put32(f, PARTS_AT + 8, 2), "registers");
	REFUSED(put32(f, PARTS_AT + PART + 12, 1), "registers");
	/* base addresses: none, none given, of ports, without an end */
	REFUSED(f->mask[4] = 0, "registers");
	REFUSED(put32(f, 0x20, 0xc), "registers");
	REFUSED(put32(f, 0x20, BAR_AT | 1u), "registers");
	REFUSED(put32(f, 0x24, 0x8000), "registers");
	REFUSED(put32(f, 0x24, UINT32_MAX), "registers");
	/* messages */
	REFUSED(put8(f, MSIX_AT, 5), "msi-x");
	REFUSED(put32(f, MSIX_AT + 4, 7), "msi-x");
	REFUSED(put32(f, MSIX_AT + 4, 0x1001), "msi-x");
	REFUSED(put32(f, MSIX_AT + 4, 0xfffffff9), "msi-x");
	REFUSED(put32(f, 0x14, 0), "msi-x");
}
END_TEST

/* Of several the first that makes sense. */
START_TEST(parts_again)
{
	begin();
	struct function *const f = add_card(0, BAR_AT);
	put_part(f, 2, 1, 4, 0x40, 0x100);
	ck_assert(find() == 1 && places[0].registers.at == BAR_AT);
	put32(f, PARTS_AT + 12, 4);
	ck_assert(find() == 1 && places[0].registers.at == BAR_AT + 0x40);
}
END_TEST

START_TEST(too_many)
{
	begin();
	add_card(0, BAR_AT);
	ck_assert_uint_eq(vm_pci_find(places, VM_PLACES_MAX, skipped), VM_PLACES_MAX);
	ck_assert_str_eq(skipped_why, "device-count");
}
END_TEST

/* Any bytes: what is accepted lies in what the function answers to. */
START_TEST(flipped)
{
	unsigned accepted = 0;
	for (size_t bit = 0; bit < 256 * 8; bit++) {
		begin();
		struct function *const f = add_card(0, BAR_AT);
		f->config[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const struct vm_range all[] = { { BAR_AT, BAR_LEN }, { 0xf0000000, 0x1000 } };
		if (find() == 0 || (bit / 8 >= 0x10 && bit / 8 < 0x28))
			continue;
		accepted++;
		const struct vm_place *const p = &places[0];
		const struct vm_range pieces[] = { p->registers, p->part[0], p->part[1], p->part[2] };
		for (size_t i = 0; i < 4; i++)
			ck_assert(pieces[i].len == 0 || vm_range_holds(all[0], pieces[i].at, pieces[i].len) ||
				  vm_range_holds(all[1], pieces[i].at, pieces[i].len));
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

/* ---- registers: of the card at BAR_AT, and a source of entropy ---- */

static struct {
	uint8_t common[64], config[64];
	uint32_t features[2];
	uint16_t sizes[4], doorbells[4];
	bool no_vector;
	uint64_t kicked_at;
	uint16_t kicked;
	/* what an answer is to say */
	uint32_t id, len;
	bool silent;
	uint8_t octet;
} dev;
static uint64_t clock_ns;

uint64_t vm_time(void) { return clock_ns += 1000000; }

static uint64_t common_at(uint64_t address, unsigned octets)
{
	ck_assert(address >= BAR_AT && address - BAR_AT + octets <= MRG_PCI_VIRTIO_COMMON_SIZE_MIN);
	return address - BAR_AT;
}
static unsigned selected(void) { return dev.common[22] % 4u; }

uint8_t vm_read8(uint64_t address)
{
	return address >= BAR_AT + 0x3000 ? dev.config[address - BAR_AT - 0x3000]
					  : dev.common[common_at(address, 1)];
}
uint16_t vm_read16(uint64_t address)
{
	uint16_t v;
	const uint64_t at = common_at(address, 2);
	memcpy(&v, dev.common + at, 2);
	return at == 24                    ? dev.sizes[selected()]
	       : at == 30                  ? dev.doorbells[selected()]
	       : at == 26 && dev.no_vector ? UINT16_MAX
					   : v;
}
uint32_t vm_read32(uint64_t address)
{
	ck_assert_uint_eq(common_at(address, 4), 4);
	return dev.features[dev.common[0] % 2];
}
void vm_write8(uint64_t address, uint8_t v) { dev.common[common_at(address, 1)] = v; }
void vm_write32(uint64_t address, uint32_t v) { memcpy(dev.common + common_at(address, 4), &v, 4); }

/* The host's part of an answer: memory is this process's. */
static void answer(void)
{
	uint64_t at;
	memcpy(&at, dev.common + 32, 8);
	struct vm_ring *const r = (struct vm_ring *)(uintptr_t)at;
	if (dev.silent)
		return;
	for (uint32_t i = 0; i < r->length; i++)
		((uint8_t *)(uintptr_t)r->address)[i] = (uint8_t)(dev.octet + (dev.octet != 0 ? i * 7u : 0));
	r->used.id = dev.id;
	r->used.length = dev.len != 0 ? dev.len : r->length;
	r->used.index++;
}
void vm_write16(uint64_t address, uint16_t v)
{
	if (address >= BAR_AT + 0x1000) {
		dev.kicked_at = address;
		dev.kicked = v;
		answer();
		return;
	}
	memcpy(dev.common + common_at(address, 2), &v, 2);
}

static void device_begin(void)
{
	memset(&dev, 0, sizeof dev);
	begin();
	add_card(0, BAR_AT);
	ck_assert_uint_eq(find(), 1);
	dev.features[0] = 0x3f;
	dev.features[1] = 1;
	dev.sizes[0] = dev.sizes[1] = 256;
	dev.doorbells[1] = 3;
	dev.octet = 1;
	for (size_t i = 0; i < sizeof dev.config; i++)
		dev.config[i] = (uint8_t)(i + 1);
}

START_TEST(device_good)
{
	struct vm_device d;
	device_begin();
	ck_assert_ptr_null(vm_device_open(&places[0], 0x21, &d));
	ck_assert(d.kind == VM_KIND_NET && d.transport == VM_PCI && d.features == (UINT64_C(1) << 32 | 0x21));
	ck_assert(d.queue_count == 2 && d.config_len == VM_CONFIG_MAX && d.config[5] == 6);
	ck_assert(places[0].doorbell[0] == BAR_AT + 0x1000 && places[0].doorbell[1] == BAR_AT + 0x100c);
	ck_assert(vm_mmio_queue(&places[0], 1, UINT64_C(0x123450000), 8));
	uint64_t at;
	memcpy(&at, dev.common + 32, 8);
	ck_assert(at == UINT64_C(0x123450000) && dev.common[24] == 8 && dev.common[28] == 1 &&
		  dev.common[26] == 0);
	dev.silent = true;
	ck_assert(vm_mmio_start(&places[0]) && dev.common[20] == 15);
	vm_mmio_kick(&places[0], 1);
	ck_assert(dev.kicked_at == BAR_AT + 0x100c && dev.kicked == 1);
	ck_assert(vm_mmio_interrupted(&places[0]));
}
END_TEST

/* Joined segments are taken only where a frame may have several buffers. */
START_TEST(joined_segments)
{
	const uint64_t joined = 1 << 7 | 1 << 8, merge = 1 << 15;
	struct vm_device d;
	device_begin();
	dev.features[0] = (uint32_t)joined | 1;
	ck_assert_ptr_null(vm_device_open(&places[0], UINT32_MAX, &d));
	ck_assert(d.features == (UINT64_C(1) << 32 | 1) && d.offered == (UINT64_C(1) << 32 | joined | 1));
	dev.features[0] |= (uint32_t)merge;
	ck_assert_ptr_null(vm_device_open(&places[0], UINT32_MAX, &d));
	ck_assert(d.features == (UINT64_C(1) << 32 | joined | merge | 1));
	ck_assert_ptr_null(vm_device_open(&places[0], joined, &d));
	ck_assert(d.features == UINT64_C(1) << 32);
}
END_TEST

START_TEST(device_hostile)
{
	struct vm_device d;
	device_begin();
	dev.doorbells[1] = 0x1000;
	ck_assert_str_eq(vm_device_open(&places[0], 0, &d), "doorbell");
	ck_assert_uint_eq(dev.common[20], 0);
	device_begin();
	places[0].notify_step = UINT32_MAX;
	dev.doorbells[1] = UINT16_MAX;
	ck_assert_str_eq(vm_device_open(&places[0], 0, &d), "doorbell");
	device_begin();
	places[0].notify_step = 1;
	ck_assert_str_eq(vm_device_open(&places[0], 0, &d), "doorbell");
	device_begin();
	dev.no_vector = true;
	ck_assert_ptr_null(vm_device_open(&places[0], 0, &d));
	ck_assert(!vm_mmio_queue(&places[0], 0, 4096, 8));
}
END_TEST

static const char *chance(uint32_t id, uint32_t len, uint8_t octet, bool silent)
{
	uint8_t out[40] = { 0 };
	device_begin();
	dev.id = id;
	dev.len = len;
	dev.octet = octet;
	dev.silent = silent;
	const char *const why = vm_chance_take(&places[0], out, sizeof out);
	ck_assert_uint_eq(dev.common[20], 0);
	ck_assert(why != NULL || (out[0] == octet && out[39] != 0));
	return why;
}

START_TEST(chances)
{
	ck_assert_ptr_null(chance(0, 0, 9, false));
	ck_assert_ptr_null(chance(0, 5, 9, false)); /* a few at a time */
	ck_assert_str_eq(chance(0, 0, 0, false), "entropy");
	ck_assert_str_eq(chance(1, 0, 9, false), "entropy");
	ck_assert_str_eq(chance(UINT32_MAX, 0, 9, false), "entropy");
	ck_assert_str_eq(chance(0, 41, 9, false), "entropy");
	ck_assert_str_eq(chance(0, UINT32_MAX, 9, false), "entropy");
	const uint64_t before_ns = clock_ns;
	ck_assert_str_eq(chance(0, 0, 9, true), "entropy");
	ck_assert_uint_lt(clock_ns - before_ns, 2 * VM_ASK_NS);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("pci");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, found);
	tcase_add_test(t, found_high_and_behind_bridges);
	tcase_add_test(t, found_transitional);
	tcase_add_test(t, lies);
	tcase_add_test(t, parts_again);
	tcase_add_test(t, too_many);
	tcase_add_test(t, flipped);
	tcase_add_test(t, device_good);
	tcase_add_test(t, joined_segments);
	tcase_add_test(t, device_hostile);
	tcase_add_test(t, chances);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
