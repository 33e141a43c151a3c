/*
 * Zones as text.
 */
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/common/whole_file.h"
#include "appliances/dns/said.h"
#include "appliances/dns/show.h"
#include "dns/name_text.h"
#include "dns/rr_text.h"
#include "unix/mrg_unix.h"

enum {
	PAGE_TEXT = 1 << 16 /* written at once */
};

static void fault_to_stderr(void *ctx, const struct fault *f)
{
	char buffer[4096];
	struct text_out o;
	(void)ctx;
	out_init(&o, STDERR_FILENO, buffer, sizeof buffer);
	out_str(&o, f->file);
	if (f->line != 0) {
		out_str(&o, ":");
		out_num(&o, f->line);
		out_str(&o, ":");
		out_num(&o, f->col);
	}
	out_str(&o, ": error: ");
	if (f->field[0] != '\0') {
		out_str(&o, f->field);
		out_str(&o, ": ");
	}
	out_str(&o, f->what);
	out_str(&o, "\n");
	(void)out_flush(&o);
}

const struct report stderr_report = { .ctx = NULL, .fault = fault_to_stderr };

/* With RDATA in the generic form, which every type has (RFC 3597 5). */
static void put_generic(const struct mrg_dns_rr *rr, struct mrg_w *w)
{
	const struct mrg_dns_name owner = mrg_dns_rr_name(rr);
	mrg_dns_name_to_text(&owner, w);
	mrg_w_u8(w, ' ');
	mrg_text_put_dec(w, mrg_dns_rr_ttl(rr));
	mrg_w_u8(w, ' ');
	mrg_text_put_mnemonic(w, &mrg_dns_class_text, mrg_dns_rr_class(rr));
	mrg_w_u8(w, ' ');
	mrg_text_put_mnemonic(w, &mrg_dns_type_text, mrg_dns_rr_type(rr));
	mrg_w_u8(w, ' ');
	mrg_text_put_generic(w, mrg_dns_rr_rdata_raw(rr));
}

void show_record(const struct mrg_dns_rr *rr, struct mrg_w *w)
{
	const size_t from = w->len;
	/* types without a format of their own, and octets that the type's format has no words for, are written generically */
	if (mrg_dns_rr_rdata_which(rr) != MRG_DNS_RR_RDATA_UNKNOWN)
		mrg_dns_rr_to_text(rr, w);
	else
		mrg_w_fail(w, MRG_E_TEXT);
	if (w->st == MRG_E_TEXT) {
		w->st = MRG_OK;
		w->len = from;
		put_generic(rr, w);
	}
	mrg_w_u8(w, '\n');
}

static bool show_zone(const struct mrg_dns_zone *zone, struct text_out *out, uint8_t *record)
{
	struct mrg_dns_zone_walk walk = { .zone = zone };
	struct mrg_dns_rr rr;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK) {
		struct mrg_w w;
		mrg_w_init(&w, record, SHOW_RECORD_MAX);
		show_record(&rr, &w);
		if (w.st != MRG_OK) {
			say("mrg-dns: a record that cannot be printed: ", mrg_status_str(w.st), NULL);
			return false;
		}
		out_span(out, mrg_w_span(&w, 0));
	}
	return true;
}

bool show_records(const struct database *db)
{
	struct mrg_arena arena;
	struct text_out out;
	if (mrg_unix_arena_open(&arena, 4u << 20, 4u << 20) != 0) {
		say("mrg-dns: not enough memory to print", NULL);
		return false;
	}
	uint8_t *const record = mrg_arena_get(&arena, SHOW_RECORD_MAX, 1);
	out_init(&out, STDOUT_FILENO, mrg_arena_get(&arena, PAGE_TEXT, 1), PAGE_TEXT);
	bool good = true;
	for (size_t i = 0; i < db->count && good; i++)
		good = show_zone(db->zones[i].version->zone, &out, record);
	if (!out_flush(&out)) {
		say("mrg-dns: standard output: cannot be written", NULL);
		good = false;
	}
	mrg_unix_arena_close(&arena);
	return good;
}

bool show_summary(const struct database *db)
{
	char buffer[SAID_NAME_MAX + 100];
	struct text_out out;
	out_init(&out, STDOUT_FILENO, buffer, sizeof buffer);
	for (size_t i = 0; i < db->count; i++) {
		char text[SAID_NAME_MAX];
		struct mrg_w w;
		mrg_w_init(&w, text, sizeof text);
		said_origin(db->zones[i].version->zone, &w);
		out_span(&out, mrg_w_span(&w, 0));
		out_str(&out, ": serial ");
		out_num(&out, mrg_dns_zone_serial(db->zones[i].version->zone));
		out_str(&out, ", ");
		out_num(&out, mrg_dns_zone_records(db->zones[i].version->zone));
		out_str(&out, " records\n");
	}
	return out_flush(&out);
}

/* The SOA, or all others. */
static void write_records(const struct mrg_dns_zone *zone, bool soa, struct whole_file *f, struct mrg_w *w)
{
	struct mrg_dns_zone_walk walk = { .zone = zone };
	struct mrg_dns_rr rr;
	while (mrg_dns_zone_next(&walk, &rr) == MRG_OK) {
		if ((mrg_dns_rr_type(&rr) == MRG_DNS_TYPE_SOA) != soa)
			continue;
		show_record(&rr, w);
		if (w->len >= PAGE_TEXT) {
			whole_file_put(f, mrg_w_span(w, 0));
			w->len = 0;
		}
	}
}

int show_write(const struct mrg_dns_zone *zone, const char *file, struct mrg_span head)
{
	struct mrg_arena arena;
	struct whole_file f;
	struct mrg_w w;
	const size_t room = PAGE_TEXT + SHOW_RECORD_MAX;
	int err = mrg_unix_arena_open(&arena, room, room);
	if (err != 0)
		return err;
	err = whole_file_begin(&f, file);
	if (err == 0) {
		mrg_w_init(&w, arena.p, room);
		whole_file_put(&f, head);
		write_records(zone, true, &f, &w);
		write_records(zone, false, &f, &w);
		whole_file_put(&f, mrg_w_span(&w, 0));
		err = whole_file_end(&f);
	}
	mrg_unix_arena_close(&arena);
	return err;
}
