/*
 * sandbox.h - `--sandbox`: a server that has begun to serve locks itself in (runtime/unix/mrg_unix_sandbox.h).
 *
 * The first worker runs in the first thread then and takes signals by its loop, since waiting for other threads and ending them would need
 * more system calls; whoever is done last ends the process.
 *
 * Use:
 *	ARG_DOES("--sandbox", take_sandbox)	in the table of options; take_sandbox calls sandbox_possible
 *	sys = sandboxed ? &mrg_unix_few : &mrg_unix_kernel;	for mrg_unix_loop_init
 *	outcome = sandbox_begin(&box, PROGRAM, worker_count);	when everything is open, before threads
 *	sandbox_loop(&box, &loop); sandbox_net(&box, &net); ...	what is to stay open
 *	mrg_unix_thread_start(..)	for each worker but the first; each calls sandbox_arrive, then serves, then sandbox_leave
 *	outcome = sandbox_close(&box);
 *	worker_run(..); sandbox_leave(&box);	the first worker
 *
 * What it does not do: nothing is opened, read again or started from then on; a server says so when it is asked to.
 */
#ifndef MRG_COMMON_SANDBOX_H
#define MRG_COMMON_SANDBOX_H

#include <stdatomic.h>
#include <stdnoreturn.h>

#include "appliances/common/ends.h"
#include "appliances/common/metrics.h"
#include "unix/mrg_unix_sandbox.h"

/* A line for the help text of a program. */
#define SANDBOX_HELP                                                                                                     \
	"  --sandbox               lock itself in: from then on a few system calls and no file; it can't be reloaded\n"

struct sandbox {
	const char *program;
	struct mrg_unix_open open;
	struct mrg_unix_walls walls;
	struct mrg_unix_bell arrived, closed;
	size_t worker_count;
	atomic_size_t left; /* workers that are not done */
};

/* sandbox_possible - may this build be locked in?  false: it has been said why not. */
bool sandbox_possible(const char *program);

/*
 * sandbox_begin - give up files, rights and capabilities; for threads that are started from here on as well.
 * Fails:    OUTCOME_SYSTEM; it has been said why.
 */
enum outcome sandbox_begin(struct sandbox *s, const char *program, size_t worker_count);

/* What stays open. A listener or datagram end is looked at if it is on the kernel's sockets; net may be NULL, metrics not on. */
void sandbox_loop(struct sandbox *s, const struct mrg_unix_loop *l);
void sandbox_net(struct sandbox *s, const struct net *net);
void sandbox_listener(struct sandbox *s, const struct end_listener *t);
void sandbox_dgram(struct sandbox *s, const struct end_dgram *d);
void sandbox_metrics(struct sandbox *s, const struct metrics *m);

/*
 * sandbox_arrive - from each thread but the first, before it serves: waits until the sandbox is closed.
 */
void sandbox_arrive(struct sandbox *s);

/*
 * sandbox_close - close it, when all threads have arrived; logs how many system calls there are left.
 * Fails:    OUTCOME_SYSTEM; it has been said why.
 */
enum outcome sandbox_close(struct sandbox *s);

/* sandbox_refuse - log that something that was asked for can't be done any more. */
void sandbox_refuse(const char *event);

/*
 * sandbox_leave - a worker is done: the last one ends the process, with OUTCOME_OK.
 */
noreturn void sandbox_leave(struct sandbox *s);

#endif
