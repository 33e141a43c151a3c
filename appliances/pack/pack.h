/*
 * pack.h - what the files of mrg-pack share.
 *
 * Functions that give bool have said on standard error what is wrong when it is false.
 */
#ifndef MRG_PACK_H
#define MRG_PACK_H

#include "unix/mrg_unix.h"

struct packed {
	const char *path;
	uint64_t offset, size, version; /* of the content; known when it has been read */
	int64_t modified_s;
};

struct folder {
	const char *name; /* as it was given */
	int fd;
	struct packed *files; /* in order of paths, as octets compare */
	size_t count;
	bool hidden;         /* hidden names are packed too */
	struct stat *around; /* where the archive is to lie: no folder that is packed */
};

/* Find all files below the folder. */
bool folder_read(struct folder *f, struct mrg_arena *arena);

struct times {
	bool none;
	int64_t latest_s; /* later ones are written as this */
};

/* Write the archive of them to a new file, which takes the name when it is whole. */
bool archive_write(struct folder *f, const struct times *times, const char *name, struct mrg_arena *arena);

/* Check an archive and print a line for each file of it. */
bool archive_list(const char *name);

/* `mrg-pack: a: b`, and what errno says if it is not 0. */
void complain(const char *a, const char *b, const char *c, int err);

#endif
