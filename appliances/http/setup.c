/*
 * What the command line and the configuration say.
 */
#include <string.h>
#include <sys/stat.h>

#include "appliances/common/say.h"
#include "appliances/common/start.h"
#include "appliances/http/setup.h"

enum { ARENA = 256 << 20 }; /* bytes of address space; more than the names of any archives need */

static const char PROGRAM[] = "mrg-http";

static bool is_folder(const char *place)
{
	struct stat st;
	return stat(place, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Files of a folder are opened while it is served. */
static bool is_allowed(const struct options *o, const char *place, bool folder)
{
	if (!o->sandbox || !folder)
		return true;
	say(PROGRAM, ": --sandbox: ", place,
		": a folder, of which nothing can be opened then; mrg-pack makes an archive of it", NULL);
	return false;
}

static bool open_archive(struct setup *s, struct packed *packed, const char *file)
{
	struct mrg_reject why = { .site = NULL };
	const int err = mrg_unix_text_read(&packed->text, file);
	if (err != 0) {
		packed->text.p = NULL;
		(void)refused(PROGRAM, file, "", err);
		return false;
	}
	const struct mrg_span bytes = { packed->text.p, packed->text.len };
	const enum mrg_status st = mrg_archive_tree_open(&packed->archive, bytes, &s->arena, &why);
	if (st != MRG_OK)
		say(PROGRAM, ": ", file, ": not an archive: ", why.site != NULL ? why.site->path : "memory",
			": ", why.site != NULL ? why.site->what : mrg_status_str(st), NULL);
	return st == MRG_OK;
}

/* What is no folder is an archive; folders are opened by each worker (site.h). */
static bool open_archives(struct setup *s)
{
	const struct options *const o = &s->options;
	for (size_t i = 0; i < o->rules.host_count; i++) {
		const struct host_option *const h = &o->rules.hosts[i];
		const bool folder = is_folder(h->place);
		if (!is_allowed(o, h->place, folder))
			return false;
		if ((h->archive || !folder) && !open_archive(s, &s->packed[i], h->place))
			return false;
	}
	return true;
}

struct setup *setup_read(int argc, char *const argv[], enum outcome *outcome)
{
	struct mrg_arena arena;
	const int err = mrg_unix_arena_open(&arena, ARENA, ARENA);
	if (err != 0) {
		*outcome = refused(PROGRAM, "memory", "", err);
		return NULL;
	}
	struct setup *const s = mrg_arena_get(&arena, sizeof *s, _Alignof(struct setup));
	if (!options_read(&s->options, &arena, argc, argv, outcome)) {
		mrg_unix_arena_close(&arena);
		return NULL;
	}
	s->arena = arena;
	if (open_archives(s))
		return s;
	*outcome = OUTCOME_INPUT;
	setup_free(s);
	return NULL;
}

void setup_free(struct setup *s)
{
	struct mrg_arena arena = s->arena;
	for (size_t i = 0; i < s->options.rules.host_count; i++)
		if (s->packed[i].text.p != NULL)
			mrg_unix_text_close(&s->packed[i].text);
	mrg_unix_arena_close(&arena);
}
