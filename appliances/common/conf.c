/*
 * Configuration files.
 * Reading order: conf_read at the end, then upwards.
 */
#include "appliances/common/conf.h"
#include "appliances/common/say.h"
#include "config.h"
#include "mrg_digits.h"
#include "unix/mrg_unix.h"

#include <string.h>

enum { WORDS_MAX = 3 /* name, key, value */ };

struct line {
	const struct args *args;
	void *ctx;
	struct mrg_arena *arena;
	const char *file;
	size_t number;
	const uint8_t *start; /* of the line */
	struct mrg_span words[WORDS_MAX];
	size_t count;
	size_t *faults;
	bool bad; /* a fault of this line has been said */
};

/* From here on messages say where in the file; the text is good until the next call. */
static void say_where(const struct line *l, const uint8_t *at)
{
	static char place[600];
	struct mrg_w w;
	mrg_w_init(&w, place, sizeof place - 1);
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)l->file, strnlen(l->file, sizeof place - 50) });
	mrg_w_u8(&w, ':');
	mrg_digits_put(&w, l->number, 1);
	mrg_w_u8(&w, ':');
	mrg_digits_put(&w, (size_t)(at - l->start) + 1u, 1);
	mrg_w_put(&w, MRG_LITERAL(": "));
	place[w.len] = '\0';
	say_place(place);
}

static void fault(struct line *l, const uint8_t *at, const char *what)
{
	if (l->bad)
		return;
	l->bad = true;
	++*l->faults;
	say_where(l, at);
	say("error: ", what, NULL);
	say_place(NULL);
}

/* `before`, the words with `=` between them, and NUL; NULL: no memory. */
static char *join(struct line *l, const char *before, const struct mrg_span *words, size_t count)
{
	size_t len = strlen(before) + 1;
	for (size_t i = 0; i < count; i++)
		len += words[i].len + 1;
	char *const text = mrg_arena_get(l->arena, len, 1);
	if (text == NULL)
		return NULL;
	struct mrg_w w;
	mrg_w_init(&w, text, len);
	mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)before, strlen(before) });
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			mrg_w_u8(&w, '=');
		mrg_w_put(&w, words[i]);
	}
	mrg_w_u8(&w, '\0');
	return text;
}

static void take_line(struct line *l)
{
	if (l->count == 0 || l->bad)
		return;
	const char *const name = join(l, "--", l->words, 1);
	const char *const value = l->count == 1 ? NULL : join(l, "", l->words + 1, l->count - 1);
	if (name == NULL || (value == NULL && l->count != 1)) {
		fault(l, l->words[0].p, "not enough memory");
		return;
	}
	say_where(l, l->words[0].p);
	if (!args_take(l->args, l->ctx, name, value)) {
		l->bad = true;
		++*l->faults;
	}
	say_place(NULL);
}

static void next_line(struct line *l, const uint8_t *start)
{
	take_line(l);
	l->number++;
	l->start = start;
	l->count = 0;
	l->bad = false;
}

static void add_word(struct line *l, struct mrg_span word)
{
	if (l->count == WORDS_MAX)
		fault(l, word.p, "more than a name, a key and a value");
	else
		l->words[l->count++] = word;
}

static void read_text(struct line *l, struct mrg_span text)
{
	const uint8_t *at = text.p;
	l->start = at;
	for (;;) {
		const uint8_t *const from = at;
		switch (mrg_config_file_next(&at, text.p + text.len)) {
		case MRG_CONFIG_FILE_END: take_line(l); return;
		case MRG_CONFIG_FILE_NEWLINE: next_line(l, at); break;
		case MRG_CONFIG_FILE_WORD: add_word(l, (struct mrg_span){ from, (size_t)(at - from) }); break;
		case MRG_CONFIG_FILE_QUOTED:
			add_word(l, (struct mrg_span){ from + 1, (size_t)(at - from) - 2u });
			break;
		case MRG_CONFIG_FILE_UNCLOSED: fault(l, from, "the quote has no end on this line"); break;
		case MRG_CONFIG_FILE_NONE: fault(l, from, "not a character of text"); break;
		case MRG_CONFIG_FILE_BLANK:
		case MRG_CONFIG_FILE_COMMENT: break;
		}
	}
}

bool conf_read(const struct args *args, void *ctx, struct mrg_arena *arena, const char *file, size_t *faults)
{
	struct line l = { .args = args, .ctx = ctx, .arena = arena, .file = file, .number = 1 };
	struct mrg_unix_text text;
	const int err = mrg_unix_text_read(&text, file);
	if (err != 0) {
		say(args->program, ": ", file, ": ", strerrordesc_np(err), NULL);
		return false;
	}
	l.faults = faults;
	read_text(&l, (struct mrg_span){ text.p, text.len });
	mrg_unix_text_close(&text);
	return true;
}
