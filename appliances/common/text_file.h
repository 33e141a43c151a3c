/*
 * text_file.h - the text of a file: of the process's (text_file.c), or of the archive that a virtual machine has (appliances/dns/vm).
 *
 * Use:
 *	struct text_file t;
 *	const char *why = text_file_read(&t, path);	(NULL: there it is)
 *	text_file_close(&t);
 */
#ifndef MRG_COMMON_TEXT_FILE_H
#define MRG_COMMON_TEXT_FILE_H

#include "mrg.h"

struct text_file {
	struct mrg_span text;
	size_t mapped; /* private */
};

/* text_file_read - all of it, and a NUL behind it.   Returns NULL, or why it can't be had; nothing is to be closed then. */
const char *text_file_read(struct text_file *t, const char *path);
void text_file_close(struct text_file *t);

#endif
