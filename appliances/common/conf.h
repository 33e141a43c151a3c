/*
 * conf.h - configuration files: a line for each option, its name without dashes, and then its value.
 *
 *	# a comment
 *	listen 127.0.0.1:8080
 *	vhost  www.example.org "/srv/the site"		(a key and what belongs to it: as --vhost www.example.org=...)
 *
 * What a line means is said by the same table as on the command line (args.h). The words are specs/config.mrg's.
 */
#ifndef MRG_COMMON_CONF_H
#define MRG_COMMON_CONF_H

#include "appliances/common/args.h"

/*
 * conf_read - take each line of a file.
 *   ctx      for the takers
 *   arena    for the text; what is taken borrows it
 *   *faults  is counted up for each line that is not as it should be; all of them are said, with FILE:LINE:COLUMN
 * Returns:  false: the file can't be read, which has been said.
 */
bool conf_read(const struct args *args, void *ctx, struct mrg_arena *arena, const char *file, size_t *faults);

#endif
