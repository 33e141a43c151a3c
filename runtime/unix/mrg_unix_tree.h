/*
 * mrg_unix_tree.h - a folder as a tree of files (mrg_rt.h), with a cache of what was opened and of what is not there.
 *
 * References: openat2(2), sendfile(2), symlink(7).
 *
 * What it does not do: it writes nothing, lists no folders, and maps no file: one that shrinks under a mapping ends the process.
 * A tree is one thread's. Reading from a disk holds up the thread.
 *
 * Use:
 *	struct mrg_unix_tree tree;
 *	if (mrg_unix_tree_open(&tree, &mrg_unix_tree_kernel, &arena, "site", &mrg_unix_tree_usual) != 0) ...
 *	struct mrg_rt_file *f;
 *	if (mrg_rt_tree_open(&tree.tree, path, now_ns, &f) == MRG_RT_FILE) ...
 *	mrg_rt_tree_close(&tree.tree, f);
 *
 * What is reached: regular files and folders at or below the folder that was opened, wherever that is moved to later. The kernel itself
 * holds lookups below it (RESOLVE_BENEATH), without the links of /proc; symbolic links are followed where they are relative and never
 * lead out, other links are MRG_RT_FORBIDDEN. A kernel without openat2 follows no symbolic link at all.
 *
 * What is served: a small file is read into memory, whole and never as a mixture of what it was and what it became; a larger one is sent
 * from its descriptor, and if it is overwritten in place meanwhile, so is what is sent: put new content in place by rename. What was
 * seen is believed for a while, then compared with the file's number, size and times; those who still send what was replaced keep it.
 *
 * Versions: of a small file the first 64 bits of its SHA-1, so the same on all machines; of a larger one those of its size and its time
 * of modification, which copying tools keep. Not of the file's number or its time of change: every copy has its own.
 */
#ifndef MRG_UNIX_TREE_H
#define MRG_UNIX_TREE_H

#include <sys/stat.h>

#include "unix/mrg_unix.h"

struct open_how;

/* ---- system calls, in a table so that tests can let each of them fail ---- */

struct mrg_unix_tree_sys {
	int (*openat2)(int dir_fd, const char *path, struct open_how *how);
	int (*openat)(int dir_fd, const char *name, int flags);
	int (*fstat)(int fd, struct stat *st);
	int (*fstatat)(int dir_fd, const char *path, struct stat *st, int flags);
	ssize_t (*pread)(int fd, void *p, size_t cap, off_t offset);
	int (*close)(int fd);
	int (*random)(void *p, size_t len);
	int64_t (*now_s)(void); /* seconds since 1970 */
};

extern const struct mrg_unix_tree_sys mrg_unix_tree_kernel;

/* ---- the tree ---- */

struct mrg_unix_tree_options {
	uint32_t path_count; /* paths remembered or in use at once; a quarter at most of what is no file */
	uint32_t fd_count;   /* descriptors kept, of files that are not in memory */
	uint32_t small_max;  /* bytes of a file that is kept in memory; at most 2^31 */
	size_t memory;       /* bytes for their contents; when all are in use, small files are sent from descriptors too */
	uint64_t fresh_ns;   /* how long what was seen is believed; 0: it is looked at each time */
	bool hidden;         /* names that begin with `.` are shown; else only `.well-known` is (RFC 8615) */
};

/* 4096 paths, 256 descriptors, files up to 64 KiB in 32 MiB of memory, believed for a second, nothing hidden. */
extern const struct mrg_unix_tree_options mrg_unix_tree_usual;

struct mrg_unix_tree_counts {
	uint64_t hits;    /* answered from what was remembered, */
	uint64_t checked; /* of these after a look at the file */
	uint64_t loaded;  /* files opened */
	uint64_t dropped; /* remembered paths given up for others */
	uint64_t busy;    /* MRG_RT_BUSY */
};

/* Private: paths that nobody has open, by kind, those unused longest first. */
enum { MRG_UNIX_IN_MEMORY, MRG_UNIX_BY_FD, MRG_UNIX_NO_FILE, MRG_UNIX_KINDS };
struct mrg_unix_idle {
	struct mrg_unix_slot *oldest, *newest;
};

struct mrg_unix_tree {
	struct mrg_rt_tree tree;
	struct mrg_unix_tree_counts counts;
	uint32_t in_use; /* files that somebody has open */
	/* private */
	const struct mrg_unix_tree_sys *sys;
	struct mrg_unix_tree_options options;
	int root_fd;
	bool beneath; /* the kernel has openat2 */
	uint64_t key[2], clock;
	struct mrg_arena slot_arena;
	struct mrg_rt_pool slots;
	struct mrg_rt_blocks blocks;
	struct mrg_unix_slot **buckets;
	uint32_t bucket_mask, fds, no_files;
	struct mrg_unix_idle idle[MRG_UNIX_KINDS];
};

/*
 * mrg_unix_tree_memory - bytes of arena that a tree takes; memory is touched only as far as it is needed.
 */
size_t mrg_unix_tree_memory(const struct mrg_unix_tree_options *o);

/*
 * mrg_unix_tree_open - the tree below `folder`, which may itself be a symbolic link.
 * Lifetime: the arena's; t must stay in place.   Fails: ENOMEM when the arena is too small, ENOTDIR, else what open says.
 */
int mrg_unix_tree_open(struct mrg_unix_tree *t, const struct mrg_unix_tree_sys *sys, struct mrg_arena *arena,
	const char *folder, const struct mrg_unix_tree_options *o);

/*
 * mrg_unix_tree_close - forget everything. Files that somebody has open stay so until he closes them; then in_use is 0, and only
 * then may the arena go. Nothing more is found: every path is MRG_RT_BUSY.
 */
void mrg_unix_tree_close(struct mrg_unix_tree *t);

#endif
