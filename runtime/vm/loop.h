/*
 * loop.h - the loop of an application in ring 3: timers and a network card, and sleep when there is nothing to do; what else of
 * mrg_rt.h the machine provides.
 *
 * What it does not do: it knows no protocol, and serves one card.
 *
 * Use:
 *	vm_loop_init(&loop, &vm_calls_monitor, boot);
 *	if (!vm_loop_card(&loop, &arena, &net, &vm_net_usual)) ...	(it has been logged why)
 *	vm_secret(boot, VM_SECRET_STACK, world.secret, 4);
 *	world.timers = &loop.timers; world.now_ns = &loop.now_ns;
 *	... a stack on net.link, ends, listeners ...
 *	if (!vm_loop_run(&loop, &turn)) vm_exit(1);
 */
#ifndef VM_LOOP_H
#define VM_LOOP_H

#include "vm/net.h"

/* Called before each wait, as in unix/: the place to take up what changed; false ends the loop. */
struct vm_turn {
	void *ctx;
	bool (*turn)(void *ctx, uint64_t now_ns);
	bool (*idle)(void *ctx); /* a piece of what can wait until no frame has come; false: there was none.  May be NULL */
};

struct vm_loop_counts {
	uint64_t turns, sleeps;
};

struct vm_loop {
	struct mrg_rt_timers timers;
	uint64_t now_ns; /* read once a turn */
	struct mrg_rt_log log; /* lines go to the console */
	struct vm_loop_counts counts;
	uint64_t spin_ns; /* so long after the last frame it looks for others before it sleeps; 0 at first */
	/* private */
	const struct vm_calls *calls;
	const struct vm_boot *boot;
	struct vm_net *net; /* NULL: none */
	uint64_t worked_ns; /* when frames came last */
};

/* boot and calls stay in place as long as the loop is used, and so does the loop. */
void vm_loop_init(struct vm_loop *l, const struct vm_calls *calls, const struct vm_boot *boot);

/*
 * vm_loop_card - take the first network card of the machine into use, served by the loop; a line of the log says which.
 * Fails:    false, and the log says why.
 */
bool vm_loop_card(struct vm_loop *l, struct mrg_arena *arena, struct vm_net *n, const struct vm_net_limits *limits);

/*
 * vm_loop_run - serve until `turn` says false.   Fails: false when the card had to be given up; the log says why.
 */
bool vm_loop_run(struct vm_loop *l, const struct vm_turn *turn);

/*
 * vm_loop_time_s - seconds since 1970; 0 when nobody has told the machine.
 */
uint64_t vm_loop_time_s(const struct vm_loop *l);

/* What secrets are for: those of one purpose say nothing of the others'. */
enum vm_secret { VM_SECRET_STACK = 1, VM_SECRET_MAC, VM_SECRET_USER /* this and all above: whoever wants some */ };

/*
 * vm_secret - random numbers out of the entropy that the machine was given; the same ones again for the same purpose.
 */
void vm_secret(const struct vm_boot *boot, unsigned purpose, uint64_t *out, size_t count);

#endif
