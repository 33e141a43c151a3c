/* Lines of the log about zones: see said.h. */
#include "appliances/dns/said.h"
#include "appliances/common/say.h"
#include "dns/name_text.h"

void said_name_put(struct mrg_span flat, struct mrg_w *w)
{
	struct mrg_dns_name name;
	if (mrg_dns_name_check(flat, (struct mrg_span){ NULL, 0 }, &name, NULL) == MRG_OK)
		mrg_dns_name_to_text(&name, w);
}

void said_origin(const struct mrg_dns_zone *zone, struct mrg_w *w)
{
	said_name_put(mrg_dns_zone_origin(zone), w);
}

void said_name(struct mrg_rt_line *l, const char *key, struct mrg_span name)
{
	uint8_t text[256]; /* a longer name is cut: a line has more to say than that */
	struct mrg_w w;
	mrg_w_init(&w, text, sizeof text);
	said_name_put(name, &w);
	mrg_rt_line_span(l, key, mrg_w_span(&w, 0));
}

void said_zone(const struct mrg_dns_zone *zone, const char *file)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "zone");
	said_name(&l, "origin", mrg_dns_zone_origin(zone));
	mrg_rt_line_num(&l, "serial", mrg_dns_zone_serial(zone));
	mrg_rt_line_num(&l, "records", mrg_dns_zone_records(zone));
	if (file != NULL)
		mrg_rt_line_str(&l, "file", file);
	mrg_rt_log_line(&stderr_log, &l);
}

void said_notified(struct mrg_span zone, const struct mrg_rt_addr *peer, const uint32_t *serial)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", "notified");
	said_name(&l, "zone", zone);
	mrg_rt_line_addr(&l, "peer", peer);
	if (serial != NULL)
		mrg_rt_line_num(&l, "serial", *serial);
	mrg_rt_log_line(&stderr_log, &l);
}

void said_fault(const struct fault *f)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "zone_fault");
	mrg_rt_line_str(&l, "file", f->file);
	mrg_rt_line_num(&l, "line", f->line);
	mrg_rt_line_num(&l, "col", f->col);
	mrg_rt_line_str(&l, "field", f->field);
	mrg_rt_line_str(&l, "what", f->what);
	mrg_rt_log_line(&stderr_log, &l);
}

bool said_no_zone(const char *which, const char *why)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "error", "no_zone");
	if (which != NULL)
		mrg_rt_line_str(&l, "zone", which);
	mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(&stderr_log, &l);
	return false;
}
