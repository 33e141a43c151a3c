/*
 * mrg_fuzz_catch.c - what befalls a subject: signals of faults, and calls that do not end.
 *
 * The handlers go back to the runner by siglongjmp, and it goes on in the same process.  Why that is good enough: the signals are raised
 * by what the subject itself did at that instruction, not from outside; a subject has no state but its ctx, holds no lock, and what it
 * leaks is bounded, since a run ends after so many crashes.  What could still be wrong, a ctx left half changed or an allocator that
 * aborted with its lock held, is found out: each find is tried again, whether that works is said with it, and a call that waits forever
 * ends by the clock.
 */
#include "mrg_fuzz_inside.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

enum {
	STACK_SIZE = 256 * 1024, /* of handlers; a subject may have used up its own */
	SITE_FRAMES = 2,         /* that tell one fault from another */
	ABORT_FRAMES =
		3, /* likewise of an abort, which a function that only says what is wrong may be about */
	FRAME_MAX = 65536, /* a fault so near to the stack's pointer is one of the stack */
	STACK_LINES = 30,  /* of a find's description */
	BLOCKED_S = 30     /* waited for without using the processor: does not end either */
};

struct mrg_fuzz_catcher mrg_fuzz_catcher;

/* Where the program lies: its code moves from one start to the next, but not against this.  Names that linkers define. */
extern const char __executable_start[], etext[];

/* Sanitizers' own, absent without them. */
extern void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static uintptr_t in_program(const void *pc)
{
	const uintptr_t at = (uintptr_t)pc, from = (uintptr_t)__executable_start;
	return at >= from && at < (uintptr_t)etext ? at - from : 0;
}

/* The registers that say where a program is, and where its stack. */
static void registers(const void *context, uintptr_t *pc, uintptr_t *sp)
{
	const ucontext_t *const u = context;
	*pc = *sp = 0;
#if defined(__x86_64__)
	*pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
	*sp = (uintptr_t)u->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	*pc = (uintptr_t)u->uc_mcontext.pc;
	*sp = (uintptr_t)u->uc_mcontext.sp;
#else
	(void)u;
#endif
}

/* The stack from the frame that faulted; the handler's own are left out. */
static void keep_stack(struct mrg_fuzz_crash *crash)
{
	void *all[MRG_FUZZ_FRAMES];
	const int n = backtrace(all, MRG_FUZZ_FRAMES);
	int from = 0;
	while (from < n && all[from] != crash->pc)
		from++;
	if (from == n)
		from = 0;
	crash->frame_count = n - from;
	memcpy(crash->frames, all + from, (size_t)crash->frame_count * sizeof all[0]);
}

static void caught(int number, const siginfo_t *info, const void *context)
{
	struct mrg_fuzz_catcher *const c = &mrg_fuzz_catcher;
	uintptr_t pc, sp;
	registers(context, &pc, &sp);
	c->crash.signal = number;
	c->crash.where = c->where;
	c->crash.address = info->si_addr;
	c->crash.pc = (const void *)pc;
	c->crash.stack_is_full =
		number == SIGSEGV && sp - (uintptr_t)info->si_addr + FRAME_MAX < 2 * FRAME_MAX;
	keep_stack(&c->crash);
	c->where = MRG_FUZZ_IN_RUNNER;
	siglongjmp(c->back, 1);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	if (mrg_fuzz_catcher.where != MRG_FUZZ_IN_RUNNER)
		caught(number, info, context);
	/* The runner's own fault: it happens again, and ends the process. */
	(void)signal(number, SIG_DFL);
}

/* Each tick sees whether a call is the one that the tick before saw. */
static void on_tick(int number, siginfo_t *info, void *context)
{
	static struct {
		uint64_t calls;
		unsigned times;
	} seen[2]; /* of the processor's time, of the clock's */
	const int which = number == SIGPROF ? 0 : 1;
	const struct mrg_fuzz_catcher *const c = &mrg_fuzz_catcher;
	if (c->where == MRG_FUZZ_IN_RUNNER || seen[which].calls != c->calls) {
		seen[which].calls = c->calls;
		seen[which].times = 0;
		return;
	}
	if (++seen[which].times < 2)
		return;
	seen[which].times = 0;
	caught(number, info, context);
}

static void on_stop(int number)
{
	(void)number;
	mrg_fuzz_catcher.stop = 1;
}

/* A sanitizer has said what it found and is about to end the process; nothing can go on from there. */
static void on_death(void)
{
	struct mrg_fuzz_catcher *const c = &mrg_fuzz_catcher;
	if (c->where == MRG_FUZZ_IN_RUNNER || c->dying == NULL)
		return;
	c->crash = (struct mrg_fuzz_crash){ .signal = SIGTRAP, .where = c->where };
	keep_stack(&c->crash);
	c->where = MRG_FUZZ_IN_RUNNER;
	c->dying();
}

static void handle(int number, void (*f)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO | SA_ONSTACK | flags };
	a.sa_sigaction = f;
	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(number, &a, NULL);
}

static struct itimerval every(unsigned ms)
{
	const struct timeval t = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	return (struct itimerval){ t, t };
}

void mrg_fuzz_catch_begin(unsigned hang_ms)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static uint8_t stack[STACK_SIZE];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
	void *frame;
	(void)backtrace(&frame, 1); /* the first call allocates, which a handler must not */
	(void)sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		handle(faults[i], on_fault, 0);
	/* By the processor's time, so that a busy machine makes no call look endless. */
	handle(SIGPROF, on_tick, SA_RESTART);
	handle(SIGALRM, on_tick, SA_RESTART);
	const struct itimerval hang = every(hang_ms < 2 ? 1 : hang_ms / 2), blocked = every(BLOCKED_S * 1000);
	(void)setitimer(ITIMER_PROF, &hang, NULL);
	(void)setitimer(ITIMER_REAL, &blocked, NULL);
	struct sigaction stop = { .sa_flags = (int)SA_RESETHAND };
	stop.sa_handler = on_stop;
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(on_death);
}

static bool endless(int number) { return number == SIGPROF || number == SIGALRM; }

static const char *signal_name(int number)
{
	switch (number) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGILL: return "SIGILL";
	case SIGFPE: return "SIGFPE";
	case SIGABRT: return "SIGABRT";
	case SIGTRAP: return "sanitizer";
	default: return "hang";
	}
}

static const char *in_what(enum mrg_fuzz_where where)
{
	static const char *const names[] = { "runner", "make", "mutate", "smaller", "run" };
	return names[where];
}

__attribute__((noinline)) void mrg_fuzz_call_run(
	const struct mrg_fuzz_subject *s, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	mrg_fuzz_enter(MRG_FUZZ_IN_RUN);
	s->run(s->ctx, in, len, result);
	mrg_fuzz_leave();
}

static size_t written(const struct mrg_fuzz_subject *s, size_t len)
{
	if (len > s->len_max)
		abort();
	mrg_fuzz_leave();
	return len;
}

__attribute__((noinline)) size_t mrg_fuzz_call_make(
	const struct mrg_fuzz_subject *s, struct mrg_rng *rng, uint8_t *out)
{
	mrg_fuzz_enter(MRG_FUZZ_IN_MAKE);
	return written(s, s->make(s->ctx, rng, out, s->len_max));
}

__attribute__((noinline)) size_t mrg_fuzz_call_mutate(const struct mrg_fuzz_subject *s, struct mrg_rng *rng,
	struct mrg_fuzz_octets in, struct mrg_fuzz_octets other, uint8_t *out)
{
	mrg_fuzz_enter(MRG_FUZZ_IN_MUTATE);
	return written(s, s->mutate(s->ctx, rng, in.p, in.len, other.p, other.len, out, s->len_max));
}

static bool is_call(const void *function)
{
	const uintptr_t f = (uintptr_t)function;
	return f == (uintptr_t)mrg_fuzz_call_run || f == (uintptr_t)mrg_fuzz_call_make ||
	       f == (uintptr_t)mrg_fuzz_call_mutate;
}

/* The frames that are the subject's: those inside of the runner's call, or all; at least one. */
static int own_frames(const struct mrg_fuzz_crash *crash)
{
	for (int i = 1; i < crash->frame_count; i++)
		/* The address to return to may be the next function's. */
		if (is_call(_Unwind_FindEnclosingFunction((uint8_t *)crash->frames[i] - 1)))
			return i;
	return crash->frame_count;
}

/* The innermost frames that are the program's own, which are the same in each start of it. */
static int site(const struct mrg_fuzz_crash *crash, int want, uintptr_t *offsets)
{
	const int own = own_frames(crash);
	int n = 0;
	for (int i = 0; i < own && n < want; i++)
		if (in_program(crash->frames[i]) != 0)
			offsets[n++] = in_program(crash->frames[i]);
	return n;
}

/* A sanitizer's own frames are the innermost ones, however many: so all are taken together. */
static uintptr_t whole_stack(const struct mrg_fuzz_crash *crash)
{
	const int own = own_frames(crash);
	uint32_t h = 0;
	for (int i = 0; i < own; i++)
		h = (h ^ (uint32_t)in_program(crash->frames[i])) * 0x01000193u;
	return h;
}

static void say_where(const struct mrg_fuzz_crash *crash, char *out, size_t cap)
{
	const bool has_address = crash->signal == SIGSEGV || crash->signal == SIGBUS;
	const ptrdiff_t at = has_address && mrg_fuzz_catcher.guard != NULL
				     ? mrg_guard_where(mrg_fuzz_catcher.guard, crash->address)
				     : 0;
	out[0] = '\0';
	if (at > 0)
		(void)snprintf(out, cap, ", octet %td behind the input", at);
	else if (at < 0)
		(void)snprintf(out, cap, ", octet %td before the input", -at);
	else if (has_address)
		(void)snprintf(out, cap, ", not at the input");
}

void mrg_fuzz_catch_say(const struct mrg_fuzz_crash *crash, struct mrg_fuzz_result *result)
{
	uintptr_t offsets[ABORT_FRAMES];
	char where[80];
	const int n = site(crash, crash->signal == SIGABRT ? ABORT_FRAMES : SITE_FRAMES, offsets);
	result->verdict = MRG_FUZZ_WRONG;
	if (endless(crash->signal)) { /* where a loop is interrupted is chance: one a subject */
		(void)snprintf(result->key, sizeof result->key, "hang in %s", in_what(crash->where));
		(void)snprintf(result->why, sizeof result->why, "%s does not end", in_what(crash->where));
		return;
	}
	if (crash->stack_is_full) { /* where the last bit of it is used up is chance, too */
		(void)snprintf(
			result->key, sizeof result->key, "stack overflow in %s", in_what(crash->where));
		(void)snprintf(
			result->why, sizeof result->why, "%s recurses too deep", in_what(crash->where));
		return;
	}
	if (crash->signal == SIGTRAP) {
		(void)snprintf(result->key, sizeof result->key, "sanitizer in %s at #%08tx",
			in_what(crash->where), whole_stack(crash));
		(void)snprintf(
			result->why, sizeof result->why, "a sanitizer ended the process; it has said why");
		return;
	}
	size_t len = (size_t)snprintf(result->key, sizeof result->key, "%s in %s at",
		signal_name(crash->signal), in_what(crash->where));
	for (int i = 0; i < n && len < sizeof result->key; i++)
		len += (size_t)snprintf(result->key + len, sizeof result->key - len, " +0x%tx", offsets[i]);
	say_where(crash, where, sizeof where);
	(void)snprintf(result->why, sizeof result->why, "%s%s", signal_name(crash->signal), where);
}

/* Names and lines from addr2line, for all frames at once; a find is rare, so a process more does no harm. */
static bool stack_by_name(const struct mrg_fuzz_crash *crash, FILE *to)
{
	char command[128 + MRG_FUZZ_FRAMES * 20], line[1024];
	size_t len = (size_t)snprintf(
		command, sizeof command, "addr2line -a -f -i -p -s -e /proc/%ld/exe", (long)getpid());
	/* A program at a fixed address (a low one) is looked up by address, one that moves by offset. */
	const bool moves = (uintptr_t)__executable_start > UINT32_MAX;
	for (int i = 0; i < own_frames(crash); i++) {
		const uintptr_t off = in_program(crash->frames[i]);
		if (off == 0)
			continue;
		/* The others are addresses to return to, behind the call. */
		const uintptr_t at = (moves ? off : (uintptr_t)crash->frames[i]) - (i != 0);
		len += (size_t)snprintf(command + len, sizeof command - len, " 0x%tx", at);
	}
	(void)snprintf(command + len, sizeof command - len, " 2>/dev/null");
	FILE *const from = popen(command, "r"); /* NOLINT(cert-env33-c): made of numbers only */
	if (from == NULL)
		return false;
	int lines = 0;
	while (fgets(line, sizeof line, from) != NULL)
		if (lines++ < STACK_LINES)
			(void)fprintf(to, "  %s", line);
	return pclose(from) == 0 && lines != 0;
}

void mrg_fuzz_catch_stack(const struct mrg_fuzz_crash *crash, FILE *to)
{
	if (crash->signal == 0 || stack_by_name(crash, to))
		return;
	for (int i = 0; i < own_frames(crash); i++)
		if (in_program(crash->frames[i]) != 0)
			(void)fprintf(to, "  +0x%tx\n", in_program(crash->frames[i]));
}

bool mrg_fuzz_once(const struct mrg_fuzz_subject *s, const struct mrg_guard *g, enum mrg_fuzz_mode mode,
	const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	*result = (struct mrg_fuzz_result){ .verdict = MRG_FUZZ_REFUSED };
	const uint8_t *const placed = mrg_fuzz_place(g, mode, in, len);
	if (sigsetjmp(mrg_fuzz_catcher.back, 1) != 0) {
		mrg_fuzz_catch_say(&mrg_fuzz_catcher.crash, result);
		return true;
	}
	mrg_fuzz_call_run(s, placed, len, result);
	return false;
}
