/*
 * whole_file.h - a file that takes its name when it is whole and on the disk: whoever opens the name finds the old one or the new
 * one, also after a crash in the midst of it.
 *
 * Use:
 *	struct whole_file f;
 *	int err = whole_file_begin(&f, "example.org.zone");
 *	if (err == 0) {
 *		whole_file_put(&f, span);	(as often as need be)
 *		err = whole_file_end(&f);
 *	}
 */
#ifndef MRG_COMMON_WHOLE_FILE_H
#define MRG_COMMON_WHOLE_FILE_H

#include "mrg_rt.h"

enum { WHOLE_FILE_NAME = 4096 + 8 /* octets of a file's name with what goes behind it */ };

struct whole_file {
	char name[4096], temporary[WHOLE_FILE_NAME]; /* beside it: NAME~new */
	int fd;
	int err; /* the first; a positive errno value */
};

/* whole_file_temporary - the name that a file has until it is whole.   Fails: false: `name` is too long. */
bool whole_file_temporary(char out[WHOLE_FILE_NAME], const char *name);

/*
 * whole_file_begin - nothing is in it yet; what was left of one before is written over.   Fails: ENAMETOOLONG and what open says.
 */
int whole_file_begin(struct whole_file *f, const char *name);

/* More of it; what goes wrong is said at the end. */
void whole_file_put(struct whole_file *f, struct mrg_span octets);

/*
 * whole_file_end - write it to the disk and give it its name; or remove it where anything has failed.
 * Fails:    what write, fsync, close and rename say. The file of that name is as it was then.
 */
int whole_file_end(struct whole_file *f);

#endif
