/*
 * What is served.
 */
#include "appliances/common/start.h"
#include "appliances/http/site.h"

static size_t memory_of(const struct options *o)
{
	return sizeof(struct site) + o->rules.host_count * mrg_unix_tree_memory(&mrg_unix_tree_usual);
}

static enum outcome open_places(struct site *s, const struct options *o)
{
	for (size_t i = 0; i < o->rules.host_count; i++) {
		struct packed *const packed = &s->setup->packed[i];
		struct mrg_unix_tree *const folder = &s->folders[s->count];
		if (packed->text.p != NULL) {
			s->hosts[i] = (struct mrg_http_host){ o->rules.hosts[i].name, &packed->archive.tree };
			continue;
		}
		const int err = mrg_unix_tree_open(folder, &mrg_unix_tree_kernel, &s->arena,
			o->rules.hosts[i].place, &mrg_unix_tree_usual);
		if (err != 0) {
			(void)refused("mrg-http", o->rules.hosts[i].place, "", err);
			return OUTCOME_INPUT;
		}
		s->hosts[i] = (struct mrg_http_host){ o->rules.hosts[i].name, &folder->tree };
		s->count++;
	}
	return OUTCOME_OK;
}

enum outcome site_open(struct site **out, struct setup *setup)
{
	const struct options *const o = &setup->options;
	const size_t memory = memory_of(o);
	struct mrg_arena arena;
	const int err = mrg_unix_arena_open(&arena, memory, memory);
	if (err != 0)
		return refused("mrg-http", "memory", "", err);
	struct site *const s = mrg_arena_get(&arena, sizeof *s, _Alignof(struct site));
	s->arena = arena;
	s->setup = setup;
	s->files = (struct mrg_http_files){
		.hosts = s->hosts,
		.host_count = o->rules.host_count,
	};
	rules_to(&o->rules, &s->files);
	atomic_fetch_add_explicit(&setup->sites, 1, memory_order_relaxed);
	const enum outcome outcome = open_places(s, o);
	if (outcome != OUTCOME_OK)
		site_close(s);
	else
		*out = s;
	return outcome;
}

bool site_idle(const struct site *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->folders[i].in_use != 0)
			return false;
	return true;
}

void site_close(struct site *s)
{
	struct mrg_arena arena = s->arena;
	struct setup *const setup = s->setup;
	for (size_t i = 0; i < s->count; i++)
		mrg_unix_tree_close(&s->folders[i]);
	mrg_unix_arena_close(&arena);
	atomic_fetch_sub_explicit(&setup->sites, 1, memory_order_release);
}
