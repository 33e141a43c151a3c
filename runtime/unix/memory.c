/*
 * Arenas in reserved address space, and files read into memory of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

enum {
	HUGE = 2 << 20,      /* bytes of a huge page; arenas start on one */
	TEXT_MIN = 64 << 10, /* first room for a file that does not tell its size, such as a pipe */
	PIECE = 256 << 10,   /* bytes of a file read at once: they stay in the cache until they are used up */
	UNSIZED = 256 << 20, /* address space for the lines of a file that does not tell its size */
	PAGE = 4096
};

static size_t whole_pages(size_t len) { return (len + PAGE - 1u) / PAGE * PAGE; }

static void *map(size_t len)
{
	void *const p =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* Address space that starts at a huge page.  In the place of an arena that was closed, where that fits. */
static uint8_t *map_aligned(size_t len)
{
	uint8_t *p = map(len);
	if (p == NULL || (uintptr_t)p % HUGE == 0)
		return p;
	(void)munmap(p, len);
	p = map(len + HUGE);
	if (p == NULL)
		return NULL;
	const size_t lead = (size_t)(0u - (uintptr_t)p) & (HUGE - 1u);
	if (lead != 0)
		(void)munmap(p, lead);
	if (lead != HUGE)
		(void)munmap(p + lead + len, HUGE - lead);
	return p + lead;
}

int mrg_unix_arena_open(struct mrg_arena *a, size_t reserve, size_t least)
{
	size_t len = whole_pages(reserve);
	uint8_t *p = map_aligned(len);
	while (p == NULL && len / 2u >= least && len / 2u >= HUGE) {
		len = whole_pages(len / 2u);
		p = map_aligned(len);
	}
	if (p == NULL)
		return ENOMEM;
	/* without asking, the kernel may back the first byte of a big reservation by 2 MiB */
	(void)madvise(p, len, MADV_NOHUGEPAGE);
	*a = (struct mrg_arena){ .p = p, .cap = len };
	return 0;
}

void mrg_unix_arena_expect(const struct mrg_arena *a, size_t len)
{
	const size_t from = (a->len + HUGE - 1u) / HUGE * HUGE,
		     to = (len < a->cap ? len : a->cap) / HUGE * HUGE;
	if (from < to)
		(void)madvise(a->p + from, to - from, MADV_HUGEPAGE);
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

/* Open for reading; *size is 0 where it is not known, as that of a pipe. */
static int open_file(const char *path, int *fd, size_t *size)
{
	struct stat st;
	*size = 0;
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno;
	int err = fstat(*fd, &st) == 0 ? 0 : errno;
	if (err == 0 && S_ISDIR(st.st_mode))
		err = EISDIR;
	if (err == 0 && (st.st_size < 0 || (uint64_t)st.st_size > SIZE_MAX / 4u))
		err = EFBIG;
	if (err == 0) {
		*size = (size_t)st.st_size;
		return 0;
	}
	(void)close(*fd);
	*fd = -1;
	return err;
}

int mrg_unix_text_read(struct mrg_unix_text *t, const char *path)
{
	int fd;
	size_t size;
	*t = (struct mrg_unix_text){ .p = NULL };
	int err = open_file(path, &fd, &size);
	if (err != 0)
		return err;
	/* Two bytes more: the NUL, and one that the last read may look for more in. */
	t->mapped = whole_pages(size + 2u < TEXT_MIN ? TEXT_MIN : size + 2u);
	t->p = map(t->mapped);
	err = t->p != NULL ? read_all(t, fd) : ENOMEM;
	if (err != 0)
		mrg_unix_text_close(t);
	(void)close(fd);
	return err;
}

void mrg_unix_text_close(struct mrg_unix_text *t)
{
	if (t->p != NULL)
		(void)munmap(t->p, t->mapped);
	*t = (struct mrg_unix_text){ .p = NULL };
}

/* ---- files line by line ---- */

int mrg_unix_lines_open(struct mrg_unix_lines *l, const char *path)
{
	*l = (struct mrg_unix_lines){ .fd = -1 };
	const int err = open_file(path, &l->fd, &l->size);
	if (err != 0)
		return err;
	/* a piece more: room to see the end, and for the NUL */
	l->mapped = whole_pages((l->size != 0 ? l->size : (size_t)UNSIZED) + PIECE);
	l->p = map(l->mapped);
	if (l->p != NULL)
		return 0;
	mrg_unix_lines_close(l);
	return ENOMEM;
}

/* Read a piece behind what there is; at the end of the file it is closed. */
static int read_piece(struct mrg_unix_lines *l)
{
	const size_t room = l->mapped - 1u - l->len;
	ssize_t n;
	if (room == 0)
		return EFBIG;
	do
		n = read(l->fd, l->p + l->len, room < PIECE ? room : PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	l->len += (size_t)n;
	if (n == 0) {
		(void)close(l->fd);
		l->fd = -1;
	}
	return 0;
}

/* Where the last line in p[from..len-1] ends; `from` when none does. */
static size_t last_line_end(const uint8_t *p, size_t from, size_t len)
{
	while (len > from && p[len - 1u] != '\n')
		len--;
	return len;
}

int mrg_unix_lines_more(struct mrg_unix_lines *l, struct mrg_span *text, bool stay)
{
	const size_t needed = text->len;
	size_t from = l->given - needed; /* where the text begins */
	int err = 0;
	l->p[l->given] = l->under;
	if (!stay) {
		memmove(l->p, l->p + from, l->len - from);
		l->len -= from;
		l->given = needed;
		from = 0;
	}
	size_t end = l->given;
	while (end == l->given && l->fd >= 0 && err == 0) {
		const size_t before = l->len;
		err = read_piece(l);
		end = last_line_end(l->p, before, l->len);
		if (end == before)
			end = l->fd < 0 ? l->len : l->given;
	}
	l->given = end;
	l->under = l->p[end];
	l->p[end] = 0;
	*text = (struct mrg_span){ l->p + from, end - from };
	return err;
}

void mrg_unix_lines_close(struct mrg_unix_lines *l)
{
	if (l->p != NULL)
		(void)munmap(l->p, l->mapped);
	if (l->fd >= 0)
		(void)close(l->fd);
	*l = (struct mrg_unix_lines){ .fd = -1 };
}

size_t mrg_unix_file_len(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size < SIZE_MAX ? (size_t)st.st_size
											 : 0;
}

size_t mrg_unix_memory(void)
{
	char text[128]; /* pages: size resident shared text lib data dt (proc(5)) */
	const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *const resident = strchr(text, ' ');
	return resident == NULL ? 0 : strtoull(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}
