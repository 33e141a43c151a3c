/*
 * The loop of one worker: wait until something is ready or a timer is due, serve, repeat.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "unix/inside.h"

enum {
	EVENTS_MAX = 64, /* taken from the kernel at once */
	LINE = 64        /* bytes of a cache line */
};

static void drain_wake(struct mrg_unix_watch *w, struct mrg_unix_loop *l, uint32_t events)
{
	(void)l;
	(void)events;
	uint64_t count;
	(void)!mrg_unix_read(w->fd, &count,
		sizeof count); /* the next turn looks at what changed; the count says nothing more */
}

/* An odd number of cache lines, so that the buffers of a batch do not all fall into the same cache sets. */
static size_t stride(size_t len) { return (len + LINE - 1u) / LINE * LINE | LINE; }

static int make_buffers(
	struct mrg_unix_loop *l, struct mrg_arena *arena, const struct mrg_unix_limits *limits)
{
	const size_t out_stride = stride(limits->dgram_out_max);
	l->dgram_in_max = limits->dgram_in_max;
	l->in_stride = stride(limits->dgram_in_max);
	l->ins = mrg_arena_get(arena, MRG_UNIX_BATCH * l->in_stride, LINE);
	uint8_t *const outs = mrg_arena_get(arena, MRG_UNIX_BATCH * out_stride, LINE);
	if (l->ins == NULL || outs == NULL)
		return ENOMEM;
	for (size_t i = 0; i < MRG_UNIX_BATCH; i++)
		l->batch[i] = (struct mrg_dgram){
			.in = { l->ins + i * l->in_stride, 0 },
			.out = outs + i * out_stride,
			.out_cap = limits->dgram_out_max,
		};
	mrg_rt_pool_init(&l->conns, arena, mrg_unix_conn_size(), limits->conn_count);
	return 0;
}

size_t mrg_unix_loop_memory(const struct mrg_unix_limits *limits)
{
	return MRG_UNIX_BATCH * (stride(limits->dgram_in_max) + stride(limits->dgram_out_max)) +
	       limits->conn_count * mrg_unix_conn_size() + 4 * LINE;
}

int mrg_unix_loop_init(struct mrg_unix_loop *l, const struct mrg_unix_sys *sys, struct mrg_arena *arena,
	const struct mrg_unix_limits *limits)
{
	*l = (struct mrg_unix_loop){ .sys = sys, .epoll_fd = -1, .wake = { .ready = drain_wake, .fd = -1 } };
	l->now_ns = sys->now_ns();
	int err = make_buffers(l, arena, limits);
	if (err != 0)
		return err;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->wake.fd < 0)
		err = errno;
	else
		err = mrg_unix_watch_set(l, &l->wake, EPOLL_CTL_ADD, EPOLLIN);
	if (err != 0)
		mrg_unix_loop_close(l);
	return err;
}

void mrg_unix_loop_close(struct mrg_unix_loop *l)
{
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	if (l->wake.fd >= 0)
		(void)close(l->wake.fd);
	l->epoll_fd = -1;
	l->wake.fd = -1;
}

void mrg_unix_loop_wake(struct mrg_unix_loop *l)
{
	const uint64_t one = 1;
	(void)!mrg_unix_write(l->wake.fd, &one,
		sizeof one); /* fails only when the count is full: then it is awake already */
}

int mrg_unix_watch_set(struct mrg_unix_loop *l, struct mrg_unix_watch *w, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	return epoll_ctl(l->epoll_fd, op, w->fd, &ev) == 0 ? 0 : errno;
}

/* Nanoseconds until the next timer. */
static uint64_t wait_ns(const struct mrg_unix_loop *l, uint64_t now_ns)
{
	const uint64_t at = mrg_rt_timers_next(&l->timers);
	if (at == MRG_RT_NEVER)
		return MRG_RT_NEVER;
	return at > now_ns ? at - now_ns : 0;
}

/* No other thread counts: none can come between. */
static void add(atomic_uint_least64_t *n, uint64_t more)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more, memory_order_relaxed);
}

const uint64_t mrg_unix_turn_bound_ns[MRG_UNIX_TURN_BOUNDS] = { MRG_RT_SECOND_NS / 10000u,
	MRG_RT_SECOND_NS / 1000u, MRG_RT_SECOND_NS / 100u, MRG_RT_SECOND_NS / 10u, MRG_RT_SECOND_NS };

static void count_turn(struct mrg_unix_turns *t, uint64_t took_ns)
{
	size_t i = 0;
	while (i < MRG_UNIX_TURN_BOUNDS && took_ns > mrg_unix_turn_bound_ns[i])
		i++;
	add(&t->count[i], 1);
	add(&t->sum_ns, took_ns);
}

int mrg_unix_loop_run(struct mrg_unix_loop *l, const struct mrg_unix_turn *turn)
{
	struct epoll_event ev[EVENTS_MAX];
	l->now_ns = l->sys->now_ns();
	while (turn->turn(turn->ctx, l->now_ns)) {
		const uint64_t done_ns = l->sys->now_ns();
		count_turn(&l->turns, done_ns > l->now_ns ? done_ns - l->now_ns : 0);
		const int count = l->sys->epoll_wait(l->epoll_fd, ev, EVENTS_MAX, wait_ns(l, done_ns));
		if (count < 0 && errno != EINTR)
			return errno;
		l->now_ns = l->sys->now_ns();
		for (int i = 0; i < count; i++) {
			struct mrg_unix_watch *const w = ev[i].data.ptr;
			if (w->fd >= 0)
				w->ready(w, l, ev[i].events);
		}
		mrg_rt_timers_run(&l->timers, l->now_ns);
		mrg_unix_conns_recycle(l);
	}
	return 0;
}
