/*
 * What a service manager is told: sd_notify(3), by datagrams to the socket that $NOTIFY_SOCKET names.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "unix/mrg_unix.h"

int mrg_unix_notify(const char *state)
{
	const char *const name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const size_t len = name != NULL ? strlen(name) : 0;
	if (len == 0)
		return 0;
	if (len >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
		return EINVAL;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@') /* of the abstract name space: unix(7) */
		to.sun_path[0] = '\0';
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	const ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	const int err = sent < 0 ? errno : 0;
	(void)close(fd);
	return err;
}

uint64_t mrg_unix_watchdog_ns(void)
{
	const char *const us = getenv("WATCHDOG_USEC"), *const pid = getenv("WATCHDOG_PID");
	char *end;
	if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	errno = 0;
	const unsigned long long v = strtoull(us, &end, 10);
	return errno != 0 || *end != '\0' || v > UINT64_MAX / 1000u ? 0 : (uint64_t)v * 1000u;
}
