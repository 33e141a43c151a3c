/*
 * protocols/archive: what is found in archives, and archives that are none.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/archive/archive_kit.h"

enum { ROOM = 4 << 20 };

static uint8_t room[ROOM];
static struct mrg_archive_tree tree;
static struct mrg_reject why;

/* Sorted as octets are: `-` and `.` come before `/`. */
static const struct archive_file few[] = {
	{ "a-b", "dash", 1 },
	{ "a.txt",
		"a text that is longer than the others, so that the next one begins behind some more octets",
		2 },
	{ "a/b/c", "deep", INT64_MIN },
	{ "a/b/d.html", "<p>", 1700000000 },
	{ "a0", "", -5 },
	{ "index.html", "home", 9 },
};
enum { FEW = sizeof few / sizeof few[0] };

static enum mrg_status open_tree(struct mrg_span bytes)
{
	struct mrg_arena arena = { .p = room, .cap = ROOM };
	return mrg_archive_tree_open(&tree, bytes, &arena, &why);
}

static enum mrg_rt_found look(const char *path, struct mrg_rt_file **f)
{
	*f = NULL;
	return mrg_rt_tree_open(&tree.tree, (struct mrg_span){ (const uint8_t *)path, strlen(path) }, 1, f);
}

static void expect_file(const struct archive_file *want)
{
	struct mrg_rt_file *f;
	ck_assert_msg(look(want->path, &f) == MRG_RT_FILE, "%s", want->path);
	ck_assert_uint_eq(f->size, strlen(want->content));
	ck_assert_ptr_nonnull(f->p);
	ck_assert_mem_eq(f->p, want->content, f->size);
	ck_assert_int_eq(f->modified_s, want->modified);
	ck_assert_uint_eq((size_t)(f->p - tree.bytes.p) % MRG_ARCHIVE_ALIGN, 0);
	ck_assert(f->p >= tree.bytes.p && f->p + f->size <= tree.bytes.p + tree.bytes.len);
	mrg_rt_tree_close(&tree.tree, f);
}

/* ---- what is found ---- */

START_TEST(files_folders_and_nothing)
{
	static const char *const folders[] = { "", "a", "a/b" }, *const nothing[] = { "b", "a/", "/", "/a",
		"a/b/", "a/b/c/", "a/b/c/d", "a/c", "inde", "index.html/", "index.html2", "a.tx", "..", ".",
		"a/..", "a//b", "a-", "A-b", "zzz", "a/b/c.", "\x01" };
	const struct mrg_span bytes = archive_make(few, FEW);
	const struct mrg_archive_member *bad = NULL;
	struct mrg_rt_file *f;
	ck_assert_int_eq(open_tree(bytes), MRG_OK);
	ck_assert_int_eq(mrg_archive_tree_verify(&tree, &bad), MRG_OK);
	ck_assert_ptr_null(bad);
	for (size_t i = 0; i < FEW; i++)
		expect_file(&few[i]);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		ck_assert_msg(look(folders[i], &f) == MRG_RT_FOLDER, "%s", folders[i]);
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
		ck_assert_msg(look(nothing[i], &f) == MRG_RT_NOTHING, "%s", nothing[i]);
	ck_assert_int_eq(look("a-b", &f), MRG_RT_FILE);
	ck_assert_uint_eq(f->version, mrg_archive_version((struct mrg_span){ (const uint8_t *)"dash", 4 }));
	const struct mrg_span nul = { (const uint8_t *)"a\0b", 3 };
	ck_assert_int_eq(mrg_rt_tree_open(&tree.tree, nul, 1, &f), MRG_RT_NOTHING);
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

START_TEST(paths_of_every_length)
{
	static char path[5000], content[] = "x";
	const struct archive_file one = { path, content, 0 };
	struct mrg_rt_file *f;
	for (size_t len = 4090; len <= MRG_ARCHIVE_PATH_MAX; len++) {
		memset(path, 'n', len);
		path[len] = '\0';
		path[len - 2] = '/';
		const struct mrg_span bytes = archive_make(&one, 1);
		ck_assert_int_eq(open_tree(bytes), MRG_OK);
		expect_file(&one);
		(void)strcat(path, "n");
		ck_assert_int_eq(look(path, &f), MRG_RT_NOTHING);
		path[len - 2] = '\0';
		ck_assert_int_eq(look(path, &f), MRG_RT_FOLDER);
		memset(path, 'n', sizeof path - 1);
		ck_assert_int_eq(look(path, &f), MRG_RT_NOTHING);
		free((void *)(uintptr_t)bytes.p);
	}
}
END_TEST

START_TEST(no_files)
{
	const struct mrg_span bytes = archive_make(few, 0);
	struct mrg_rt_file *f;
	ck_assert_int_eq(open_tree(bytes), MRG_OK);
	ck_assert_uint_eq(tree.count, 0);
	ck_assert_int_eq(look("", &f), MRG_RT_FOLDER);
	ck_assert_int_eq(look("a", &f), MRG_RT_NOTHING);
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct archive_file *)a)->path, ((const struct archive_file *)b)->path);
}

/* Against a plain look through all of them. */
static enum mrg_rt_found plainly(const struct archive_file *files, size_t count, const char *path)
{
	const size_t len = strlen(path);
	enum mrg_rt_found found = MRG_RT_NOTHING;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i].path, path) == 0)
			return MRG_RT_FILE;
		if (strncmp(files[i].path, path, len) == 0 && files[i].path[len] == '/')
			found = MRG_RT_FOLDER;
	}
	return found;
}

START_TEST(ten_thousand_files)
{
	enum { MANY = 10000 };
	static struct archive_file files[MANY];
	static char paths[MANY][32], contents[MANY][16];
	struct mrg_rt_file *f;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(paths[i], sizeof paths[i], "d%u/%s%u/f%u", i % 7, i % 3 == 0 ? "x/" : "x-",
			i % 101, i);
		(void)snprintf(contents[i], sizeof contents[i], "%u", i * 7u);
		files[i] = (struct archive_file){ paths[i], contents[i], (int64_t)i };
	}
	qsort(files, MANY, sizeof files[0], by_path);
	const struct mrg_span bytes = archive_make(files, MANY);
	const struct mrg_archive_member *bad;
	ck_assert_int_eq(open_tree(bytes), MRG_OK);
	ck_assert_uint_eq(tree.count, MANY);
	ck_assert_int_eq(mrg_archive_tree_verify(&tree, &bad), MRG_OK);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_int_eq(look(files[i].path, &f), MRG_RT_FILE);
		ck_assert(
			f->size == strlen(files[i].content) && memcmp(f->p, files[i].content, f->size) == 0);
	}
	for (unsigned i = 0; i < MANY; i += 50) { /* beginnings of paths: folders, or nothing */
		for (size_t len = 1; len < strlen(paths[i]); len++) {
			char part[32];
			memcpy(part, paths[i], len);
			part[len] = '\0';
			ck_assert_msg(look(part, &f) == plainly(files, MANY, part), "%s", part);
		}
	}
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

/* What the specification says of paths is what the runtime says of them; only the root is no path of a file. */
START_TEST(paths_as_the_runtime_has_them)
{
	static const char octets[] = { '/', '.', 'a', '\0', '\xff' };
	enum { KINDS = sizeof octets, LEN = 6 };
	for (size_t len = 1; len <= LEN; len++) {
		size_t all = 1;
		for (size_t i = 0; i < len; i++)
			all *= KINDS;
		for (size_t n = 0; n < all; n++) {
			uint8_t path[LEN + 1] = { 0 };
			for (size_t i = 0, left = n; i < len; i++, left /= KINDS)
				path[i] = (uint8_t)octets[left % KINDS];
			const struct mrg_span s = { path, len };
			if (mrg_archive_paths_path_match(s) != mrg_rt_path_ok(s))
				ck_abort_msg("%s", (const char *)path);
		}
	}
}
END_TEST

START_TEST(an_arena_too_small)
{
	const struct mrg_span bytes = archive_make(few, FEW);
	struct mrg_arena arena = { .p = room, .cap = FEW * sizeof(struct mrg_archive_member) - 1 };
	struct mrg_rt_file *f;
	ck_assert_int_eq(mrg_archive_tree_open(&tree, bytes, &arena, NULL), MRG_E_SPACE);
	ck_assert_int_eq(look("a-b", &f), MRG_RT_NOTHING);
	arena.cap++;
	ck_assert_int_eq(mrg_archive_tree_open(&tree, bytes, &arena, NULL), MRG_OK);
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

/* ---- what is none ---- */

START_TEST(every_truncation)
{
	const struct mrg_span bytes = archive_make(few, FEW);
	for (size_t len = 0; len < bytes.len; len++) {
		uint8_t *const p = archive_copy(bytes, len);
		const enum mrg_status st = open_tree((struct mrg_span){ p, len });
		ck_assert(st == MRG_MORE || st == MRG_E_VALUE);
		ck_assert_uint_le(why.bit_off / 8, len);
		ck_assert_uint_eq(tree.count, 0);
		free(p);
	}
	/* and octets behind the end */
	uint8_t *const longer = malloc(bytes.len + 1);
	memcpy(longer, bytes.p, bytes.len);
	longer[bytes.len] = 0;
	ck_assert_int_eq(open_tree((struct mrg_span){ longer, bytes.len + 1 }), MRG_E_VALUE);
	ck_assert_str_eq(why.site->path, "Whole");
	free(longer);
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

/* Each flip of an octet that means something is found, if only by comparing the contents. */
START_TEST(every_bit_flip)
{
	const struct mrg_span bytes = archive_make(few, FEW);
	const struct mrg_archive_member *bad;
	size_t opened = 0, passed = 0, padding = bytes.len;
	uint8_t *const p = archive_copy(bytes, bytes.len);
	ck_assert_int_eq(open_tree(bytes), MRG_OK);
	padding -= (size_t)(tree.members[0].file.p - bytes.p);
	for (size_t i = 0; i < FEW; i++)
		padding -= (size_t)tree.members[i].file.size;
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (open_tree((struct mrg_span){ p, bytes.len }) == MRG_OK) {
			opened++;
			if (mrg_archive_tree_verify(&tree, &bad) == MRG_OK)
				passed++;
			else
				ck_assert(bad->file.p <= p + bit / 8 &&
					  p + bit / 8 < bad->file.p + bad->file.size);
		}
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_uint_gt(opened, passed);
	ck_assert_uint_eq(passed, padding * 8);
	free(p);
	free((void *)(uintptr_t)bytes.p);
}
END_TEST

/* Archives whose checksums fit and whose indexes lie. */
static struct mrg_span good;
static uint8_t *lying;
static size_t entries_end;
static struct mrg_archive_entry entry[FEW]; /* of `lying` */

static void lie_begin(void)
{
	struct mrg_archive_whole whole;
	good = archive_make(few, FEW);
	lying = archive_copy(good, good.len);
	ck_assert_int_eq(mrg_archive_whole_check((struct mrg_span){ lying, good.len }, &whole, NULL), MRG_OK);
	const struct mrg_archive_index index = mrg_archive_whole_index(&whole);
	struct mrg_archive_index_entries_it it = mrg_archive_index_entries(&index);
	for (size_t i = 0; i < FEW; i++)
		ck_assert(mrg_archive_index_entries_next(&it, &entry[i]));
	entries_end = (size_t)(entry[FEW - 1].p + entry[FEW - 1].len - lying);
}

/* Where an octet of an entry is, to be written to. */
static uint8_t *at(const struct mrg_archive_entry *e, size_t off) { return lying + (e->p - lying) + off; }

static void lie_end(enum mrg_status st, const char *site)
{
	archive_fix_sum(lying, entries_end);
	ck_assert_int_eq(open_tree((struct mrg_span){ lying, good.len }), st);
	ck_assert_str_eq(why.site->path, site);
	ck_assert_uint_gt(why.site->line, 0);
	ck_assert_uint_le(why.bit_off / 8, good.len);
	ck_assert_uint_eq(tree.count, 0);
	free(lying);
	free((void *)(uintptr_t)good.p);
}

/* Offsets in an entry, as specs/archive.mrg has it. */
enum { OFFSET = 0, SIZE = 8, PATH_SIZE = 32, PATH = 34 };
/* and in an index */
enum { TOTAL = 16, COUNT = 24 };

START_TEST(places_of_contents_that_lie)
{
	static const uint64_t offsets[] = { UINT64_MAX, UINT64_MAX - 63, UINT64_C(1) << 63,
		UINT64_C(1) << 32 };
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		lie_begin();
		mrg_put_be(at(&entry[2], OFFSET), 8, offsets[i]);
		lie_end(MRG_E_VALUE, "Entry.offset");
		lie_begin();
		mrg_put_be(at(&entry[2], SIZE), 8, offsets[i]);
		lie_end(MRG_E_VALUE, "Entry.size");
	}
	lie_begin();
	mrg_put_be(at(&entry[2], SIZE), 8, good.len - mrg_archive_entry_offset(&entry[2]) + 1);
	lie_end(MRG_E_VALUE, "Entry.size");
	lie_begin(); /* into the index */
	mrg_put_be(at(&entry[0], OFFSET), 8, 0);
	lie_end(MRG_E_RANGE, "Entry.offset");
	lie_begin(); /* onto another content */
	mrg_put_be(at(&entry[3], OFFSET), 8, mrg_archive_entry_offset(&entry[2]));
	lie_end(MRG_E_RANGE, "Entry.offset");
	lie_begin(); /* over another content */
	mrg_put_be(at(&entry[2], SIZE), 8, 65);
	lie_end(MRG_E_RANGE, "Entry.offset");
	lie_begin(); /* something between */
	mrg_put_be(at(&entry[1], SIZE), 8, 5);
	lie_end(MRG_E_RANGE, "Entry.offset");
	lie_begin(); /* something behind */
	mrg_put_be(at(&entry[5], SIZE), 8, 3);
	lie_end(MRG_E_LENGTH, "Whole.contents");
	lie_begin();
	mrg_put_be(at(&entry[2], OFFSET), 8, mrg_archive_entry_offset(&entry[2]) + 1);
	lie_end(MRG_E_VALUE, "Entry");
}
END_TEST

START_TEST(counts_that_lie)
{
	static const uint32_t counts[] = { FEW + 1, 1000, 0x7fffffff, 0xffffffff };
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		lie_begin();
		mrg_put_be32(lying + COUNT, counts[i]);
		archive_fix_sum(lying, entries_end);
		ck_assert_int_ne(open_tree((struct mrg_span){ lying, good.len }), MRG_OK);
		free(lying);
		free((void *)(uintptr_t)good.p);
	}
	lie_begin(); /* fewer: the others are no padding */
	mrg_put_be32(lying + COUNT, FEW - 1);
	lie_end(MRG_E_VALUE, "Index");
	lie_begin();
	mrg_put_be(lying + TOTAL, 8, good.len + 1);
	lie_end(MRG_E_VALUE, "Whole");
	lie_begin();
	mrg_put_be(lying + TOTAL, 8, UINT64_MAX);
	lie_end(MRG_E_VALUE, "Whole");
}
END_TEST

START_TEST(paths_that_are_none)
{
	static const char *const paths[] = { ".", "..", "/", "/a", "a/", "a//b", "../a", "a/..", "./a", "a/.",
		"a/../b", "a/./b", "//", "../../etc/passwd" };
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const struct archive_file one = { paths[i], "text", 0 };
		const struct mrg_span bytes = archive_make(&one, 1);
		ck_assert_msg(open_tree(bytes) == MRG_E_TEXT, "%s", paths[i]);
		ck_assert_str_eq(why.site->path, "Entry.path");
		ck_assert_int_eq(why.status, MRG_E_TEXT);
		free((void *)(uintptr_t)bytes.p);
	}
	lie_begin();
	memcpy(at(&entry[2], PATH), "a/\0/c", 5);
	lie_end(MRG_E_TEXT, "Entry.path");
}
END_TEST

START_TEST(paths_out_of_order)
{
	static const struct archive_file pairs[][2] = {
		{ { "b", "", 0 }, { "a", "", 0 } },
		{ { "a", "one", 0 }, { "a", "two", 0 } }, /* twice the same */
		{ { "ab", "", 0 }, { "a", "", 0 } },      /* one that begins the one before */
		{ { "a/b", "", 0 }, { "a-b", "", 0 } },   /* in order of names, not of octets */
		{ { "\xff", "", 0 }, { "z", "", 0 } },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const struct mrg_span bytes = archive_make(pairs[i], 2);
		ck_assert_int_eq(open_tree(bytes), MRG_E_VALUE);
		ck_assert_str_eq(why.site->path, "Index.entries");
		free((void *)(uintptr_t)bytes.p);
	}
}
END_TEST

START_TEST(lengths_of_paths_that_lie)
{
	lie_begin();
	mrg_put_be16(at(&entry[2], PATH_SIZE), 0);
	lie_end(MRG_E_VALUE, "Entry.path_size");
	lie_begin();
	mrg_put_be16(at(&entry[2], PATH_SIZE), MRG_ARCHIVE_PATH_MAX + 1);
	lie_end(MRG_E_VALUE, "Entry.path_size");
	lie_begin();
	mrg_put_be16(at(&entry[2], PATH_SIZE), 4);
	lie_end(MRG_E_VALUE, "Entry");
	lie_begin(); /* no NUL behind it */
	*at(&entry[2], PATH + 5) = 'x';
	lie_end(MRG_E_VALUE, "Entry");
}
END_TEST

START_TEST(where_a_lie_is_told)
{
	lie_begin();
	memcpy(at(&entry[3], PATH), "a/d/../../", 10);
	const size_t off = (size_t)(entry[3].p - lying) + PATH;
	lie_end(MRG_E_TEXT, "Entry.path");
	ck_assert_uint_eq(why.bit_off, 8 * off);
	lie_begin();
	mrg_put_be(at(&entry[1], SIZE), 8, UINT64_MAX);
	const size_t size_off = (size_t)(entry[1].p - lying) + SIZE;
	lie_end(MRG_E_VALUE, "Entry.size");
	ck_assert_uint_eq(why.bit_off, 8 * size_off);
	ck_assert_str_eq(why.site->file, "archive.mrg");
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/archive");
	TCase *const t = tcase_create("archive");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, files_folders_and_nothing);
	tcase_add_test(t, paths_of_every_length);
	tcase_add_test(t, no_files);
	tcase_add_test(t, ten_thousand_files);
	tcase_add_test(t, paths_as_the_runtime_has_them);
	tcase_add_test(t, an_arena_too_small);
	tcase_add_test(t, every_truncation);
	tcase_add_test(t, every_bit_flip);
	tcase_add_test(t, places_of_contents_that_lie);
	tcase_add_test(t, counts_that_lie);
	tcase_add_test(t, paths_that_are_none);
	tcase_add_test(t, paths_out_of_order);
	tcase_add_test(t, lengths_of_paths_that_lie);
	tcase_add_test(t, where_a_lie_is_told);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
