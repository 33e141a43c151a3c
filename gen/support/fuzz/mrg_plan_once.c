/* Shared memory whose loads are counted: see mrg_plan_once.h. */
#include <stdio.h>
#include <string.h>

#include "mrg_plan_once.h"

enum {
	BESIDE = 16,
	ROOM = 1 << 16
}; /* octets on both sides, where nothing is to be read; those of a message */

static union {
	uint64_t aligned;
	uint8_t at[BESIDE + 8 + ROOM + BESIDE];
} memory;
static uint8_t loads[sizeof memory.at];
static size_t first, size;
static bool counting;

/* Octets in shared memory, `shift` behind a multiple of 8; loads are counted from here on. */
static const volatile void *put(struct mrg_span in, unsigned shift)
{
	first = BESIDE + shift % 8u;
	size = in.len;
	memset(loads, 0, first + size + BESIDE);
	memset(memory.at, 0xa5, first);
	if (size != 0)
		memcpy(memory.at + first, in.p, size);
	memset(memory.at + first + size, 0xa5, BESIDE);
	counting = true;
	return memory.at + first;
}

/* All of it is changed: who still reads it reads something else. */
static void change(void)
{
	counting = false;
	for (size_t i = 0; i < size; i++)
		memory.at[first + i] ^= 0xff;
}

/* How often an octet may be loaded: of those that are there, and that the packet may take, once. */
static bool is_loaded_well(size_t i, size_t most)
{
	const bool inside = i >= first && i < first + size && i - first < most;
	return loads[i] <= inside;
}

static void wrong(struct mrg_fuzz_result *r, const char *key, size_t at, unsigned value)
{
	r->verdict = MRG_FUZZ_WRONG;
	(void)snprintf(r->key, sizeof r->key, "shared: %s", key);
	(void)snprintf(
		r->why, sizeof r->why, "shared: %s: octet %td of %zu, %u", key, (ptrdiff_t)at, size, value);
}

void mrg_once_check(const struct mrg_glue_fetch *f, struct mrg_span message, const uint64_t *args,
	enum mrg_status st, size_t used, const struct mrg_reject *rj, struct mrg_fuzz_result *r)
{
	if (message.len > ROOM)
		return;
	struct mrg_span view = { NULL, 0 };
	struct mrg_reject why = { .status = MRG_OK };
	const volatile void *const from = put(message, (unsigned)(message.len / 3u));
	const enum mrg_status got = f->fetch(from, message, args, &view, &why);
	change();
	for (size_t i = 0; f->counted && i < first + size + BESIDE; i++)
		if (!is_loaded_well(i, f->most)) {
			wrong(r, loads[i] > 1 ? "loaded again" : "loaded outside", i - first, loads[i]);
			return;
		}
	if (f->counted && size != 0 && f->most != 0 && loads[first] == 0)
		wrong(r, "loads are not seen", 0, 0);
	else if (got == MRG_OK && (view.len > size || memcmp(view.p, message.p, view.len) != 0))
		wrong(r, "what was fetched has changed", 0, (unsigned)view.len);
	else if (got == MRG_MORE && size > f->most)
		wrong(r, "wants more than it may take", 0, got);
	/* Of more octets than it may take, a packet sees only that there are some. */
	else if (size <= f->most &&
		 (got != st || (st == MRG_OK ? view.len != used : why.bit_off != rj->bit_off)))
		wrong(r, "another verdict than that of the check", st == MRG_OK ? used : rj->bit_off, got);
}

#if !MRG_ONCE_COUNTED
/* ---- what is called before each load ---- */

static void count(const void *p, size_t n)
{
	const uintptr_t from = (uintptr_t)memory.at, at = (uintptr_t)p;
	if (!counting || at - from >= sizeof memory.at)
		return;
	for (size_t i = at - from; n != 0 && i < sizeof memory.at; i++, n--)
		loads[i] += loads[i] != UINT8_MAX;
}

void *mrg_once_memcpy(void *to, const void *from, size_t n);
void *mrg_once_memmove(void *to, const void *from, size_t n);
void *mrg_once_memchr(const void *p, int octet, size_t n);
int mrg_once_memcmp(const void *a, const void *b, size_t n);

void *mrg_once_memcpy(void *to, const void *from, size_t n)
{
	count(from, n);
	return memcpy(to, from, n);
}

void *mrg_once_memmove(void *to, const void *from, size_t n)
{
	count(from, n);
	return memmove(to, from, n);
}

void *mrg_once_memchr(const void *p, int octet, size_t n)
{
	void *const found = memchr(p, octet, n);
	count(p, found == NULL ? n : (size_t)((const uint8_t *)found - (const uint8_t *)p) + 1);
	return found;
}

int mrg_once_memcmp(const void *a, const void *b, size_t n)
{
	count(a, n);
	count(b, n);
	return memcmp(a, b, n);
}

/* Names are the compilers'; nothing declares them. */
// NOLINTBEGIN(bugprone-reserved-identifier)
#define LOADS(kind, n)                                                                                       \
	void __tsan_##kind##read##n(const void *p);                                                          \
	void __tsan_##kind##write##n(const void *p);                                                         \
	void __tsan_##kind##read##n(const void *p) { count(p, n); }                                          \
	void __tsan_##kind##write##n(const void *p) { (void)p; }
#define BOTH(kind, n)                                                                                        \
	void __tsan_##kind##read_write##n(const void *p);                                                    \
	void __tsan_##kind##read_write##n(const void *p) { count(p, n); }
#define ANY(n)                                                                                               \
	LOADS(, n)                                                                                           \
	LOADS(volatile_, n) LOADS(unaligned_, n) LOADS(unaligned_volatile_, n) BOTH(, n) BOTH(unaligned_, n)
ANY(1)
ANY(2)
ANY(4)
ANY(8)
ANY(16)

void __tsan_init(void);
void __tsan_func_entry(const void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(const void *p, size_t n);
void __tsan_write_range(const void *p, size_t n);
void *__tsan_memcpy(void *to, const void *from, size_t n);
void *__tsan_memmove(void *to, const void *from, size_t n);
void *__tsan_memset(void *to, int octet, size_t n);

void __tsan_init(void) {}
void __tsan_func_entry(const void *caller) { (void)caller; }
void __tsan_func_exit(void) {}
void __tsan_read_range(const void *p, size_t n) { count(p, n); }
void __tsan_write_range(const void *p, size_t n)
{
	(void)p;
	(void)n;
}
void *__tsan_memcpy(void *to, const void *from, size_t n) { return mrg_once_memcpy(to, from, n); }
void *__tsan_memmove(void *to, const void *from, size_t n) { return mrg_once_memmove(to, from, n); }
void *__tsan_memset(void *to, int octet, size_t n) { return memset(to, octet, n); }
// NOLINTEND(bugprone-reserved-identifier)
#endif
