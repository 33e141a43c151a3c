/*
 * protocols/dns/master: each zone of tests/data/zones/zones.txt gives the same records as
 * named-compilezone (Debian: bind9-utils) makes of it, octet by octet; and again after printing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocols/dns/master_load.h"

#define ZONES "tests/data/zones"
enum { ZONE_MAX = 64 };

static char zone_file[ZONE_MAX][128], zone_origin[ZONE_MAX][128];
static int zone_count;

static void read_list(void)
{
	char line[300];
	FILE *f = fopen(ZONES "/zones.txt", "r");
	if (f == NULL)
		return;
	while (zone_count < ZONE_MAX && fgets(line, sizeof line, f) != NULL)
		if (line[0] != '#' &&
			sscanf(line, "%127s %127s", zone_file[zone_count], zone_origin[zone_count]) == 2)
			zone_count++;
	fclose(f);
}

/* A record as one string of octets, so that sets of records are sorted strings. */
struct row {
	uint8_t *p;
	size_t len;
};

struct rows {
	struct row *row;
	size_t count;
};

static void add(struct rows *r, const uint8_t *owner, size_t owner_len, unsigned type, unsigned class,
	uint32_t ttl, const uint8_t *rdata, size_t rdata_len)
{
	struct row x = { malloc(owner_len + 8 + rdata_len), owner_len + 8 + rdata_len };
	ck_assert_ptr_nonnull(x.p);
	mrg_fold(x.p, owner, owner_len);
	mrg_put_be(x.p + owner_len, 2, type);
	mrg_put_be(x.p + owner_len + 2, 2, class);
	mrg_put_be(x.p + owner_len + 4, 4, ttl);
	if (rdata_len > 0)
		memcpy(x.p + owner_len + 8, rdata, rdata_len);
	r->row = realloc(r->row, (r->count + 1) * sizeof *r->row);
	r->row[r->count++] = x;
}

static int by_octets(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const int c = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);
	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* Sorted, each record once. */
static void sort(struct rows *r)
{
	size_t n = 0;
	qsort(r->row, r->count, sizeof *r->row, by_octets);
	for (size_t i = 0; i < r->count; i++) {
		if (n > 0 && by_octets(&r->row[n - 1], &r->row[i]) == 0)
			free(r->row[i].p);
		else
			r->row[n++] = r->row[i];
	}
	r->count = n;
}

static void drop(struct rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->row[i].p);
	free(r->row);
}

static const char *hex(const struct row *r)
{
	static char b[2][1000];
	static unsigned turn;
	char *at = b[turn++ % 2];
	for (size_t i = 0; i < r->len && i < 490; i++)
		sprintf(at + 2 * i, "%02x", r->p[i]);
	return at;
}

static void same(const struct rows *a, const struct rows *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		ck_assert_msg(by_octets(&a->row[i], &b->row[i]) == 0, "record %zu differs:\n%s\n%s", i,
			hex(&a->row[i]), hex(&b->row[i]));
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_gt(a->count, 5);
}

static struct rows ours(const struct master_load *l)
{
	struct rows r = { 0 };
	for (size_t i = 0; i < l->record_count; i++) {
		const struct master_record *x = &l->records[i];
		add(&r, x->owner, x->owner_len, x->type, x->class, x->ttl, x->rdata, x->rdata_len);
	}
	sort(&r);
	return r;
}

/* BIND's raw zone format, version 1: a header of 24 octets, then sets of records */
static struct rows from_raw(const uint8_t *p, size_t len)
{
	struct rows r = { 0 };
	size_t at = 24;
	while (at + 20 <= len) {
		const unsigned class = mrg_be16(p + at + 4), type = mrg_be16(p + at + 6);
		const uint32_t ttl = mrg_be32(p + at + 10), count = mrg_be32(p + at + 14);
		const size_t owner_len = mrg_be16(p + at + 18), next = at + mrg_be32(p + at);
		const uint8_t *owner = p + at + 20;
		ck_assert_uint_le(next, len);
		size_t q = at + 20 + owner_len;
		for (uint32_t i = 0; i < count; i++) {
			const size_t rdata_len = mrg_be16(p + q);
			add(&r, owner, owner_len, type, class, ttl, p + q + 2, rdata_len);
			q += 2 + rdata_len;
		}
		ck_assert_uint_eq(q, next);
		at = next;
	}
	sort(&r);
	return r;
}

static struct rows theirs(const char *file, const char *origin)
{
	char raw[] = "/tmp/mrg-zone-XXXXXX", command[800];
	static uint8_t b[8 << 20];
	const int fd = mkstemp(raw);
	ck_assert_int_ge(fd, 0);
	/* they change their working directory for $INCLUDE; nothing is checked beyond the syntax */
	snprintf(command, sizeof command,
		"cd $(dirname " ZONES
		"/%s) && PATH=$PATH:/usr/sbin named-compilezone -i none -k ignore -n ignore -m ignore -M ignore "
		"-r ignore -S ignore -T ignore -F raw -o %s %s $(basename %s) >%s.log 2>&1 || { cat %s.log; exit 1; }",
		file, raw, origin, file, raw, raw);
	const int status = system(command);
	ck_assert_msg(status == 0, "named-compilezone (Debian: bind9-utils) does not take %s", file);
	FILE *f = fdopen(fd, "rb");
	const size_t len = fread(b, 1, sizeof b, f);
	fclose(f);
	unlink(raw);
	snprintf(command, sizeof command, "%s.log", raw);
	unlink(command);
	ck_assert_uint_gt(len, 24);
	return from_raw(b, len);
}

static void load(struct master_load *l, const char *file, const char *origin)
{
	char path[200];
	snprintf(path, sizeof path, ZONES "/%s", file);
	ck_assert(master_load_file(l, path, origin));
	if (l->error_count > 0)
		ck_abort_msg("%s: %s", path, master_load_error(l, 0));
	ck_assert_int_eq(l->status, MRG_OK);
}

START_TEST(the_records_are_those_of_named_compilezone)
{
	static struct master_load l;
	load(&l, zone_file[_i], zone_origin[_i]);
	struct rows a = ours(&l), b = theirs(zone_file[_i], zone_origin[_i]);
	same(&a, &b);
	drop(&a);
	drop(&b);
	master_load_free(&l);
}
END_TEST

START_TEST(what_is_printed_reads_back_the_same)
{
	static struct master_load l, again;
	load(&l, zone_file[_i], zone_origin[_i]);
	size_t len = 0, cap = 1 << 20;
	char *text = malloc(cap);
	for (size_t i = 0; i < l.record_count; i++) {
		const char *line = master_load_show(&l, i);
		const size_t n = strlen(line);
		if (len + n + 2 > cap)
			text = realloc(text, cap = 2 * (cap + n));
		memcpy(text + len, line, n);
		len += n;
		text[len++] = '\n';
	}
	master_load_text(&again, text, len, "elsewhere.");
	if (again.error_count > 0)
		ck_abort_msg("%s", master_load_error(&again, 0));
	struct rows a = ours(&l), b = ours(&again);
	same(&a, &b);
	drop(&a);
	drop(&b);
	free(text);
	master_load_free(&l);
	master_load_free(&again);
}
END_TEST

START_TEST(there_are_zones) { ck_assert_int_ge(zone_count, 10); }
END_TEST

int main(void)
{
	read_list();
	Suite *const s = suite_create("dns/master zones");
	TCase *const t = tcase_create("zones");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, there_are_zones);
	tcase_add_loop_test(t, the_records_are_those_of_named_compilezone, 0, zone_count);
	tcase_add_loop_test(t, what_is_printed_reads_back_the_same, 0, zone_count);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
