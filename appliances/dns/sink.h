/*
 * sink.h - where octets go that nobody may wait for: a file, a pipe, a socket. What it does not take now is kept, and what there is no room
 * to keep is left out, whole records each, and counted.
 *
 * What it does not do: it has no thread, and it makes no connection.
 */
#ifndef MRG_DNS_SINK_H
#define MRG_DNS_SINK_H

#include <stdatomic.h>

#include "mrg_rt.h"

struct sink {
	const char *option, *name; /* as they were given, for the log */
	int fd;                    /* below 0: there is nothing to write to now */
	uint8_t *p;
	size_t cap, len;
	size_t from; /* what is before it was taken */
	size_t kept; /* what is before it is wanted no more; not above from */
	bool failing; /* it has been said why */
	atomic_uint_least64_t lost; /* records; by its thread, others read it */
};

/* sink_init - nothing to write to yet.   Fails: false: the arena is too small. */
bool sink_init(struct sink *s, struct mrg_arena *arena, size_t cap, const char *option, const char *name);

/*
 * sink_open - a file of that name, "-": standard output; it is made if there is none.
 *   flags   O_APPEND or O_TRUNC
 * Fails:    what open says; ENXIO: it is a pipe that nobody reads, or a socket.
 */
int sink_open(const char *name, int flags, int *fd);

/* sink_moved - has somebody put another file, or none, in place of the one that is open? */
bool sink_moved(const struct sink *s);

/* sink_put - a record: whole, or it is lost and counted. */
void sink_put(struct sink *s, struct mrg_span record);

/* sink_lose - the same for a record that could not even be made. */
void sink_lose(struct sink *s);

/*
 * sink_flush - write as much as is taken without waiting.
 * Fails:    what write says; EAGAIN is no failure.   What was not written stays.
 */
int sink_flush(struct sink *s);

/* sink_forget - what is before `from` is wanted no more: the usual case. */
static inline void sink_forget(struct sink *s) { s->kept = s->from; }

static inline size_t sink_waiting(const struct sink *s) { return s->len - s->from; }

/* sink_said - say once that writing fails, err not 0, and once that it is well again. */
void sink_said(struct sink *s, int err);

#endif
