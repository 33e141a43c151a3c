/*
 * Messages and output, with one write each where they fit.
 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "appliances/common/say.h"
#include "unix/mrg_unix.h"

static int stderr_fd = STDERR_FILENO;
const struct mrg_rt_log stderr_log = { .ctx = &stderr_fd, .line = mrg_unix_log_line };

bool out_flush(struct text_out *o)
{
	struct mrg_span rest = mrg_w_span(&o->w, 0);
	while (rest.len != 0 && !o->failed) {
		const ssize_t n = mrg_unix_write(o->fd, rest.p, rest.len);
		if (n > 0)
			rest = (struct mrg_span){ rest.p + n, rest.len - (size_t)n };
		else
			o->failed = n < 0 && errno != EINTR;
	}
	o->w.len = 0;
	return !o->failed;
}

static const struct say_listener *listening;

void say_to(const struct say_listener *listener) { listening = listener; }

/* What does not fit is cut off. */
static void tell(const char *first, va_list rest)
{
	char words[1024];
	size_t len = 0;
	for (const char *word = first; word != NULL; word = va_arg(rest, const char *)) {
		const size_t n = strnlen(word, sizeof words - 1 - len);
		memcpy(words + len, word, n);
		len += n;
	}
	words[len] = '\0';
	listening->take(listening->ctx, say_place_now != NULL ? say_place_now : "", words);
}

static void print(const char *first, va_list rest)
{
	char buffer[1024];
	struct text_out o;
	out_init(&o, STDERR_FILENO, buffer, sizeof buffer);
	if (say_place_now != NULL)
		out_str(&o, say_place_now);
	for (const char *word = first; word != NULL; word = va_arg(rest, const char *))
		out_str(&o, word);
	out_str(&o, "\n");
	(void)out_flush(&o);
}

void say(const char *first, ...)
{
	va_list rest;
	va_start(rest, first);
	if (listening != NULL)
		tell(first, rest);
	else
		print(first, rest);
	va_end(rest);
}
