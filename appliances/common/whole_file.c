/* A file that is there as a whole: see whole_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliances/common/whole_file.h"

bool whole_file_temporary(char out[WHOLE_FILE_NAME], const char *name)
{
	const int len = snprintf(out, WHOLE_FILE_NAME, "%s~new", name);
	return len >= 0 && len < WHOLE_FILE_NAME;
}

int whole_file_begin(struct whole_file *f, const char *name)
{
	f->err = 0;
	const int len = snprintf(f->name, sizeof f->name, "%s", name);
	if (len < 0 || (size_t)len >= sizeof f->name || !whole_file_temporary(f->temporary, f->name))
		return ENAMETOOLONG;
	f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return f->fd < 0 ? errno : 0;
}

void whole_file_put(struct whole_file *f, struct mrg_span octets)
{
	while (octets.len != 0 && f->err == 0) {
		const ssize_t n = write(f->fd, octets.p, octets.len);
		if (n < 0 && errno != EINTR)
			f->err = errno;
		if (n > 0)
			octets = (struct mrg_span){ octets.p + n, octets.len - (size_t)n };
	}
}

/* The folder's entry is on the disk, too; a file system that has no such thing is good as it is. */
static void sync_folder(char *name)
{
	char *const slash = strrchr(name, '/');
	if (slash != NULL)
		slash[slash == name ? 1 : 0] = '\0';
	const int fd = open(slash != NULL ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int whole_file_end(struct whole_file *f)
{
	if (f->err == 0 && fsync(f->fd) != 0)
		f->err = errno;
	if (close(f->fd) != 0 && f->err == 0)
		f->err = errno;
	if (f->err == 0 && rename(f->temporary, f->name) != 0)
		f->err = errno;
	if (f->err != 0)
		(void)unlink(f->temporary);
	else
		sync_folder(f->name);
	return f->err;
}
