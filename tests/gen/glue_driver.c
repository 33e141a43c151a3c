/*
 * Runs messages through the glue of all modules: cases from the standard input, answers to the standard output, both in the layouts
 * below and in the order of octets of this machine.  tests/gen/test_fuzz_glue.py writes the ones and reads the others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mrg_glue.h"

extern const struct mrg_glue *const glue_tables[]; /* of the modules, in the script's order */

enum {
	EVENTS_MAX = 1 << 16,
	ARGS_MAX = 16,
};

struct question {
	uint32_t table, row, args, len; /* then the arguments, 8 octets each, and the message */
};

struct answer {
	int32_t status;
	int32_t again;   /* the writer's status; 1 where there is no builder */
	uint64_t at;     /* octets used, or the bit that a rejection is about */
	uint32_t events; /* that follow, 8 octets for id and value each */
	uint32_t lost, args;
	uint32_t again_len; /* of what was written again, which follows the events */
};

static void out_of(const char *what)
{
	fprintf(stderr, "glue_driver: %s\n", what);
	exit(2);
}

static bool get(void *to, size_t len) { return len == 0 || fread(to, len, 1, stdin) == 1; }

static void put(const void *from, size_t len)
{
	if (len != 0 && fwrite(from, len, 1, stdout) != 1)
		out_of("the answer can't be written");
}

static void put_events(const struct mrg_events *ev)
{
	for (size_t i = 0; i < ev->count; i++) {
		const uint64_t pair[2] = { ev->at[i].id, ev->at[i].value };
		put(pair, sizeof pair);
	}
}

/* The message lies in memory of just its size, so that a checker of memory sees a read past it. */
static void run(const struct mrg_glue *g, struct mrg_span in, const uint64_t *args)
{
	static struct mrg_event room[EVENTS_MAX];
	static uint8_t written[1 << 18];
	struct mrg_events ev = { .at = room, .cap = EVENTS_MAX };
	struct mrg_reject rj = { .status = MRG_OK };
	size_t used = 0;
	struct answer a = {
		.status = g->check(in, args, &used, &rj), .again = 1, .args = (uint32_t)g->arg_count
	};
	a.at = a.status == MRG_OK ? used : rj.bit_off;
	g->walk(in, args, &ev);
	if (g->again != NULL && a.status == MRG_OK) {
		struct mrg_w w;
		size_t len = 0;
		mrg_w_init(&w, written, sizeof written);
		if (g->again(in, args, &w) != MRG_OK)
			out_of("the check in again() differs from check()");
		a.again = mrg_w_finish(&w, &len);
		a.again_len = a.again == MRG_OK ? (uint32_t)len : 0;
	}
	a.events = (uint32_t)ev.count;
	a.lost = (uint32_t)ev.lost;
	put(&a, sizeof a);
	put_events(&ev);
	put(written, a.again_len);
}

int main(void)
{
	struct question q;
	while (get(&q, sizeof q)) {
		uint64_t args[ARGS_MAX];
		uint8_t *message = malloc(q.len + 1u);
		if (message == NULL || q.args > ARGS_MAX || !get(args, q.args * sizeof args[0]) ||
			!get(message, q.len))
			out_of("not a case");
		run(&glue_tables[q.table][q.row], (struct mrg_span){ message, q.len }, args);
		free(message);
	}
	return 0;
}
