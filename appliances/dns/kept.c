/*
 * Zones in files.
 * Reading order: whose a file is, one zone, all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "appliances/common/whole_file.h"
#include "appliances/dns/kept.h"
#include "appliances/dns/load.h"
#include "appliances/dns/said.h"
#include "appliances/dns/show.h"
#include "mrg_text.h"
#include "unix/mrg_unix.h"

enum { MARK = 3 * SAID_NAME_MAX + 100 /* octets of the first line */ };

/* Of all zones some, until so much time has passed. */
static const uint64_t TURN_NS = MRG_RT_SECOND_NS / 50u;

/* ---- whose a file is ---- */

static void put_folded(struct mrg_w *w, struct mrg_span name)
{
	struct mrg_dns_name_flat flat, folded;
	if (mrg_dns_name_flat_check(name, &flat) != MRG_OK)
		return;
	mrg_dns_name_flat_fold(&flat, &folded);
	said_name_put(mrg_dns_name_flat_from(&folded, 0), w);
}

/* The label that is the member's own in its catalog, as a name. */
static void put_label(struct mrg_w *w, const struct zone_entry *e)
{
	uint8_t name[1 + MRG_DNS_MAX_LABEL + 1] = { 0 };
	memcpy(name, e->label, e->label_len);
	put_folded(w, (struct mrg_span){ name, e->label_len + 1 });
}

/* What any file of the member begins with; `all`: and goes on with, if it is of the member as it is now. */
static struct mrg_span mark(uint8_t out[MARK], const struct zone_entry *e, bool all)
{
	struct mrg_w w;
	mrg_w_init(&w, out, MARK);
	mrg_text_put(&w, "; kept by mrg-dns: ");
	put_folded(&w, zone_entry_origin(e));
	mrg_text_put(&w, " ");
	if (all) {
		mrg_text_put(&w, "that is ");
		put_label(&w, e);
		mrg_text_put(&w, " of ");
		put_folded(&w, zone_entry_origin(e->owner->entry));
		mrg_text_put(&w, "\n");
	}
	return mrg_w_span(&w, 0);
}

static bool begins_with(const char *file, struct mrg_span octets)
{
	uint8_t b[MARK];
	size_t len = 0;
	const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : 1;
	while (n > 0 && len < octets.len) {
		n = read(fd, b + len, octets.len - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		(void)close(fd);
	return mrg_span_eq((struct mrg_span){ b, len }, octets);
}

static bool is_own(const char *file, const struct zone_entry *e)
{
	uint8_t b[MARK];
	return begins_with(file, mark(b, e, false));
}

/* ---- one zone ---- */

static void take_fault(void *ctx, const struct fault *fault)
{
	(void)ctx;
	said_fault(fault);
}

static void note(struct zone_entry *e, const struct mrg_dns_zone *zone)
{
	e->kept = !mrg_dns_zone_is_absent(zone);
	e->kept_serial = mrg_dns_zone_serial(zone);
}

void kept_note(struct zone_entry *e) { note(e, e->now.version->zone); }

struct kept_reader {
	struct loader loader;
};

static struct kept_reader *open_reader(void)
{
	struct kept_reader *const r = malloc(sizeof *r);
	if (r != NULL && loader_open(&r->loader, true) == OUTCOME_OK)
		return r;
	free(r);
	return NULL;
}

struct version *kept_load(struct kept_reader **r, struct zone_entry *e)
{
	const struct report report = { .fault = take_fault };
	const char *const file = e->now.option->file;
	struct version *v;
	uint8_t b[MARK];
	e->kept = false;
	if (file == NULL || !begins_with(file, mark(b, e, true)))
		return NULL;
	if (*r == NULL)
		*r = open_reader();
	if (*r == NULL || load_zone(&(*r)->loader, e->now.option, &report, &v) != OUTCOME_OK)
		return NULL;
	note(e, v->zone);
	return v;
}

void kept_reader_close(struct kept_reader **r)
{
	if (*r != NULL)
		loader_close(&(*r)->loader);
	free(*r);
	*r = NULL;
}

int kept_write(struct zone_entry *e)
{
	const struct mrg_dns_zone *const zone = e->now.version->zone;
	const char *const file = e->now.option->file;
	uint8_t b[MARK];
	const struct mrg_span head = e->owner != NULL ? mark(b, e, true) : (struct mrg_span){ NULL, 0 };
	if (mrg_dns_zone_is_absent(zone))
		return ENODATA;
	if (e->owner != NULL && access(file, F_OK) == 0 && !is_own(file, e))
		return EEXIST;
	const int err = show_write(zone, file, head);
	if (err == 0)
		note(e, zone);
	return err;
}

/* What was left of one that was being written goes, too. */
void kept_forget(const struct zone_entry *e)
{
	char temporary[WHOLE_FILE_NAME];
	const char *const file = e->now.option->file;
	if (file == NULL)
		return;
	if (is_own(file, e))
		(void)unlink(file);
	if (whole_file_temporary(temporary, file) && is_own(temporary, e))
		(void)unlink(temporary);
}

/* On another file system it is left where it is: it would have to be copied. What stands at the other name is not touched. */
void kept_move(const char *from, const struct zone_entry *e)
{
	const char *const to = e->now.option->file;
	if (from == NULL || to == NULL || strcmp(from, to) == 0 || !is_own(from, e))
		return;
	if (link(from, to) == 0)
		(void)unlink(from);
}

const char *kept_changed(const struct mrg_dns_zone *zone, const char *file)
{
	const int err = show_write(zone, file, (struct mrg_span){ NULL, 0 });
	return err != 0 ? strerrordesc_np(err) : NULL;
}

/* ---- all of them ---- */

static bool is_due(const struct zone_entry *e)
{
	const struct mrg_dns_zone *const zone = e->now.version->zone;
	return e->now.option->primaries != NULL && e->now.option->file != NULL &&
	       !mrg_dns_zone_is_absent(zone) && !(e->kept && e->kept_serial == mrg_dns_zone_serial(zone));
}

static void log_failed(const struct zone_entry *e, int err)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "write_failed");
	said_name(&l, "zone", zone_entry_origin(e));
	mrg_rt_line_str(&l, "file", e->now.option->file);
	mrg_rt_line_str(&l, "why", strerrordesc_np(err));
	mrg_rt_log_line(&stderr_log, &l);
}

static void log_written(const struct keeping *k)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "written");
	mrg_rt_line_num(&l, "zones", k->written);
	mrg_rt_line_num(&l, "failed", k->failed);
	mrg_rt_log_line(&stderr_log, &l);
}

static void write_one(struct keeping *k, struct zone_entry *e)
{
	const int err = kept_write(e);
	*(err == 0 ? &k->written : &k->failed) += 1;
	if (err != 0)
		log_failed(e, err);
}

/* From the end of the table: what takes the place of one that is removed meanwhile was looked at, and is not due any more. */
static void write_some(struct mrg_rt_timer *t, uint64_t now_ns)
{
	struct keeping *const k = (struct keeping *)(void *)((char *)t - offsetof(struct keeping, timer));
	if (k->left > k->zones->count)
		k->left = k->zones->count;
	for (; k->left != 0 && mrg_unix_now_ns() < now_ns + TURN_NS; k->left--)
		if (is_due(k->zones->list[k->left - 1]))
			write_one(k, k->zones->list[k->left - 1]);
	if (k->left == 0)
		log_written(k);
	else
		mrg_rt_timer_set(&k->loop->timers, &k->timer, mrg_unix_now_ns());
}

void keeping_init(struct keeping *k, struct mrg_unix_loop *loop, const struct zone_table *zones)
{
	*k = (struct keeping){ .loop = loop, .zones = zones, .timer = { .fire = write_some } };
}

void keeping_begin(struct keeping *k)
{
	if (k->left == 0)
		k->written = k->failed = 0;
	k->left = k->zones->count;
	mrg_rt_timer_set(&k->loop->timers, &k->timer, k->loop->now_ns);
}
