/*
 * Arenas in reserved address space, and files read into memory of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

enum {
	HUGE = 2 << 20,      /* bytes of a huge page; arenas start on one */
	TEXT_MIN = 64 << 10, /* first room for a file that does not tell its size, such as a pipe */
	PAGE = 4096
};

static void *map(size_t len)
{
	void *const p =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* Without asking, the kernel may back the first byte of a big reservation by 2 MiB. */
static void advise(uint8_t *p, size_t len, size_t huge)
{
	const size_t first = (huge < len ? huge : len) / HUGE * HUGE;
	(void)madvise(p, first, MADV_HUGEPAGE);
	(void)madvise(p + first, len - first, MADV_NOHUGEPAGE);
}

int mrg_unix_arena_open(struct mrg_arena *a, size_t reserve, size_t least, size_t huge)
{
	size_t len = reserve;
	uint8_t *p = map(len + HUGE);
	while (p == NULL && len / 2u >= least && len / 2u >= HUGE) {
		len = len / 2u / PAGE * PAGE;
		p = map(len + HUGE);
	}
	if (p == NULL)
		return ENOMEM;
	const size_t lead = (size_t)(0u - (uintptr_t)p) & (HUGE - 1u);
	if (lead != 0)
		(void)munmap(p, lead);
	if (lead != HUGE)
		(void)munmap(p + lead + len, HUGE - lead);
	advise(p + lead, len, huge);
	*a = (struct mrg_arena){ .p = p + lead, .cap = len };
	return 0;
}

void mrg_unix_arena_close(struct mrg_arena *a)
{
	if (a->p != NULL)
		(void)munmap(a->p, a->cap);
	*a = (struct mrg_arena){ .p = NULL };
}

void mrg_unix_arena_trim(struct mrg_arena *a)
{
	const size_t from = (a->len + PAGE - 1u) / PAGE * PAGE;
	if (from < a->cap)
		(void)madvise(a->p + from, a->cap - from, MADV_DONTNEED);
}

/* ---- files ---- */

static int grow(struct mrg_unix_text *t)
{
	void *const p = mremap(t->p, t->mapped, t->mapped * 2u, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return errno;
	t->p = p;
	t->mapped *= 2u;
	return 0;
}

/* To the end of the file; one byte of the mapping stays unread, so that a NUL follows the text. */
static int read_all(struct mrg_unix_text *t, int fd)
{
	for (;;) {
		if (t->len == t->mapped - 1u) {
			const int err = grow(t);
			if (err != 0)
				return err;
		}
		const ssize_t n = read(fd, t->p + t->len, t->mapped - 1u - t->len);
		if (n == 0)
			return 0;
		if (n > 0)
			t->len += (size_t)n;
		else if (errno != EINTR)
			return errno;
	}
}

static int read_fd(struct mrg_unix_text *t, int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (st.st_size < 0 || (uint64_t)st.st_size > SIZE_MAX / 4u)
		return EFBIG;
	/* Two bytes more: the NUL, and one that the last read may look for more in. */
	const size_t want = (size_t)st.st_size + 2u < TEXT_MIN ? TEXT_MIN : (size_t)st.st_size + 2u;
	t->mapped = (want + PAGE - 1u) / PAGE * PAGE;
	t->p = map(t->mapped);
	if (t->p == NULL)
		return ENOMEM;
	const int err = read_all(t, fd);
	if (err != 0)
		mrg_unix_text_close(t);
	return err;
}

int mrg_unix_text_read(struct mrg_unix_text *t, const char *path)
{
	*t = (struct mrg_unix_text){ .p = NULL };
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	const int err = read_fd(t, fd);
	(void)close(fd);
	return err;
}

void mrg_unix_text_forget(struct mrg_unix_text *t, size_t used)
{
	const size_t whole = used / PAGE * PAGE;
	if (whole > t->forgotten) {
		(void)madvise(t->p + t->forgotten, whole - t->forgotten, MADV_DONTNEED);
		t->forgotten = whole;
	}
}

void mrg_unix_text_close(struct mrg_unix_text *t)
{
	if (t->p != NULL)
		(void)munmap(t->p, t->mapped);
	*t = (struct mrg_unix_text){ .p = NULL };
}

size_t mrg_unix_file_len(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size < SIZE_MAX ? (size_t)st.st_size
											 : 0;
}
