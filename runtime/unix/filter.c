/*
 * Filters of system calls: sets of numbers, and the program that compares a call with what is allowed.
 * Reading order: sets, one condition, mrg_unix_filter_compile, mrg_unix_filter_set.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unix/mrg_unix_sandbox.h"

#if defined __x86_64__
enum {
	ARCH = (int)AUDIT_ARCH_X86_64,
	OTHER_ABI = 1 << 30 /* x32: the same architecture, by this bit of the number */
};
#elif defined __aarch64__
enum { ARCH = (int)AUDIT_ARCH_AARCH64, OTHER_ABI = 0 };
#else
#error "no filter for this architecture yet: add its AUDIT_ARCH_ constant"
#endif
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half of an argument comes first");

enum { NUMBER = offsetof(struct seccomp_data, nr), ARCHITECTURE = offsetof(struct seccomp_data, arch) };

/* ---- sets ---- */

static void remove_range(struct mrg_unix_set *s, size_t index)
{
	memmove(&s->range[index], &s->range[index + 1], (s->count - index - 1u) * sizeof s->range[0]);
	s->count--;
}

static void insert(struct mrg_unix_set *s, size_t index, uint32_t v)
{
	if (s->count == MRG_UNIX_SET_MAX) {
		s->full = true;
		return;
	}
	memmove(&s->range[index + 1], &s->range[index], (s->count - index) * sizeof s->range[0]);
	s->range[index] = (struct mrg_unix_range){ v, v };
	s->count++;
}

void mrg_unix_set_add(struct mrg_unix_set *s, int value)
{
	const uint32_t v = (uint32_t)value;
	size_t i = 0;
	if (value < 0)
		return;
	while (i < s->count && s->range[i].to < v)
		i++;
	if (i < s->count && s->range[i].from <= v)
		return;
	/* v lies before range i: it may touch that one, the one before, or both */
	const bool before = i > 0 && s->range[i - 1].to + 1u == v,
		   behind = i < s->count && s->range[i].from == v + 1u;
	if (before && behind) {
		s->range[i - 1].to = s->range[i].to;
		remove_range(s, i);
	} else if (before) {
		s->range[i - 1].to = v;
	} else if (behind) {
		s->range[i].from = v;
	} else {
		insert(s, i, v);
	}
}

void mrg_unix_set_add_all(struct mrg_unix_set *s, const struct mrg_unix_set *more)
{
	s->full = s->full || more->full;
	for (size_t i = 0; i < more->count; i++)
		for (uint32_t v = more->range[i].from; v <= more->range[i].to; v++)
			mrg_unix_set_add(s, (int)v);
}

bool mrg_unix_set_has(const struct mrg_unix_set *s, uint32_t value)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->range[i].from <= value && value <= s->range[i].to)
			return true;
	return false;
}

/* ---- the program ---- */

/* Jumps whose ends are not known yet. All go forward. */
enum to { TO_PASSED = 1, TO_NEXT_CALL };

struct program {
	struct sock_filter *p;
	uint8_t to[MRG_UNIX_FILTER_MAX]; /* enum to, for jumps */
	size_t len;
	bool full;
};

static void put(struct program *g, unsigned code, uint32_t k, unsigned if_true, unsigned if_false)
{
	if (g->len == MRG_UNIX_FILTER_MAX) {
		g->full = true;
		return;
	}
	g->to[g->len] = 0;
	g->p[g->len++] = (struct sock_filter){ (uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, k };
}

static void load(struct program *g, size_t at) { put(g, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0); }

static void skip_if_equal(struct program *g, uint32_t k) { put(g, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0); }

static void jump(struct program *g, enum to to)
{
	put(g, BPF_JMP | BPF_JA, 0, 0, 0);
	if (!g->full)
		g->to[g->len - 1u] = (uint8_t)to;
}

/* Here is where jumps to this place lead that were put since `from`. */
static void land(struct program *g, size_t from, enum to to)
{
	for (size_t i = from; i < g->len; i++)
		if (g->to[i] == to) {
			g->p[i].k = (uint32_t)(g->len - i - 1u);
			g->to[i] = 0;
		}
}

static void put_range(struct program *g, struct mrg_unix_range r, enum to to)
{
	if (r.from == r.to) {
		put(g, BPF_JMP | BPF_JEQ | BPF_K, r.from, 0, 1);
	} else {
		put(g, BPF_JMP | BPF_JGE | BPF_K, r.from, 0, 2);
		put(g, BPF_JMP | BPF_JGT | BPF_K, r.to, 1, 0);
	}
	jump(g, to);
}

static void put_null(struct program *g, size_t low)
{
	for (size_t half = 0; half < 2; half++) {
		load(g, low + half * sizeof(uint32_t));
		skip_if_equal(g, 0);
		jump(g, TO_NEXT_CALL);
	}
}

static void put_arg(struct program *g, const struct mrg_unix_arg *a)
{
	const size_t low = offsetof(struct seccomp_data, args) + a->index * sizeof(uint64_t), from = g->len;
	const bool in = a->must == MRG_UNIX_MUST_BE_IN;
	if (a->must == MRG_UNIX_MUST_BE_NULL)
		put_null(g, low);
	if (a->must == MRG_UNIX_MUST_BE_NULL || a->must == MRG_UNIX_MUST_NOTHING)
		return;
	load(g, low);
	for (size_t i = 0; i < a->set->count; i++)
		put_range(g, a->set->range[i], in ? TO_PASSED : TO_NEXT_CALL);
	if (in)
		jump(g, TO_NEXT_CALL);
	land(g, from, TO_PASSED);
}

static uint32_t answer_of(enum mrg_unix_refusal refusal)
{
	switch (refusal) {
	case MRG_UNIX_FAIL: return SECCOMP_RET_ERRNO | EPERM;
	case MRG_UNIX_TRAP: return SECCOMP_RET_TRAP;
	case MRG_UNIX_KILL:
	default: return SECCOMP_RET_KILL_PROCESS;
	}
}

size_t mrg_unix_filter_compile(const struct mrg_unix_call *calls, size_t count, enum mrg_unix_refusal refusal,
	struct sock_filter out[MRG_UNIX_FILTER_MAX])
{
	struct program g = { .p = out };
	const uint32_t refused = answer_of(refusal);
	load(&g, ARCHITECTURE);
	skip_if_equal(&g, (uint32_t)ARCH);
	put(&g, BPF_RET | BPF_K, refused, 0, 0);
	if (OTHER_ABI != 0) {
		load(&g, NUMBER);
		put(&g, BPF_JMP | BPF_JSET | BPF_K, (uint32_t)OTHER_ABI, 0, 1);
		put(&g, BPF_RET | BPF_K, refused, 0, 0);
	}
	for (size_t i = 0; i < count; i++) {
		const size_t from = g.len;
		load(&g, NUMBER);
		skip_if_equal(&g, (uint32_t)calls[i].number);
		jump(&g, TO_NEXT_CALL);
		for (size_t a = 0; a < MRG_UNIX_ARGS_MAX; a++) {
			put_arg(&g, &calls[i].arg[a]);
			g.full = g.full || (calls[i].arg[a].set != NULL && calls[i].arg[a].set->full);
		}
		put(&g, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
		land(&g, from, TO_NEXT_CALL);
	}
	put(&g, BPF_RET | BPF_K, refused, 0, 0);
	return g.full ? 0 : g.len;
}

size_t mrg_unix_calls_numbers(const struct mrg_unix_call *calls, size_t count)
{
	size_t numbers = 0;
	for (size_t i = 0; i < count; i++) {
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen = seen || calls[k].number == calls[i].number;
		numbers += !seen;
	}
	return numbers;
}

int mrg_unix_filter_set(const struct mrg_unix_call *calls, size_t count, enum mrg_unix_refusal refusal)
{
	struct sock_filter code[MRG_UNIX_FILTER_MAX];
	const size_t len = mrg_unix_filter_compile(calls, count, refusal, code);
	if (len == 0)
		return E2BIG;
	const struct sock_fprog program = { .len = (unsigned short)len, .filter = code };
	const long got = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (got < 0)
		return errno;
	return got == 0 ? 0 : EBUSY; /* the number of a thread that has a filter of its own */
}
