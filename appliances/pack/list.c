/*
 * Looking at an archive.
 */
#include <inttypes.h>
#include <stdio.h>

#include "appliances/pack/pack.h"
#include "protocols/archive/tree.h"

/* Octets that a terminal might act on are shown as numbers. */
static void print_path(struct mrg_span path)
{
	for (size_t i = 0; i < path.len; i++) {
		const uint8_t c = path.p[i];
		if (c > ' ' && c < 0x7f && c != '\\')
			(void)putchar(c);
		else
			(void)printf("\\x%02X", c);
	}
	(void)putchar('\n');
}

static void print_member(const struct mrg_archive_member *m)
{
	char text[MRG_RT_TIME_TEXT] = "-";
	if (m->file.modified_s >= 0)
		(void)mrg_rt_time_str((uint64_t)m->file.modified_s, text);
	(void)printf("%10" PRIu64 "  %-20s  %016" PRIx64 "  ", m->file.size, text, m->file.version);
	print_path(m->path);
}

static bool refused(const char *name, const struct mrg_reject *why)
{
	(void)fprintf(stderr, "mrg-pack: %s: octet %zu: %s %s (%s)\n", name, why->bit_off / 8u,
		why->site->path, why->site->what, mrg_status_str(why->status));
	return false;
}

static bool list(const char *name, struct mrg_span bytes, struct mrg_arena *arena)
{
	struct mrg_archive_tree a;
	struct mrg_reject why;
	const struct mrg_archive_member *bad;
	const enum mrg_status st = mrg_archive_tree_open(&a, bytes, arena, &why);
	if (st == MRG_E_SPACE) {
		complain(name, ": not enough memory", "", 0);
		return false;
	}
	if (st != MRG_OK)
		return refused(name, &why);
	for (size_t i = 0; i < a.count; i++)
		print_member(&a.members[i]);
	if (fflush(stdout) != 0) {
		complain("standard output cannot be written", "", "", 0);
		return false;
	}
	if (mrg_archive_tree_verify(&a, &bad) == MRG_OK)
		return true;
	(void)fprintf(stderr, "mrg-pack: %s: octet %zu: the content is not the one of its version\n", name,
		(size_t)(bad->file.p - bytes.p));
	return false;
}

bool archive_list(const char *name)
{
	struct mrg_unix_text text;
	struct mrg_arena arena;
	const int err = mrg_unix_text_read(&text, name);
	if (err != 0) {
		complain(name, "", "", err);
		return false;
	}
	/* a member takes less than twice what its entry does */
	if (mrg_unix_arena_open(&arena, 2u * text.len + 1u, 2u * text.len + 1u) != 0) {
		complain(name, ": not enough memory", "", 0);
		return false;
	}
	return list(name, (struct mrg_span){ text.p, text.len }, &arena);
}
