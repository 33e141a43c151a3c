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

#include <stdatomic.h>

#include "appliances/common/metrics.h"
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
};

struct worker {
	struct control *control;
	size_t listener_count;
	struct mrg_arena arena; /* that the worker itself lies in */
	struct mrg_unix_loop loop;
	struct mrg_http_server server;
	struct mrg_unix_listener *listeners; /* one for each address */
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

/*
 * worker_new - a worker in memory of its own, ready to run.
 *   sockets   listening, one for each address; the worker owns them from here on
 *   site      what it serves at first; likewise
 *   conns     connections at once
 * Fails:    a positive errno value.
 */
int worker_new(struct worker **out, struct control *control, const int *sockets, struct site *site,
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

#endif
