/*
 * runtime/vm/aarch64/tree: what a device tree may say, and what it may not. Trees end where memory ends, so that one octet read too many is
 * seen.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/http/guard.h"

#include "vm/aarch64/tree.c"
#include "vm/monitor/start.c"

enum { TREE_MAX = 1 << 16, PARTS_MAX = 32 << 10, IMAGE_AT = 0x40200000, TREE_AT = 0x48000000 };

static const struct vm_range image = { IMAGE_AT, 1 << 20 };

/* ---- a tree, written as a boot loader would ---- */

static struct {
	uint8_t structure[PARTS_MAX], strings[PARTS_MAX], tree[TREE_MAX];
	struct mrg_w structure_w, strings_w;
	const char *without; /* the node that is left out */
} made;

static struct mrg_span made_tree;

static void item(uint32_t token)
{
	struct mrg_dtb_item_build b;
	mrg_dtb_item_begin(&made.structure_w, &b, &(struct mrg_dtb_item_args){ .token = token });
	mrg_dtb_item_end(&made.structure_w, &b);
}

static void node(const char *name)
{
	struct mrg_dtb_item_build b;
	mrg_dtb_item_begin(
		&made.structure_w, &b, &(struct mrg_dtb_item_args){ .token = MRG_DTB_TOKEN_BEGIN_NODE });
	mrg_dtb_item_node_put(&made.structure_w, &(struct mrg_dtb_item_node_args){ .name = text_of(name) });
	mrg_dtb_item_end(&made.structure_w, &b);
}

static void node_end(void) { item(MRG_DTB_TOKEN_END_NODE); }

static void octets(const char *name, struct mrg_span value)
{
	struct mrg_dtb_item_build b;
	const size_t at = made.strings_w.len;
	mrg_dtb_text_put(&made.strings_w, &(struct mrg_dtb_text_args){ .text = text_of(name) });
	mrg_dtb_item_begin(&made.structure_w, &b, &(struct mrg_dtb_item_args){ .token = MRG_DTB_TOKEN_PROP });
	mrg_dtb_item_property_put(&made.structure_w,
		&(struct mrg_dtb_item_property_args){ .name_off = (uint32_t)at, .value = value });
	mrg_dtb_item_end(&made.structure_w, &b);
}

/* Texts that each end with a zero octet, as the property's value has them. */
static void text(const char *name, const char *value)
{
	octets(name, (struct mrg_span){ (const uint8_t *)value, strlen(value) + 1 });
}

static void cells(const char *name, size_t count, const uint32_t *values)
{
	uint8_t value[256];
	struct mrg_w w;
	mrg_w_init(&w, value, sizeof value);
	for (size_t i = 0; i < count; i++)
		mrg_dtb_cell_put(&w, &(struct mrg_dtb_cell_args){ .value = values[i] });
	octets(name, mrg_w_span(&w, 0));
}

#define CELLS(name, ...)                                                                                     \
	cells(name, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), (uint32_t[]){ __VA_ARGS__ })

static bool begin_unless(const char *name)
{
	if (made.without != NULL && strcmp(made.without, name) == 0)
		return false;
	node(name);
	return true;
}

static void device(const char *name, const char *compatible, uint32_t at, uint32_t len, uint32_t irq)
{
	if (!begin_unless(name))
		return;
	text("compatible", compatible);
	CELLS("reg", 0, at, 0, len);
	CELLS("interrupts", MRG_DTB_INTERRUPT_KIND_SPI, irq, 1);
	node_end();
}

static void chosen(void)
{
	static const uint8_t seed[32] = { 1, 2, 3 };
	if (!begin_unless("chosen"))
		return;
	text("bootargs", "some words");
	CELLS("linux,initrd-start", 0x44000000);
	CELLS("linux,initrd-end", 0, 0x44000123);
	octets("rng-seed", (struct mrg_span){ seed, sizeof seed });
	node_end();
}

/* What QEMU's `virt` says, in short. */
static void machine(void)
{
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	chosen();
	if (begin_unless("memory@40000000")) {
		text("device_type", "memory");
		CELLS("reg", 0, 0x40000000, 0, 0x10000000);
		node_end();
	}
	if (begin_unless("reserved-memory")) {
		CELLS("#address-cells", 1);
		CELLS("#size-cells", 1);
		node("firmware@4f000000");
		CELLS("reg", 0x4f000000, 0x1000);
		node_end();
		node("off@4e000000");
		CELLS("reg", 0x4e000000, 0x1000);
		text("status", "disabled");
		node_end();
		node_end();
	}
	if (begin_unless("intc")) {
		text("compatible", "arm,cortex-a15-gic");
		CELLS("#interrupt-cells", 3);
		CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0, 0x10000);
		node("v2m@8020000");
		text("compatible", "arm,gic-v2m-frame");
		node_end();
		node_end();
	}
	if (begin_unless("timer")) {
		text("compatible", "arm,armv8-timer");
		CELLS("interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
		node_end();
	}
	if (begin_unless("psci")) {
		octets("compatible", (struct mrg_span){ (const uint8_t *)"x\0arm,psci-0.2", 15 });
		text("method", "smc");
		node_end();
	}
	device("pl011", "arm,pl011", 0x9000000, 0x1000, 1);
	device("pl031", "arm,pl031", 0x9010000, 0x1000, 2);
	item(MRG_DTB_TOKEN_NOP);
	device("slot0", "virtio,mmio", 0xa000000, 0x200, 16);
	device("slot1", "virtio,mmio", 0xa000200, 0x200, 17);
}

static void tree_begin(void)
{
	mrg_w_init(&made.structure_w, made.structure, sizeof made.structure);
	mrg_w_init(&made.strings_w, made.strings, sizeof made.strings);
}

/* The parts in one piece, behind a list of one reservation. */
static void tree_end(void)
{
	struct mrg_w w;
	const uint32_t list = MRG_DTB_HEADER, structure = list + 2 * MRG_DTB_RESERVATION_SIZE_MAX,
		       strings = structure + (uint32_t)made.structure_w.len;
	mrg_w_init(&w, made.tree, sizeof made.tree);
	mrg_dtb_header_put(
		&w, &(struct mrg_dtb_header_args){ .totalsize = strings + (uint32_t)made.strings_w.len,
			    .off_dt_struct = structure,
			    .off_dt_strings = strings,
			    .off_mem_rsvmap = list,
			    .version = 17,
			    .last_comp_version = 16,
			    .size_dt_strings = (uint32_t)made.strings_w.len,
			    .size_dt_struct = (uint32_t)made.structure_w.len });
	mrg_dtb_reservation_put(
		&w, &(struct mrg_dtb_reservation_args){ .address = 0x4d000000, .length = 0x2000 });
	mrg_dtb_reservation_put(&w, &(struct mrg_dtb_reservation_args){ .address = 0, .length = 0 });
	mrg_w_put(&w, mrg_w_span(&made.structure_w, 0));
	mrg_w_put(&w, mrg_w_span(&made.strings_w, 0));
	MUST(w.st == MRG_OK && made.structure_w.st == MRG_OK && made.strings_w.st == MRG_OK);
	made_tree = mrg_w_span(&w, 0);
}

static void make(const char *without)
{
	made.without = without;
	tree_begin();
	node("");
	machine();
	node_end();
	item(MRG_DTB_TOKEN_END);
	tree_end();
}

static struct vm_start said;
static struct vm_tree tree;

static const char *read_it(struct mrg_span t)
{
	const struct mrg_span copy = guarded(t);
	memset(&said, 0xa5, sizeof said);
	memset(&tree, 0xa5, sizeof tree);
	return vm_tree_read(copy, TREE_AT, image, &said, &tree);
}

static void refused(const char *want)
{
	const char *const why = read_it(made_tree);
	MUST_SAY(why != NULL && strcmp(why, want) == 0, "%s instead of %s", why == NULL ? "nothing" : why,
		want);
}

/* Whatever was read, it is within what the monitor relies on. */
static void check_limits(void)
{
	MUST(said.ram_count <= VM_RANGES_MAX && said.taken_count <= VM_RANGES_MAX);
	MUST(said.command_line_len < VM_COMMAND_LINE_MAX);
	MUST(tree.slot_count <= VM_SLOTS_MAX && tree.seed_len <= VM_SEED_MAX);
	for (size_t i = 0; i < tree.slot_count; i++) {
		MUST(vm_range_holds((struct vm_range){ 0, VM_ADDRESS_MAX }, tree.slot[i].registers.at,
			tree.slot[i].registers.len));
		MUST((tree.slot[i].irq & VM_IRQ_NUMBER) >= VM_IRQ_SPI_0 &&
			(tree.slot[i].irq & VM_IRQ_NUMBER) < VM_IRQ_SPI_0 + VM_IRQ_SPIS);
	}
	MUST((tree.timer_irq & VM_IRQ_NUMBER) >= VM_IRQ_PPI_0 &&
		(tree.timer_irq & VM_IRQ_NUMBER) < VM_IRQ_SPI_0);
	MUST(tree.distributor.len != 0 && tree.cpu.len != 0 && vm_start_is_ram(&said, image));
	MUST(said.initrd.len == 0 || vm_start_is_ram(&said, said.initrd));
}

/* ---- what is said ---- */

START_TEST(all_is_read)
{
	make(NULL);
	ck_assert_uint_eq(vm_tree_len((struct mrg_span){ made_tree.p, MRG_DTB_HEADER }), made_tree.len);
	const char *const why = read_it(made_tree);
	ck_assert_msg(why == NULL, "%s", why);
	check_limits();
	ck_assert_uint_eq(said.ram_count, 1);
	ck_assert(said.ram[0].at == 0x40000000 && said.ram[0].len == 0x10000000);
	/* What is reserved, what is on the list, the image, the initrd; not what is off. */
	ck_assert_uint_eq(said.taken_count, 4);
	ck_assert(said.taken[0].at == 0x4f000000 && said.taken[0].len == 0x1000);
	ck_assert(said.taken[1].at == 0x4d000000 && said.taken[1].len == 0x2000);
	ck_assert(said.taken[2].at == IMAGE_AT && said.taken[3].at == 0x44000000 &&
		  said.taken[3].len == VM_PAGE);
	ck_assert(said.initrd.at == 0x44000000 && said.initrd.len == 0x123);
	ck_assert_mem_eq(said.command_line, "some words", said.command_line_len);
	ck_assert_uint_eq(said.command_line_len, 10);
	ck_assert(tree.uart.at == 0x9000000 && tree.uart_kind == MRG_DTB_COMPATIBLE_PL011 &&
		  tree.rtc.at == 0x9010000);
	ck_assert(tree.gic == MRG_DTB_COMPATIBLE_GIC_V2 && tree.distributor.at == 0x8000000 &&
		  tree.cpu.at == 0x8010000);
	ck_assert(tree.conduit == MRG_DTB_CONDUIT_SMC && tree.timer_irq == 27);
	ck_assert(tree.seed_len == 32 && tree.seed[2] == 3);
	ck_assert_uint_eq(tree.slot_count, 2);
	ck_assert(tree.slot[1].registers.at == 0xa000200 && tree.slot[1].registers.len == 0x200);
	ck_assert(tree.slot[1].irq == ((VM_IRQ_SPI_0 + 17) | (uint32_t)VM_IRQ_EDGE));
}
END_TEST

START_TEST(nodes_that_are_missing)
{
	static const struct {
		const char *node, *why;
	} rows[] = { { "intc", "no-gic" }, { "timer", "timer-interrupt" },
		{ "memory@40000000", "memory-map-without-image" }, { "chosen", NULL }, { "psci", NULL },
		{ "pl011", NULL }, { "pl031", NULL }, { "slot0", NULL }, { "reserved-memory", NULL } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		make(rows[i].node);
		if (rows[i].why != NULL)
			refused(rows[i].why);
		else
			MUST_SAY(read_it(made_tree) == NULL, "without %s", rows[i].node);
	}
	make("psci");
	read_it(made_tree);
	ck_assert(tree.conduit == MRG_DTB_CONDUIT_UNKNOWN);
	make("pl011");
	read_it(made_tree);
	ck_assert(tree.uart.len == 0);
	make("chosen");
	read_it(made_tree);
	ck_assert(said.command_line_len == 0 && said.initrd.len == 0 && tree.seed_len == 0);
}
END_TEST

/* ---- what is refused ---- */

/* A tree of `machine` and what `more` adds to the root. */
static void make_with(void (*more)(void), const char *without)
{
	made.without = without;
	tree_begin();
	node("");
	machine();
	more();
	node_end();
	item(MRG_DTB_TOKEN_END);
	tree_end();
}

static void slot_on_gic(void) { device("x", "virtio,mmio", 0x8000200, 0x200, 20); }
static void slot_on_slot(void) { device("x", "virtio,mmio", 0xa000100, 0x200, 20); }
static void slot_in_memory(void) { device("x", "virtio,mmio", 0x40000000, 0x200, 20); }
static void slot_small(void) { device("x", "virtio,mmio", 0xa001000, 0x80, 20); }
static void slot_at_zero(void) { device("x", "virtio,mmio", 0, 0x200, 20); }
static void slot_irq(void) { device("x", "virtio,mmio", 0xa001000, 0x200, VM_IRQ_SPIS); }
static void uart_unaligned(void) { device("x", "arm,pl011", 0x9020008, 0x1000, 20); }
static void rtc_over_gic(void) { device("x", "arm,pl031", 0x8010000, 0x1000, 20); }
static void late_property(void) { text("status", "okay"); }
static void many_slots(void)
{
	for (uint32_t i = 0; i < VM_SLOTS_MAX; i++)
		device("x", "virtio,mmio", 0xb000000 + i * 0x200, 0x200, 20);
}
static void many_memories(void)
{
	for (uint32_t i = 0; i < VM_RANGES_MAX; i++) {
		node("m");
		text("device_type", "memory");
		CELLS("reg", 1, i << 20, 0, 0x1000);
		node_end();
	}
}
static void memory_beyond(void)
{
	node("m");
	text("device_type", "memory");
	CELLS("reg", 0x7f, 0xfffff000, 0, 0x2000);
	node_end();
}
static void memory_cut(void)
{
	node("m");
	text("device_type", "memory");
	CELLS("reg", 0, 0x80000000, 0);
	node_end();
}
static void odd_cells(void)
{
	node("m");
	CELLS("#address-cells", 1, 2, 3);
	node_end();
}
static void deep(void)
{
	for (unsigned i = 0; i < DEPTH_MAX; i++)
		node("d");
	for (unsigned i = 0; i < DEPTH_MAX; i++)
		node_end();
}
static void long_words(void)
{
	char words[VM_COMMAND_LINE_MAX + 1];
	memset(words, 'x', VM_COMMAND_LINE_MAX);
	words[VM_COMMAND_LINE_MAX] = '\0';
	node("chosen");
	text("bootargs", words);
	node_end();
}
static void initrd(uint32_t from, uint32_t to)
{
	node("chosen");
	CELLS("linux,initrd-start", from);
	CELLS("linux,initrd-end", to);
	node_end();
}
static void initrd_backwards(void) { initrd(0x44001000, 0x44000000); }
static void initrd_outside(void) { initrd(0x4ffff000, 0x50001000); }
static void initrd_on_image(void) { initrd(IMAGE_AT + 0x1000, IMAGE_AT + 0x2000); }
static void initrd_on_tree(void) { initrd(TREE_AT, TREE_AT + 16); }
static void initrd_half(void)
{
	node("chosen");
	CELLS("linux,initrd-start", 0x44000000);
	node_end();
}
static void cells_of_4(void)
{
	node("i");
	text("compatible", "arm,gic-v3");
	CELLS("#interrupt-cells", 4);
	CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0x20000);
	node_end();
}

START_TEST(what_is_refused)
{
	static const struct {
		void (*more)(void);
		const char *without, *why;
	} rows[] = { { slot_on_gic, NULL, "device-twice" }, { slot_on_slot, NULL, "device-twice" },
		{ slot_in_memory, NULL, "device-address" }, { slot_small, NULL, "virtio-reg" },
		{ slot_at_zero, NULL, "virtio-reg" }, { slot_irq, NULL, "virtio-interrupt" },
		{ uart_unaligned, "pl011", "uart-reg" }, { rtc_over_gic, "pl031", "device-twice" },
		{ late_property, NULL, "tree-property-place" }, { many_slots, NULL, "virtio-count" },
		{ many_memories, NULL, "memory-count" }, { memory_beyond, NULL, "memory-reg" },
		{ memory_cut, NULL, "memory-reg" }, { odd_cells, NULL, "tree-cells" },
		{ deep, NULL, "tree-depth" }, { long_words, "chosen", "command-line-length" },
		{ initrd_backwards, "chosen", "module-address" },
		{ initrd_outside, "chosen", "module-address" },
		{ initrd_on_image, "chosen", "module-over-image" },
		{ initrd_on_tree, "chosen", "module-over-tree" }, { initrd_half, "chosen", "module-address" },
		{ cells_of_4, "intc", "gic-cells" }, { node_end, NULL, "tree-end-node" } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		make_with(rows[i].more, rows[i].without);
		refused(rows[i].why);
	}
}
END_TEST

START_TEST(without_an_end)
{
	tree_begin();
	node("");
	machine();
	node_end();
	tree_end();
	refused("tree-without-end");
	tree_begin();
	node("");
	machine();
	item(MRG_DTB_TOKEN_END);
	tree_end();
	refused("tree-end");
	tree_begin();
	node("");
	node_end();
	node("");
	tree_end();
	refused("tree-roots");
	tree_begin();
	item(MRG_DTB_TOKEN_END);
	tree_end();
	refused("tree-end");
}
END_TEST

START_TEST(cut_anywhere)
{
	make(NULL);
	for (size_t n = 0; n < made_tree.len; n++) {
		struct mrg_span cut = { made_tree.p, n };
		MUST_SAY(read_it(cut) != NULL, "cut to %zu", n);
		MUST(n >= MRG_DTB_HEADER || vm_tree_len(guarded(cut)) == 0);
	}
	/* And with sizes that say that this is all. */
	uint8_t *const copy = malloc(made_tree.len);
	memcpy(copy, made_tree.p, made_tree.len);
	for (size_t n = MRG_DTB_HEADER; n < made_tree.len; n++) {
		struct mrg_w w;
		mrg_w_init(&w, copy + sizeof(uint32_t), sizeof(uint32_t)); /* totalsize */
		mrg_dtb_cell_put(&w, &(struct mrg_dtb_cell_args){ .value = (uint32_t)n });
		MUST_SAY(read_it((struct mrg_span){ copy, n }) != NULL, "said to be %zu", n);
	}
	free(copy);
}
END_TEST

/* Each cell of the tree in turn is something else. */
START_TEST(cells_that_lie)
{
	static const uint32_t lies[] = { 0, 1, 2, 3, 4, 9, 0x7f, 0x100, 0x10000, 0x7fffffff, 0x80000000,
		0xfffffffc, 0xffffffff, 0x40000000, 0x40200000 };
	make(NULL);
	uint8_t *const copy = malloc(made_tree.len);
	for (size_t at = 0; at + sizeof(uint32_t) <= made_tree.len; at += sizeof(uint32_t))
		for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
			struct mrg_w w;
			memcpy(copy, made_tree.p, made_tree.len);
			mrg_w_init(&w, copy + at, sizeof(uint32_t));
			mrg_dtb_cell_put(&w, &(struct mrg_dtb_cell_args){ .value = lies[i] });
			if (read_it((struct mrg_span){ copy, made_tree.len }) == NULL)
				check_limits();
		}
	free(copy);
}
END_TEST

START_TEST(octets_by_chance)
{
	make(NULL);
	uint8_t *const copy = malloc(made_tree.len);
	any_begin(5);
	for (unsigned turn = 0; turn < 20000; turn++) {
		memcpy(copy, made_tree.p, made_tree.len);
		for (unsigned n = 1 + any(8); n != 0; n--)
			copy[MRG_DTB_HEADER + any((unsigned)made_tree.len - MRG_DTB_HEADER)] =
				(uint8_t)any(256);
		if (read_it((struct mrg_span){ copy, made_tree.len }) == NULL)
			check_limits();
	}
	free(copy);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("dtb");
	TCase *const c = tcase_create("trees");
	tcase_set_timeout(c, 300);
	tcase_add_test(c, all_is_read);
	tcase_add_test(c, nodes_that_are_missing);
	tcase_add_test(c, what_is_refused);
	tcase_add_test(c, without_an_end);
	tcase_add_test(c, cut_anywhere);
	tcase_add_test(c, cells_that_lie);
	tcase_add_test(c, octets_by_chance);
	suite_add_tcase(s, c);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
