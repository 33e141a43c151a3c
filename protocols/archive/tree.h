/*
 * tree.h - an archive as a tree of files (mrg_rt.h): files in one piece of memory, for where there is no file system.
 *
 * References: specs/archive.mrg has the format; RFC 3174 (SHA-1).
 *
 * What it does not do: it copies no content and changes nothing; it makes no archives (mrg-pack does).
 *
 * Use:
 *	struct mrg_archive_tree a;
 *	struct mrg_reject why;
 *	if (mrg_archive_tree_open(&a, bytes, &arena, &why) != MRG_OK) ...
 *	if (mrg_rt_tree_open(&a.tree, path, now_ns, &file) == MRG_RT_FILE) ...	(file->p points into bytes)
 *
 * Nothing in an archive is believed before it was checked, so archives may come from anywhere. One tree serves any number of threads.
 */
#ifndef MRG_ARCHIVE_TREE_H
#define MRG_ARCHIVE_TREE_H

#include "mrg.h"
#include "mrg_rt.h"

/* A file of an archive. */
struct mrg_archive_member {
	struct mrg_rt_file file;
	struct mrg_span path; /* followed by a NUL */
};

struct mrg_archive_tree {
	struct mrg_rt_tree tree;
	struct mrg_archive_member *members; /* in order of paths */
	size_t count;
	struct mrg_span bytes;
};

/*
 * mrg_archive_tree_open - check the archive and make a tree of it.
 *   bytes   all of it and nothing else
 *   rj      may be NULL; filled on rejection, not with MRG_E_SPACE
 * Lifetime: the tree borrows bytes, and what it takes of the arena: a struct mrg_archive_member for each file.
 * Fails:    what specs/archive.mrg refuses; MRG_E_TEXT: a path that is none; MRG_E_RANGE, MRG_E_LENGTH: contents are not one behind
 *           the other to the end; MRG_E_SPACE: the arena is too small. The tree is then empty.
 * Not done: contents are not read; see mrg_archive_tree_verify.   Cost: one pass over the index.
 */
enum mrg_status mrg_archive_tree_open(struct mrg_archive_tree *a, struct mrg_span bytes, struct mrg_arena *arena,
	struct mrg_reject *rj);

/*
 * mrg_archive_tree_verify - compare all contents with their versions.
 * Fails:    MRG_E_SUM: that of *bad differs.   Cost: one pass over the archive.
 */
enum mrg_status mrg_archive_tree_verify(const struct mrg_archive_tree *a, const struct mrg_archive_member **bad);

/*
 * mrg_archive_version - the version of a content: the first 64 bits of its SHA-1.
 */
uint64_t mrg_archive_version(struct mrg_span content);

#endif
