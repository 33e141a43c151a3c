/*
 * The registers of a device, and what is agreed with it before it may do anything: virtio over MMIO (virtio 1.2, 4.2), and over PCI
 * (4.1), where nearly the same registers have other offsets and sizes.
 */
#include "pci.h"
#include "virtio.h"
#include "vm/monitor/inside.h"

/* Offsets of registers: table 4.1 of 4.2.2. */
enum {
	MAGIC_VALUE = 0x000,
	VERSION = 0x004,
	DEVICE_ID = 0x008,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC = 0x080, /* low half, the high one 4 further on */
	QUEUE_DRIVER = 0x090,
	QUEUE_DEVICE = 0x0a0,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
	QUEUE_VECTOR = 0x1000, /* these are there by PCI only */
	QUEUE_DOORBELL
};

enum { MAGIC = 0x74726976, VERSION_LEGACY = 1, VERSION_1 = 2, TRIES = 1000 };

/* 2.1: device status */
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, DEVICE_NEEDS_RESET = 64, FAILED = 128 };

/* 6: reserved feature bits */
#define F_VERSION_1 (UINT64_C(1) << 32)
#define F_UNKEPT (UINT64_C(1) << 33 | UINT64_C(1) << 34 | UINT64_C(1) << 38 | UINT64_C(1) << 40)

/* By PCI, what is at an offset by MMIO (4.1.4.3). */
static const struct other {
	uint16_t by_mmio;
	uint8_t at, octets;
} others[] = { { DEVICE_FEATURES, MRG_PCI_VIRTIO_COMMON_DEVICE_FEATURE_AT, 4 },
	{ DEVICE_FEATURES_SEL, MRG_PCI_VIRTIO_COMMON_DEVICE_FEATURE_SELECT_AT, 4 },
	{ DRIVER_FEATURES, MRG_PCI_VIRTIO_COMMON_DRIVER_FEATURE_AT, 4 },
	{ DRIVER_FEATURES_SEL, MRG_PCI_VIRTIO_COMMON_DRIVER_FEATURE_SELECT_AT, 4 },
	{ QUEUE_SEL, MRG_PCI_VIRTIO_COMMON_QUEUE_SELECT_AT, 2 },
	{ QUEUE_NUM_MAX, MRG_PCI_VIRTIO_COMMON_QUEUE_SIZE_AT, 2 },
	{ QUEUE_NUM, MRG_PCI_VIRTIO_COMMON_QUEUE_SIZE_AT, 2 },
	{ QUEUE_READY, MRG_PCI_VIRTIO_COMMON_QUEUE_ENABLE_AT, 2 },
	{ QUEUE_VECTOR, MRG_PCI_VIRTIO_COMMON_QUEUE_VECTOR_AT, 2 },
	{ QUEUE_DOORBELL, MRG_PCI_VIRTIO_COMMON_QUEUE_NOTIFY_AT, 2 },
	{ STATUS, MRG_PCI_VIRTIO_COMMON_DEVICE_STATUS_AT, 1 },
	{ QUEUE_DESC, MRG_PCI_VIRTIO_COMMON_QUEUE_DESCRIPTORS_AT, 4 },
	{ QUEUE_DRIVER, MRG_PCI_VIRTIO_COMMON_QUEUE_DRIVER_AT, 4 },
	{ QUEUE_DEVICE, MRG_PCI_VIRTIO_COMMON_QUEUE_DEVICE_AT, 4 },
	{ CONFIG_GENERATION, MRG_PCI_VIRTIO_COMMON_CONFIG_GENERATION_AT, 1 } };

/* One of the list, always: what stands here asks for no others. */
static struct other other_of(uint32_t offset)
{
	size_t i = 0;
	while (i < sizeof others / sizeof others[0] - 1 && others[i].by_mmio != offset)
		i++;
	return others[i];
}

static uint32_t get(const struct vm_place *p, uint32_t offset)
{
	if (p->pci_kind == 0)
		return vm_read32(p->registers.at + offset);
	const struct other o = other_of(offset);
	const uint64_t at = p->registers.at + o.at;
	return o.octets == 1 ? vm_read8(at) : o.octets == 2 ? vm_read16(at) : vm_read32(at);
}

static void put(const struct vm_place *p, uint32_t offset, uint32_t value)
{
	if (p->pci_kind == 0) {
		vm_write32(p->registers.at + offset, value);
		return;
	}
	const struct other o = other_of(offset);
	const uint64_t at = p->registers.at + o.at;
	if (o.octets == 1)
		vm_write8(at, (uint8_t)value);
	else if (o.octets == 2)
		vm_write16(at, (uint16_t)value);
	else
		vm_write32(at, value);
}

/* In two halves by either way (4.1.3.1). */
static void put_address(const struct vm_place *p, uint32_t offset, uint64_t value)
{
	const uint64_t at = p->registers.at + (p->pci_kind != 0 ? other_of(offset).at : offset);
	vm_write32(at, (uint32_t)value);
	vm_write32(at + 4, (uint32_t)(value >> 32));
}

bool vm_mmio_present(const struct vm_place *p, const char **why)
{
	*why = NULL;
	if (get(p, MAGIC_VALUE) != MAGIC)
		return false;
	const uint32_t version = get(p, VERSION), kind = get(p, DEVICE_ID);
	if (kind == 0)
		return false; /* a slot with nothing in it */
	if (version != VERSION_1) {
		*why = version == VERSION_LEGACY ? "legacy" : "version";
		return false;
	}
	if (kind != VM_KIND_NET && kind != VM_KIND_CONSOLE && kind != VM_KIND_ENTROPY) {
		*why = "kind";
		return false;
	}
	return true;
}

uint32_t vm_mmio_kind(const struct vm_place *p) { return p->pci_kind != 0 ? p->pci_kind : get(p, DEVICE_ID); }

void vm_mmio_reset(const struct vm_place *p) { put(p, STATUS, 0); }

static bool reset(const struct vm_place *p)
{
	vm_mmio_reset(p);
	for (unsigned i = 0; i < TRIES; i++)
		if (get(p, STATUS) == 0)
			return true;
	return false;
}

static uint64_t offered_by(const struct vm_place *p)
{
	put(p, DEVICE_FEATURES_SEL, 1);
	const uint64_t high = get(p, DEVICE_FEATURES);
	put(p, DEVICE_FEATURES_SEL, 0);
	return high << 32 | get(p, DEVICE_FEATURES);
}

/* 5.1.6.3.1: without MRG_RXBUF every buffer would have to be of 64 KiB, should segments be joined. */
static uint64_t without_joined(uint64_t features)
{
	const uint64_t joined = UINT64_C(1) << MRG_VIRTIO_NET_FEATURE_GUEST_TSO4 |
				UINT64_C(1) << MRG_VIRTIO_NET_FEATURE_GUEST_TSO6;
	return (features >> MRG_VIRTIO_NET_FEATURE_MRG_RXBUF & 1u) != 0 ? features : features & ~joined;
}

static bool agree(const struct vm_place *p, uint64_t features)
{
	put(p, DRIVER_FEATURES_SEL, 1);
	put(p, DRIVER_FEATURES, (uint32_t)(features >> 32));
	put(p, DRIVER_FEATURES_SEL, 0);
	put(p, DRIVER_FEATURES, (uint32_t)features);
	put(p, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	return get(p, STATUS) == (ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

/* 4.2.2.2: the configuration as a whole, read again if it changed meanwhile; by octets, since it may end anywhere. */
static bool read_config(const struct vm_place *p, struct vm_device *out)
{
	const struct vm_range r =
		p->pci_kind != 0 ? p->part[VM_PART_CONFIG]
				 : (struct vm_range){ p->registers.at + CONFIG, p->registers.len - CONFIG };
	out->config_len = (uint32_t)(r.len < VM_CONFIG_MAX ? r.len : VM_CONFIG_MAX);
	for (unsigned i = 0; i < TRIES; i++) {
		const uint32_t before = get(p, CONFIG_GENERATION);
		for (uint32_t at = 0; at < out->config_len; at++)
			out->config[at] = vm_read8(r.at + at);
		if (get(p, CONFIG_GENERATION) == before)
			return true;
	}
	return false;
}

/* The largest power of two that is not more than n and VM_QUEUE_SIZE_MAX. */
static uint16_t power_below(uint32_t n)
{
	uint32_t size = VM_QUEUE_SIZE_MAX;
	while (size > n)
		size >>= 1;
	return (uint16_t)size;
}

static void count_queues(const struct vm_place *p, struct vm_device *out)
{
	out->queue_count = 0;
	for (uint32_t q = 0; q < VM_QUEUES_MAX; q++) {
		put(p, QUEUE_SEL, q);
		const uint32_t most = get(p, QUEUE_NUM_MAX);
		if (most == 0)
			return;
		out->queue_size_max[q] = power_below(most);
		out->queue_count = q + 1;
	}
}

const char *vm_mmio_open(const struct vm_place *p, uint64_t wanted, struct vm_device *out)
{
	if (!reset(p))
		return "reset";
	put(p, STATUS, ACKNOWLEDGE);
	put(p, STATUS, ACKNOWLEDGE | DRIVER);
	out->kind = vm_mmio_kind(p);
	out->transport = p->pci_kind != 0 ? VM_PCI : VM_MMIO;
	out->offered = offered_by(p);
	out->features = out->offered & ((wanted & ~F_UNKEPT) | F_VERSION_1);
	if (out->kind == VM_KIND_NET)
		out->features = without_joined(out->features);
	const char *why = NULL;
	if ((out->features & F_VERSION_1) == 0)
		why = "version-1";
	else if (!agree(p, out->features))
		why = "features";
	else if (!read_config(p, out))
		why = "configuration";
	else
		count_queues(p, out);
	if (why == NULL && out->queue_count == 0)
		why = "queues";
	if (why != NULL)
		vm_mmio_reset(p);
	return why;
}

/* 4.1.5.2: each queue says how many steps its doorbell is from the first. */
static const char *find_doorbells(struct vm_place *p, uint32_t count)
{
	const struct vm_range r = p->part[VM_PART_NOTIFY];
	for (uint32_t q = 0; q < count; q++) {
		put(p, QUEUE_SEL, q);
		p->doorbell[q] = r.at + (uint64_t)get(p, QUEUE_DOORBELL) * p->notify_step;
		if (!vm_range_holds(r, p->doorbell[q], sizeof(uint16_t)) ||
			p->doorbell[q] % sizeof(uint16_t) != 0)
			return "doorbell";
	}
	return NULL;
}

const char *vm_device_open(struct vm_place *p, uint64_t wanted, struct vm_device *out)
{
	const char *why = vm_mmio_open(p, wanted, out);
	if (why != NULL || p->pci_kind == 0)
		return why;
	why = find_doorbells(p, out->queue_count);
	if (why != NULL)
		vm_mmio_reset(p);
	return why;
}

/* Each queue sends the first message of the table (4.1.5.1.2). */
static bool put_vector(const struct vm_place *p)
{
	if (p->pci_kind == 0)
		return true;
	put(p, QUEUE_VECTOR, 0);
	return get(p, QUEUE_VECTOR) == 0;
}

bool vm_mmio_queue(const struct vm_place *p, uint32_t queue, uint64_t address, uint32_t size)
{
	put(p, QUEUE_SEL, queue);
	if (get(p, QUEUE_READY) != 0 || get(p, QUEUE_NUM_MAX) < size || !put_vector(p))
		return false;
	put(p, QUEUE_NUM, size);
	put_address(p, QUEUE_DESC, address);
	put_address(p, QUEUE_DRIVER, address + vm_ring_avail_at(size));
	put_address(p, QUEUE_DEVICE, address + vm_ring_used_at(size));
	put(p, QUEUE_READY, 1);
	return get(p, QUEUE_READY) == 1;
}

bool vm_mmio_start(const struct vm_place *p)
{
	put(p, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
	const uint32_t status = get(p, STATUS);
	return (status & DRIVER_OK) != 0 && (status & (FAILED | DEVICE_NEEDS_RESET)) == 0;
}

void vm_mmio_kick(const struct vm_place *p, uint32_t queue)
{
	if (p->pci_kind != 0)
		vm_write16(p->doorbell[queue], (uint16_t)queue);
	else
		put(p, QUEUE_NOTIFY, queue);
}

bool vm_mmio_interrupted(const struct vm_place *p)
{
	if (p->pci_kind != 0)
		return true; /* a message is nobody else's */
	const uint32_t status = get(p, INTERRUPT_STATUS);
	if (status == 0)
		return false;
	put(p, INTERRUPT_ACK, status);
	return true;
}
