/*
 * echo.h - what the files of mrg-echo share.
 */
#ifndef MRG_ECHO_H
#define MRG_ECHO_H

#include "appliances/common/net.h"
#include "appliances/echo/services.h"

struct options {
	struct net_options net;
	struct mrg_rt_addr metrics; /* family 0: none */
	const char *user;           /* NULL: nobody, when root has started it */
	bool sandbox;
};

/*
 * options_read - false: *outcome is how the program ends, and what there was to say has been said.
 */
bool options_read(struct options *o, int argc, char *const argv[], enum outcome *outcome);

/* Serve until a signal ends it. */
enum outcome serve(const struct options *o);

/* ---- connections that datagrams ask for ---- */

enum { ATTEMPTS_MAX = 256 };

struct active;

struct attempt {
	struct mrg_tcpip_connect connect;
	struct mrg_stream_user user;
	struct active *all;
	bool under_way;
};

struct active {
	struct mrg_tcpip *stack;
	const struct streams *streams;
	struct attempt attempts[ATTEMPTS_MAX];
	uint64_t begun, failed;
};

void active_init(struct active *a, struct mrg_tcpip *stack, const struct streams *streams);

/* As datagram_control has it; ctx is the struct active. */
const char *active_connect(void *ctx, const struct mrg_rt_addr *to);

#endif
