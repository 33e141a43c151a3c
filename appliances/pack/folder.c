/*
 * Finding all files below a folder: folders are looked through one after the other, each named by its path from the first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliances/pack/pack.h"
#include "archive.h"

/* A path that was found. */
struct found {
	struct found *next;
	char path[];
};

struct finding {
	struct folder *folder;
	struct mrg_arena *arena;
	struct found *files, *folders; /* those still to be looked through */
	bool good;
};

/* What is wrong with folder/name; both may be empty. */
static void wrong(struct finding *x, const char *folder, const char *name, const char *what, int err)
{
	char path[2 * MRG_ARCHIVE_PATH_MAX];
	(void)snprintf(path, sizeof path, "%s%s%s%s%s", x->folder->name, *folder != '\0' ? "/" : "", folder,
		*name != '\0' ? "/" : "", name);
	complain(path, *what != '\0' ? ": " : "", what, err);
	x->good = false;
}

/* Remember folder/name, or just the name in the first folder. */
static void remember(struct finding *x, struct found **list, const char *folder, const char *name)
{
	const char *const slash = *folder != '\0' ? "/" : "";
	const size_t len = strlen(folder) + strlen(slash) + strlen(name);
	if (len > MRG_ARCHIVE_PATH_MAX) {
		wrong(x, folder, name, "the path is too long for an archive", 0);
		return;
	}
	struct found *const f = mrg_arena_get(x->arena, sizeof *f + len + 1u, _Alignof(struct found));
	if (f == NULL) {
		wrong(x, folder, name, "", ENOMEM);
		return;
	}
	(void)snprintf(f->path, len + 1u, "%s%s%s", folder, slash, name);
	f->next = *list;
	*list = f;
}

static void take(struct finding *x, int fd, const char *folder, const char *name)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		wrong(x, folder, name, "", errno);
	else if (S_ISREG(st.st_mode))
		remember(x, &x->files, folder, name);
	else if (S_ISDIR(st.st_mode))
		remember(x, &x->folders, folder, name);
	else if (S_ISLNK(st.st_mode))
		wrong(x, folder, name, "a symbolic link; only files and folders are packed", 0);
	else
		wrong(x, folder, name, "neither a file nor a folder", 0);
}

static bool is_shown(const struct finding *x, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	return x->folder->hidden || name[0] != '.' || strcmp(name, ".well-known") == 0;
}

static void look_through(struct finding *x, const char *path)
{
	struct stat st;
	const int fd = openat(
		x->folder->fd, *path != '\0' ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *const dir = fd >= 0 && fstat(fd, &st) == 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		wrong(x, path, "", "", errno);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (st.st_dev == x->folder->around->st_dev && st.st_ino == x->folder->around->st_ino)
		wrong(x, path, "", "the archive would lie in here, and be packed the next time", 0);
	const struct dirent *e;
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0)
		if (is_shown(x, e->d_name))
			take(x, fd, path, e->d_name);
	if (errno != 0)
		wrong(x, path, "", "", errno);
	(void)closedir(dir);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct packed *)a)->path, ((const struct packed *)b)->path);
}

/* The files that were found, as an array in order. */
static bool sort(struct finding *x)
{
	struct folder *const f = x->folder;
	for (const struct found *file = x->files; file != NULL; file = file->next)
		f->count++;
	f->files = mrg_arena_get(x->arena, f->count * sizeof *f->files, _Alignof(struct packed));
	if (f->files == NULL) {
		wrong(x, "", "", "", ENOMEM);
		return false;
	}
	struct packed *to = f->files;
	for (const struct found *file = x->files; file != NULL; file = file->next)
		*to++ = (struct packed){ .path = file->path };
	if (f->count != 0)
		qsort(f->files, f->count, sizeof *f->files, by_path);
	return true;
}

bool folder_read(struct folder *f, struct mrg_arena *arena)
{
	struct finding x = { .folder = f, .arena = arena, .good = true };
	look_through(&x, "");
	while (x.folders != NULL) {
		const struct found *const next = x.folders;
		x.folders = next->next;
		look_through(&x, next->path);
	}
	return x.good && sort(&x);
}
