/*
 * manager.h - the thread that has the zones: it reads them, hands them to the workers, takes signals and what mrg-dnsctl asks.
 *
 * It has a loop of its own, so that nothing that it does keeps a question waiting. What it hands out is a database; the old one is
 * freed when the last worker has taken up the new one.
 *
 * What it does not do: it answers no question (worker.h), and it binds nothing (serve.c).
 */
#ifndef MRG_DNS_MANAGER_H
#define MRG_DNS_MANAGER_H

#include "appliances/dns/control.h"
#include "appliances/dns/outward_kernel.h"
#include "appliances/dns/watchdog.h"
#include "appliances/dns/worker.h"
#include "appliances/dns/zone_keeper.h"

struct manager {
	struct settings *first;    /* those of the start */
	struct control *control;
	struct net *net; /* NULL: on kernel sockets */
	struct mrg_arena arena;
	struct mrg_unix_loop loop;
	struct mrg_unix_signals signals;
	struct ctl ctl;
	struct mrg_unix_listener listener;
	struct watchdog watchdog;
	struct outward *outward;
	struct outward_kernel kernel; /* this is one of the two: */
	struct relay_outward relayed; /* where there is a net */
	struct secondaries secondaries;
	struct tellings tellings;
	struct zone_keeper keeper;
	struct keeping keeping;
	uint64_t rest_until_ns;   /* before that they are not handed out again, unless somebody waits for it */
	struct mrg_rt_timer rest;
	bool stopping;
};

/*
 * manager_open - a loop that takes signals and, if socket is not negative, what comes on it.
 *   settings  those of the database
 *   control   has a database, which is the manager's from here on
 *   socket    listening; the manager's from here on
 * Fails:    a positive errno value.
 */
int manager_open(struct manager *m, struct settings *settings, struct control *control, struct net *net, int signal_fd,
	int socket);

/*
 * manager_run - serve until a signal ends it, then end the workers.
 */
enum outcome manager_run(struct manager *m);

/* A log line: what is served now.   took_ns   since it began to be read */
void manager_said(const char *event, const struct control *control, const struct database *db, uint64_t took_ns);

/* End all workers, once they have answered what was asked. */
void manager_stop(struct control *control);

/* Have the last frames written, if there are any.   net    NULL: there are none */
void manager_record(struct control *control, struct net *net);

/* Hand out the zones as they are now.   false: there is no memory; the next turn tries again */
bool manager_serve(struct manager *m);

#endif
