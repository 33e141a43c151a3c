/*
 * The folders and system calls of tree_kit.h.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/tree_kit.h"

struct tree_calls calls;
struct mrg_unix_tree tree;
uint64_t now_ns;

static struct mrg_arena arena;
static char work[64];

const struct mrg_unix_tree_options kit_small = {
	.path_count = 16,
	.fd_count = 4,
	.small_max = 1024,
	.memory = 8192,
	.fresh_ns = MRG_RT_SECOND_NS,
};

/* ---- system calls ---- */

static int opened(int fd)
{
	calls.open_fds += fd >= 0;
	return fd;
}

static int faulty_openat2(int dir_fd, const char *path, struct open_how *how)
{
	return faulty_fails(&calls.openat2) ? -1 : opened(mrg_unix_tree_kernel.openat2(dir_fd, path, how));
}

static int faulty_openat(int dir_fd, const char *name, int flags)
{
	return faulty_fails(&calls.openat) ? -1 : opened(mrg_unix_tree_kernel.openat(dir_fd, name, flags));
}

static void freeze(struct stat *st)
{
	if (!calls.frozen)
		return;
	st->st_mtim = (struct timespec){ .tv_sec = calls.frozen_s };
	st->st_ctim = st->st_mtim;
}

static int faulty_fstat(int fd, struct stat *st)
{
	if (faulty_fails(&calls.fstat))
		return -1;
	const int got = mrg_unix_tree_kernel.fstat(fd, st);
	freeze(st);
	return got;
}

static int faulty_fstatat(int dir_fd, const char *path, struct stat *st, int flags)
{
	if (faulty_fails(&calls.fstatat))
		return -1;
	const int got = mrg_unix_tree_kernel.fstatat(dir_fd, path, st, flags);
	freeze(st);
	return got;
}

static ssize_t faulty_pread(int fd, void *p, size_t cap, off_t offset)
{
	if (faulty_fails(&calls.pread))
		return -1;
	if (calls.before_pread != NULL)
		calls.before_pread();
	const size_t most = calls.pread.most;
	return mrg_unix_tree_kernel.pread(fd, p, most != 0 && most < cap ? most : cap, offset);
}

static int counted_close(int fd)
{
	calls.open_fds--;
	return mrg_unix_tree_kernel.close(fd);
}

static int faulty_random(void *p, size_t len)
{
	return faulty_fails(&calls.random) ? -1 : mrg_unix_tree_kernel.random(p, len);
}

static int64_t kit_now_s(void) { return calls.now_s != 0 ? calls.now_s : mrg_unix_tree_kernel.now_s(); }

const struct mrg_unix_tree_sys tree_sys = {
	.openat2 = faulty_openat2,
	.openat = faulty_openat,
	.fstat = faulty_fstat,
	.fstatat = faulty_fstatat,
	.pread = faulty_pread,
	.close = counted_close,
	.random = faulty_random,
	.now_s = kit_now_s,
};

/* ---- folders ---- */

void kit_start(const struct mrg_unix_tree_options *o, bool openat2)
{
	const size_t memory = mrg_unix_tree_memory(o);
	memset(&calls, 0, sizeof calls);
	now_ns = 1000;
	(void)strcpy(work, "/tmp/mrg-tree-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(work));
	ck_assert_int_eq(chdir(work), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	kit_folder("kit_root");
	if (!openat2)
		calls.openat2 = (struct faulty){ .count = 1, .err = ENOSYS };
	ck_assert_int_eq(mrg_unix_arena_open(&arena, memory, memory), 0);
	ck_assert_int_eq(mrg_unix_tree_open(&tree, &tree_sys, &arena, "kit_root", o), 0);
	ck_assert_int_eq(chdir("kit_root"), 0);
}

void kit_stop(void)
{
	char command[sizeof work + 16];
	mrg_unix_tree_close(&tree);
	ck_assert_uint_eq(tree.in_use, 0);
	ck_assert_int_eq(calls.open_fds, 0);
	mrg_unix_arena_close(&arena);
	ck_assert_int_eq(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -rf %s", work);
	ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, int flags, const char *text, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

void kit_write(const char *path, const char *text) { put(path, O_TRUNC, text, strlen(text)); }

void kit_replace(const char *path, const char *text)
{
	put("../new", O_TRUNC, text, strlen(text));
	ck_assert_int_eq(rename("../new", path), 0);
}

void kit_write_big(const char *path, size_t len, char octet)
{
	char *const p = malloc(len);
	memset(p, octet, len);
	put("../new", O_TRUNC, p, len);
	free(p);
	(void)unlink(path); /* some file systems write to the disk before they replace a file */
	ck_assert_int_eq(rename("../new", path), 0);
}

void kit_folder(const char *path) { ck_assert_int_eq(mkdir(path, 0755), 0); }

void kit_later(void) { calls.now_s = mrg_unix_tree_kernel.now_s() + 3600; }

/* ---- looking ---- */

static struct mrg_span span(const char *text)
{
	return (struct mrg_span){ (const uint8_t *)text, strlen(text) };
}

enum mrg_rt_found kit_look(const char *path)
{
	struct mrg_rt_file *f = NULL;
	const enum mrg_rt_found found = mrg_rt_tree_open(&tree.tree, span(path), now_ns, &f);
	ck_assert((f != NULL) == (found == MRG_RT_FILE));
	if (f != NULL)
		kit_close(f);
	return found;
}

struct mrg_rt_file *kit_open(const char *path)
{
	struct mrg_rt_file *f = NULL;
	ck_assert_int_eq(mrg_rt_tree_open(&tree.tree, span(path), now_ns, &f), MRG_RT_FILE);
	return f;
}

void kit_close(struct mrg_rt_file *f) { mrg_rt_tree_close(&tree.tree, f); }

bool kit_in_memory(const struct mrg_rt_file *f) { return f->p != NULL; }

void kit_expect(const struct mrg_rt_file *f, const char *text)
{
	char b[4096];
	const size_t len = strlen(text);
	ck_assert_uint_eq(f->size, len);
	ck_assert_uint_le(len, sizeof b);
	if (f->p != NULL)
		memcpy(b, f->p, len);
	else
		ck_assert_int_eq(pread(((const struct mrg_unix_file *)(const void *)f)->fd, b, sizeof b, 0),
			(ssize_t)len);
	ck_assert_mem_eq(b, text, len);
}
