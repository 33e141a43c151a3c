/*
 * serve.h - the server itself: sockets, workers, reload, and the orderly end.
 *
 * What it does not do: it reads no zone (load.h) and makes no answer (protocols/dns).
 */
#ifndef MRG_DNS_SERVE_H
#define MRG_DNS_SERVE_H

#include "appliances/dns/load.h"

/*
 * serve - bind, load, drop privileges, answer until told to end.
 *   settings   those of the start: what can't change while it runs is as they say
 * Returns:  OUTCOME_OK after SIGTERM or SIGINT; anything else has been said.
 */
enum outcome serve(struct settings *settings);

#endif
