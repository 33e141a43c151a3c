/*
 * mrg_unix_sandbox.h - a process locks itself in: from then on it has a handful of system calls, on the descriptors that it has open.
 *
 * References: seccomp(2), landlock(7), prctl(2), setrlimit(2).
 *
 * What it does not do: memory and time are not limited; what goes to a descriptor that may be written to is not looked at, so a datagram
 * socket of the kernel's still sends anywhere.
 *
 * Use:
 *	static struct mrg_unix_open open;	what is open, and for what
 *	struct mrg_unix_walls walls;
 *	err = mrg_unix_walls_raise(&walls);	before threads: files and rights are gone for good
 *	mrg_unix_set_add(&open.waits, loop.epoll_fd); ...
 *	count = mrg_unix_calls_of(&open, calls);
 *	err = mrg_unix_filter_set(calls, count, MRG_UNIX_KILL);	all threads have these calls and no others
 *
 * The two are apart because Linux takes threads that run already into a filter, but not into the rest.
 */
#ifndef MRG_UNIX_SANDBOX_H
#define MRG_UNIX_SANDBOX_H

#include <linux/filter.h>

#include "mrg_unix.h"

/* ---- sets of descriptors, or of other small numbers ---- */

enum { MRG_UNIX_SET_MAX = 512 };

struct mrg_unix_range {
	uint32_t from, to; /* both are in it */
};

/* In order, apart from each other. Zero-initialised it is empty. */
struct mrg_unix_set {
	struct mrg_unix_range range[MRG_UNIX_SET_MAX];
	size_t count;
	bool full; /* something found no room */
};

void mrg_unix_set_add(struct mrg_unix_set *s, int value); /* nothing happens with a negative one */
void mrg_unix_set_add_all(struct mrg_unix_set *s, const struct mrg_unix_set *more);
bool mrg_unix_set_has(const struct mrg_unix_set *s, uint32_t value);

/* ---- calls ---- */

enum { MRG_UNIX_ARGS_MAX = 4 };

enum mrg_unix_must { MRG_UNIX_MUST_NOTHING, MRG_UNIX_MUST_BE_IN, MRG_UNIX_MUST_NOT_BE_IN, MRG_UNIX_MUST_BE_NULL };

/* A condition on one argument, of which the kernel takes the lower 32 bits but where it must be NULL. */
struct mrg_unix_arg {
	enum mrg_unix_must must;
	unsigned index; /* 0 to 5 */
	const struct mrg_unix_set *set;
};

/* A call that is allowed when all conditions hold. Several may have the same number: any of them will do. */
struct mrg_unix_call {
	long number; /* SYS_... */
	struct mrg_unix_arg arg[MRG_UNIX_ARGS_MAX];
};

/* What becomes of all others. The process is ended by SIGSYS; the other two are for tests. */
enum mrg_unix_refusal { MRG_UNIX_KILL, MRG_UNIX_FAIL /* with EPERM */, MRG_UNIX_TRAP };

/* mrg_unix_calls_numbers - how many different system calls these are. */
size_t mrg_unix_calls_numbers(const struct mrg_unix_call *calls, size_t count);

/*
 * mrg_unix_filter_compile - the program that the kernel runs for each call: those of another architecture or of x32 are refused before
 * their number is looked at.
 *   out    room for MRG_UNIX_FILTER_MAX
 * Returns:  how many instructions it has; 0: it would have too many.
 */
enum { MRG_UNIX_FILTER_MAX = BPF_MAXINSNS };
size_t mrg_unix_filter_compile(const struct mrg_unix_call *calls, size_t count, enum mrg_unix_refusal refusal,
	struct sock_filter out[MRG_UNIX_FILTER_MAX]);

/*
 * mrg_unix_filter_set - from now on all threads of the process have these calls only.
 * Fails:    E2BIG when there are too many descriptors in too many pieces; what seccomp says: EINVAL, ENOSYS where the kernel has none.
 */
int mrg_unix_filter_set(const struct mrg_unix_call *calls, size_t count, enum mrg_unix_refusal refusal);

/* ---- the calls of a server ---- */

/* What a server has open while it serves. Zero-initialised: nothing. */
struct mrg_unix_open {
	struct mrg_unix_set waits;     /* epoll descriptors of loops */
	struct mrg_unix_set wakes;     /* eventfds: of loops, bells */
	struct mrg_unix_set signals;   /* of mrg_unix_signals_open */
	struct mrg_unix_set logs;      /* that lines are written to */
	struct mrg_unix_set devices;   /* of frames */
	struct mrg_unix_set tapes;     /* files of mrg_unix_tape_open */
	struct mrg_unix_set listeners; /* where connections of the kernel's come in; none: there are no such connections */
	struct mrg_unix_set datagrams; /* sockets of the kernel's for UDP */
	bool locks;                    /* threads wait for each other */
	/* private */
	struct mrg_unix_set kept, readable, writable, shut, numbers[12];
};

/*
 * mrg_unix_calls_of - the calls that loops make on all this with the table mrg_unix_few.
 *   o     must stay in place; its private sets are what the calls refer to
 *   out   room for MRG_UNIX_CALLS_MAX
 */
enum { MRG_UNIX_CALLS_MAX = 20 };
size_t mrg_unix_calls_of(struct mrg_unix_open *o, struct mrg_unix_call out[MRG_UNIX_CALLS_MAX]);

/*
 * mrg_unix_open_only - close every descriptor that is none of these, nor standard input, output and error.
 */
void mrg_unix_open_only(const struct mrg_unix_open *o);

/*
 * mrg_unix_few - the same as mrg_unix_kernel by fewer different calls: connections are read and written by those calls that devices, signals
 * and the log need as well. Behind the filter nothing can be connected and no file sent. SIGPIPE must be ignored.
 * mrg_unix_few_begin - open what it waits with for sockets without room.   waits    gets its descriptor
 * Fails:    what epoll_create1 says.
 */
extern const struct mrg_unix_sys mrg_unix_few;
int mrg_unix_few_begin(struct mrg_unix_set *waits);

/* ---- the walls ---- */

struct mrg_unix_walls {
	unsigned landlock;  /* version of what the kernel has of it; 0: it has none, and files are behind the filter alone */
	const char *failed; /* where it failed */
};

/*
 * mrg_unix_walls_raise - the calling thread, and those that it starts from now on, can open no file, bind and connect no TCP, signal no one
 * else (each as far as Landlock knows it), get no rights, and have no capability. The process writes no core, is not traced by its like, and
 * has no more files open at once than it may have now.   Fails: what the kernel says; out->failed tells where.
 */
int mrg_unix_walls_raise(struct mrg_unix_walls *out);

/*
 * mrg_unix_walls_landlock - the part of it that is Landlock's; *version as in mrg_unix_walls. Needs PR_SET_NO_NEW_PRIVS.
 */
int mrg_unix_walls_landlock(unsigned *version);

/*
 * mrg_unix_sandbox_why_not - NULL, or why this build can't be locked in: sanitizers make system calls of their own.
 */
const char *mrg_unix_sandbox_why_not(void);

#endif
