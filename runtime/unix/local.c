/*
 * Sockets with names in the file system, for programs of one machine to speak to each other.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

enum { QUEUE = 16 /* connections that wait */ };

static int name_it(struct sockaddr_un *to, const char *name)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	const int len = snprintf(to->sun_path, sizeof to->sun_path, "%s", name);
	return len <= 0 || (size_t)len >= sizeof to->sun_path ? ENAMETOOLONG : 0;
}

static int connect_as(const char *name, int flags, int *out)
{
	struct sockaddr_un to;
	_Static_assert(sizeof to.sun_path == (size_t)MRG_UNIX_LOCAL_NAME_MAX + 1u, "a name and its end");
	const int err = name_it(&to, name);
	if (err != 0)
		return err;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
		*out = fd;
		return 0;
	}
	const int why = errno;
	(void)close(fd);
	return why;
}

int mrg_unix_local_connect(const char *name, int *out) { return connect_as(name, 0, out); }

int mrg_unix_local_connect_now(const char *name, int *out) { return connect_as(name, SOCK_NONBLOCK, out); }

int mrg_unix_local_pair(int out[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, out) == 0 ? 0 : errno;
}

/* Remove what nobody listens at any more.   Fails: EADDRINUSE when somebody does, or it is no socket. */
static int clear(const char *name)
{
	struct stat st;
	int fd = -1;
	if (lstat(name, &st) != 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return EADDRINUSE;
	const int err = mrg_unix_local_connect(name, &fd);
	if (err == 0) {
		(void)close(fd);
		return EADDRINUSE;
	}
	return err != ECONNREFUSED || unlink(name) == 0 ? 0 : errno;
}

static int bind_it(int fd, const struct sockaddr_un *to)
{
	const mode_t before = umask(S_IXUSR | S_IXGRP | S_IRWXO);
	int err = bind(fd, (const struct sockaddr *)to, sizeof *to) != 0 ? errno : 0;
	(void)umask(before);
	if (err == 0 && listen(fd, QUEUE) != 0)
		err = errno;
	return err;
}

int mrg_unix_local_listen(const char *name, int *out)
{
	struct sockaddr_un to;
	int err = name_it(&to, name);
	if (err == 0)
		err = clear(name);
	if (err != 0)
		return err;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	err = bind_it(fd, &to);
	if (err != 0)
		(void)close(fd);
	else
		*out = fd;
	return err;
}
