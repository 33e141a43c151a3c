/* For tests of transfers: see transfer_kit.h. */
#include "transfer_kit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr_text.h"
#include "protocols/dns/master.h"

static bool put_record(void *ctx, const struct mrg_dns_master_rr *rr)
{
	mrg_dns_flat_rr_put(ctx, &(struct mrg_dns_flat_rr_args){ .name = rr->owner,
					 .type = rr->type,
					 .class = rr->class,
					 .ttl = rr->ttl,
					 .rdata = rr->rdata });
	return true;
}

static void complain(void *ctx, const struct mrg_dns_master_error *e)
{
	(void)ctx;
	ck_abort_msg("%u:%u: %s: %s", e->line, e->col, e->field, e->what);
}

/* Write the records of a text behind what is there. */
static void put_records(struct mrg_w *w, const char *text)
{
	static struct mrg_dns_master m;
	const struct mrg_dns_master_events ev = { .ctx = w, .record = put_record, .error = complain };
	const struct mrg_dns_master_source src = {
		.p = (const uint8_t *)text, .len = strlen(text), .name = "records"
	};
	size_t errors;
	ck_assert_int_eq(
		mrg_dns_master_read(&m, &src, (struct mrg_span){ (const uint8_t *)"", 1 }, 60, &ev, &errors),
		MRG_OK);
	ck_assert_int_eq(w->st, MRG_OK);
}

size_t transfer_query(const char *line, const char *zone, uint32_t serial, uint8_t *out, size_t cap)
{
	char soa[400];
	struct mrg_w w, head;
	struct mrg_dns_header h;
	mrg_w_init(&w, out, cap);
	w.len = kit_query(line, out, cap);
	ck_assert_int_eq(mrg_dns_header_check(mrg_w_span(&w, 0), &h, NULL), MRG_OK);
	snprintf(soa, sizeof soa, "%s 60 IN SOA . . %u 1 2 3 4", zone, serial);
	put_records(&w, soa);
	mrg_w_init(&head, out, MRG_DNS_HEADER_SIZE);
	mrg_dns_header_put(&head,
		&(struct mrg_dns_header_args){ .id = mrg_dns_header_id(&h), .qdcount = 1, .nscount = 1 });
	return w.len;
}

struct mrg_span transfer_flat(struct mrg_arena *a, const char *text)
{
	struct mrg_w w;
	mrg_w_init(&w, a->p + a->len, a->cap - a->len);
	put_records(&w, text);
	a->len += w.len;
	return mrg_w_span(&w, 0);
}

const struct mrg_dns_step *transfer_step(
	struct mrg_arena *a, const struct mrg_dns_step *before, const char *deleted, const char *added)
{
	const struct mrg_dns_step *step = NULL;
	const struct mrg_span from = transfer_flat(a, deleted), to = transfer_flat(a, added);
	ck_assert_int_eq(mrg_dns_history_step(a, before, from, to, &step), MRG_OK);
	return step;
}

void lines_add(struct lines *l, const char *line, size_t len)
{
	ck_assert_uint_lt(l->count, sizeof l->text / sizeof l->text[0]);
	l->text[l->count++] = strndup(line, len);
}

void lines_take(struct lines *l, const char *text, const char *head)
{
	const size_t skip = strlen(head);
	while (*text != '\0') {
		const size_t len = strcspn(text, "\n");
		if (len >= skip && memcmp(text, head, skip) == 0)
			lines_add(l, text + skip, len - skip);
		text += len + (text[len] != '\0');
	}
}

static int order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void lines_sort(struct lines *l) { qsort(l->text, l->count, sizeof l->text[0], order); }

void lines_free(struct lines *l)
{
	while (l->count > 0)
		free(l->text[--l->count]);
}

void lines_same(const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		ck_assert_str_eq(a->text[i], b->text[i]);
	ck_assert_uint_eq(a->count, b->count);
}

void lines_of_zone(struct lines *l, const struct mrg_dns_zone *zone)
{
	struct mrg_dns_zone_walk walk = { .zone = zone };
	struct mrg_dns_rr rr;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK) {
		static char text[1 << 18];
		struct mrg_w w;
		mrg_w_init(&w, text, sizeof text);
		mrg_dns_rr_to_text(&rr, &w);
		ck_assert_int_eq(w.st, MRG_OK);
		lines_add(l, text, w.len);
	}
	lines_sort(l);
}
