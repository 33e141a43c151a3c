/*
 * conf.h - configuration files: a line for each option, its name without dashes, and then its value; and lines that belong together.
 *
 *	# a comment
 *	listen 127.0.0.1:8080
 *	vhost  www.example.org "/srv/the site"		(a key and what belongs to it: as --vhost www.example.org=...)
 *	zone example.org {
 *		primary 192.0.2.1 transfers		(lines of a block have words of their own)
 *	}
 *
 * What a line means is said by the same table as on the command line (args.h), and by those of the blocks. The words are
 * specs/config.mrg's.
 */
#ifndef MRG_COMMON_CONF_H
#define MRG_COMMON_CONF_H

#include "appliances/common/args.h"

enum { CONF_WORDS = 16 /* of a line, its name not counted */ };

/* A line of a block. */
struct conf_line {
	const char *name;
	/* false: it has said what is wrong. The words are NUL-terminated and stay as long as the arena. */
	bool (*take)(void *block, const char *const *words, size_t count);
	size_t least, most; /* words behind the name */
	const char *form;   /* of these: "ADDRESS [KEY]" */
};

/* Lines that belong together: NAME VALUE { ... } */
struct conf_block {
	const char *name;
	void *(*begin)(void *ctx, const char *value); /* what the lines are about; NULL: it has said what is wrong */
	bool (*end)(void *block);                     /* all lines were taken; false: it has said what is wrong. NULL: nothing to do */
	const struct conf_line *lines;
	size_t count;
};

struct conf {
	const struct args *args;
	const struct conf_block *blocks;
	size_t block_count;
	void *block_ctx; /* of their `begin` */
};

/*
 * conf_read - take each line of a file.
 *   ctx      for the takers of args
 *   arena    for the text; what is taken borrows it
 *   *faults  is counted up for each line that is not as it should be; all of them are said, with FILE:LINE:COLUMN
 * Returns:  false: the file can't be read, which has been said.
 */
bool conf_read(
	const struct conf *conf, void *ctx, struct mrg_arena *arena, const char *file, size_t *faults);

#endif
