/*
 * Servers that lock themselves in.
 * Reading order: sandbox_begin, what stays open, sandbox_close.
 */
#include <errno.h>
#include <unistd.h>

#include "appliances/common/sandbox.h"
#include "appliances/common/say.h"
#include "appliances/common/start.h"

bool sandbox_possible(const char *program)
{
	const char *const why_not = mrg_unix_sandbox_why_not();
	if (why_not != NULL)
		say(program, ": --sandbox: ", why_not, NULL);
	return why_not == NULL;
}

enum outcome sandbox_begin(struct sandbox *s, const char *program, size_t worker_count)
{
	s->program = program;
	s->worker_count = worker_count;
	atomic_init(&s->left, worker_count);
	int err = mrg_unix_bell_open(&s->arrived);
	if (err == 0)
		err = mrg_unix_bell_open(&s->closed);
	if (err == 0)
		err = mrg_unix_few_begin(&s->open.waits);
	if (err != 0)
		return refused(program, "--sandbox", "", err);
	mrg_unix_set_add(&s->open.wakes, s->arrived.fd);
	mrg_unix_set_add(&s->open.wakes, s->closed.fd);
	mrg_unix_set_add(&s->open.logs, STDERR_FILENO);
	err = mrg_unix_walls_raise(&s->walls);
	return err == 0 ? OUTCOME_OK : refused(program, "--sandbox: ", s->walls.failed, err);
}

/* ---- what stays open ---- */

void sandbox_loop(struct sandbox *s, const struct mrg_unix_loop *l)
{
	mrg_unix_set_add(&s->open.waits, l->epoll_fd);
	mrg_unix_set_add(&s->open.wakes, l->wake.fd);
}

void sandbox_net(struct sandbox *s, const struct net *net)
{
	if (net == NULL || net->stack == NULL)
		return;
	mrg_unix_set_add(&s->open.devices, net->tap.watch.fd);
	mrg_unix_set_add(&s->open.tapes, net->pcap_fd);
}

void sandbox_listener(struct sandbox *s, const struct end_listener *t)
{
	if (t->own == NULL)
		mrg_unix_set_add(&s->open.listeners, t->kernel.watch.fd);
}

void sandbox_dgram(struct sandbox *s, const struct end_dgram *d)
{
	if (d->own == NULL)
		mrg_unix_set_add(&s->open.datagrams, d->kernel.watch.fd);
}

void sandbox_metrics(struct sandbox *s, const struct metrics *m)
{
	if (m->on)
		mrg_unix_set_add(&s->open.listeners, m->listener.watch.fd);
}

/* ---- closing ---- */

void sandbox_arrive(struct sandbox *s)
{
	mrg_unix_bell_ring(&s->arrived);
	mrg_unix_bell_wait(&s->closed);
	mrg_unix_bell_ring(&s->closed); /* for the next one */
}

/* A thread that is not here yet makes calls to set itself up. Rings may be heard as one, but it is known how many. */
static void wait_for_all(struct sandbox *s)
{
	uint64_t here = 0;
	while (here + 1u < s->worker_count) {
		uint64_t rings = 0;
		if (mrg_unix_read(s->arrived.fd, &rings, sizeof rings) == (ssize_t)sizeof rings)
			here += rings;
	}
}

enum outcome sandbox_close(struct sandbox *s)
{
	struct mrg_unix_call calls[MRG_UNIX_CALLS_MAX];
	const size_t count = mrg_unix_calls_of(&s->open, calls);
	struct mrg_rt_line l;
	wait_for_all(s);
	mrg_unix_open_only(&s->open);
	const int err = mrg_unix_filter_set(calls, count, MRG_UNIX_KILL);
	if (err != 0)
		return refused(
			s->program, "--sandbox: ", err == E2BIG ? "too many descriptors" : "seccomp", err);
	if (s->worker_count > 1)
		mrg_unix_bell_ring(&s->closed);
	mrg_rt_line_begin(&l, s->walls.landlock != 0 ? "info" : "warn", "sandbox");
	mrg_rt_line_num(&l, "calls", mrg_unix_calls_numbers(calls, count));
	mrg_rt_line_num(&l, "landlock", s->walls.landlock);
	mrg_rt_log_line(&stderr_log, &l);
	return OUTCOME_OK;
}

void sandbox_refuse(const char *event)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "warn", event);
	mrg_rt_line_str(&l, "why", "sandbox");
	mrg_rt_log_line(&stderr_log, &l);
}

noreturn void sandbox_leave(struct sandbox *s)
{
	if (atomic_fetch_sub_explicit(&s->left, 1, memory_order_acq_rel) == 1) {
		say_event("info", "stopped");
		_exit(OUTCOME_OK);
	}
	for (;;)
		mrg_unix_bell_wait(&s->arrived); /* nobody rings it any more */
}
