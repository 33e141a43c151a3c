/*
 * mrg-pack: a folder becomes an archive, to be served where there is no file system. This file is the way in.
 * Reading order: the help text, folder.c, write.c, list.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "appliances/pack/pack.h"

static const char HELP[] =
	"usage: mrg-pack [--hidden] [--no-times] FOLDER ARCHIVE\n"
	"       mrg-pack --list ARCHIVE\n"
	"\n"
	"Puts all files of a folder, and of the folders in it, into one archive. The same files give the same archive.\n"
	"\n"
	"  --hidden      pack names that begin with `.` too; else of these only `.well-known` is\n"
	"  --no-times    do not write when files were changed\n"
	"  --list        check an archive and all contents, and print size, time, version and path of each file\n"
	"  --help, --version   print this, or the version, and end\n"
	"\n"
	"SOURCE_DATE_EPOCH in the environment, seconds since 1970: later times are written as this one.\n"
	"\n"
	"Exit status: 0 done; 1 an error in the folder, the archive or the system; 2 wrong usage.\n";

static const char VERSION[] = "mrg-pack 0.1.0\n";

enum { DONE, WRONG, USAGE };

static const size_t NAMES_MOST = (size_t)1 << 34,
		    NAMES_LEAST = (size_t)1 << 26; /* address space for names; taken as they come */

struct options {
	bool hidden, no_times, list;
	const char *names[2];
	unsigned name_count;
};

void complain(const char *a, const char *b, const char *c, int err)
{
	(void)fprintf(stderr, "mrg-pack: %s%s%s%s%s\n", a, b, c, err != 0 ? ": " : "",
		err != 0 ? strerror(err) : "");
}

/* false: wrong usage, which has been said. */
static bool read_options(struct options *o, int argc, char *argv[])
{
	bool names_only = false;
	for (int i = 1; i < argc; i++) {
		const char *const a = argv[i];
		if (names_only || a[0] != '-') {
			if (o->name_count == 2) {
				complain("too many names: ", a, "", 0);
				return false;
			}
			o->names[o->name_count++] = a;
		} else if (strcmp(a, "--") == 0) {
			names_only = true;
		} else if (strcmp(a, "--hidden") == 0) {
			o->hidden = true;
		} else if (strcmp(a, "--no-times") == 0) {
			o->no_times = true;
		} else if (strcmp(a, "--list") == 0) {
			o->list = true;
		} else {
			complain("unknown option ", a, "", 0);
			return false;
		}
	}
	if (o->name_count == (o->list ? 1u : 2u) && !(o->list && (o->hidden || o->no_times)))
		return true;
	complain("usage: mrg-pack [--hidden] [--no-times] FOLDER ARCHIVE, or mrg-pack --list ARCHIVE", "", "",
		0);
	return false;
}

static bool read_times(struct times *t, const struct options *o)
{
	const char *const text = getenv("SOURCE_DATE_EPOCH");
	*t = (struct times){ .none = o->no_times, .latest_s = INT64_MAX };
	if (text == NULL)
		return true;
	char *end;
	errno = 0;
	t->latest_s = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && t->latest_s >= 0)
		return true;
	complain("SOURCE_DATE_EPOCH is ", text, ": expected seconds since 1970", 0);
	return false;
}

/* The folder that the archive is to lie in. */
static bool look_around(const char *archive, struct stat *st)
{
	const char *const slash = strrchr(archive, '/');
	const size_t len = slash == NULL ? 0 : slash == archive ? 1 : (size_t)(slash - archive);
	char *const around = strndup(len != 0 ? archive : ".", len != 0 ? len : 1);
	const bool found = around != NULL && stat(around, st) == 0;
	if (!found)
		complain(archive, "", "", errno);
	free(around);
	return found;
}

static bool pack(const struct options *o, const struct times *times)
{
	struct mrg_arena arena;
	struct stat around;
	struct folder f = { .name = o->names[0], .hidden = o->hidden, .around = &around };
	const char *const archive = o->names[1];
	if (mrg_unix_arena_open(&arena, NAMES_MOST, NAMES_LEAST) != 0) {
		complain("not enough memory to start", "", "", 0);
		return false;
	}
	f.fd = open(f.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.fd < 0) {
		complain(f.name, "", "", errno);
		return false;
	}
	return look_around(archive, &around) && folder_read(&f, &arena) &&
	       archive_write(&f, times, archive, &arena);
}

int main(int argc, char *argv[])
{
	struct options o = { .hidden = false };
	struct times times;
	if (mrg_unix_files_begin() != 0)
		return WRONG;
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
		(void)fputs(strcmp(argv[1], "--help") == 0 ? HELP : VERSION, stdout);
		return fflush(stdout) == 0 ? DONE : WRONG;
	}
	if (!read_options(&o, argc, argv) || !read_times(&times, &o))
		return USAGE;
	return (o.list ? archive_list(o.names[0]) : pack(&o, &times)) ? DONE : WRONG;
}
