/*
 * archive_kit.h - archives for tests, made with the generated builders, and made wrong by hand.
 */
#ifndef MRG_TESTS_ARCHIVE_KIT_H
#define MRG_TESTS_ARCHIVE_KIT_H

#include "archive.h"
#include "protocols/archive/tree.h"

struct archive_file {
	const char *path, *content;
	int64_t modified;
};

/* An archive of these files, in this order, whatever they are called; in memory of malloc, of just its length. */
struct mrg_span archive_make(const struct archive_file *files, size_t count);

/* The same bytes in memory of malloc, of just `len` bytes of them. */
uint8_t *archive_copy(struct mrg_span from, size_t len);

/* Put a checksum that fits into a changed index, whose entries end there. */
void archive_fix_sum(uint8_t *p, size_t entries_end);

#endif
