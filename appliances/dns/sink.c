/* Octets on their way: see sink.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/dns/sink.h"
#include "unix/mrg_unix.h"

static const char STANDARD[] = "-";

bool sink_init(struct sink *s, struct mrg_arena *arena, size_t cap, const char *option, const char *name)
{
	*s = (struct sink){ .option = option, .name = name, .fd = -1, .cap = cap };
	s->p = mrg_arena_get(arena, cap, 1);
	return s->p != NULL;
}

int sink_open(const char *name, int flags, int *fd)
{
	enum { MODE = S_IRUSR | S_IWUSR | S_IRGRP };
	const bool standard = strcmp(name, STANDARD) == 0;
	/* Opened anew, so that those who share standard output are not told not to wait for it. */
	*fd = open(standard ? "/proc/self/fd/1" : name,
		O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (standard ? O_APPEND : O_CREAT | flags), MODE);
	if (*fd < 0 && standard)
		*fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return *fd >= 0 ? 0 : errno;
}

bool sink_moved(const struct sink *s)
{
	struct stat there, open;
	if (s->fd < 0 || strcmp(s->name, STANDARD) == 0 || fstat(s->fd, &open) != 0)
		return false;
	return stat(s->name, &there) != 0 || there.st_ino != open.st_ino || there.st_dev != open.st_dev;
}

void sink_lose(struct sink *s)
{
	atomic_store_explicit(
		&s->lost, atomic_load_explicit(&s->lost, memory_order_relaxed) + 1u, memory_order_relaxed);
}

/* What is wanted no more makes room. */
static void make_room(struct sink *s)
{
	memmove(s->p, s->p + s->kept, s->len - s->kept);
	s->len -= s->kept;
	s->from -= s->kept;
	s->kept = 0;
}

void sink_put(struct sink *s, struct mrg_span record)
{
	if (record.len > s->cap - s->len)
		make_room(s);
	if (record.len > s->cap - s->len) {
		sink_lose(s);
		return;
	}
	memcpy(s->p + s->len, record.p, record.len);
	s->len += record.len;
}

int sink_flush(struct sink *s)
{
	while (s->fd >= 0 && s->from < s->len) {
		const ssize_t n = mrg_unix_write(s->fd, s->p + s->from, s->len - s->from);
		if (n <= 0)
			return n == 0 || errno == EAGAIN || errno == EINTR ? 0 : errno;
		s->from += (size_t)n;
	}
	return 0;
}

void sink_said(struct sink *s, int err)
{
	struct mrg_rt_line l;
	if (s->failing == (err != 0))
		return;
	s->failing = err != 0;
	mrg_rt_line_begin(&l, err != 0 ? "warn" : "info", err != 0 ? "log_failing" : "log_well");
	mrg_rt_line_str(&l, "option", s->option);
	mrg_rt_line_str(&l, "to", s->name);
	if (err != 0)
		mrg_rt_line_str(&l, "why", strerrordesc_np(err));
	mrg_rt_log_line(&stderr_log, &l);
}
