/*
 * Messages and output, with one write each where they fit.
 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "appliances/dns/say.h"
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
	size_t at = sizeof digits;
	do
		digits[--at] = (uint8_t)('0' + v % 10u);
	while ((v /= 10u) != 0);
	out_span(o, (struct mrg_span){ digits + at, sizeof digits - at });
}

void say(const char *first, ...)
{
	char buffer[1024];
	struct text_out o;
	va_list words;
	out_init(&o, STDERR_FILENO, buffer, sizeof buffer);
	va_start(words, first);
	for (const char *word = first; word != NULL; word = va_arg(words, const char *))
		out_str(&o, word);
	va_end(words);
	out_str(&o, "\n");
	(void)out_flush(&o);
}
