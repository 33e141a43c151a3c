/*
 * What the command line and the configuration say.
 */
#include "appliances/http/setup.h"
#include "appliances/common/start.h"
#include "unix/mrg_unix.h"

enum { ARENA = 16 << 20 }; /* bytes of address space; more than any configuration needs */

struct setup *setup_read(int argc, char *const argv[], enum outcome *outcome)
{
	struct mrg_arena arena;
	const int err = mrg_unix_arena_open(&arena, ARENA, ARENA);
	if (err != 0) {
		*outcome = refused("mrg-http", "memory", "", err);
		return NULL;
	}
	struct setup *const s = mrg_arena_get(&arena, sizeof *s, _Alignof(struct setup));
	if (!options_read(&s->options, &arena, argc, argv, outcome)) {
		mrg_unix_arena_close(&arena);
		return NULL;
	}
	s->arena = arena;
	return s;
}

void setup_free(struct setup *s)
{
	struct mrg_arena arena = s->arena;
	mrg_unix_arena_close(&arena);
}
