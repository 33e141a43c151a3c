/*
 * reporter.h - the thread that writes down what workers have seen of queries: as lines (querylog.h), for collectors (dnstap_out.h), or both.
 *
 * Workers put records into rings of their own and never wake it: it looks a hundred times a second, and more often while what it writes to
 * takes less than there is. So a query costs its worker neither a lock nor a system call, whatever becomes of the files and sockets.
 *
 * What it does not do: it reads no options (options.h).
 *
 * Use:
 *	err = reporter_open(&r, options, &failed);	as the user that has the files
 *	reporter_watch(&r, workers, count);	before they run
 *	err = reporter_begin(&r, NULL);
 *	reporter_left(&r);	from each worker, when it is done
 *	reporter_end(&r);
 */
#ifndef MRG_DNS_REPORTER_H
#define MRG_DNS_REPORTER_H

#include "appliances/common/sandbox.h"
#include "appliances/dns/dnstap_out.h"
#include "appliances/dns/options.h"

struct worker;

struct reporter {
	bool on; /* anything is wanted of it */
	bool log_on, dnstap_on;
	struct sandbox *sandbox; /* NULL: there is none */
	struct worker *const *workers;
	size_t worker_count;
	struct mrg_arena arena;
	struct mrg_unix_loop loop;
	struct mrg_unix_thread thread;
	struct mrg_rt_timer round;
	struct sink log;
	struct dnstap dnstap;
	char host[64 + 1]; /* who we are, if nobody has said */
	atomic_size_t running; /* workers that are not done */
	atomic_bool reopen;
	uint64_t end_ns; /* what can't be written until then is not; 0: workers run */
	bool done;
};

/*
 * reporter_open - open the files that the options name; nothing is to be done if there are none.
 *   failed   the option and its value, when that is what failed
 * Fails:    a positive errno value.
 */
int reporter_open(struct reporter *r, const struct options *o, const char *failed[2]);

/* reporter_watch - these are the workers, each of which has a sampler. */
void reporter_watch(struct reporter *r, struct worker *const *workers, size_t count);

/* reporter_keep - what it has open is to stay open in the sandbox. */
void reporter_keep(const struct reporter *r, struct sandbox *s);

/*
 * reporter_begin - start its thread: it writes until the last worker has left and all is written, or can't be.   Fails: a positive errno value.
 * reporter_end - wait until it has.   In a sandbox nobody does: it leaves by itself (sandbox.h), as one of its threads.
 */
int reporter_begin(struct reporter *r, struct sandbox *s);
void reporter_end(struct reporter *r);

/* From any thread: a worker sees nothing more; files may have others in their places. */
void reporter_left(struct reporter *r);
void reporter_reopen(struct reporter *r);

/* reporter_figures - lines of the page of metrics. From any thread. */
void reporter_figures(const struct reporter *r, struct mrg_w *w);

#endif
