/*
 * mrg_unix.h - the Linux process platform: kernel sockets behind the ends of mrg_rt.h, memory, files, users, signals, threads.
 *
 * References: RFC 768, RFC 9293, RFC 3542 (IPV6_PKTINFO); socket(7), ip(7), ipv6(7), epoll(7), recvmmsg(2).
 *
 * What it does not do: name resolution, TLS, protocol logic. One loop is one thread's; loops share nothing.
 *
 * Use:
 *	struct mrg_unix_loop loop;
 *	struct mrg_unix_udp udp;
 *	if (mrg_unix_udp_bind(&address, false, &fd) != 0) ...
 *	mrg_unix_loop_init(&loop, &mrg_unix_kernel, &arena, &limits);
 *	mrg_unix_udp_init(&udp, &loop, fd, &address, &user);
 *	mrg_unix_loop_run(&loop, &turn);
 *
 * Functions that return `int` give 0 or a positive errno value. Reading order: loop, udp, tcp, then the rest in any order.
 */
#ifndef MRG_UNIX_H
#define MRG_UNIX_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "mrg_rt.h"

/* ---- system calls of the loop, in a table so that tests can let each of them fail ---- */

struct mrg_unix_sys {
	int (*recvmmsg)(int fd, struct mmsghdr *msgs, unsigned count, int flags, struct timespec *timeout);
	int (*sendmmsg)(int fd, struct mmsghdr *msgs, unsigned count, int flags);
	ssize_t (*recv)(int fd, void *p, size_t cap, int flags);
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
	ssize_t (*sendfile)(int fd, int from_fd, off_t *offset, size_t len);
	int (*accept4)(int fd, struct sockaddr *from, socklen_t *from_len, int flags);
	int (*connect)(int fd, const struct sockaddr *to, socklen_t to_len);
	int (*epoll_wait)(int fd, struct epoll_event *events, int count, uint64_t wait_ns); /* MRG_RT_NEVER: until something comes */
	int (*wait_writable)(int fd, int timeout_ms);
	uint64_t (*now_ns)(void);
};

extern const struct mrg_unix_sys mrg_unix_kernel;

/* ---- loop ---- */

struct mrg_unix_loop;

/* Something the loop waits for; `ready` gets the epoll events. For platforms that add a device to the loop. */
struct mrg_unix_watch {
	void (*ready)(struct mrg_unix_watch *w, struct mrg_unix_loop *loop, uint32_t events);
	int fd; /* -1 once closed: events still in hand are then passed over */
};

/*
 * mrg_unix_watch_set - epoll_ctl with the watch as its data; the watch stays in place while its descriptor is open.
 */
int mrg_unix_watch_set(struct mrg_unix_loop *l, struct mrg_unix_watch *w, int op, uint32_t events);

struct mrg_unix_limits {
	uint32_t conn_count;    /* connections at once */
	uint32_t dgram_in_max;  /* bytes of a datagram that are read; longer ones are cut */
	uint32_t dgram_out_max; /* bytes of room for a reply */
};

enum { MRG_UNIX_BATCH = 64 }; /* datagrams in one system call */

/* Called before each wait: the place to take up what changed; false ends the loop. */
struct mrg_unix_turn {
	void *ctx;
	bool (*turn)(void *ctx, uint64_t now_ns);
};

struct mrg_unix_counts {
	uint64_t dgram_in, dgram_out, dgram_lost; /* received, sent, replies that the kernel did not take */
	uint64_t conn_open, conn_refused;
};

enum { MRG_UNIX_TURN_BOUNDS = 5 };
extern const uint64_t mrg_unix_turn_bound_ns[MRG_UNIX_TURN_BOUNDS]; /* rising */

/*
 * How long the turns of a loop took, each from when it knew what is ready to when it waited again: what became ready meanwhile had to wait
 * as long at most. One thread counts, any may look.
 */
struct mrg_unix_turns {
	atomic_uint_least64_t count[MRG_UNIX_TURN_BOUNDS + 1]; /* not above a bound, but above the one before; above all */
	atomic_uint_least64_t sum_ns;
};

struct mrg_unix_loop {
	const struct mrg_unix_sys *sys;
	struct mrg_rt_timers timers;
	uint64_t now_ns; /* read once a turn */
	struct mrg_unix_counts counts;
	struct mrg_unix_turns turns;
	/* private */
	int epoll_fd;
	struct mrg_unix_watch wake;
	struct mrg_dgram batch[MRG_UNIX_BATCH]; /* the buffers are shared by all UDP ends of the loop */
	uint8_t *ins;
	size_t in_stride, dgram_in_max;
	struct mrg_rt_pool conns;
	struct mrg_unix_conn
		*closed_conns; /* free from the next turn on: events in hand may still name them */
};

/*
 * mrg_unix_loop_memory - bytes of arena that a loop takes, without its UDP ends.
 */
size_t mrg_unix_loop_memory(const struct mrg_unix_limits *limits);

/*
 * mrg_unix_loop_init - an empty loop with its buffers and connection slots in `arena`.
 * Fails:    ENOMEM when the arena is too small, else what epoll_create1 and eventfd say.
 */
int mrg_unix_loop_init(struct mrg_unix_loop *l, const struct mrg_unix_sys *sys, struct mrg_arena *arena,
	const struct mrg_unix_limits *limits);

/*
 * mrg_unix_loop_run - wait for events and serve them until `turn` says false.   Fails: what epoll_wait says.
 */
int mrg_unix_loop_run(struct mrg_unix_loop *l, const struct mrg_unix_turn *turn);

/*
 * mrg_unix_loop_wake - let a waiting loop take a turn. From any thread.
 */
void mrg_unix_loop_wake(struct mrg_unix_loop *l);

void mrg_unix_loop_close(struct mrg_unix_loop *l);

uint64_t mrg_unix_now_ns(void); /* CLOCK_MONOTONIC */
uint64_t mrg_unix_time_s(void); /* seconds since 1970, in steps of some milliseconds */
uint64_t mrg_unix_time_ns(void); /* nanoseconds since 1970 */

/* ---- UDP ---- */

/* A UDP end on one socket. The message headers are laid out once, by init. */
struct mrg_unix_udp {
	struct mrg_dgram_end end;
	struct mrg_unix_watch watch;
	struct mrg_unix_loop *loop;
	const struct mrg_dgram_user *user;
	struct mrg_unix_udp_slots *slots;
};

/*
 * mrg_unix_udp_bind, mrg_unix_tcp_listen - a bound (and listening) non-blocking socket.
 *   shared   several workers bind this address: SO_REUSEPORT. The first of them must call mrg_unix_addr_free before.
 *   out      the socket, written only on 0
 * A port 0 in `a` is replaced by the port that the kernel chose.   Fails: what socket, bind and listen say.
 */
int mrg_unix_udp_bind(struct mrg_rt_addr *a, bool shared, int *out);
int mrg_unix_tcp_listen(struct mrg_rt_addr *a, bool shared, int *out);

/*
 * mrg_unix_local_listen - a listening non-blocking socket of that name in the file system, for this user and group only (unix(7)).
 * What is left there of a process that has ended is written over.
 * Fails:    EADDRINUSE when somebody listens there; ENAMETOOLONG; what socket, bind and listen say.
 * Streams of it have no peer address: family 0.
 */
int mrg_unix_local_listen(const char *name, int *out);

enum { MRG_UNIX_LOCAL_NAME_MAX = 107 /* octets of such a name */ };

/* mrg_unix_local_connect - a blocking connection to such a socket.   Fails: likewise. */
int mrg_unix_local_connect(const char *name, int *out);

/* mrg_unix_local_connect_now - a non-blocking one, at once.   Fails: likewise; EAGAIN when too many wait there. */
int mrg_unix_local_connect_now(const char *name, int *out);

/*
 * mrg_unix_local_pair - two non-blocking sockets that are connected with each other, for two loops of one process.   Fails: what
 * socketpair says.
 */
int mrg_unix_local_pair(int out[2]);

/*
 * mrg_unix_addr_free - 0 when nobody else holds the address. With SO_REUSEPORT a second server of the same user would bind
 * without a word and take a share of the questions: this asks without that option.   Fails: EADDRINUSE and what bind says.
 *   kind     SOCK_DGRAM or SOCK_STREAM
 */
int mrg_unix_addr_free(const struct mrg_rt_addr *a, int kind);

/*
 * mrg_unix_udp_init - serve the socket fd, bound to `bound`, in the loop; the loop owns fd from here on.
 * Replies leave from the address that was asked, also when the socket is bound to the wildcard address.
 */
int mrg_unix_udp_init(struct mrg_unix_udp *u, struct mrg_unix_loop *l, struct mrg_arena *arena, int fd,
	const struct mrg_rt_addr *bound, const struct mrg_dgram_user *user);

/*
 * mrg_unix_udp_close - answer what has arrived (a bounded number of batches), then close.
 */
void mrg_unix_udp_close(struct mrg_unix_udp *u);

/* ---- TCP ---- */

/*
 * An open file that streams send from its descriptor when its content is not in memory. sendfile(2) cannot be told to raise no
 * SIGPIPE, so a process that sends files ignores it, as mrg_unix_signals_open sees to.
 */
struct mrg_unix_file {
	struct mrg_rt_file file;
	int fd;
};

struct mrg_unix_listener {
	struct mrg_unix_watch watch;
	const struct mrg_stream_user *user;
	struct mrg_unix_loop *loop;
	struct mrg_rt_timer retry; /* armed while the listener rests because files or connections ran out */
};

int mrg_unix_listener_init(
	struct mrg_unix_listener *t, struct mrg_unix_loop *l, int fd, const struct mrg_stream_user *user);
void mrg_unix_listener_close(struct mrg_unix_listener *t);

/* mrg_unix_listener_drain - take the connections that wait, which closing would reset; then close. */
void mrg_unix_listener_drain(struct mrg_unix_listener *t);

/*
 * A connection that is being made.  The caller's; `user` and `failed` are set by it before mrg_unix_connect, the rest is private. It stays
 * in place until the attempt is over: user->open or failed was called, or mrg_unix_connect_cancel.
 */
struct mrg_unix_connect {
	const struct mrg_stream_user *user; /* as a listener's; but `spare` is never called */
	void (*failed)(struct mrg_unix_connect *t, int err, uint64_t now_ns); /* a positive errno value */
	/* private */
	struct mrg_unix_conn *conn; /* NULL: no attempt */
};

/*
 * mrg_unix_connect - begin to make a TCP connection; never blocks.
 *   to    the address, port included; may go after the call
 * When it stands, user->open gets the stream in a later turn of the loop, as from a listener: false refuses it. Otherwise `failed` is called
 * with what the kernel says, ECONNREFUSED, ENETUNREACH, ETIMEDOUT. The kernel's patience is minutes: a shorter limit is the caller's, by
 * a timer and mrg_unix_connect_cancel. Exactly one of the two is called, once, and both may begin another attempt with the same structure.
 * Fails:    ENOBUFS when all connection slots of the loop are taken, else what socket, setsockopt and connect say at once. Neither of the
 *           two is called then.
 * Lifetime: the stream is as one that was accepted, and takes a slot of the loop from this call on.
 */
int mrg_unix_connect(struct mrg_unix_connect *t, struct mrg_unix_loop *l, const struct mrg_rt_addr *to);

/*
 * mrg_unix_connect_cancel - give the attempt up; nothing is called. Nothing happens when there is none.
 */
void mrg_unix_connect_cancel(struct mrg_unix_connect *t);

/*
 * mrg_unix_conn_begin - serve a socket that is connected already, as one that was accepted: user->open gets the stream in this call, and
 * may refuse it. Its peer has no address: family 0.
 *   fd    non-blocking; the loop's from here on
 * Fails:    ENOBUFS when all connection slots of the loop are taken; fd stays the caller's then.
 */
int mrg_unix_conn_begin(struct mrg_unix_loop *l, int fd, const struct mrg_stream_user *user);

/* ---- memory ---- */

/*
 * mrg_unix_arena_open - reserve `reserve` bytes of address space, in whole pages, halving it down to `least` when the system grants no more.
 * Pages are taken on first touch, small ones.   Fails: ENOMEM.
 */
int mrg_unix_arena_open(struct mrg_arena *a, size_t reserve, size_t least);

/*
 * mrg_unix_arena_expect - this much of the arena will be handed out in all: ask for huge pages for what is not yet, so that there
 * are fewer misses in a big arena.  Only whole ones below `len`: more memory is taken for them than for small pages only if less is
 * handed out in the end.
 */
void mrg_unix_arena_expect(const struct mrg_arena *a, size_t len);
void mrg_unix_arena_close(struct mrg_arena *a);

/*
 * mrg_unix_arena_trim - give back the pages above what is handed out; they read as zero again.
 */
void mrg_unix_arena_trim(struct mrg_arena *a);

/* ---- files ---- */

/* The text of a file in memory of its own, followed by a NUL that is not counted. */
struct mrg_unix_text {
	uint8_t *p;
	size_t len;
	size_t mapped; /* private */
};

/*
 * mrg_unix_text_read - read the whole file.   Fails: what open, read and mmap say; EISDIR; EFBIG.
 * The bytes are a copy: a file that shrinks under a mapping would end the process.
 */
int mrg_unix_text_read(struct mrg_unix_text *t, const char *path);

void mrg_unix_text_close(struct mrg_unix_text *t);

/* A file that is read a piece at a time, whole lines each, into memory of its own.  Private. */
struct mrg_unix_lines {
	uint8_t *p;
	size_t size;               /* bytes of the file when it was opened; 0: not known, as for a pipe */
	size_t mapped, len, given; /* bytes: of the mapping, read into it, handed out */
	int fd;                    /* -1: the file has ended */
	uint8_t under;             /* the byte that the NUL behind what is handed out stands for */
};

/*
 * mrg_unix_lines_open - open the file; nothing is read yet.   Fails: what open, fstat and mmap say; EISDIR; EFBIG.
 * Address space is taken for the whole file, memory for little more than what is handed out at a time.
 */
int mrg_unix_lines_open(struct mrg_unix_lines *l, const char *path);

/*
 * mrg_unix_lines_more - read on, at least to the next line feed, or to the end of the file.
 *   text   in: the end of what was handed out before, from the first byte that is still needed; empty at first.
 *          out: the same bytes and what follows them, a NUL behind; unchanged at the end of the file.
 *   stay   what was handed out before keeps its place
 * Fails:    what read says; EFBIG: the file has grown, and nothing may move to make room.   *text has the same bytes then.
 * Lifetime: *text is good until the next call or close.
 */
int mrg_unix_lines_more(struct mrg_unix_lines *l, struct mrg_span *text, bool stay);
void mrg_unix_lines_close(struct mrg_unix_lines *l);

/*
 * mrg_unix_file_len - bytes of a file by its directory entry; 0 when that is not known.
 */
size_t mrg_unix_file_len(const char *path);

/* ---- users ---- */

struct mrg_unix_user {
	uid_t uid;
	gid_t gid;
};

/*
 * mrg_unix_user_find - a name from /etc/passwd, or `UID` or `UID:GID` in decimal.   Fails: ENOENT when there is no such user.
 */
int mrg_unix_user_find(const char *name, struct mrg_unix_user *out);

/*
 * mrg_unix_user_become - give up the present user, groups and capabilities for good. Before any thread is started.
 */
int mrg_unix_user_become(const struct mrg_unix_user *u);

/* ---- signals ---- */

enum mrg_unix_signal { MRG_UNIX_STOP, MRG_UNIX_RELOAD, MRG_UNIX_RECORD };

/*
 * mrg_unix_signals_open - from now on SIGTERM and SIGINT, SIGHUP, and SIGUSR2 are only read; SIGPIPE is ignored. Before any thread.
 */
int mrg_unix_signals_open(int *fd);

/*
 * mrg_unix_signals_wait - block until one comes.
 */
int mrg_unix_signals_wait(int fd, enum mrg_unix_signal *out);

/* Signals that a loop takes, beside everything else that it does. */
struct mrg_unix_signals {
	struct mrg_unix_watch watch;
	void *ctx;
	void (*take)(void *ctx, enum mrg_unix_signal signal);
};

/*
 * mrg_unix_signals_serve - from the loop's turns on, `take` gets the signals of a descriptor of mrg_unix_signals_open. ctx and take are set
 * before; *s stays in place.   Fails: what epoll_ctl says.
 */
int mrg_unix_signals_serve(struct mrg_unix_signals *s, struct mrg_unix_loop *l, int fd);

/*
 * mrg_unix_signals_stop - has a MRG_UNIX_STOP come that was not read yet? For long work between two waits.
 */
bool mrg_unix_signals_stop(void);

/* ---- threads ---- */

struct mrg_unix_thread {
	pthread_t id;
	void (*run)(void *ctx);
	void *ctx;
};

int mrg_unix_thread_start(struct mrg_unix_thread *t, void (*run)(void *ctx), void *ctx);
void mrg_unix_thread_join(struct mrg_unix_thread *t);

/* A bell that one thread waits for and others ring. Rings are not lost, but several may be heard as one. */
struct mrg_unix_bell {
	int fd;
};

int mrg_unix_bell_open(struct mrg_unix_bell *b);
void mrg_unix_bell_ring(struct mrg_unix_bell *b);
void mrg_unix_bell_wait(struct mrg_unix_bell *b);
void mrg_unix_bell_close(struct mrg_unix_bell *b);

/* ---- service managers ---- */

/*
 * mrg_unix_notify - tell the service manager, if there is one: "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1", "WATCHDOG=1"
 * (sd_notify(3)).   Fails: what socket and sendto say; EINVAL when $NOTIFY_SOCKET is no name of a socket.
 */
int mrg_unix_notify(const char *state);

/*
 * mrg_unix_watchdog_ns - nanoseconds within which the service manager wants to hear "WATCHDOG=1" each time; 0: it does not
 * (sd_watchdog_enabled(3)).
 */
uint64_t mrg_unix_watchdog_ns(void);

/* ---- the rest ---- */

/*
 * mrg_unix_read, mrg_unix_write - as read(2) and write(2), but by readv and writev: frames need these two, and a process that has locked
 * itself in (mrg_unix_sandbox.h) has no others then.
 */
ssize_t mrg_unix_read(int fd, void *p, size_t cap);
ssize_t mrg_unix_write(int fd, const void *p, size_t len);

/* mrg_unix_memory - bytes of memory that the process holds; 0: that is not known, as in a sandbox. */
size_t mrg_unix_memory(void);

/* Lines to a file descriptor, each with one write. `ctx` of the log points to the descriptor. */
void mrg_unix_log_line(void *ctx, struct mrg_span line);

/*
 * mrg_unix_files_begin - make sure that descriptors 0, 1 and 2 are taken, by /dev/null if need be: otherwise a socket would
 * become standard error, and get the log. Before anything else is opened.   Fails: what open says.
 */
int mrg_unix_files_begin(void);

/*
 * mrg_unix_files_max - raise the number of open files to what is allowed; returns that number.
 */
size_t mrg_unix_files_max(void);

#endif
