/*
 * Text, and events of the log: what needs no system of say.h.
 */
#include "appliances/common/say.h"
#include "mrg_digits.h"

const char *say_place_now;

void say_place(const char *place) { say_place_now = place; }

void out_init(struct text_out *o, int fd, void *buffer, size_t cap)
{
	*o = (struct text_out){ .fd = fd };
	mrg_w_init(&o->w, buffer, cap);
}

void out_span(struct text_out *o, struct mrg_span s)
{
	while (s.len != 0 && !o->failed) {
		const size_t room = o->w.cap - o->w.len, n = s.len < room ? s.len : room;
		mrg_w_put(&o->w, (struct mrg_span){ s.p, n });
		s = (struct mrg_span){ s.p + n, s.len - n };
		if (s.len != 0)
			(void)out_flush(o);
	}
}

void out_str(struct text_out *o, const char *s)
{
	out_span(o, (struct mrg_span){ (const uint8_t *)s, strlen(s) });
}

void out_num(struct text_out *o, uint64_t v)
{
	uint8_t digits[20]; /* UINT64_MAX has 20 */
	struct mrg_w w;
	mrg_w_init(&w, digits, sizeof digits);
	mrg_digits_put(&w, v, 1);
	out_span(o, mrg_w_span(&w, 0));
}

void say_event(const char *level, const char *event)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, level, event);
	mrg_rt_log_line(&stderr_log, &l);
}

void log_listen(const char *event, const struct mrg_rt_addr *a)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, "info", event);
	mrg_rt_line_addr(&l, "address", a);
	mrg_rt_log_line(&stderr_log, &l);
}
