/*
 * faulty.h - a table of system calls that does what the kernel does, except where a test says otherwise.
 *
 * What it does not do: it is for tests of one thread.
 */
#ifndef MRG_TESTS_FAULTY_H
#define MRG_TESTS_FAULTY_H

#include "unix/mrg_unix.h"

/* For one system call: from the `skip`th call on, `count` calls fail with `err`; otherwise at most `most` is done (0: all). */
struct faulty {
	unsigned skip, count;
	int err;
	size_t most; /* bytes, messages */
	unsigned calls;
};

/* Is this call to fail? Then errno is set. */
bool faulty_fails(struct faulty *f);

struct faulty_all {
	struct faulty recvmmsg, sendmmsg, recv, sendmsg, sendfile, accept, connect, epoll_wait;
	int accepted; /* the descriptor of the last connection */
	bool more;    /* did the last sendmsg say that more follows? */
	unsigned waits;    /* for room in a socket */
	uint64_t longest_wait_ns; /* for events */
	uint64_t ahead_ns; /* the clock is this much ahead */
};

extern struct faulty_all faulty;
extern const struct mrg_unix_sys faulty_sys;

#endif
