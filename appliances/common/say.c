/*
 * Messages and output, with one write each where they fit.
 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "mrg_digits.h"
#include "unix/mrg_unix.h"

static int stderr_fd = STDERR_FILENO;
const struct mrg_rt_log stderr_log = { .ctx = &stderr_fd, .line = mrg_unix_log_line };

void out_init(struct text_out *o, int fd, void *buffer, size_t cap)
{
	*o = (struct text_out){ .fd = fd };
	mrg_w_init(&o->w, buffer, cap);
}

bool out_flush(struct text_out *o)
{
	struct mrg_span rest = mrg_w_span(&o->w, 0);
	while (rest.len != 0 && !o->failed) {
		const ssize_t n = write(o->fd, rest.p, rest.len);
		if (n > 0)
			rest = (struct mrg_span){ rest.p + n, rest.len - (size_t)n };
		else
			o->failed = n < 0 && errno != EINTR;
	}
	o->w.len = 0;
	return !o->failed;
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

static const char *where;

void say_place(const char *place) { where = place; }

void say(const char *first, ...)
{
	char buffer[1024];
	struct text_out o;
	va_list words;
	out_init(&o, STDERR_FILENO, buffer, sizeof buffer);
	if (where != NULL)
		out_str(&o, where);
	va_start(words, first);
	for (const char *word = first; word != NULL; word = va_arg(words, const char *))
		out_str(&o, word);
	va_end(words);
	out_str(&o, "\n");
	(void)out_flush(&o);
}

void say_event(const char *level, const char *event)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, level, event);
	mrg_rt_log_line(&stderr_log, &l);
}
