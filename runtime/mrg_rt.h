/*
 * mrg_rt.h - the one interface between protocol code and the world: time, timers, datagrams, streams, links, files, memory, logs.
 *
 * References: RFC 768 and RFC 9293 name the two kinds of ends; nothing here depends on how they are provided.
 *
 * What it does not do: it opens nothing, and it knows no platform. A platform folder (unix/ over kernel sockets, others over
 * frames or inside a simulation) makes the ends and calls the protocol; the appliance joins the two. It starts no thread.
 *
 * Use:
 *	struct mrg_dgram_user udp = { .ctx = &server, .batch = answer_batch };
 *	struct mrg_rt_timers timers = { .top = NULL };
 *	mrg_rt_timer_set(&timers, &server.idle, now_ns + 10u * MRG_RT_SECOND_NS);
 *	wait_for_events_until(mrg_rt_timers_next(&timers));	(the platform's part)
 *	mrg_rt_timers_run(&timers, now_ns);
 *
 * Conventions:
 * - Time is monotonic nanoseconds, passed in as `now_ns` by the platform; protocol code never asks for it. It may stand still
 *   between two calls; if it goes back, timers simply wait longer.
 * - All calls of one set of ends come from one thread, one at a time; nothing here locks. A platform that runs several workers
 *   gives each its own ends, timers and arena.
 * - A handler may close any stream from any call, its own included.
 * - Functions named mrg_rt_ come from runtime/core and need no platform; the others are inline.
 * - Nothing blocks. What cannot be done at once says MRG_IO_AGAIN, and an event follows if it was asked for.
 *
 * Reading order: this file, core/ (what needs no platform), unix/mrg_unix.h.
 */
#ifndef MRG_RT_H
#define MRG_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mrg.h"

/* ---- time ---- */

#define MRG_RT_SECOND_NS UINT64_C(1000000000)
#define MRG_RT_NEVER UINT64_MAX

/* A timer: owned by whoever needs it, zero-initialised, linked in while it runs. Fields are private but for `fire`. */
struct mrg_rt_timer {
	uint64_t at_ns;
	struct mrg_rt_timer *child, *next,
		*prev; /* prev: the parent for a first child, else the left sibling */
	bool armed;
	void (*fire)(struct mrg_rt_timer *t,
		uint64_t now_ns); /* the timer is no longer armed when this is called */
};

/* The timers of one worker, earliest first (a pairing heap through the timers themselves). Zero-initialised. */
struct mrg_rt_timers {
	struct mrg_rt_timer *top;
	uint64_t floor_ns; /* during a run: nothing is set to an earlier time, so that each run ends */
};

/*
 * mrg_rt_timer_set - let `t` fire at the first run with now_ns >= at_ns; moves it if it is armed already.
 * Lifetime: t must stay in place until it fired or was cancelled.   Cost: O(1), or O(log n) amortised when it was armed.
 */
void mrg_rt_timer_set(struct mrg_rt_timers *q, struct mrg_rt_timer *t, uint64_t at_ns);

/*
 * mrg_rt_timer_cancel - disarm; nothing happens if it is not armed.   Cost: O(log n) amortised.
 */
void mrg_rt_timer_cancel(struct mrg_rt_timers *q, struct mrg_rt_timer *t);

/*
 * mrg_rt_timers_next - the next deadline, MRG_RT_NEVER when nothing is armed.   Cost: O(1).
 */
uint64_t mrg_rt_timers_next(const struct mrg_rt_timers *q);

/*
 * mrg_rt_timers_run - fire what is due at now_ns, earliest first.
 * What a handler sets fires in a later run, even when it is due at once, so a run ends whatever the handlers do.
 */
void mrg_rt_timers_run(struct mrg_rt_timers *q, uint64_t now_ns);

/* ---- memory ---- */

/* A bump allocator over memory that the platform gives; p never moves. Pages may come from the platform only when touched. */
struct mrg_arena {
	uint8_t *p;
	size_t len, cap; /* bytes handed out, bytes there are */
};

/*
 * mrg_arena_get - `size` bytes of zeroed memory at a multiple of `align` (a power of two, at most 4096).
 * Fails:    NULL when the arena is full; the arena is then unchanged.   Lifetime: as long as the arena.   Cost: O(1).
 */
static inline void *mrg_arena_get(struct mrg_arena *a, size_t size, size_t align)
{
	const size_t pad = (size_t)(0u - a->len) & (align - 1u);
	if (pad > a->cap - a->len || size > a->cap - a->len - pad)
		return NULL;
	void *const got = a->p + a->len + pad;
	a->len += pad + size;
	return got;
}

/* Blocks of one size, cut from an arena when first needed and kept for reuse; the last one returned is the next one given. */
struct mrg_rt_pool {
	struct mrg_arena *arena;
	size_t size; /* bytes of a block */
	size_t left; /* blocks that may still be cut */
	void *free;
};

void mrg_rt_pool_init(struct mrg_rt_pool *p, struct mrg_arena *a, size_t block_size, size_t block_count);
void *mrg_rt_pool_get(struct mrg_rt_pool *p); /* not zeroed; NULL when all are in use or the arena is full */
void mrg_rt_pool_put(struct mrg_rt_pool *p, void *block);

/*
 * Blocks of different sizes out of one area: powers of two, halved when smaller ones are needed and joined again when both halves
 * are free. At most half of a block is wasted, and the area is never left in pieces that no block of the largest size can be had of
 * when all are returned.
 */
struct mrg_rt_blocks {
	uint8_t *p, *state; /* the area; for each unit of it what begins there, see blocks.c */
	size_t cut, cap;    /* bytes of the area given out at some time, and in all */
	void *free[32];     /* by order */
	unsigned top;       /* the order of the largest block */
};

/*
 * mrg_rt_blocks_init - an area of `len` bytes, in whole blocks of the largest size, in the arena.
 *   block_max   bytes of the largest block, rounded up to a power of two; at most 2^31
 * Fails:    false when the arena is too small.
 */
bool mrg_rt_blocks_init(struct mrg_rt_blocks *b, struct mrg_arena *a, size_t len, size_t block_max);
size_t mrg_rt_blocks_memory(size_t len); /* bytes of the arena that this takes at most */

/*
 * mrg_rt_blocks_get - `size` bytes, not zeroed unless all were that were given back; mrg_rt_blocks_put - give them back, with the same size.
 * Fails:    NULL when there is no block of that size, or it is more than the largest.   Cost: O(log(block_max)).
 */
void *mrg_rt_blocks_get(struct mrg_rt_blocks *b, size_t size);
void mrg_rt_blocks_put(struct mrg_rt_blocks *b, void *p, size_t size);

/*
 * mrg_rt_blocks_trim - give back what is not needed of the end of a block.
 *   needed   bytes, at least 1 and at most size
 * Returns:  how many it has from now on, at least those; that is the size to give it back with.
 */
size_t mrg_rt_blocks_trim(struct mrg_rt_blocks *b, void *p, size_t size, size_t needed);

/* ---- addresses ---- */

enum { MRG_RT_ADDR_TEXT_MAX = 64 }; /* bytes of the longest text form, NUL included */

/* A transport address, only for people: logs, options, access rules. The data path never looks inside one. */
struct mrg_rt_addr {
	uint8_t ip[16]; /* the first 4 for IPv4; network order */
	uint32_t scope; /* IPv6 zone index, else 0 */
	uint16_t port;
	uint8_t family; /* 4, 6, or 0 when unknown */
};

/*
 * mrg_rt_addr_read - read `192.0.2.1:53`, `[2001:db8::1]:53`, `[fe80::1%2]:53`; without `:port` the default port is taken.
 *   out    written only when true is returned.
 */
bool mrg_rt_addr_read(const char *text, uint16_t default_port, struct mrg_rt_addr *out);

/*
 * mrg_rt_net_read - read `192.0.2.0/24` or `2001:db8::/32`, or one address; bits behind the prefix are not looked at.
 *   out, bits   written only when true is returned; the port is 0
 */
bool mrg_rt_net_read(const char *text, struct mrg_rt_addr *out, unsigned *bits);

/*
 * mrg_rt_addr_in - are the first `bits` of the address those of the network's? Ports and scopes are not looked at.
 */
bool mrg_rt_addr_in(const struct mrg_rt_addr *a, const struct mrg_rt_addr *net, unsigned bits);

/* mrg_rt_addr_octets - the 4 or 16 octets of an address.  Lifetime: a view of *a. */
struct mrg_span mrg_rt_addr_octets(const struct mrg_rt_addr *a);

/*
 * mrg_rt_addr_net - make an address that of its network: what is behind the prefix becomes 0; its port and scope stay.
 *   bits4, bits6   length of the prefix of an IPv4 and an IPv6 address, at most 32 and 128
 */
void mrg_rt_addr_net(struct mrg_rt_addr *a, unsigned bits4, unsigned bits6);

/*
 * mrg_rt_addr_same - whether two addresses are the same.
 */
bool mrg_rt_addr_same(const struct mrg_rt_addr *a, const struct mrg_rt_addr *b);

/*
 * mrg_rt_addr_str - the text form (RFC 5952 4 and 6), NUL-terminated; returns out.
 */
const char *mrg_rt_addr_str(const struct mrg_rt_addr *a, char out[MRG_RT_ADDR_TEXT_MAX]);

/*
 * mrg_rt_addr_host_str - the same without port and brackets.
 */
const char *mrg_rt_addr_host_str(const struct mrg_rt_addr *a, char out[MRG_RT_ADDR_TEXT_MAX]);

/* ---- what becomes of things ---- */

/* What became of an operation on an end. */
enum mrg_io {
	MRG_IO_OK,    /* done, at least in part: the count says how much */
	MRG_IO_AGAIN, /* not now; an event tells when */
	MRG_IO_EOF,   /* the peer has finished sending; sending to it may go on */
	MRG_IO_RESET  /* the connection is gone, whatever the reason: only close is left */
};

/* ---- files ---- */

#define MRG_RT_NO_TIME INT64_MIN

/*
 * An open file of a tree; the tree's own structure begins with it. All who have it open at the same time may be given the same one.
 * What it says stays as it is while the file is open, whatever happens to the file in the tree meanwhile.
 */
struct mrg_rt_file {
	uint64_t size;      /* bytes */
	int64_t modified_s; /* when the content was last changed, seconds since 1970; MRG_RT_NO_TIME when that is not known */
	uint64_t version;   /* another one when the content is another, the same after a restart: what entity tags are made of */
	const uint8_t *p;   /* the whole content where it is in memory, never NULL then; else NULL: see mrg_stream_send_file */
	/*
	 * Where the content is not in memory: up to cap bytes from `offset` on, as mrg_stream_send_file has it; for streams of another
	 * platform than the tree's. NULL: there is none.
	 */
	enum mrg_io (*read)(const struct mrg_rt_file *f, uint64_t offset, uint8_t *p, size_t cap, size_t *got);
	struct mrg_w *note; /* room for what whoever serves the file would make up again each time; empty with new content. NULL: none */
};

enum mrg_rt_found {
	MRG_RT_FILE,      /* an open file */
	MRG_RT_FOLDER,    /* something that has files below it */
	MRG_RT_NOTHING,   /* no such file or folder, or none that is shown */
	MRG_RT_FORBIDDEN, /* there, but it may not be read, or is neither file nor folder */
	MRG_RT_BUSY       /* out of descriptors or memory, or the medium failed: may succeed later */
};

struct mrg_rt_tree;

struct mrg_rt_tree_ops {
	/*
	 * Look up `path`: names joined by `/`, octets as they are, without escapes; empty for the root. What mrg_rt_path_ok refuses is
	 * MRG_RT_NOTHING. now_ns: for trees that believe for a while what they saw. *out is written only with MRG_RT_FILE.
	 */
	enum mrg_rt_found (*open)(
		struct mrg_rt_tree *t, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out);
	/* Once for each open that gave the file, which is invalid after that. */
	void (*close)(struct mrg_rt_tree *t, struct mrg_rt_file *f);
};

/* Folders and files to read, below one root; the provider's own structure begins with it. Nothing outside the root is reached. */
struct mrg_rt_tree {
	const struct mrg_rt_tree_ops *ops;
};

static inline enum mrg_rt_found mrg_rt_tree_open(
	struct mrg_rt_tree *t, struct mrg_span path, uint64_t now_ns, struct mrg_rt_file **out)
{
	return t->ops->open(t, path, now_ns, out);
}

static inline void mrg_rt_tree_close(struct mrg_rt_tree *t, struct mrg_rt_file *f) { t->ops->close(t, f); }

/*
 * mrg_rt_path_ok - is this a path of a tree: empty, or names joined by single `/`, no name `.` or `..`, no NUL?
 * Cost:     one pass over the path.
 */
bool mrg_rt_path_ok(struct mrg_span path);

/* ---- ends ---- */

/* One datagram of a batch: the question, and room for the reply to its sender. */
struct mrg_dgram {
	struct mrg_span in; /* received; valid during the call */
	uint8_t *out;
	size_t out_cap; /* bytes of room at out */
	size_t out_len; /* bytes to send back; the platform sets 0, the handler a length, and 0 sends nothing */
};

struct mrg_dgram_end;

struct mrg_dgram_ops {
	/* The sender of datagram `index` of the batch being handled. */
	void (*peer)(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out);
	/* The address that it was sent to, for who answers later; family 0: one of many, or the only one of this end. */
	void (*asked)(struct mrg_dgram_end *e, size_t index, struct mrg_rt_addr *out);
	/*
	 * Send one datagram that is no reply in a batch.
	 *   from   the address that it is to leave by, whatever its port; NULL, or of family 0: any that leads there
	 * MRG_IO_OK, MRG_IO_AGAIN (not sent), or MRG_IO_RESET (cannot be sent there).
	 */
	enum mrg_io (*send)(struct mrg_dgram_end *e, const struct mrg_rt_addr *from, const struct mrg_rt_addr *to,
		struct mrg_span bytes);
};

/* A datagram end; the platform's own structure begins with it. */
struct mrg_dgram_end {
	const struct mrg_dgram_ops *ops;
};

/* Who handles a datagram end. `batch` gets `count` >= 1 datagrams in order of arrival and fills in the replies in place. */
struct mrg_dgram_user {
	void *ctx;
	void (*batch)(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns);
};

enum mrg_stream_event {
	MRG_STREAM_READABLE = 1, /* read gives bytes, the end, or the reset */
	MRG_STREAM_WRITABLE = 2  /* write takes at least one byte, or says reset */
};

struct mrg_stream;

struct mrg_stream_ops {
	/* Up to cap bytes into p. MRG_IO_OK: *got >= 1. Fewer than cap does not mean that no more are there. */
	enum mrg_io (*read)(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got);
	/*
	 * Takes bytes from the front of the parts, in order. MRG_IO_OK: *done >= 1, perhaps not all. The bytes are copied.
	 * more: the next bytes follow in this same event, so that a last packet that is not full may wait for them.
	 */
	enum mrg_io (*write)(
		struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done);
	/* As mrg_stream_send_file, for an open file of this platform's tree that is not in memory. NULL where there are none. */
	enum mrg_io (*send_file)(
		struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done);
	/* Which events to hear of from now on (a set of enum mrg_stream_event); each is repeated while it holds. */
	void (*want)(struct mrg_stream *s, unsigned events);
	/* No more bytes will be written: the peer reads the end after those already taken. */
	void (*finish)(struct mrg_stream *s);
	/* Over: s is invalid after the call and no event follows. Bytes already taken are still delivered if the peer lives. */
	void (*close)(struct mrg_stream *s);
	void (*peer)(struct mrg_stream *s, struct mrg_rt_addr *out);
};

/* A connection; the platform's own structure begins with it. `conn` belongs to the handler. */
struct mrg_stream {
	const struct mrg_stream_ops *ops;
	void *conn;
};

/* Who handles the connections of a listener. */
struct mrg_stream_user {
	void *ctx;
	/* A new connection, wanting nothing yet. false refuses it: the platform closes it. */
	bool (*open)(void *ctx, struct mrg_stream *s, uint64_t now_ns);
	/* Something wanted came about. A connection that breaks is reported as readable and writable, wanted or not. */
	void (*ready)(void *ctx, struct mrg_stream *s, unsigned events, uint64_t now_ns);
	/* The platform is out of connections: close one that can be spared. false when there is none. */
	bool (*spare)(void *ctx, uint64_t now_ns);
};

static inline enum mrg_io mrg_stream_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	return s->ops->read(s, p, cap, got);
}

static inline enum mrg_io mrg_stream_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	return s->ops->write(s, parts, count, more, done);
}

/*
 * mrg_stream_send_file - write bytes of an open file, from `offset` on and at most `len` >= 1 of them.
 *   f      of any tree when its content is in memory; else of the tree of the platform that the stream comes from
 *   done   bytes taken, at least 1; written only on MRG_IO_OK
 * Fails:    MRG_IO_AGAIN as write does; MRG_IO_EOF: the file ends at or before `offset`, so it has become shorter if it did not when it
 *           was opened; MRG_IO_RESET: the connection is gone, or the file cannot be read.
 */
static inline enum mrg_io mrg_stream_send_file(
	struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done)
{
	if (f->p == NULL)
		return s->ops->send_file(s, f, offset, len, done);
	if (offset >= f->size)
		return MRG_IO_EOF;
	const uint64_t left = f->size - offset;
	const struct mrg_span part = { f->p + (size_t)offset, (size_t)(len < left ? len : left) };
	return s->ops->write(s, &part, 1, false, done);
}

static inline void mrg_stream_want(struct mrg_stream *s, unsigned events) { s->ops->want(s, events); }

static inline void mrg_stream_finish(struct mrg_stream *s) { s->ops->finish(s); }

static inline void mrg_stream_close(struct mrg_stream *s) { s->ops->close(s); }

static inline void mrg_stream_peer(struct mrg_stream *s, struct mrg_rt_addr *out) { s->ops->peer(s, out); }

/* ---- links ---- */

/* How a frame that is too long for the link is cut into segments. */
enum mrg_frame_cut { MRG_FRAME_WHOLE, MRG_FRAME_TCP4, MRG_FRAME_TCP6 };

/* What is left to be done with a frame that is sent, or was done with one that came.  All zero: nothing. */
struct mrg_frame_work {
	uint16_t sum_from; /* sent: the Internet checksum from this byte of the frame to its end... */
	uint16_t sum_at;   /* ...is to be put here, where the sum of the pseudo-header is meanwhile; 0: it is there already.
	                      Received: likewise, for whoever passes the frame on; its bytes never left this machine then */
	uint8_t cut;       /* sent: enum mrg_frame_cut; received: segments were joined, and this says of which kind */
	bool sum_ok;       /* received: the checksum of the transport protocol was checked, or its bytes never left this machine */
	uint16_t segment_len; /* payload bytes of each segment but the last; 0 unless `cut` says that there are some */
	uint16_t header_len;  /* sent and to be cut: bytes of the frame before the payload */
};

/* A frame that came, from its Ethernet header on. It may be written to, so that an answer can be made in place. */
struct mrg_frame {
	uint8_t *p;
	size_t len;
	size_t cap; /* bytes that may be written to at p, at least len */
	struct mrg_frame_work work;
};

struct mrg_link;

struct mrg_link_ops {
	/*
	 * Send one frame, the parts in order; their bytes may go when this returns. MRG_IO_AGAIN: it is lost, since there is no room now.
	 * MRG_IO_RESET: it is lost, and the next one will be. work may be NULL: nothing is to be done.
	 */
	enum mrg_io (*send)(struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work);
};

/* Who gets the frames of a link, `count` >= 1 at a time in order of arrival; their bytes are good during the call. */
struct mrg_link_user {
	void *ctx;
	void (*frames)(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns);
};

/* An Ethernet; the platform's own structure begins with it. */
struct mrg_link {
	const struct mrg_link_ops *ops;
	struct mrg_link_user user; /* set by whoever takes the link into use; `frames` may be NULL before */
	uint8_t address[6];        /* its own */
	uint16_t mtu;              /* bytes of a frame behind the Ethernet header */
	bool sums;                 /* it can do what `sum_from` asks for */
	uint32_t cut_max;          /* bytes of the longest frame that it cuts; 0: it cuts none */
};

static inline enum mrg_io mrg_link_send(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	return l->ops->send(l, parts, count, work);
}

/* ---- logs ---- */

enum { MRG_RT_LINE_MAX = 2048 }; /* bytes of a log line, newline included: room for a name with every octet escaped */

/*
 * A log line of key=value fields. A value with anything but visible ASCII in it, or with `"`, `\` or `=`, is quoted, with the
 * escapes \" \\ \n \t \xHH. What does not fit is left out from the first field that is too long, and the line ends in ` cut=1`.
 */
struct mrg_rt_line {
	char b[MRG_RT_LINE_MAX];
	size_t len;
	bool cut;
};

/* Where finished lines go. */
struct mrg_rt_log {
	void *ctx;
	void (*line)(void *ctx, struct mrg_span line); /* one whole line, newline included */
};

void mrg_rt_line_begin(
	struct mrg_rt_line *l, const char *level, const char *event); /* `level=info event=ready` */
void mrg_rt_line_str(struct mrg_rt_line *l, const char *key, const char *value);
void mrg_rt_line_span(struct mrg_rt_line *l, const char *key, struct mrg_span value);
void mrg_rt_line_num(struct mrg_rt_line *l, const char *key, uint64_t value);
void mrg_rt_line_addr(struct mrg_rt_line *l, const char *key, const struct mrg_rt_addr *value);

/*
 * mrg_rt_line_end - finish the line; the span holds it with its newline and borrows l.
 */
struct mrg_span mrg_rt_line_end(struct mrg_rt_line *l);

static inline void mrg_rt_log_line(const struct mrg_rt_log *log, struct mrg_rt_line *l)
{
	log->line(log->ctx, mrg_rt_line_end(l));
}

enum { MRG_RT_TIME_TEXT = sizeof "2025-01-31T23:59:59Z" };

/*
 * mrg_rt_time_str - seconds since 1970 as RFC 3339 has it, NUL-terminated; returns out. Years up to 9999.
 */
const char *mrg_rt_time_str(uint64_t unix_s, char out[MRG_RT_TIME_TEXT]);

/* ---- digests and hashes ---- */

/*
 * mrg_rt_sha1 - SHA-1 of len bytes (RFC 3174; NSEC3 hashes, RFC 5155 11).   p may be NULL when len is 0.
 */
void mrg_rt_sha1(const void *p, size_t len, uint8_t out[20]);

/* SHA-2 (RFC 6234), as far as something here needs it. */
enum mrg_rt_sha2 { MRG_RT_SHA256, MRG_RT_SHA384, MRG_RT_SHA512 };

enum { MRG_RT_SHA2_MAX = 64 }; /* bytes of the longest digest */

/* A digest on its way.  Private but for its size; a copy goes its own way from there on. */
struct mrg_rt_digest {
	enum mrg_rt_sha2 kind;
	uint64_t state[27];
};

/*
 * mrg_rt_sha2_size - bytes of a digest.   mrg_rt_digest_begin, _add, _end - digest the bytes of any number of spans.
 *   out    takes mrg_rt_sha2_size bytes; d is used up
 */
size_t mrg_rt_sha2_size(enum mrg_rt_sha2 kind);
void mrg_rt_digest_begin(struct mrg_rt_digest *d, enum mrg_rt_sha2 kind);
void mrg_rt_digest_add(struct mrg_rt_digest *d, struct mrg_span bytes);
void mrg_rt_digest_end(struct mrg_rt_digest *d, uint8_t *out);

/* A keyed digest (HMAC, RFC 2104) on its way; likewise. */
struct mrg_rt_hmac {
	struct mrg_rt_digest inner, outer;
};

/*
 * mrg_rt_hmac_begin, _add, _end - the same with a key of any length.
 */
void mrg_rt_hmac_begin(struct mrg_rt_hmac *h, enum mrg_rt_sha2 kind, struct mrg_span key);
void mrg_rt_hmac_add(struct mrg_rt_hmac *h, struct mrg_span bytes);
void mrg_rt_hmac_end(struct mrg_rt_hmac *h, uint8_t *out);

/*
 * mrg_rt_same_secret - whether two runs of len bytes are equal.
 * Cost:     one pass whatever the bytes are: how long it takes tells nobody where they begin to differ.
 */
bool mrg_rt_same_secret(const void *a, const void *b, size_t len);

/*
 * mrg_rt_hash - SipHash-2-4 of the bytes: with a key that nobody else knows, nobody can choose bytes that fall into one bucket.
 * Cost:     one pass.
 */
uint64_t mrg_rt_hash(const uint64_t key[2], struct mrg_span bytes);

#endif
