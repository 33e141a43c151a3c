/*
 * tree_kit.h - a folder of its own for each test of trees, and system calls that fail when told to.
 *
 * What it does not do: it is for tests of one thread.
 */
#ifndef MRG_TESTS_TREE_KIT_H
#define MRG_TESTS_TREE_KIT_H

#include "runtime/faulty.h"
#include "unix/mrg_unix_tree.h"

struct tree_calls {
	struct faulty openat2, openat, fstat, fstatat, pread, random;
	int open_fds;                  /* opened through the table and not closed */
	bool frozen;                   /* files seem to have been changed at `frozen_s`, always */
	int64_t frozen_s, now_s;       /* now_s: the clock, if not 0 */
	void (*before_pread)(void);    /* called before each read */
};

extern struct tree_calls calls;
extern const struct mrg_unix_tree_sys tree_sys;

extern struct mrg_unix_tree tree;
extern uint64_t now_ns;

/* A new folder `kit_root` below a new one, which is the working directory, with a tree over it; openat2 as told. */
void kit_start(const struct mrg_unix_tree_options *o, bool openat2);
void kit_stop(void);

/* Small options, so that things run out soon. */
extern const struct mrg_unix_tree_options kit_small;

void kit_write(const char *path, const char *text);           /* over what is there, in place */
void kit_replace(const char *path, const char *text);         /* by rename */
void kit_write_big(const char *path, size_t len, char octet); /* by rename */
void kit_folder(const char *path);
void kit_later(void); /* the clock goes on, so that all files seem to have been changed long ago */

enum mrg_rt_found kit_look(const char *path); /* open, and close again */
struct mrg_rt_file *kit_open(const char *path);
void kit_close(struct mrg_rt_file *f);
void kit_expect(const struct mrg_rt_file *f, const char *text); /* the content, wherever it is */
bool kit_in_memory(const struct mrg_rt_file *f);

#endif
