/*
 * tree_inside.h - what the files of a folder's tree share with each other and nobody else.
 */
#ifndef MRG_UNIX_TREE_INSIDE_H
#define MRG_UNIX_TREE_INSIDE_H

#include "unix/mrg_unix_tree.h"

/* What tells whether a file is still the one that was opened, with the content it had. */
struct mrg_unix_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct mrg_unix_stamp mrg_unix_stamp_of(const struct stat *st);
bool mrg_unix_stamp_eq(const struct mrg_unix_stamp *a, const struct mrg_unix_stamp *b);

/* Does this kernel, and what confines the process, know openat2?   Fails: what else openat2 says. */
int mrg_unix_beneath_known(const struct mrg_unix_tree_sys *sys, int root_fd, bool *known);

/*
 * mrg_unix_beneath_open - open `path`, one that mrg_rt_path_ok accepts and not empty, at or below the root, and look at it.
 *   fd     open for reading, to be closed by the caller; -1 for a folder that may not be read
 * Fails:    a positive errno value; nothing is open then.
 */
int mrg_unix_beneath_open(const struct mrg_unix_tree *t, const char *path, int *fd, struct stat *st);

/* What to say of a path whose opening failed so. */
enum mrg_rt_found mrg_unix_found_of(int err);

/* All bytes of a file into p. *got is less than `size` only where the file ends earlier.   Fails: what pread says. */
int mrg_unix_read_whole(const struct mrg_unix_tree_sys *sys, int fd, uint8_t *p, size_t size, size_t *got);

/* Does the file still have just these bytes at its start?   Fails: what pread says. */
int mrg_unix_read_again(const struct mrg_unix_tree_sys *sys, int fd, const uint8_t *p, size_t size, bool *same);

#endif
