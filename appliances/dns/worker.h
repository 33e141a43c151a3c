/*
 * worker.h - one thread that answers: its loop, its ends on every listen address, its memory.
 *
 * Workers share the database and nothing else. A new database is handed over by one atomic pointer: each worker takes it up
 * between two batches and says so, and the old one is freed when all have.
 *
 * What it does not do: bind sockets, start threads (serve.c).
 */
#ifndef MRG_DNS_WORKER_H
#define MRG_DNS_WORKER_H

#include <stdatomic.h>

#include "appliances/common/ends.h"
#include "appliances/common/metrics.h"
#include "appliances/common/sandbox.h"
#include "appliances/dns/counts.h"
#include "appliances/dns/load.h"
#include "appliances/dns/mail.h"
#include "appliances/dns/others.h"
#include "appliances/dns/relay.h"
#include "appliances/dns/seen.h"
#include "protocols/dns/stream.h"
#include "unix/mrg_unix.h"

struct reporter;

/* What the control thread tells all workers, and hears from them. */
struct control {
	_Atomic(struct database *) current;
	atomic_bool stopping;
	struct mrg_unix_bell seen; /* rung by each worker that has taken up a new database */
	struct worker *const *workers; /* all of them */
	size_t worker_count;
	uint64_t start_s;              /* seconds since 1970 */
	struct mail mail;
	struct mrg_unix_loop *manager_loop; /* to be woken when there is mail; NULL: nobody takes it */
	struct sandbox *sandbox;       /* NULL: there is none */
	struct reporter *reporter;
};

struct worker {
	struct sampler sampler; /* of what is written down; first, as it is aligned most */
	struct control *control;
	struct database *db;             /* what it answers from */
	_Atomic(struct database *) seen; /* the same, for the control thread */
	const struct options *options;
	struct mrg_arena arena; /* that the worker itself lies in */
	struct mrg_unix_loop loop;
	struct mrg_dgram_user answer_dgrams;
	struct mrg_dns_streams streams;
	struct sendings sendings;
	struct others others;
	struct letters letters; /* from the manager */
	struct mrg_dns_rate rate; /* if there is a limit */
	struct net *net;          /* NULL: on kernel sockets */
	struct relay relay;       /* of the manager's, if there is a net */
	struct end_dgram *udp;    /* one for each listen address */
	struct end_listener *tcp; /* likewise */
	size_t end_count;         /* of each */
	struct published published;
	struct counts counts;
	const struct mrg_rt_addr *listen; /* where it listens, end_count addresses */
	atomic_uint_least64_t turns; /* that its loop has taken, for the watchdog */
	struct metrics metrics; /* of the first worker, if at all */
	struct mrg_rt_timer drain_timer;
	struct mrg_unix_thread thread;
	bool draining;
	bool drained; /* the time for it is over */
};

/* A pair of bound sockets for one listen address. */
struct sockets {
	int udp, tcp;
};

/* Where a worker listens. */
struct places {
	struct mrg_rt_addr *listen;    /* listen_count of them; a port 0 is replaced on our own stack */
	const struct sockets *sockets; /* one pair for each; the worker owns them from here on. Not looked at when there is a net */
	struct net *net;               /* its device is open; NULL: there are sockets */
};

/*
 * worker_new - a worker in memory of its own, ready to run.
 *   conns     TCP connections at once
 * Fails:    a positive errno value.
 */
int worker_new(struct worker **out, struct control *control, const struct options *o,
	const struct places *places, uint32_t conns);

/*
 * worker_show - the page of figures is served by this worker.   socket    listening; the worker's from here on
 * Fails:    a positive errno value.
 */
int worker_show(struct worker *w, int socket);

/*
 * worker_run - answer until the control says stop and the rest is answered.   ctx    the worker
 */
void worker_run(void *ctx);

/*
 * worker_end - wait until it has run to its end, and close what it leaves. From the thread that wakes it: a wake after this
 * would reach whoever has its file by then.
 */
void worker_end(struct worker *w);

/*
 * worker_keep - what it has open is to stay open in the sandbox.
 */
void worker_keep(const struct worker *w, struct sandbox *s);

/*
 * worker_leave - in a sandbox it has run to its end: close what others see of it; the last one ends the process.
 */
noreturn void worker_leave(struct worker *w);

#endif
