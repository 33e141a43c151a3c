/*
 * TCP ends: listeners, the connections that they accept, and those that are made to others.
 * Reading order: the operations of a connection, accepting, connecting, the connection slots.
 */
#include <errno.h>
#include <unistd.h>

#include "unix/inside.h"

enum {
	ACCEPTS_MAX = 64, /* connections taken before other ends get their turn */
	DRAIN_MAX =
		4096,   /* connections taken at the end: more than wait, but for those that come meanwhile */
	PARTS_MAX = 16, /* pieces of one write; more are left for the next */
	FILE_PIECE = 128 << 10 /* bytes of a file in one call: reading them from a disk holds up the thread */
};

static const uint64_t REST_NS =
	MRG_RT_SECOND_NS / 10; /* how long a listener rests when files or connections ran out */

struct mrg_unix_conn {
	struct mrg_stream stream;
	struct mrg_unix_watch watch;
	struct mrg_unix_loop *loop;
	const struct mrg_stream_user *user;
	struct mrg_unix_conn *next; /* when free or just closed */
	uint32_t events;            /* that epoll watches for */
	bool watched;
	struct mrg_unix_connect *attempt; /* while it is being made */
	struct mrg_rt_addr peer;
};

static struct mrg_unix_conn *conn_of(struct mrg_stream *s) { return (struct mrg_unix_conn *)(void *)s; }

/* ---- operations ---- */

static enum mrg_io io_of_errno(void)
{
	/* A kernel short of memory may find some later. */
	const bool again = errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
	return again ? MRG_IO_AGAIN : MRG_IO_RESET;
}

static enum mrg_io conn_read(struct mrg_stream *s, uint8_t *p, size_t cap, size_t *got)
{
	const struct mrg_unix_conn *const c = conn_of(s);
	const ssize_t n = c->loop->sys->recv(c->watch.fd, p, cap, MSG_DONTWAIT);
	if (n < 0)
		return io_of_errno();
	*got = (size_t)n;
	return n == 0 ? MRG_IO_EOF : MRG_IO_OK;
}

static enum mrg_io conn_write(
	struct mrg_stream *s, const struct mrg_span *parts, size_t count, bool more, size_t *done)
{
	const struct mrg_unix_conn *const c = conn_of(s);
	struct iovec iov[PARTS_MAX];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count < PARTS_MAX ? count : PARTS_MAX };
	for (size_t i = 0; i < msg.msg_iovlen; i++) {
		/* The kernel only reads what the vector points to; its type serves both directions. */
		memcpy(&iov[i].iov_base, &parts[i].p, sizeof iov[i].iov_base);
		iov[i].iov_len = parts[i].len;
	}
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	const ssize_t n = c->loop->sys->sendmsg(c->watch.fd, &msg, flags);
	if (n < 0)
		return io_of_errno();
	*done = (size_t)n;
	return MRG_IO_OK;
}

static enum mrg_io conn_send_file(
	struct mrg_stream *s, const struct mrg_rt_file *f, uint64_t offset, uint64_t len, size_t *done)
{
	const struct mrg_unix_conn *const c = conn_of(s);
	const int fd = ((const struct mrg_unix_file *)(const void *)f)->fd;
	if (offset >= f->size)
		return MRG_IO_EOF; /* where the descriptor has grown, that is no part of the file that was opened */
	const uint64_t left = f->size - offset < len ? f->size - offset : len;
	off_t from = (off_t)offset;
	const ssize_t n = c->loop->sys->sendfile(
		c->watch.fd, fd, &from, (size_t)(left < FILE_PIECE ? left : FILE_PIECE));
	if (n < 0)
		return io_of_errno();
	if (n == 0)
		return MRG_IO_EOF;
	*done = (size_t)n;
	return MRG_IO_OK;
}

static void conn_want(struct mrg_stream *s, unsigned events)
{
	struct mrg_unix_conn *const c = conn_of(s);
	const uint32_t in = (events & MRG_STREAM_READABLE) != 0 ? (uint32_t)EPOLLIN : 0;
	const uint32_t out = (events & MRG_STREAM_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0;
	if (c->watched && c->events == (in | out))
		return;
	/* If the kernel has no memory for this, no event comes and the handler's own time limit ends the connection. */
	if (mrg_unix_watch_set(c->loop, &c->watch, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, in | out) ==
		0) {
		c->watched = true;
		c->events = in | out;
	}
}

static void conn_finish(struct mrg_stream *s) { (void)shutdown(conn_of(s)->watch.fd, SHUT_WR); }

static void conn_close(struct mrg_stream *s)
{
	struct mrg_unix_conn *const c = conn_of(s);
	(void)close(c->watch.fd);
	c->watch.fd = -1;
	c->next = c->loop->closed_conns;
	c->loop->closed_conns = c;
}

static void conn_peer(struct mrg_stream *s, struct mrg_rt_addr *out) { *out = conn_of(s)->peer; }

static const struct mrg_stream_ops conn_ops = {
	.read = conn_read,
	.write = conn_write,
	.send_file = conn_send_file,
	.want = conn_want,
	.finish = conn_finish,
	.close = conn_close,
	.peer = conn_peer,
};

static void conn_ready(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	struct mrg_unix_conn *const c =
		(struct mrg_unix_conn *)(void *)((char *)w - offsetof(struct mrg_unix_conn, watch));
	const unsigned broken =
		(events & (EPOLLERR | EPOLLHUP)) != 0 ? MRG_STREAM_READABLE | MRG_STREAM_WRITABLE : 0;
	const unsigned in = (events & EPOLLIN) != 0 ? MRG_STREAM_READABLE : 0;
	const unsigned out = (events & EPOLLOUT) != 0 ? MRG_STREAM_WRITABLE : 0;
	c->user->ready(c->user->ctx, &c->stream, in | out | broken, l->now_ns);
}

/* ---- accepting ---- */

static bool out_of_files(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void rest(struct mrg_unix_listener *t)
{
	(void)mrg_unix_watch_set(t->loop, &t->watch, EPOLL_CTL_MOD, 0);
	mrg_rt_timer_set(&t->loop->timers, &t->retry, t->loop->now_ns + REST_NS);
}

static void rest_over(struct mrg_rt_timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	struct mrg_unix_listener *const t =
		(struct mrg_unix_listener *)(void *)((char *)timer -
						     offsetof(struct mrg_unix_listener, retry));
	if (mrg_unix_watch_set(t->loop, &t->watch, EPOLL_CTL_MOD, EPOLLIN) != 0)
		mrg_rt_timer_set(&t->loop->timers, timer, t->loop->now_ns + REST_NS);
}

static void begin(struct mrg_unix_loop *l, const struct mrg_stream_user *user, struct mrg_unix_conn *c,
	int fd, const struct sockaddr_storage *from)
{
	*c = (struct mrg_unix_conn){
		.stream = { .ops = &conn_ops },
		.watch = { .ready = conn_ready, .fd = fd },
		.loop = l,
		.user = user,
	};
	mrg_unix_addr_of(from, &c->peer);
	l->counts.conn_open++;
	if (user->open(user->ctx, &c->stream, l->now_ns))
		return;
	l->counts.conn_refused++;
	conn_close(&c->stream);
}

static int accept_from(struct mrg_unix_listener *t, struct sockaddr_storage *from)
{
	socklen_t len = sizeof *from;
	return t->loop->sys->accept4(
		t->watch.fd, (struct sockaddr *)from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int accept_fd(struct mrg_unix_listener *t, struct sockaddr_storage *from)
{
	const int fd = accept_from(t, from);
	if (fd >= 0 || !out_of_files(errno) || !t->user->spare(t->user->ctx, t->loop->now_ns))
		return fd;
	return accept_from(t, from);
}

/* One connection; false when none waits, or there is no place for it. */
static bool accept_one(struct mrg_unix_listener *t)
{
	struct mrg_unix_conn *const c = mrg_rt_pool_get(&t->loop->conns);
	if (c == NULL) {
		(void)t->user->spare(
			t->user->ctx, t->loop->now_ns); /* its slot is free from the next turn on */
		rest(t);
		return false;
	}
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	const int fd = accept_fd(t, &from);
	if (fd >= 0) {
		begin(t->loop, t->user, c, fd, &from);
		return true;
	}
	const int err = errno;
	mrg_rt_pool_put(&t->loop->conns, c);
	if (out_of_files(err))
		rest(t);
	/* Anything else concerns the one connection that was to be taken (accept(2), "Error handling"). */
	return err != EAGAIN && !out_of_files(err);
}

static void accept_ready(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	(void)l;
	(void)events;
	struct mrg_unix_listener *const t =
		(struct mrg_unix_listener *)(void *)((char *)w - offsetof(struct mrg_unix_listener, watch));
	for (unsigned i = 0; i < ACCEPTS_MAX && accept_one(t); i++)
		;
}

int mrg_unix_listener_init(
	struct mrg_unix_listener *t, struct mrg_unix_loop *l, int fd, const struct mrg_stream_user *user)
{
	*t = (struct mrg_unix_listener){
		.watch = { .ready = accept_ready, .fd = fd },
		.user = user,
		.loop = l,
		.retry = { .fire = rest_over },
	};
	return mrg_unix_watch_set(l, &t->watch, EPOLL_CTL_ADD, EPOLLIN);
}

void mrg_unix_listener_close(struct mrg_unix_listener *t)
{
	if (t->watch.fd < 0)
		return;
	mrg_rt_timer_cancel(&t->loop->timers, &t->retry);
	(void)close(t->watch.fd);
	t->watch.fd = -1;
}

void mrg_unix_listener_drain(struct mrg_unix_listener *t)
{
	for (unsigned i = 0; i < DRAIN_MAX && t->watch.fd >= 0 && accept_one(t); i++)
		;
	mrg_unix_listener_close(t);
}

int mrg_unix_conn_begin(struct mrg_unix_loop *l, int fd, const struct mrg_stream_user *user)
{
	static const struct sockaddr_storage nobody = { .ss_family = AF_UNSPEC };
	struct mrg_unix_conn *const c = mrg_rt_pool_get(&l->conns);
	if (c == NULL)
		return ENOBUFS;
	begin(l, user, c, fd, &nobody);
	return 0;
}

/* ---- connecting ---- */

/* The attempt is over: it belongs to its owner again. */
static void attempt_ends(struct mrg_unix_connect *t)
{
	t->conn->attempt = NULL;
	t->conn = NULL;
}

void mrg_unix_connect_cancel(struct mrg_unix_connect *t)
{
	if (t->conn == NULL)
		return;
	struct mrg_unix_conn *const c = t->conn;
	attempt_ends(t);
	conn_close(&c->stream);
}

/* The socket is writable when the connection stands, and broken otherwise; which of the two it is, only the kernel's error says. */
static void connect_ready(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	struct mrg_unix_conn *const c =
		(struct mrg_unix_conn *)(void *)((char *)w - offsetof(struct mrg_unix_conn, watch));
	struct mrg_unix_connect *const t = c->attempt;
	int err = 0;
	socklen_t len = sizeof err;
	(void)events;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	attempt_ends(t);
	if (err != 0) {
		conn_close(&c->stream);
		t->failed(t, err, l->now_ns);
		return;
	}
	w->ready = conn_ready;
	conn_want(&c->stream, 0);
	l->counts.conn_open++;
	if (c->user->open(c->user->ctx, &c->stream, l->now_ns))
		return;
	l->counts.conn_refused++;
	conn_close(&c->stream);
}

static int begin_connect(struct mrg_unix_conn *c, const struct mrg_rt_addr *to)
{
	const struct mrg_unix_sockaddr a = mrg_unix_sockaddr_of(to);
	const struct mrg_unix_sys *const sys = c->loop->sys;
	if (sys->connect(c->watch.fd, (const struct sockaddr *)&a.any, a.len) != 0 && errno != EINPROGRESS)
		return errno;
	const int err = mrg_unix_watch_set(c->loop, &c->watch, EPOLL_CTL_ADD, EPOLLOUT);
	c->watched = err == 0;
	c->events = EPOLLOUT;
	return err;
}

int mrg_unix_connect(struct mrg_unix_connect *t, struct mrg_unix_loop *l, const struct mrg_rt_addr *to)
{
	struct mrg_unix_conn *const c = mrg_rt_pool_get(&l->conns);
	t->conn = NULL;
	if (c == NULL)
		return ENOBUFS;
	*c = (struct mrg_unix_conn){
		.stream = { .ops = &conn_ops },
		.watch = { .ready = connect_ready, .fd = -1 },
		.loop = l,
		.user = t->user,
		.attempt = t,
		.peer = *to,
	};
	int err = mrg_unix_tcp_socket(to, &c->watch.fd);
	if (err == 0 && (err = begin_connect(c, to)) != 0)
		(void)close(c->watch.fd);
	if (err != 0)
		mrg_rt_pool_put(&l->conns, c); /* no event can name it */
	else
		t->conn = c;
	return err;
}

/* ---- slots ---- */

void mrg_unix_conns_recycle(struct mrg_unix_loop *l)
{
	while (l->closed_conns != NULL) {
		struct mrg_unix_conn *const c = l->closed_conns;
		l->closed_conns = c->next;
		mrg_rt_pool_put(&l->conns, c);
	}
}

size_t mrg_unix_conn_size(void) { return sizeof(struct mrg_unix_conn); }
