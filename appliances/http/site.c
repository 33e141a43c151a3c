/*
 * What is served.
 */
#include <errno.h>

#include "appliances/http/site.h"

static size_t memory_of(const struct options *o)
{
	return sizeof(struct site) + o->host_count * mrg_unix_tree_memory(&mrg_unix_tree_usual);
}

static int open_places(struct site *s, const struct options *o, const char **bad)
{
	for (size_t i = 0; i < o->host_count; i++) {
		const int err = mrg_unix_tree_open(&s->folders[i], &mrg_unix_tree_kernel, &s->arena,
			o->hosts[i].place, &mrg_unix_tree_usual);
		if (err != 0) {
			*bad = o->hosts[i].place;
			return err;
		}
		s->hosts[i] = (struct mrg_http_host){ o->hosts[i].name, &s->folders[i].tree };
		s->count++;
	}
	return 0;
}

int site_open(struct site **out, const struct options *o, const char **bad)
{
	struct mrg_arena arena;
	const size_t memory = memory_of(o);
	*bad = NULL;
	int err = mrg_unix_arena_open(&arena, memory, memory);
	if (err != 0)
		return err;
	struct site *const s = mrg_arena_get(&arena, sizeof *s, _Alignof(struct site));
	if (s == NULL)
		return ENOMEM;
	s->arena = arena;
	s->files = (struct mrg_http_files){
		.hosts = s->hosts,
		.host_count = o->host_count,
		.index = o->index,
		.cache_rules = o->cache_rules,
		.cache_rule_count = o->cache_rule_count,
		.error_pages = o->error_pages,
		.error_page_count = o->error_page_count,
	};
	err = open_places(s, o, bad);
	if (err != 0)
		site_close(s);
	else
		*out = s;
	return err;
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
	for (size_t i = 0; i < s->count; i++)
		mrg_unix_tree_close(&s->folders[i]);
	mrg_unix_arena_close(&arena);
}
