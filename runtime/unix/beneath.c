/*
 * Opening files below a folder and nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "unix/tree_inside.h"

enum {
	READ = O_RDONLY | O_CLOEXEC | O_NOCTTY |
	       O_NONBLOCK, /* a FIFO is opened without a writer, then refused */
	LOOK = O_PATH | O_CLOEXEC,
	TRIES_MAX = 8, /* of a lookup that says it was disturbed by a rename */
	PIECE = 4096   /* bytes that are compared at once */
};

/* ---- the kernel's table ---- */

static int sys_openat2(int dir_fd, const char *path, struct open_how *how)
{
	return (int)syscall(SYS_openat2, dir_fd, path, how, sizeof *how);
}

static int sys_openat(int dir_fd, const char *name, int flags) { return openat(dir_fd, name, flags); }

static int sys_random(void *p, size_t len) { return getrandom(p, len, 0) == (ssize_t)len ? 0 : -1; }

static int64_t sys_now_s(void)
{
	struct timespec now = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

const struct mrg_unix_tree_sys mrg_unix_tree_kernel = {
	.openat2 = sys_openat2,
	.openat = sys_openat,
	.fstat = fstat,
	.fstatat = fstatat,
	.pread = pread,
	.close = close,
	.random = sys_random,
	.now_s = sys_now_s,
};

/* ---- stamps ---- */

struct mrg_unix_stamp mrg_unix_stamp_of(const struct stat *st)
{
	return (struct mrg_unix_stamp){ st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim };
}

static bool time_eq(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool mrg_unix_stamp_eq(const struct mrg_unix_stamp *a, const struct mrg_unix_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       time_eq(&a->modified, &b->modified) && time_eq(&a->changed, &b->changed);
}

/* ---- opening ---- */

/* By the kernel: a lookup of several names that a rename elsewhere disturbed says EAGAIN. */
static int open_beneath(const struct mrg_unix_tree *t, const char *path, int flags)
{
	int fd = -1;
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		struct open_how how = { .flags = (unsigned)flags,
			.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
		fd = t->sys->openat2(t->root_fd, path, &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* Close a folder on the way; errno stays what it was. */
static void leave(const struct mrg_unix_tree *t, int at)
{
	const int err = errno;
	if (at != t->root_fd)
		(void)t->sys->close(at);
	errno = err;
}

static int enter(const struct mrg_unix_tree *t, int at, const char *path, size_t len)
{
	char name[NAME_MAX + 1];
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path, len);
	name[len] = '\0';
	return t->sys->openat(at, name, LOOK | O_DIRECTORY | O_NOFOLLOW);
}

/* Name by name, none of them a link: each is looked up in a folder that was reached before, and no name leads up. */
static int walk(const struct mrg_unix_tree *t, const char *path, int flags)
{
	int at = t->root_fd;
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(path, '/')) {
		const int next = enter(t, at, path, (size_t)(slash - path));
		leave(t, at);
		if (next < 0)
			return -1;
		at = next;
		path = slash + 1;
	}
	const int fd = t->sys->openat(at, path, flags | O_NOFOLLOW);
	leave(t, at);
	return fd;
}

static int open_any(const struct mrg_unix_tree *t, const char *path, int flags)
{
	return t->beneath ? open_beneath(t, path, flags) : walk(t, path, flags);
}

int mrg_unix_beneath_known(const struct mrg_unix_tree_sys *sys, int root_fd, bool *known)
{
	struct open_how how = { .flags = LOOK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	const int fd = sys->openat2(root_fd, ".", &how);
	const int err = errno;
	*known = fd >= 0;
	if (fd >= 0)
		(void)sys->close(fd);
	/* filters of system calls that are older than this one say EPERM */
	return fd >= 0 || err == ENOSYS || err == EPERM ? 0 : err;
}

/* A folder that may be entered, but not read, is one. */
static bool is_folder(const struct mrg_unix_tree *t, const char *path, struct stat *st)
{
	const int fd = open_any(t, path, LOOK);
	if (fd < 0)
		return false;
	const bool folder = t->sys->fstat(fd, st) == 0 && S_ISDIR(st->st_mode);
	(void)t->sys->close(fd);
	return folder;
}

int mrg_unix_beneath_open(const struct mrg_unix_tree *t, const char *path, int *fd, struct stat *st)
{
	*fd = open_any(t, path, READ);
	if (*fd < 0) {
		const int err = errno;
		return err == EACCES && is_folder(t, path, st) ? 0 : err;
	}
	if (t->sys->fstat(*fd, st) == 0)
		return 0;
	const int err = errno;
	(void)t->sys->close(*fd);
	*fd = -1;
	return err;
}

enum mrg_rt_found mrg_unix_found_of(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EINVAL: /* a file system that does not take such a name */
	case EILSEQ: return MRG_RT_NOTHING;
	case EACCES:
	case EPERM:
	case EXDEV: /* a link that leads out of the tree, */
	case ELOOP: /* goes in circles, or is not followed at all */
	case ENXIO: /* a socket, or a device that is not there */
	case ENODEV: return MRG_RT_FORBIDDEN;
	default: return MRG_RT_BUSY;
	}
}

/* ---- reading ---- */

/* Up to `size` bytes from `from` on; fewer only where the file ends. */
static int read_part(
	const struct mrg_unix_tree_sys *sys, int fd, uint8_t *p, size_t size, size_t from, size_t *got)
{
	*got = 0;
	while (*got < size) {
		const ssize_t n = sys->pread(fd, p + *got, size - *got, (off_t)(from + *got));
		if (n == 0)
			return 0;
		if (n > 0)
			*got += (size_t)n;
		else if (errno != EINTR)
			return errno;
	}
	return 0;
}

int mrg_unix_read_whole(const struct mrg_unix_tree_sys *sys, int fd, uint8_t *p, size_t size, size_t *got)
{
	return read_part(sys, fd, p, size, 0, got);
}

int mrg_unix_read_again(
	const struct mrg_unix_tree_sys *sys, int fd, const uint8_t *p, size_t size, bool *same)
{
	uint8_t piece[PIECE];
	int err = 0;
	*same = true;
	for (size_t from = 0; from < size && *same && err == 0; from += PIECE) {
		const size_t len = size - from < PIECE ? size - from : PIECE;
		size_t got;
		err = read_part(sys, fd, piece, len, from, &got);
		*same = err == 0 && got == len && memcmp(piece, p + from, len) == 0;
	}
	return err;
}
