/*
 * protocols/http/path: the names that a path stands for. RFC 3986 2.1, 3.3, 5.2.4; RFC 9110 4.2.3.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "protocols/http/path.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { ROOM = 4096 };

/* "names" for a file, "names/" for a folder, "-" where there are none. The room is just as large as is said. */
static const char *names_in(struct mrg_span path, size_t room)
{
	static char text[ROOM + 2];
	uint8_t *const b = malloc(room + 1); /* of no use to anybody, but malloc(0) may be NULL */
	struct mrg_w w;
	bool folder = false;
	mrg_w_init(&w, b, room);
	const bool well = mrg_http_path_names(guarded(path), &w, &folder);
	if (well) {
		MUST(w.st == MRG_OK);
		memcpy(text, b, w.len);
		strcpy(text + w.len, folder ? "/" : "");
	}
	free(b);
	return well ? text : "-";
}

static void expect(const char *path, const char *want)
{
	const char *const got = names_in(text_of(path), ROOM);
	MUST_SAY(strcmp(got, want) == 0, "%s: %s instead of %s", path, got, want);
}

struct row {
	const char *path, *want;
};

static void expect_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(rows[i].path, rows[i].want);
}

START_TEST(names)
{
	static const struct row rows[] = { { "/", "/" }, { "/a", "a" }, { "/a/", "a/" },
		{ "/a/b.c", "a/b.c" }, { "/a//b", "a/b" }, { "///a", "a" }, { "/a///", "a/" },
		{ "/a;b=c,d", "a;b=c,d" }, { "/-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@" }, { "/A/a", "A/a" },
		{ "/...", "..." }, { "/.a", ".a" }, { "/a.", "a." }, { "/..a", "..a" }, { "/a..", "a.." },
		{ "//", "/" }, { "//a", "a" } };
	expect_all(rows, COUNT(rows));
}
END_TEST

/* RFC 9110 4.2.3: no path is the path of the root. */
START_TEST(an_empty_path_is_the_root) { expect("", "/"); }
END_TEST

START_TEST(escapes)
{
	static const struct row rows[] = { { "/%61", "a" }, { "/%41%42", "AB" }, { "/a%20b", "a b" },
		{ "/%7E", "~" }, { "/%7e", "~" }, { "/%25", "%" }, { "/%2525", "%25" }, { "/%2e", "/" },
		{ "/%3F%23", "?#" }, { "/%c3%a9", "\xc3\xa9" }, { "/%FF", "\xff" }, { "/%01", "\x01" },
		{ "/%5c", "\\" }, { "/%2Ba", "+a" }, { "/+", "+" }, { "/%3a", ":" },
		{ "/%10%1f%2d%2a", "\x10\x1f-*" } };
	expect_all(rows, COUNT(rows));
	for (unsigned c = 0; c < 256; c++)
		for (unsigned kind = 0; kind < 2; kind++) {
			char path[8], want[2] = { (char)c, 0 };
			snprintf(path, sizeof path, kind == 0 ? "/%%%02X" : "/%%%02x", c);
			expect(path, c == 0 || c == '/' ? "-" : c == '.' ? "/" : want);
		}
}
END_TEST

START_TEST(no_slash_and_no_nul_in_a_name)
{
	static const struct row rows[] = { { "/%2f", "-" }, { "/%2F", "-" }, { "/a%2fb", "-" },
		{ "/a/..%2f..%2fb", "-" }, { "/%00", "-" }, { "/a%00.html", "-" }, { "/a/b%00", "-" },
		{ "/%2f/..", "-" }, { "/%00/../a", "-" }, { "/%252f", "%2f" }, { "/%2500", "%00" } };
	expect_all(rows, COUNT(rows));
}
END_TEST

START_TEST(dot_segments)
{
	static const struct row rows[] = { { "/.", "/" }, { "/./", "/" }, { "/./a", "a" }, { "/a/.", "a/" },
		{ "/a/./b", "a/b" }, { "/..", "/" }, { "/../", "/" }, { "/../a", "a" },
		{ "/../../../a", "a" }, { "/a/..", "/" }, { "/a/../", "/" }, { "/a/../b", "b" },
		{ "/a/b/..", "a/" }, { "/a/b/../..", "/" }, { "/a/b/../../..", "/" },
		{ "/a/b/../../../c", "c" }, { "/a/b/c/./../../g", "a/g" }, { "/a//../b", "b" },
		{ "/a/../../b/../c", "c" }, { "/.../..", "/" },
		{ "/etc/../../../../etc/passwd", "etc/passwd" } };
	expect_all(rows, COUNT(rows));
}
END_TEST

START_TEST(dot_segments_written_otherwise)
{
	static const struct row rows[] = { { "/%2e%2e/a", "a" }, { "/%2E./a", "a" }, { "/.%2e/a", "a" },
		{ "/a/%2e%2e", "/" }, { "/%2e", "/" }, { "/a/%2E/b", "a/b" }, { "/%252e%252e/a", "%2e%2e/a" },
		{ "/..%5c..%5ca", "..\\..\\a" }, { "/%c0%ae%c0%ae/a", "\xc0\xae\xc0\xae/a" },
		{ "/%e0%80%ae/a", "\xe0\x80\xae/a" }, { "/..;/a", "..;/a" }, { "/.%00./a", "-" },
		{ "/..%20/a", ".. /a" } };
	expect_all(rows, COUNT(rows));
}
END_TEST

static void put_segments(char *path, const char *segment, size_t count, const char *behind)
{
	*path = 0;
	for (size_t i = 0; i < count; i++)
		path = stpcpy(stpcpy(path, "/"), segment);
	strcpy(path, behind);
}

START_TEST(depth)
{
	char path[4000];
	put_segments(path, "a", MRG_HTTP_PATH_DEPTH, "");
	expect(path, path + 1);
	put_segments(path, "a", MRG_HTTP_PATH_DEPTH + 1, "");
	expect(path, "-");
	put_segments(path, "a", 1000, "");
	expect(path, "-");
	put_segments(path, "..", 1000, "/a"); /* many segments, but few names */
	expect(path, "a");
	put_segments(path, "", 1000, "a");
	expect(path, "a");
	put_segments(path, "a/..", 500, "/b");
	expect(path, "b");
	put_segments(path, "a", MRG_HTTP_PATH_DEPTH, "/../b");
	MUST(strlen(names_in(text_of(path), ROOM)) == MRG_HTTP_PATH_DEPTH * 2 - 1);
}
END_TEST

START_TEST(each_room_that_is_too_small)
{
	static const char path[] = "/abc/%64e/../fgh/./i";
	const size_t need = sizeof "abc/fgh/i" - 1;
	for (size_t room = 0; room < need; room++)
		ck_assert_str_eq(names_in(text_of(path), room), "-");
	ck_assert_str_eq(names_in(text_of(path), need), "abc/fgh/i");
}
END_TEST

START_TEST(what_is_no_path)
{
	static const struct row rows[] = { { "a", "-" }, { "a/b", "-" }, { "/%", "-" }, { "/%1", "-" },
		{ "/%zz", "-" }, { "/a b", "-" }, { "/a?b", "-" }, { "/\\", "-" }, { "/\x80", "-" },
		{ "/a\n", "-" } };
	expect_all(rows, COUNT(rows));
	ck_assert_str_eq(names_in(MRG_LITERAL("/a\0b"), ROOM), "-");
	for (size_t cut = 0; cut < 4; cut++) /* an escape that ends too early */
		ck_assert_str_eq(names_in((struct mrg_span){ (const uint8_t *)"/%61", cut }, ROOM),
			cut < 2 ? "/" : "-");
}
END_TEST

/* The longest name that a target can have, of each kind of segment. */
START_TEST(long_paths)
{
	static char path[8001], want[8001];
	memset(path, 'a', sizeof path - 1);
	path[0] = '/';
	ck_assert_str_eq(names_in(text_of(path), ROOM), "-");
	path[ROOM + 1] = 0;
	strcpy(want, path + 1);
	ck_assert_str_eq(names_in(text_of(path), ROOM), want);
	for (size_t i = 0; i < 1000; i++)
		memcpy(path + 1 + 3 * i, "%61", 4);
	want[1000] = 0;
	ck_assert_str_eq(names_in(text_of(path), ROOM), want);
}
END_TEST

/* ---- where a folder is ---- */

static const char *folder_of(const char *path)
{
	static char text[ROOM];
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text - 1);
	mrg_http_path_put_folder(&w, guarded(text_of(path)));
	MUST(w.st == MRG_OK);
	text[w.len] = 0;
	return text;
}

START_TEST(folders)
{
	static const struct row rows[] = { { "/a", "/a/" }, { "/a/b", "/a/b/" }, { "/a%20b", "/a%20b/" },
		{ "/a/", "/a/" }, { "/", "/" }, { "//evil.example/..", "/evil.example/../" },
		{ "//evil.example", "/evil.example/" }, { "///evil.example/%2e%2e", "/evil.example/%2e%2e/" },
		{ "/%5cevil.example", "/%5cevil.example/" }, { "/a//b", "/a/b/" },
		{ "/http://evil.example/..", "/http:/evil.example/../" } };
	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_str_eq(folder_of(rows[i].path), rows[i].want);
}
END_TEST

/* RFC 3986 4.2, 5.3: all that is made of few kinds of characters leads to the host it came from, to the same names. */
START_TEST(a_folder_is_never_on_another_host)
{
	static const char *const pieces[] = { "/", "//", "a", "..", ".", "%2e", "evil.example", ":", "@",
		"%5c" };
	for (size_t i = 0; i < COUNT(pieces) * COUNT(pieces) * COUNT(pieces) * COUNT(pieces); i++) {
		char path[100] = "/", before[ROOM];
		for (size_t k = 0, n = i; k < 4; k++, n /= COUNT(pieces))
			strcat(path, pieces[n % COUNT(pieces)]);
		strcpy(before, names_in(text_of(path), ROOM));
		const char *const to = folder_of(path);
		MUST_SAY(to[0] == '/' && to[1] != '/' && to[1] != '\\' && to[strlen(to) - 1] == '/', "%s: %s",
			path, to);
		if (before[strlen(before) - 1] != '/')
			strcat(before, "/");
		ck_assert_str_eq(names_in(text_of(to), ROOM), before);
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/http/path");
	TCase *const t = tcase_create("path");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, names);
	tcase_add_test(t, an_empty_path_is_the_root);
	tcase_add_test(t, escapes);
	tcase_add_test(t, no_slash_and_no_nul_in_a_name);
	tcase_add_test(t, dot_segments);
	tcase_add_test(t, dot_segments_written_otherwise);
	tcase_add_test(t, depth);
	tcase_add_test(t, each_room_that_is_too_small);
	tcase_add_test(t, what_is_no_path);
	tcase_add_test(t, long_paths);
	tcase_add_test(t, folders);
	tcase_add_test(t, a_folder_is_never_on_another_host);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
