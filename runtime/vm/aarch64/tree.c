/*
 * The device tree: nothing in it is believed until it was checked, and all is copied, since its memory is given away later.
 *
 * One pass over the items of the structure. A node's properties come before its children (section 5.4.1), so what is known of a node is
 * looked at when its first child begins, or it ends. Only the root, its children, and those of /reserved-memory are of interest.
 *
 * Reading order: numbers of cells, what nodes say, the pass, what must have been there.
 */
#include "vm/aarch64/tree.h"

enum { CELL = MRG_DTB_CELL_SIZE_MAX, DEPTH_MAX = 64 };
enum { ROOT = 1, CHILD = 2, GRANDCHILD = 3 }; /* depths */
enum {
	REGISTERS_MIN = 0x100,
	REGISTERS_MAX = 1 << 20
}; /* octets: those of virtio 1.2, 4.2.2; no device has this many */

/* A node whose properties are being read; spans are empty where there is no such property. */
struct node {
	struct mrg_span name, reg, interrupts, seed[2], bootargs, initrd[2];
	uint32_t address_cells, size_cells; /* of its children */
	uint32_t interrupt_cells;
	enum mrg_dtb_compatible kind;
	enum mrg_dtb_conduit conduit;
	bool off, memory;
};

struct reading {
	struct mrg_span tree, strings;
	struct vm_range image, place; /* of the program, of the tree */
	struct vm_start *start;
	struct vm_tree *out;
	struct node now;
	bool known; /* `now` is the node at this depth, and its properties may still come */
	uint32_t depth;
	uint32_t address_cells, size_cells; /* that the parent of `now` gave */
	bool rooted;                        /* the root's properties are known */
	bool in_reserved;                   /* the child of the root is /reserved-memory */
	uint32_t root_address_cells, root_size_cells;
	struct mrg_span timer;
	struct mrg_span slot_irq[VM_SLOTS_MAX];
	uint32_t interrupt_cells;
};

static struct mrg_span after(struct mrg_span s, size_t len)
{
	return (struct mrg_span){ s.p + len, s.len - len };
}

static bool is(struct mrg_span s, const char *text)
{
	size_t n = 0;
	for (; text[n] != '\0'; n++)
		if (n == s.len || s.p[n] != (uint8_t)text[n])
			return false;
	return n == s.len;
}

/* The first text of a list, which is taken off. */
static bool next_text(struct mrg_span *list, struct mrg_span *text)
{
	struct mrg_dtb_text t;
	if (mrg_dtb_text_check(*list, &t, NULL) != MRG_OK)
		return false;
	*text = mrg_dtb_text_text(&t);
	*list = after(*list, t.len);
	return true;
}

/* ---- numbers of cells ---- */

/* A number of 1 or 2 cells, which is taken off. */
static bool take_number(struct mrg_span *s, uint32_t cells, uint64_t *value)
{
	struct mrg_dtb_cell one;
	struct mrg_dtb_cells two;
	*value = 0;
	if (cells == 1 && mrg_dtb_cell_check(*s, &one, NULL) == MRG_OK)
		*value = mrg_dtb_cell_value(&one);
	else if (cells == 2 && mrg_dtb_cells_check(*s, &two, NULL) == MRG_OK)
		*value = mrg_dtb_cells_value(&two);
	else
		return false;
	*s = after(*s, (size_t)cells * CELL);
	return true;
}

/* A whole property that is one number. */
static bool number_of(struct mrg_span s, uint64_t *value)
{
	return s.len % CELL == 0 && take_number(&s, (uint32_t)(s.len / CELL), value) && s.len == 0;
}

/* A pair of a `reg`, which is taken off; the memory or registers end below VM_ADDRESS_MAX. */
static bool take_range(const struct reading *r, struct mrg_span *reg, struct vm_range *out)
{
	return take_number(reg, r->address_cells, &out->at) && take_number(reg, r->size_cells, &out->len) &&
	       vm_range_holds((struct vm_range){ 0, VM_ADDRESS_MAX }, out->at, out->len);
}

/* Interrupt number `index` of a property. */
static bool interrupt_of(struct mrg_span s, size_t index, uint32_t *irq)
{
	struct mrg_dtb_interrupt i;
	for (; index != 0 && s.len >= MRG_DTB_INTERRUPT_SIZE_MAX; index--)
		s = after(s, MRG_DTB_INTERRUPT_SIZE_MAX);
	if (index != 0 || mrg_dtb_interrupt_check(s, &i, NULL) != MRG_OK)
		return false;
	const uint32_t number = mrg_dtb_interrupt_number(&i);
	const bool shared = mrg_dtb_interrupt_kind(&i) == MRG_DTB_INTERRUPT_KIND_SPI;
	if (!shared && mrg_dtb_interrupt_kind(&i) != MRG_DTB_INTERRUPT_KIND_PPI)
		return false;
	if (number >= (shared ? (uint32_t)VM_IRQ_SPIS : (uint32_t)(VM_IRQ_SPI_0 - VM_IRQ_PPI_0)))
		return false;
	const bool edge = (mrg_dtb_interrupt_flags(&i) & MRG_DTB_INTERRUPT_EDGE) != 0;
	*irq = (number + (shared ? (uint32_t)VM_IRQ_SPI_0 : (uint32_t)VM_IRQ_PPI_0)) |
	       (edge ? (uint32_t)VM_IRQ_EDGE : 0);
	return true;
}

/* ---- what nodes say ---- */

static const char *add_taken(struct vm_start *s, struct vm_range r)
{
	if (s->taken_count == VM_RANGES_MAX)
		return "memory-reservations";
	s->taken[s->taken_count++] = r;
	return NULL;
}

/* All the pairs of a `reg` that is memory, or reserved. */
static const char *add_memory(struct reading *r, bool reserved)
{
	struct mrg_span reg = r->now.reg;
	struct vm_start *const s = r->start;
	while (reg.len != 0) {
		struct vm_range m;
		if (!take_range(r, &reg, &m))
			return reserved ? "reserved-memory-reg" : "memory-reg";
		if (reserved) {
			const char *const why = add_taken(s, m);
			if (why != NULL)
				return why;
			continue;
		}
		if (s->ram_count == VM_RANGES_MAX)
			return "memory-count";
		s->ram[s->ram_count++] = m;
	}
	return NULL;
}

static const char *add_slot(struct reading *r)
{
	struct mrg_span reg = r->now.reg;
	struct vm_range m;
	if (!take_range(r, &reg, &m) || m.at < VM_PAGE || m.at % CELL != 0 || m.len < REGISTERS_MIN ||
		m.len > REGISTERS_MAX)
		return "virtio-reg";
	if (r->out->slot_count == VM_SLOTS_MAX)
		return "virtio-count";
	r->slot_irq[r->out->slot_count] = r->now.interrupts;
	r->out->slot[r->out->slot_count++].registers = m;
	return NULL;
}

/* Registers that a device has at least `len` octets of; the first such device is taken. */
static const char *first_registers(
	const struct reading *r, struct mrg_span *reg, uint64_t len, struct vm_range *out, const char *why)
{
	struct vm_range m;
	if (!take_range(r, reg, &m) || m.at < VM_PAGE || m.at % VM_PAGE != 0 || m.len < len)
		return why;
	*out = (struct vm_range){ m.at, len };
	return NULL;
}

static const char *add_gic(struct reading *r)
{
	const bool v3 = r->now.kind == MRG_DTB_COMPATIBLE_GIC_V3;
	/* GICv2, tables 4-1 and 4-2, as far as they are used; GICv3, 12.8: a distributor of 64 KiB, and two frames of that for a processor. */
	const uint64_t distributor = v3 ? 64 << 10 : VM_PAGE, cpu = v3 ? 128 << 10 : VM_PAGE;
	struct mrg_span reg = r->now.reg;
	r->out->gic = r->now.kind;
	r->interrupt_cells = r->now.interrupt_cells;
	const char *const why = first_registers(r, &reg, distributor, &r->out->distributor, "gic-reg");
	return why != NULL ? why : first_registers(r, &reg, cpu, &r->out->cpu, "gic-reg");
}

static const char *add_device(struct reading *r)
{
	struct vm_tree *const t = r->out;
	struct mrg_span reg = r->now.reg;
	switch (r->now.kind) {
	case MRG_DTB_COMPATIBLE_GIC_V2:
	case MRG_DTB_COMPATIBLE_GIC_V3: return t->gic == 0 ? add_gic(r) : NULL;
	case MRG_DTB_COMPATIBLE_TIMER: r->timer = r->now.interrupts; return NULL;
	case MRG_DTB_COMPATIBLE_PL011:
	case MRG_DTB_COMPATIBLE_UART_8250:
		if (t->uart.len != 0)
			return NULL;
		t->uart_kind = r->now.kind;
		return first_registers(r, &reg, VM_PAGE, &t->uart, "uart-reg");
	case MRG_DTB_COMPATIBLE_PL031:
		return t->rtc.len == 0 ? first_registers(r, &reg, VM_PAGE, &t->rtc, "rtc-reg") : NULL;
	case MRG_DTB_COMPATIBLE_VIRTIO_MMIO: return add_slot(r);
	case MRG_DTB_COMPATIBLE_PSCI: t->conduit = r->now.conduit; return NULL;
	case MRG_DTB_COMPATIBLE_UNKNOWN: break;
	}
	return NULL;
}

static void add_seed(struct vm_tree *t, struct mrg_span seed)
{
	const size_t room = VM_SEED_MAX - t->seed_len, len = seed.len < room ? seed.len : room;
	if (len == 0)
		return;
	memcpy(t->seed + t->seed_len, seed.p, len);
	t->seed_len += len;
}

static const char *add_chosen(struct reading *r)
{
	const struct node *const n = &r->now;
	struct vm_start *const s = r->start;
	struct mrg_span args = n->bootargs, text;
	uint64_t from, to;
	for (size_t i = 0; i < 2; i++)
		add_seed(r->out, n->seed[i]);
	if (args.p != NULL) {
		if (!next_text(&args, &text) || text.len >= VM_COMMAND_LINE_MAX)
			return "command-line-length";
		if (text.len != 0)
			memcpy(s->command_line, text.p, text.len);
		s->command_line_len = text.len;
	}
	if (n->initrd[0].p == NULL && n->initrd[1].p == NULL)
		return NULL;
	if (!number_of(n->initrd[0], &from) || !number_of(n->initrd[1], &to) || from > to || from < VM_PAGE ||
		to > VM_ADDRESS_MAX)
		return "module-address";
	s->initrd = (struct vm_range){ from, to - from };
	return NULL;
}

/* The properties of a node are known. */
static const char *look_at(struct reading *r)
{
	const struct node *const n = &r->now;
	if (r->depth == ROOT) {
		r->rooted = true;
		r->root_address_cells = n->address_cells;
		r->root_size_cells = n->size_cells;
	}
	if (r->depth == CHILD)
		r->in_reserved = is(n->name, "reserved-memory");
	if (n->off || r->depth > GRANDCHILD || r->depth == ROOT)
		return NULL;
	if (r->depth == GRANDCHILD)
		return r->in_reserved && n->reg.len != 0 ? add_memory(r, true) : NULL;
	if (n->memory)
		return add_memory(r, false);
	if (is(n->name, "chosen"))
		return add_chosen(r);
	return add_device(r);
}

/* ---- the pass ---- */

static const char *begin_node(struct reading *r, struct mrg_span name)
{
	const char *const why = r->known ? look_at(r) : NULL;
	if (why != NULL)
		return why;
	if (r->depth == DEPTH_MAX)
		return "tree-depth";
	if (r->depth == 0 && r->rooted)
		return "tree-roots";
	if (r->depth == ROOT) {
		r->address_cells = r->root_address_cells;
		r->size_cells = r->root_size_cells;
	} else if (r->depth == CHILD && r->known) {
		r->address_cells = r->now.address_cells;
		r->size_cells = r->now.size_cells;
	}
	r->depth++;
	r->known = true;
	r->now = (struct node){ .name = name, .address_cells = 2, .size_cells = 1 }; /* section 2.3.5 */
	return NULL;
}

static const char *end_node(struct reading *r)
{
	if (r->depth == 0)
		return "tree-end-node";
	const char *const why = r->known ? look_at(r) : NULL;
	r->known = false;
	r->depth--;
	return why;
}

static const char *take_cells(struct mrg_span value, uint32_t *out)
{
	uint64_t n;
	if (!number_of(value, &n) || n > UINT32_MAX)
		return "tree-cells";
	*out = (uint32_t)n;
	return NULL;
}

static enum mrg_dtb_compatible kind_of(struct mrg_span list)
{
	struct mrg_span text;
	while (list.len != 0 && next_text(&list, &text)) {
		const enum mrg_dtb_compatible kind = mrg_dtb_compatible_of(text);
		if (kind != MRG_DTB_COMPATIBLE_UNKNOWN)
			return kind;
	}
	return MRG_DTB_COMPATIBLE_UNKNOWN;
}

static const char *set_property(struct node *n, enum mrg_dtb_property what, struct mrg_span value)
{
	struct mrg_span list = value, text = { NULL, 0 };
	switch (what) {
	case MRG_DTB_PROPERTY_COMPATIBLE: n->kind = kind_of(value); break;
	case MRG_DTB_PROPERTY_STATUS:
		n->off = !next_text(&list, &text) || (!is(text, "okay") && !is(text, "ok"));
		break;
	case MRG_DTB_PROPERTY_ADDRESS_CELLS: return take_cells(value, &n->address_cells);
	case MRG_DTB_PROPERTY_SIZE_CELLS: return take_cells(value, &n->size_cells);
	case MRG_DTB_PROPERTY_INTERRUPT_CELLS: return take_cells(value, &n->interrupt_cells);
	case MRG_DTB_PROPERTY_REG: n->reg = value; break;
	case MRG_DTB_PROPERTY_INTERRUPTS: n->interrupts = value; break;
	case MRG_DTB_PROPERTY_DEVICE_TYPE: n->memory = next_text(&list, &text) && is(text, "memory"); break;
	case MRG_DTB_PROPERTY_BOOTARGS: n->bootargs = value; break;
	case MRG_DTB_PROPERTY_INITRD_START: n->initrd[0] = value; break;
	case MRG_DTB_PROPERTY_INITRD_END: n->initrd[1] = value; break;
	case MRG_DTB_PROPERTY_RNG_SEED: n->seed[0] = value; break;
	case MRG_DTB_PROPERTY_KASLR_SEED: n->seed[1] = value; break;
	case MRG_DTB_PROPERTY_METHOD:
		n->conduit = next_text(&list, &text) ? mrg_dtb_conduit_of(text) : MRG_DTB_CONDUIT_UNKNOWN;
		break;
	case MRG_DTB_PROPERTY_UNKNOWN: break;
	}
	return NULL;
}

static const char *take_property(struct reading *r, const struct mrg_dtb_item_property *p)
{
	const uint32_t at = mrg_dtb_item_property_name_off(p);
	struct mrg_span name, rest = r->strings;
	if (!r->known)
		return "tree-property-place";
	if (at >= rest.len)
		return "tree-property-name";
	rest = after(rest, at);
	if (!next_text(&rest, &name))
		return "tree-property-name";
	return set_property(&r->now, mrg_dtb_property_of(name), mrg_dtb_item_property_value(p));
}

static const char *take_item(struct reading *r, const struct mrg_dtb_item *i)
{
	struct mrg_dtb_item_node node;
	struct mrg_dtb_item_property property;
	if (mrg_dtb_item_body_as_node(i, &node))
		return begin_node(r, mrg_dtb_item_node_name(&node));
	if (mrg_dtb_item_body_as_property(i, &property))
		return take_property(r, &property);
	return mrg_dtb_item_body_as_end_node(i) ? end_node(r) : NULL;
}

/* Each item takes at least a cell, so there is an end. */
static const char *walk(struct reading *r, struct mrg_span structure)
{
	while (structure.len != 0) {
		struct mrg_dtb_item i;
		if (mrg_dtb_item_check(structure, &i, NULL) != MRG_OK)
			return "tree-item";
		if (mrg_dtb_item_body_as_end(&i))
			return r->depth == 0 && r->rooted ? NULL : "tree-end";
		const char *const why = take_item(r, &i);
		if (why != NULL)
			return why;
		structure = after(structure, i.len);
	}
	return "tree-without-end";
}

static const char *read_reservations(struct vm_start *s, struct mrg_span list)
{
	struct mrg_dtb_reservation e;
	for (; mrg_dtb_reservation_check(list, &e, NULL) == MRG_OK; list = after(list, e.len)) {
		const struct vm_range r = { mrg_dtb_reservation_address(&e), mrg_dtb_reservation_length(&e) };
		if (r.at == 0 && r.len == 0)
			return NULL;
		if (r.len > VM_ADDRESS_MAX || r.at > VM_ADDRESS_MAX - r.len)
			return "memory-reservations";
		const char *const why = add_taken(s, r);
		if (why != NULL)
			return why;
	}
	return "memory-reservations";
}

/* ---- what must have been there ---- */

static bool meets_memory(const struct vm_start *s, struct vm_range r)
{
	for (size_t i = 0; i < s->ram_count; i++)
		if (vm_range_meets(s->ram[i], r))
			return true;
	return false;
}

/* No two devices share a page, but for slots of virtio, whose registers are apart; none is where memory is. */
static const char *check_registers(const struct vm_start *s, const struct vm_tree *t)
{
	const struct vm_range single[] = { t->uart, t->rtc, t->distributor, t->cpu };
	enum { SINGLES = sizeof single / sizeof single[0] };
	for (size_t i = 0; i < SINGLES; i++) {
		if (meets_memory(s, single[i]))
			return "device-address";
		for (size_t k = 0; k < i; k++)
			if (vm_range_meets(single[i], single[k]))
				return "device-twice";
	}
	for (size_t i = 0; i < t->slot_count; i++) {
		const struct vm_range pages = vm_range_pages(t->slot[i].registers);
		if (meets_memory(s, pages))
			return "device-address";
		for (size_t k = 0; k < SINGLES; k++)
			if (vm_range_meets(pages, single[k]))
				return "device-twice";
		for (size_t k = 0; k < i; k++)
			if (vm_range_meets(t->slot[i].registers, t->slot[k].registers))
				return "device-twice";
	}
	return NULL;
}

static const char *check_interrupts(const struct reading *r)
{
	enum {
		VIRTUAL = 2
	}; /* of the timer's: secure, not secure, virtual, hypervisor's (arm,arch_timer.yaml) */
	struct vm_tree *const t = r->out;
	if (t->gic == 0)
		return "no-gic";
	if (r->interrupt_cells * (size_t)CELL != MRG_DTB_INTERRUPT_SIZE_MAX)
		return "gic-cells";
	if (!interrupt_of(r->timer, VIRTUAL, &t->timer_irq) || (t->timer_irq & VM_IRQ_NUMBER) >= VM_IRQ_SPI_0)
		return "timer-interrupt";
	for (size_t i = 0; i < t->slot_count; i++)
		if (!interrupt_of(r->slot_irq[i], 0, &t->slot[i].irq) ||
			(t->slot[i].irq & VM_IRQ_NUMBER) < VM_IRQ_SPI_0)
			return "virtio-interrupt";
	return NULL;
}

static const char *check_memory(const struct reading *r)
{
	struct vm_start *const s = r->start;
	if (!vm_start_is_ram(s, r->image))
		return "memory-map-without-image";
	const char *why = add_taken(s, r->image);
	if (why != NULL || s->initrd.len == 0)
		return why;
	if (!vm_start_is_ram(s, s->initrd))
		return "module-address";
	const struct vm_range pages = vm_range_pages(s->initrd);
	if (vm_range_meets(pages, r->image))
		return "module-over-image";
	if (vm_range_meets(pages, r->place))
		return "module-over-tree";
	return add_taken(s, pages);
}

size_t vm_tree_len(struct mrg_span header)
{
	struct mrg_dtb_header h;
	return mrg_dtb_header_check(header, &h, NULL) == MRG_OK ? mrg_dtb_header_totalsize(&h) : 0;
}

const char *vm_tree_read(struct mrg_span octets, uint64_t at, struct vm_range image, struct vm_start *start,
	struct vm_tree *out)
{
	static struct reading r;
	struct mrg_dtb_header h;
	*out = (struct vm_tree){ 0 };
	start->ram_count = start->taken_count = start->command_line_len = 0;
	start->initrd = (struct vm_range){ 0, 0 };
	if (mrg_dtb_header_check(octets, &h, NULL) != MRG_OK || mrg_dtb_header_totalsize(&h) > octets.len)
		return "tree-header";
	r = (struct reading){
		.tree = octets, .image = image, .place = { at, octets.len }, .start = start, .out = out
	};
	r.strings = after(octets, mrg_dtb_header_off_dt_strings(&h));
	r.strings.len = mrg_dtb_header_size_dt_strings(&h);
	struct mrg_span structure = after(octets, mrg_dtb_header_off_dt_struct(&h));
	structure.len = mrg_dtb_header_size_dt_struct(&h);
	const char *why = walk(&r, structure);
	if (why == NULL)
		why = read_reservations(start, after(octets, mrg_dtb_header_off_mem_rsvmap(&h)));
	if (why == NULL)
		why = check_interrupts(&r);
	if (why == NULL)
		why = check_registers(start, out);
	return why != NULL ? why : check_memory(&r);
}
