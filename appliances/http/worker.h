/*
 * worker.h - one thread that serves: its loop, its connections, its files, its memory.
 *
 * Workers share nothing but what the control thread tells them. After a reload each opens the places anew, and gives up the old
 * ones when the last file of them has been sent.
 *
 * What it does not do: bind sockets, start threads (serve.c).
 */
#ifndef MRG_HTTP_WORKER_H
#define MRG_HTTP_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "appliances/common/ends.h"
#include "appliances/common/metrics.h"
#include "appliances/common/sandbox.h"
#include "appliances/http/access.h"
#include "appliances/http/site.h"
#include "protocols/http/server.h"
#include "unix/mrg_unix.h"

/* What the control thread tells all workers. */
struct control {
	_Atomic(struct setup *) setup; /* to go by; counted in `reloads` when it is another one */
	atomic_uint reloads;
	atomic_bool stopping;
	pthread_mutex_t access_turn; /* of those who write the access log */
	struct mrg_unix_bell seen; /* rung by each worker that has followed a reload */
	struct worker *const *workers; /* all of them, for the page of figures */
	size_t worker_count;
	uint64_t start_s;              /* seconds since 1970 */
	struct sandbox *sandbox;       /* NULL: there is none */
};

struct worker {
	struct control *control;
	size_t listener_count;
	struct mrg_arena arena; /* that the worker itself lies in */
	struct mrg_unix_loop loop;
	struct mrg_http_server server;
	struct net *net;                     /* NULL: on kernel sockets */
	struct end_listener *listeners;      /* one for each address */
	struct site *site;                   /* what is served, and behind it what was */
	struct access access;
	struct published published;
	struct metrics metrics; /* of the first worker, if at all */
	struct mrg_rt_timer drain_timer;
	struct mrg_unix_thread thread;
	atomic_uint reloads; /* of the control, that were followed */
	bool draining;
	bool drained; /* the time for it is over */
};

/* Where a worker listens. */
struct places {
	struct mrg_rt_addr *listen; /* a port 0 is replaced on our own stack */
	size_t count;
	const int *sockets; /* listening, one for each address; the worker owns them from here on. Not looked at when there is a net */
	struct net *net;    /* its device is open; NULL: there are sockets */
};

/*
 * worker_new - a worker in memory of its own, ready to run.
 *   site      what it serves at first; the worker owns it from here on
 *   conns     connections at once
 * Fails:    a positive errno value.
 */
int worker_new(struct worker **out, struct control *control, const struct places *places, struct site *site,
	uint32_t conns);

/*
 * worker_show - the page of figures is served by this worker.   socket    listening; the worker's from here on
 * Fails:    a positive errno value.
 */
int worker_show(struct worker *w, int socket);

/*
 * worker_run - serve until the control says stop and what was asked is answered.   ctx    the worker
 */
void worker_run(void *ctx);

/*
 * worker_end - wait until it has run to its end, and close what it leaves. From the thread that wakes it.
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
