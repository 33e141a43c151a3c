/*
 * pipe.h - a connection in memory: what the peer sends, in what pieces it comes and is taken, and what the peer got.
 *
 * It holds the server to the rules of mrg_rt.h: nothing is read, written or closed behind the close, nothing written behind the finish.
 *
 * Use:
 *	pipe_open(&p, in, len, &split, out, sizeof out);
 *	if (!server.user.open(server.user.ctx, &p.stream, now)) ...
 *	while (pipe_step(&p, &server.user, now)) ;
 */
#ifndef FUZZ_PIPE_H
#define FUZZ_PIPE_H

#include "mrg_fuzz.h"
#include "mrg_rt.h"

/* How a stream is cut into pieces. */
enum pipe_split {
	PIPE_WHOLE, /* all at once */
	PIPE_OCTETS, /* octet by octet */
	PIPE_PIECES, /* of sizes by chance */
	PIPE_SLOW, /* the same, and a peer that takes what it gets in pieces, too, or not now */
	PIPE_ROUGH, /* the same, and now and then the connection breaks */
};

struct pipe {
	struct mrg_stream stream;
	const uint8_t *in;
	size_t in_len, in_off, arrived;
	uint8_t *out;
	size_t out_len, out_cap;
	size_t room; /* octets that are taken now */
	enum pipe_split split;
	struct mrg_rng rng;
	bool silent; /* the peer does not end behind its last octet: set after pipe_open */
	unsigned want;
	bool finished, closed;
	bool broken; /* reads and writes say so */
	uint64_t calls; /* of the server, and by it */
	bool lost;          /* octets that there was no room for */
	const char *misuse; /* what the server may not do */
};

void pipe_open(struct pipe *p, const uint8_t *in, size_t len, enum pipe_split split, struct mrg_rng rng, uint8_t *out, size_t out_cap);

/*
 * pipe_step - let more come, or be taken, and tell of it.  Behind the last octet the peer says that it has ended.
 * False: the connection is closed, or nothing holds that is waited for.
 */
bool pipe_step(struct pipe *p, const struct mrg_stream_user *user, uint64_t now_ns);

/*
 * pipe_wait - let time pass, timer by timer, until the connection is closed.  False: it isn't, though nothing more happens.
 */
bool pipe_wait(struct pipe *p, struct mrg_rt_timers *timers, uint64_t *now_ns);

#endif
