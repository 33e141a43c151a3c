/*
 * Virtio devices by PCI (virtio 1.2, 4.1): where they are, by their configuration space, of which nothing is believed until it was held
 * against what the function really answers to. Interrupts are messages (MSI-X) to the local APIC, so that nobody has to be asked how
 * lines are laid.
 * Reading order: what a function says of itself, what it is told, the buses.
 */
#include "pci.h"
#include "vm/monitor/inside.h"

/* ---- what a function says of itself ---- */

enum { HOPS = (MRG_PCI_CONFIG_LEN - MRG_PCI_CAPABILITY_MIN) / 4 /* there can't be more capabilities */ };

static struct mrg_span rest_of(const struct vm_pci_function *f, uint32_t at)
{
	return (struct mrg_span){ f->config + at, sizeof f->config - at };
}

/* Octets of what a base address stands for; len 0 when they are not all in it, or fewer than `least`. */
static struct vm_range within(
	const struct vm_pci_function *f, unsigned bar, uint64_t at, uint64_t len, uint64_t least)
{
	const struct vm_range all = f->bar[bar];
	if (all.len == 0 || len < least || at % 4 != 0 ||
		!vm_range_holds((struct vm_range){ 0, all.len }, at, len))
		return (struct vm_range){ 0, 0 };
	return (struct vm_range){ all.at + at, len };
}

/* The first of each part that makes sense is the one (4.1.4). */
static void take_part(const struct vm_pci_function *f, uint32_t at, struct vm_place *out)
{
	struct mrg_pci_virtio_capability c;
	struct mrg_pci_virtio_notify_capability n;
	if (mrg_pci_virtio_capability_check(rest_of(f, at), &c, NULL) != MRG_OK)
		return;
	const unsigned part = mrg_pci_virtio_capability_part(&c);
	struct vm_range *const to = part == MRG_PCI_VIRTIO_PART_COMMON   ? &out->registers
				    : part == MRG_PCI_VIRTIO_PART_NOTIFY ? &out->part[VM_PART_NOTIFY]
				    : part == MRG_PCI_VIRTIO_PART_DEVICE ? &out->part[VM_PART_CONFIG]
									 : NULL;
	if (to == NULL || to->len != 0)
		return;
	const uint64_t least =
		part == MRG_PCI_VIRTIO_PART_COMMON ? MRG_PCI_VIRTIO_COMMON_SIZE_MIN : sizeof(uint16_t);
	if (part == MRG_PCI_VIRTIO_PART_NOTIFY) {
		if (mrg_pci_virtio_notify_capability_check(rest_of(f, at), &n, NULL) != MRG_OK)
			return;
		out->notify_step = mrg_pci_virtio_notify_capability_step(&n);
	}
	*to = within(f, mrg_pci_virtio_capability_bar(&c), mrg_pci_virtio_capability_offset(&c),
		mrg_pci_virtio_capability_length(&c), least);
}

static void take_msix(const struct vm_pci_function *f, uint32_t at, struct vm_place *out, uint32_t *msix_at)
{
	struct mrg_pci_msix_capability c;
	if (out->part[VM_PART_MESSAGE].len != 0 ||
		mrg_pci_msix_capability_check(rest_of(f, at), &c, NULL) != MRG_OK)
		return;
	out->part[VM_PART_MESSAGE] =
		within(f, mrg_pci_msix_capability_table_bar(&c), mrg_pci_msix_capability_table_at(&c),
			MRG_PCI_MSIX_ENTRY_SIZE_MIN, MRG_PCI_MSIX_ENTRY_SIZE_MIN);
	*msix_at = at;
}

static const char *take_capabilities(
	const struct vm_pci_function *f, uint32_t at, struct vm_place *out, uint32_t *msix_at)
{
	struct mrg_pci_capability c;
	for (unsigned i = 0; i < HOPS; i++) {
		at &= ~3u; /* the lowest bits are reserved */
		if (at == 0)
			return NULL;
		if (at < MRG_PCI_CAPABILITY_MIN ||
			mrg_pci_capability_check(rest_of(f, at), &c, NULL) != MRG_OK)
			return "capability";
		if (mrg_pci_capability_id(&c) == MRG_PCI_CAPABILITY_ID_VENDOR)
			take_part(f, at, out);
		else if (mrg_pci_capability_id(&c) == MRG_PCI_CAPABILITY_ID_MSIX)
			take_msix(f, at, out, msix_at);
		at = mrg_pci_capability_next(&c);
	}
	return "capability-loop";
}

static uint32_t kind_of(const struct mrg_pci_header *h, const struct mrg_pci_device_header *d)
{
	const uint32_t device = mrg_pci_header_device(h);
	if (mrg_pci_header_vendor(h) != MRG_PCI_VIRTIO_VENDOR || device < MRG_PCI_VIRTIO_TRANSITIONAL ||
		device > MRG_PCI_VIRTIO_DEVICE_MAX)
		return 0;
	return device >= MRG_PCI_VIRTIO_DEVICE ? device - MRG_PCI_VIRTIO_DEVICE
					       : mrg_pci_device_header_subsystem(d);
}

const char *vm_pci_place(const struct vm_pci_function *f, struct vm_place *out, uint32_t *msix_at)
{
	struct mrg_pci_device_header d;
	*out = (struct vm_place){ .irq = 0 };
	if (mrg_pci_device_header_check(rest_of(f, 0), &d, NULL) != MRG_OK)
		return "kind";
	const struct mrg_pci_header h = mrg_pci_device_header_head(&d);
	out->pci_kind = mrg_pci_header_layout(&h) == MRG_PCI_LAYOUT_DEVICE ? kind_of(&h, &d) : 0;
	if (out->pci_kind != VM_KIND_NET && out->pci_kind != VM_KIND_CONSOLE &&
		out->pci_kind != VM_KIND_ENTROPY)
		return "kind";
	if (mrg_pci_header_has_capabilities(&h) == 0)
		return "legacy";
	const char *const why = take_capabilities(f, mrg_pci_device_header_capabilities(&d), out, msix_at);
	if (why != NULL)
		return why;
	if (out->registers.len == 0 || out->part[VM_PART_NOTIFY].len == 0)
		return "registers";
	return out->part[VM_PART_MESSAGE].len == 0 ? "msi-x" : NULL;
}

/* ---- what it is told ---- */

/* A function's address is that of its configuration space, as mechanism 1 has it: bus, device, function, register. */
enum { FUNCTION = 1 << 8, FUNCTIONS = 8, DEVICE = FUNCTION * FUNCTIONS, BUS = 1 << 16, BUSES = 256 };
#define ADDRESS_END (UINT64_C(1) << 47) /* of what a processor has, at most */

/* Its state, which is in the same 32 bits, is left as it is by zeros. */
static void put_command(uint32_t function, uint32_t command)
{
	vm_pci_put(function + MRG_PCI_HEADER_COMMAND_AT, command);
}

/* The bits of a base address that the function takes; what it was stands there again. */
static uint32_t mask_of(uint32_t at, uint32_t was)
{
	vm_pci_put(at, UINT32_MAX);
	const uint32_t mask = vm_pci_get(at);
	vm_pci_put(at, was);
	return mask;
}

/* Where a base address leads to, and how much there is. */
static struct vm_range measure(uint32_t at, uint32_t low, bool wide)
{
	const uint64_t bits = ~(uint64_t)MRG_PCI_BAR_NO_ADDRESS;
	const uint32_t high = wide ? vm_pci_get(at + 4) : 0;
	uint64_t mask = mask_of(at, low);
	mask |= (uint64_t)(wide ? mask_of(at + 4, high) : UINT32_MAX) << 32;
	const struct vm_range r = { ((uint64_t)high << 32 | low) & bits, ~(mask & bits) + 1u };
	/* Nobody gave it an address, or it takes any. */
	if (r.at == 0 || (mask & bits & UINT32_MAX) == 0 ||
		!vm_range_holds((struct vm_range){ 0, ADDRESS_END }, r.at, r.len))
		return (struct vm_range){ 0, 0 };
	return r;
}

static void measure_all(uint32_t function, struct vm_pci_function *f)
{
	for (unsigned i = 0; i < VM_PCI_BARS; i++) {
		const uint32_t at = function + MRG_PCI_DEVICE_HEADER_BARS_AT + 4 * i;
		const uint32_t low = vm_pci_get(at);
		const bool ports = (low & MRG_PCI_BAR_PORTS) != 0,
			   wide = !ports && (low & MRG_PCI_BAR_KIND) == MRG_PCI_BAR_WIDE;
		f->bar[i] = (struct vm_range){ 0, 0 };
		if (!ports && !(wide && i + 1 == VM_PCI_BARS))
			f->bar[i] = measure(at, low, wide);
		if (wide && i + 1 < VM_PCI_BARS)
			f->bar[++i] = (struct vm_range){ 0, 0 };
	}
}

/* MSI-X on, each message masked by its own bit still (6.8.2.9: so they are after a reset). */
static void allow_messages(uint32_t function, const struct vm_pci_function *f, uint32_t msix_at)
{
	struct mrg_pci_msix_capability c;
	if (mrg_pci_msix_capability_check(rest_of(f, msix_at), &c, NULL) != MRG_OK)
		return;
	const uint32_t control =
		(mrg_pci_msix_capability_control(&c) & ~MRG_PCI_MSIX_MASK_ALL) | MRG_PCI_MSIX_ENABLE;
	vm_pci_put(function + msix_at, control << 8 * MRG_PCI_MSIX_CAPABILITY_CONTROL_AT);
}

static const char *open(uint32_t function, struct vm_place *out)
{
	static struct vm_pci_function f;
	uint32_t msix_at = 0;
	for (uint32_t at = 0; at < sizeof f.config; at += 4) {
		const uint32_t four = vm_pci_get(function + at);
		memcpy(f.config + at, &four, sizeof four);
	}
	put_command(function, MRG_PCI_COMMAND_NO_LINE);
	measure_all(function, &f);
	const char *const why = vm_pci_place(&f, out, &msix_at);
	if (why != NULL)
		return why;
	put_command(function, MRG_PCI_COMMAND_NO_LINE | MRG_PCI_COMMAND_MEMORY | MRG_PCI_COMMAND_MASTER);
	allow_messages(function, &f, msix_at);
	return NULL;
}

/* ---- the buses ---- */

struct search {
	struct vm_place *out;
	size_t count;
	void (*skipped)(uint64_t at, const char *why);
	uint32_t buses[BUSES / 32]; /* bit n: bus n is to be looked at */
};

/* What all functions have; false when there is none. */
static bool read_head(uint32_t function, uint8_t bytes[MRG_PCI_HEADER_SIZE_MIN], struct mrg_pci_header *h)
{
	for (uint32_t at = 0; at < MRG_PCI_HEADER_SIZE_MIN; at += 4) {
		const uint32_t four = vm_pci_get(function + at);
		if (four == UINT32_MAX && at == 0)
			return false;
		memcpy(bytes + at, &four, sizeof four);
	}
	return mrg_pci_header_check((struct mrg_span){ bytes, MRG_PCI_HEADER_SIZE_MIN }, h, NULL) == MRG_OK;
}

static void add_bus(struct search *s, uint32_t function, uint32_t bus)
{
	const uint32_t next = vm_pci_get(function + MRG_PCI_BRIDGE_HEADER_SECONDARY_BUS_AT / 4 * 4) >>
				      8 * (MRG_PCI_BRIDGE_HEADER_SECONDARY_BUS_AT % 4) &
			      (BUSES - 1);
	if (next > bus) /* each once: numbers go up from the root */
		s->buses[next / 32] |= UINT32_C(1) << next % 32;
}

/* Whether the device has other functions. */
static bool look(struct search *s, uint32_t function, uint32_t bus)
{
	uint8_t bytes[MRG_PCI_HEADER_SIZE_MIN];
	struct mrg_pci_header h;
	if (!read_head(function, bytes, &h))
		return false;
	if (mrg_pci_header_layout(&h) == MRG_PCI_LAYOUT_BRIDGE)
		add_bus(s, function, bus);
	if (mrg_pci_header_vendor(&h) == MRG_PCI_VIRTIO_VENDOR) {
		struct vm_place p;
		const char *why = s->count < VM_PLACES_MAX ? open(function, &p) : "device-count";
		p.irq = (uint32_t)(VM_IRQ_MESSAGE + s->count);
		if (why == NULL)
			s->out[s->count++] = p;
		else
			s->skipped(function, why);
	}
	return mrg_pci_header_many(&h) != 0;
}

size_t vm_pci_find(
	struct vm_place out[VM_PLACES_MAX], size_t count, void (*skipped)(uint64_t at, const char *why))
{
	struct search s = { out, count, skipped, { 1 } };
	if (!vm_pci_present())
		return count;
	for (uint32_t bus = 0; bus < BUSES; bus++)
		for (uint32_t device = 0; (s.buses[bus / 32] >> bus % 32 & 1u) != 0 && device < BUS / DEVICE;
			device++) {
			const uint32_t first = bus * BUS + device * DEVICE;
			const bool many = look(&s, first, bus);
			for (uint32_t i = 1; many && i < FUNCTIONS; i++)
				(void)look(&s, first + i * FUNCTION, bus);
		}
	return s.count;
}
