/*
 * appliances/common/say.h on the console of a virtual machine, whichever descriptor is named.
 *
 * A console is slow: a letter takes as long as a frame. So lines that only inform wait until there is nothing else to do, or no room for
 * them; what is a warning or worse is written at once, behind those that wait.
 */
#include <stdarg.h>
#include <string.h>

#include "appliances/common/say.h"
#include "appliances/vm/app.h"

static enum vm_log_level from;

static struct {
	uint8_t text[4096]; /* whole lines */
	size_t len;
} waiting;

void vm_log_from(enum vm_log_level level) { from = level; }

bool vm_log_more(void)
{
	size_t n = 0;
	if (waiting.len == 0)
		return false;
	while (n < waiting.len && waiting.text[n++] != '\n')
		;
	vm_write(waiting.text, n);
	waiting.len -= n;
	memmove(waiting.text, waiting.text + n, waiting.len);
	return true;
}

void vm_log_all(void)
{
	vm_write(waiting.text, waiting.len);
	waiting.len = 0;
}

static void write_line(void *ctx, struct mrg_span line)
{
	(void)ctx;
	if (!vm_log_shows(from, line))
		return;
	const bool waits = !vm_log_shows(VM_LOG_WARN, line) && line.len <= sizeof waiting.text;
	if (!waits || sizeof waiting.text - waiting.len < line.len)
		vm_log_all();
	if (!waits) {
		vm_write(line.p, line.len);
		return;
	}
	memcpy(waiting.text + waiting.len, line.p, line.len);
	waiting.len += line.len;
}

const struct mrg_rt_log stderr_log = { .line = write_line };

bool out_flush(struct text_out *o)
{
	vm_log_all();
	vm_write(o->w.p, o->w.len);
	o->w.len = 0;
	return true;
}

/* A line of the log, so that whoever reads the console reads one kind of lines. */
void say(const char *first, ...)
{
	char text[MRG_RT_LINE_MAX];
	struct mrg_rt_line l;
	struct mrg_w w;
	va_list words;
	mrg_w_init(&w, text, sizeof text);
	if (say_place_now != NULL)
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)say_place_now, strlen(say_place_now) });
	va_start(words, first);
	for (const char *word = first; word != NULL; word = va_arg(words, const char *))
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)word, strlen(word) });
	va_end(words);
	mrg_rt_line_begin(&l, "error", "said");
	mrg_rt_line_span(&l, "text", mrg_w_span(&w, 0));
	mrg_rt_log_line(&stderr_log, &l);
}
