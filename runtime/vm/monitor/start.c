/*
 * The start info of the PVH boot ABI: nothing in it is believed until it was checked, and all is copied, since what is behind it may
 * be given away later.
 */
#include "vm/monitor/inside.h"

enum {
	START_MAGIC = 0x336ec578,
	VERSION_MEMORY_MAP = 1,
	MEMORY_RAM = 1,
	ENTRIES_MAX = VM_RANGES_MAX - VM_MODULES_MAX - 1
};

/* xen/include/public/arch-x86/hvm/start_info.h; little endian, all of it naturally aligned. */
struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	/* since version 1 */
	uint64_t memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap_table_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* Copies octets of memory; false where there is none. */
static bool take(const struct vm_memory *m, uint64_t at, void *to, size_t len)
{
	if (at == 0 || !vm_range_holds((struct vm_range){ 0, m->len }, at, len))
		return false;
	memcpy(to, (const void *)(m->base + (uintptr_t)at), len); /* NOLINT(performance-no-int-to-ptr) */
	return true;
}

static bool wraps(uint64_t at, uint64_t len)
{
	return len > (UINT64_MAX >> 1) || at > (UINT64_MAX >> 1) - len;
}

static const char *read_memory_map(
	const struct vm_memory *m, const struct hvm_start_info *info, struct vm_start *out)
{
	if (info->memmap_entries == 0 || info->memmap_entries > ENTRIES_MAX)
		return "memory-map-count";
	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		struct hvm_memmap_table_entry e;
		if (wraps(info->memmap_paddr, (i + 1u) * sizeof e) ||
			!take(m, info->memmap_paddr + i * sizeof e, &e, sizeof e))
			return "memory-map-address";
		if (wraps(e.addr, e.size))
			return "memory-map-entry";
		const struct vm_range r = { e.addr, e.size };
		if (e.type == MEMORY_RAM)
			out->ram[out->ram_count++] = r;
		else
			out->taken[out->taken_count++] = r;
	}
	return NULL;
}

bool vm_start_is_ram(const struct vm_start *s, struct vm_range r)
{
	for (size_t i = 0; i < s->ram_count; i++)
		if (vm_range_holds(s->ram[i], r.at, r.len))
			return true;
	return false;
}

static const char *read_modules(const struct vm_memory *m, const struct hvm_start_info *info,
	struct vm_range image, struct vm_start *out)
{
	if (info->nr_modules > VM_MODULES_MAX)
		return "module-count";
	for (uint32_t i = 0; i < info->nr_modules; i++) {
		struct hvm_modlist_entry e;
		if (wraps(info->modlist_paddr, (i + 1u) * sizeof e) ||
			!take(m, info->modlist_paddr + i * sizeof e, &e, sizeof e))
			return "module-list-address";
		const struct vm_range r = { e.paddr, e.size };
		if (e.size == 0)
			continue;
		if (wraps(e.paddr, e.size) || e.paddr < VM_PAGE ||
			!vm_range_holds((struct vm_range){ 0, m->len }, e.paddr, e.size) || !vm_start_is_ram(out, r))
			return "module-address";
		if (vm_range_meets(vm_range_pages(r), image))
			return "module-over-image";
		out->taken[out->taken_count++] = vm_range_pages(r);
		if (out->initrd.len == 0)
			out->initrd = r;
	}
	return NULL;
}

static const char *read_command_line(const struct vm_memory *m, uint64_t at, struct vm_start *out)
{
	if (at == 0)
		return NULL;
	for (size_t i = 0; i < VM_COMMAND_LINE_MAX; i++) {
		if (wraps(at, i) || !take(m, at + i, &out->command_line[i], 1))
			return "command-line-address";
		if (out->command_line[i] == '\0') {
			out->command_line_len = i;
			return NULL;
		}
	}
	return "command-line-length";
}

const char *vm_start_read(const struct vm_memory *m, uint64_t at, struct vm_range image, struct vm_start *out)
{
	struct hvm_start_info info;
	out->ram_count = out->taken_count = 0;
	out->command_line_len = 0;
	out->initrd = (struct vm_range){ 0, 0 };
	if (!take(m, at, &info, sizeof info))
		return "start-info-address";
	if (info.magic != START_MAGIC)
		return "start-info-magic";
	if (info.version < VERSION_MEMORY_MAP)
		return "start-info-version";
	const char *why = read_memory_map(m, &info, out);
	if (why == NULL && !vm_start_is_ram(out, image))
		why = "memory-map-without-image";
	if (why != NULL)
		return why;
	out->taken[out->taken_count++] = image;
	why = read_modules(m, &info, image, out);
	return why != NULL ? why : read_command_line(m, info.cmdline_paddr, out);
}

/* The end of what is taken at `at`, or `at`. */
static uint64_t past_taken(const struct vm_start *s, uint64_t at)
{
	for (size_t i = 0; i < s->taken_count; i++)
		if (s->taken[i].len != 0 && vm_range_holds(s->taken[i], at, 1))
			return s->taken[i].at + s->taken[i].len;
	return at;
}

/* Where the next that is taken begins after `at`, at most `top`. */
static uint64_t next_taken(const struct vm_start *s, uint64_t at, uint64_t top)
{
	for (size_t i = 0; i < s->taken_count; i++)
		if (s->taken[i].len != 0 && s->taken[i].at > at && s->taken[i].at < top)
			top = s->taken[i].at;
	return top;
}

struct vm_range vm_start_free(const struct vm_start *s, uint64_t top)
{
	const uint64_t low = 1u << 20; /* below are the boot loader's and the firmware's own things */
	const uint64_t page = VM_PAGE - 1;
	struct vm_range best = { 0, 0 };
	for (size_t i = 0; i < s->ram_count; i++) {
		const uint64_t ram_end = s->ram[i].at + s->ram[i].len, end = ram_end < top ? ram_end : top;
		uint64_t at = s->ram[i].at < low ? low : s->ram[i].at;
		/* Each turn passes the begin or the end of something that is taken, so that they end. */
		while (at < end) {
			const uint64_t past = past_taken(s, at);
			if (past != at) {
				at = past;
				continue;
			}
			const uint64_t next = next_taken(s, at, end);
			const uint64_t from = (at + page) & ~page, to = next & ~page;
			if (from < to && to - from > best.len)
				best = (struct vm_range){ from, to - from };
			at = next;
		}
	}
	return best;
}
