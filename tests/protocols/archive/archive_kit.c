/*
 * The archives of archive_kit.h.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/archive/archive_kit.h"

static size_t aligned(size_t n)
{
	return (n + MRG_ARCHIVE_ALIGN - 1u) / MRG_ARCHIVE_ALIGN * MRG_ARCHIVE_ALIGN;
}

/* The index of files whose contents begin at `at`; gives its length. */
static size_t put_index(
	uint8_t *p, size_t cap, const struct archive_file *files, size_t count, size_t at, size_t total)
{
	struct mrg_w w;
	struct mrg_archive_index_build b;
	size_t len = 0;
	mrg_w_init(&w, p, cap);
	mrg_archive_index_begin(&w, &b, &(struct mrg_archive_index_args){ .total = total });
	for (size_t i = 0; i < count; i++) {
		const struct mrg_span content = { (const uint8_t *)files[i].content,
			strlen(files[i].content) };
		at = aligned(at);
		mrg_archive_index_entries_add(&w, &b);
		mrg_archive_entry_put(
			&w, &(struct mrg_archive_entry_args){ .total_ = total,
				    .offset = at,
				    .size = content.len,
				    .content_version = mrg_archive_version(content),
				    .modified = files[i].modified,
				    .path = { (const uint8_t *)files[i].path, strlen(files[i].path) } });
		at += content.len;
	}
	mrg_archive_index_end(&w, &b);
	ck_assert_int_eq(mrg_w_finish(&w, &len), MRG_OK);
	return len;
}

struct mrg_span archive_make(const struct archive_file *files, size_t count)
{
	size_t cap = 4096, contents = 0;
	for (size_t i = 0; i < count; i++) {
		cap += 128 + strlen(files[i].path);
		contents = aligned(contents) + strlen(files[i].content);
	}
	uint8_t *const index = malloc(cap);
	const size_t first = put_index(index, cap, files, count, 0, SIZE_MAX);
	const size_t total = first + contents;
	uint8_t *const p = calloc(1, total);
	ck_assert_uint_eq(put_index(index, cap, files, count, first, total), first);
	memcpy(p, index, first);
	size_t at = first;
	for (size_t i = 0; i < count; i++) {
		at = aligned(at);
		memcpy(p + at, files[i].content, strlen(files[i].content));
		at += strlen(files[i].content);
	}
	free(index);
	return (struct mrg_span){ p, total };
}

uint8_t *archive_copy(struct mrg_span from, size_t len)
{
	uint8_t *const p = malloc(len != 0 ? len : 1);
	memcpy(p, from.p, len);
	return p;
}

void archive_fix_sum(uint8_t *p, size_t entries_end)
{
	const uint32_t sum = ~mrg_crc32_add(0xffffffffu, p + 16, entries_end - 16, MRG_CRC32C_POLY);
	mrg_put_be32(p + 12, sum);
}
