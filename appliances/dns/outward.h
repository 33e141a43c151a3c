/*
 * outward.h - what the keeper of zones sends on its own, to primaries and secondaries: datagrams and the answers to them, at ports of its
 * own, and connections.
 *
 * Who provides it differs: sockets of the kernel's (outward_kernel.h), our own TCP/IP (outward_own.h), or that of another thread
 * (relay.h); the provider's structure begins with a struct outward.
 *
 * What it does not do: it does not know which answer belongs to what; nothing is sent again.
 */
#ifndef MRG_DNS_OUTWARD_H
#define MRG_DNS_OUTWARD_H

#include "mrg_rt.h"

enum {
	OUTWARD_OCTETS = 4096,  /* of an answer; what is longer is cut off, or not taken */
	OUTWARD_CONNECTS = 16   /* connections that are being made at once */
};

struct outward;

/*
 * A connection that is being made. The caller's; `user` and `failed` are set by it before, the rest is private. It stays in place until
 * user->open or failed was called, or outward_cancel.
 */
struct outward_connect {
	const struct mrg_stream_user *user; /* as a listener's; but `spare` is never called */
	void (*failed)(struct outward_connect *t, const char *why, uint64_t now_ns);
	void *attempt; /* the provider's */
};

struct outward_ops {
	/* What can't be sent is lost, as any datagram may be. */
	void (*send)(struct outward *o, const struct mrg_rt_addr *to, struct mrg_span message);
	/* NULL: it is being made, and exactly one of the two is called in a later turn. Else why it can't be; neither is called then. */
	const char *(*connect)(struct outward *o, struct outward_connect *t, const struct mrg_rt_addr *to);
	/* Give it up; nothing is called. Nothing happens when it is being made no more. */
	void (*cancel)(struct outward *o, struct outward_connect *t);
};

struct outward {
	const struct outward_ops *ops;
	void *ctx; /* set by the user, and: */
	/* Something came. It is good during the call. */
	void (*take)(void *ctx, const struct mrg_rt_addr *peer, struct mrg_span message, uint64_t now_ns);
};

static inline void outward_send(struct outward *o, const struct mrg_rt_addr *to, struct mrg_span message)
{
	o->ops->send(o, to, message);
}

static inline const char *outward_connect(
	struct outward *o, struct outward_connect *t, const struct mrg_rt_addr *to)
{
	return o->ops->connect(o, t, to);
}

static inline void outward_cancel(struct outward *o, struct outward_connect *t) { o->ops->cancel(o, t); }

/* outward_take_batch - as `batch` of a struct mrg_dgram_user whose ctx is the struct outward: all goes to `take`. */
void outward_take_batch(
	void *outward, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns);

#endif
