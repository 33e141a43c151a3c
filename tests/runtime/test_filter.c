/*
 * runtime/unix: sets of descriptors, the calls of a server, and the program made of them, run here as the kernel runs it and compared with
 * what the table says.
 */
#include <check.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "unix/mrg_unix_sandbox.h"

/* ---- sets ---- */

enum { VALUES = 300 };

static struct mrg_unix_set set_of(const int *values, size_t count)
{
	struct mrg_unix_set s = { .count = 0 };
	for (size_t i = 0; i < count; i++)
		mrg_unix_set_add(&s, values[i]);
	return s;
}

/* Whatever the order: what was put in is in it, nothing else is, and ranges are in order and don't touch. */
START_TEST(sets_have_what_was_put_in)
{
	for (unsigned round = 0; round < 200; round++) {
		struct mrg_unix_set s = { .count = 0 };
		bool in[VALUES] = { false };
		srandom(round);
		for (unsigned i = 0; i < round; i++) {
			const int v = (int)(random() % VALUES);
			in[v] = true;
			mrg_unix_set_add(&s, v);
		}
		for (uint32_t v = 0; v < VALUES; v++)
			ck_assert_int_eq(mrg_unix_set_has(&s, v), in[v]);
		for (size_t i = 0; i < s.count; i++) {
			ck_assert_uint_le(s.range[i].from, s.range[i].to);
			ck_assert(i == 0 || s.range[i].from > s.range[i - 1].to + 1u);
		}
		ck_assert(!s.full);
	}
}
END_TEST

START_TEST(sets_say_when_they_are_full)
{
	static struct mrg_unix_set s, more;
	mrg_unix_set_add(&s, -1);
	ck_assert_uint_eq(s.count, 0);
	for (int i = 0; i < MRG_UNIX_SET_MAX; i++)
		mrg_unix_set_add(&s, 2 * i);
	ck_assert(!s.full);
	mrg_unix_set_add(&s, 1); /* joins two */
	ck_assert(!s.full);
	ck_assert_uint_eq(s.count, MRG_UNIX_SET_MAX - 1);
	mrg_unix_set_add(&s, 2 * MRG_UNIX_SET_MAX);
	ck_assert(!s.full);
	mrg_unix_set_add(&s, 3 * MRG_UNIX_SET_MAX);
	ck_assert(s.full);
	ck_assert(!mrg_unix_set_has(&s, 3 * MRG_UNIX_SET_MAX));
	mrg_unix_set_add_all(&more, &s);
	ck_assert(more.full);
}
END_TEST

/* ---- the program ---- */

/* What the kernel does with the instructions that filters are made of. Jumps lead forward and stay inside. */
static uint32_t run(const struct sock_filter *p, size_t len, const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (size_t at = 0; at < len; at++) {
		const struct sock_filter *const i = &p[at];
		bool yes = false;
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			ck_assert_uint_le(i->k + sizeof a, sizeof *data);
			memcpy(&a, (const char *)data + i->k, sizeof a);
			continue;
		case BPF_JMP | BPF_JA: at += i->k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == i->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= i->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > i->k; break;
		case BPF_JMP | BPF_JSET | BPF_K: yes = (a & i->k) != 0; break;
		case BPF_RET | BPF_K: return i->k;
		default: ck_abort_msg("instruction %u", i->code);
		}
		at += yes ? i->jt : i->jf;
	}
	ck_abort_msg("the program has no end");
	return 0;
}

static bool arg_holds(const struct mrg_unix_arg *a, uint64_t value)
{
	switch (a->must) {
	case MRG_UNIX_MUST_NOTHING: return true;
	case MRG_UNIX_MUST_BE_IN: return mrg_unix_set_has(a->set, (uint32_t)value);
	case MRG_UNIX_MUST_NOT_BE_IN: return !mrg_unix_set_has(a->set, (uint32_t)value);
	case MRG_UNIX_MUST_BE_NULL: return value == 0;
	default: return false;
	}
}

static bool allowed(const struct mrg_unix_call *calls, size_t count, const struct seccomp_data *data)
{
	for (size_t i = 0; i < count; i++) {
		bool holds = calls[i].number == data->nr;
		for (size_t k = 0; k < MRG_UNIX_ARGS_MAX; k++)
			holds = holds && arg_holds(&calls[i].arg[k], data->args[calls[i].arg[k].index]);
		if (holds)
			return true;
	}
	return false;
}

#if defined __x86_64__
enum { HERE = (int)AUDIT_ARCH_X86_64, ELSEWHERE = AUDIT_ARCH_I386 };
#else
enum { HERE = (int)AUDIT_ARCH_AARCH64, ELSEWHERE = AUDIT_ARCH_ARM };
#endif

static uint64_t some_value(void)
{
	const long kind = random() % 8;
	const uint64_t v = (uint64_t)(random() % VALUES);
	return kind == 0 ? v | UINT64_C(1) << 32 : kind == 1 ? UINT64_MAX - v : kind == 2 ? 0 : v;
}

/* Tables by chance, with calls by chance: the program and the table say the same. */
START_TEST(programs_do_what_tables_say)
{
	static struct sock_filter code[MRG_UNIX_FILTER_MAX];
	static struct mrg_unix_set sets[6];
	size_t passed = 0, refused = 0;
	for (unsigned round = 0; round < 100; round++) {
		struct mrg_unix_call calls[12] = { { .number = 0 } };
		const size_t count = round % 12u;
		srandom(round);
		memset(sets, 0, sizeof sets);
		for (size_t i = 0; i < 6; i++)
			for (long n = random() % 40; n > 0; n--)
				mrg_unix_set_add(&sets[i], (int)(random() % VALUES));
		for (size_t i = 0; i < count; i++) {
			calls[i].number = random() % 10;
			for (size_t k = 0; k < MRG_UNIX_ARGS_MAX; k++)
				calls[i].arg[k] = (struct mrg_unix_arg){ (enum mrg_unix_must)(random() % 4),
					(unsigned)(random() % 6), &sets[random() % 6] };
		}
		const size_t len = mrg_unix_filter_compile(calls, count, MRG_UNIX_KILL, code);
		ck_assert_uint_ne(len, 0);
		for (unsigned i = 0; i < 2000; i++) {
			struct seccomp_data data = { .nr = (int)(random() % 12), .arch = (uint32_t)HERE };
			for (size_t k = 0; k < 6; k++)
				data.args[k] = some_value();
			const bool good = allowed(calls, count, &data);
			ck_assert_uint_eq(
				run(code, len, &data), good ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
			passed += good;
			refused += !good;
			data.arch = (uint32_t)ELSEWHERE;
			ck_assert_uint_eq(run(code, len, &data), SECCOMP_RET_KILL_PROCESS);
#if defined __x86_64__
			data.arch = (uint32_t)HERE;
			data.nr |= 1 << 30;
			ck_assert_uint_eq(run(code, len, &data), SECCOMP_RET_KILL_PROCESS);
#endif
		}
	}
	ck_assert_uint_gt(passed, 1000); /* both were tried */
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

START_TEST(other_refusals)
{
	static struct sock_filter code[MRG_UNIX_FILTER_MAX];
	const struct mrg_unix_call one = { .number = SYS_exit_group };
	const struct seccomp_data data = { .nr = SYS_getpid, .arch = (uint32_t)HERE };
	size_t len = mrg_unix_filter_compile(&one, 1, MRG_UNIX_FAIL, code);
	ck_assert_uint_eq(run(code, len, &data), SECCOMP_RET_ERRNO | EPERM);
	len = mrg_unix_filter_compile(&one, 1, MRG_UNIX_TRAP, code);
	ck_assert_uint_eq(run(code, len, &data), SECCOMP_RET_TRAP);
}
END_TEST

START_TEST(programs_that_get_too_long_are_none)
{
	static struct sock_filter code[MRG_UNIX_FILTER_MAX];
	static struct mrg_unix_set s;
	static struct mrg_unix_call calls[8];
	for (int i = 0; i < MRG_UNIX_SET_MAX; i++)
		mrg_unix_set_add(&s, 2 * i);
	for (size_t i = 0; i < 8; i++)
		calls[i] = (struct mrg_unix_call){ .number = SYS_readv,
			.arg = { { MRG_UNIX_MUST_BE_IN, 0, &s } } };
	ck_assert_uint_ne(mrg_unix_filter_compile(calls, 3, MRG_UNIX_KILL, code), 0);
	ck_assert_uint_eq(mrg_unix_filter_compile(calls, 8, MRG_UNIX_KILL, code), 0);
	ck_assert_int_eq(mrg_unix_filter_set(calls, 8, MRG_UNIX_KILL), E2BIG);
	s.full = true; /* something is missing from it */
	ck_assert_uint_eq(mrg_unix_filter_compile(calls, 1, MRG_UNIX_KILL, code), 0);
}
END_TEST

/* ---- the calls of a server ---- */

static size_t numbers_of(struct mrg_unix_open *o)
{
	struct mrg_unix_call calls[MRG_UNIX_CALLS_MAX];
	const size_t count = mrg_unix_calls_of(o, calls);
	ck_assert_uint_le(count, MRG_UNIX_CALLS_MAX);
	return mrg_unix_calls_numbers(calls, count);
}

static void fill(struct mrg_unix_open *o)
{
	static const int waits[] = { 5, 6 }, wakes[] = { 7 }, signals[] = { 8 }, logs[] = { 2 };
	*o = (struct mrg_unix_open){ .locks = false };
	o->waits = set_of(waits, 2);
	o->wakes = set_of(wakes, 1);
	o->signals = set_of(signals, 1);
	o->logs = set_of(logs, 1);
}

/* Every call that a server has is one that its work is not done without: more need a reason. */
START_TEST(servers_have_few_calls)
{
	static struct mrg_unix_open o;
	fill(&o);
	mrg_unix_set_add(&o.devices, 9);
	ck_assert_uint_eq(numbers_of(&o), 6); /* on a stack of our own: what was asked for is 6 at most */
	fill(&o);
	mrg_unix_set_add(&o.devices, 9);
	mrg_unix_set_add(&o.tapes, 10);
	ck_assert_uint_eq(numbers_of(&o), 8);
	fill(&o);
	mrg_unix_set_add(&o.listeners, 3);
	ck_assert_uint_eq(numbers_of(&o), 9);
	fill(&o);
	mrg_unix_set_add(&o.listeners, 3);
	mrg_unix_set_add(&o.datagrams, 4);
	ck_assert_uint_eq(numbers_of(&o), 11);
	fill(&o);
	mrg_unix_set_add(&o.listeners, 3);
	o.locks = true;
	ck_assert_uint_eq(numbers_of(&o), 10);
}
END_TEST

struct
try {
	long number;
	uint64_t arg[5];
	bool good;
};

START_TEST(connections_are_what_is_not_kept)
{
	static struct mrg_unix_open o;
	static struct sock_filter code[MRG_UNIX_FILTER_MAX];
	struct mrg_unix_call calls[MRG_UNIX_CALLS_MAX];
	const uint64_t flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	fill(&o);
	mrg_unix_set_add(&o.listeners, 3);
	mrg_unix_set_add(&o.datagrams, 4);
	const size_t len = mrg_unix_filter_compile(calls, mrg_unix_calls_of(&o, calls), MRG_UNIX_KILL, code);
	const struct try tries[] = {
		{ SYS_readv, { 11 }, true },
		{ SYS_readv, { 7 }, true },
		{ SYS_readv, { 8 }, true },
		{ SYS_readv, { 2 }, false },
		{ SYS_readv, { 0 }, false },
		{ SYS_readv, { 5 }, false },
		{ SYS_writev, { 11 }, true },
		{ SYS_writev, { 2 }, true },
		{ SYS_writev, { 7 }, true },
		{ SYS_writev, { 1 }, false },
		{ SYS_writev, { 8 }, false },
		{ SYS_close, { 11 }, true },
		{ SYS_close, { 3 }, true },
		{ SYS_close, { 2 }, false },
		{ SYS_close, { 5 }, false },
		{ SYS_accept4, { 3, 0, 0, flags }, true },
		{ SYS_accept4, { 4, 0, 0, flags }, false },
		{ SYS_accept4, { 3, 0, 0, 0 }, false },
		{ SYS_shutdown, { 11, SHUT_WR }, true },
		{ SYS_shutdown, { 11, SHUT_RDWR }, false },
		{ SYS_epoll_ctl, { 5, EPOLL_CTL_ADD, 11 }, true },
		{ SYS_epoll_ctl, { 7, EPOLL_CTL_ADD, 11 }, false },
		{ SYS_epoll_ctl, { 5, EPOLL_CTL_DEL, 11 }, false },
		{ SYS_epoll_ctl, { 5, EPOLL_CTL_ADD, 2 }, false },
		{ SYS_recvmmsg, { 4, 0, 64, MSG_DONTWAIT, 0 }, true },
		{ SYS_recvmmsg, { 11, 0, 64, MSG_DONTWAIT, 0 }, false },
		{ SYS_recvmmsg, { 4, 0, 64, 0, 0 }, false },
		{ SYS_recvmmsg, { 4, 0, 64, MSG_DONTWAIT, 4096 }, false },
		{ SYS_sendmmsg, { 4, 0, 64, MSG_DONTWAIT, 0 }, true },
		{ SYS_sendmmsg, { 4, 0, 64, MSG_OOB, 0 }, false },
		{ SYS_clock_gettime, { CLOCK_MONOTONIC }, true },
		{ SYS_clock_gettime, { CLOCK_PROCESS_CPUTIME_ID }, false },
		{ SYS_futex, { 0, 128 }, false },
		{ SYS_ftruncate, { 4, 0 }, false },
		{ SYS_exit_group, { 1 }, true },
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		struct seccomp_data data = { .nr = (int)tries[i].number, .arch = (uint32_t)HERE };
		memcpy(data.args, tries[i].arg, sizeof tries[i].arg);
		ck_assert_msg((run(code, len, &data) == SECCOMP_RET_ALLOW) == tries[i].good, "try %zu", i);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix filter");
	TCase *const t = tcase_create("filter");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, sets_have_what_was_put_in);
	tcase_add_test(t, sets_say_when_they_are_full);
	tcase_add_test(t, programs_do_what_tables_say);
	tcase_add_test(t, other_refusals);
	tcase_add_test(t, programs_that_get_too_long_are_none);
	tcase_add_test(t, servers_have_few_calls);
	tcase_add_test(t, connections_are_what_is_not_kept);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
