/*
 * Configuration files.
 * Reading order: conf_read at the end, then upwards.
 */
#include "appliances/common/conf.h"
#include "appliances/common/say.h"
#include "appliances/common/text_file.h"
#include "config.h"
#include "mrg_digits.h"

#include <string.h>

enum { NAME_AND_WORDS = 1 + CONF_WORDS };

/* Where in a file the reader is. */
struct reader {
	const struct conf *conf;
	void *ctx;
	struct mrg_arena *arena;
	const char *file;
	size_t number; /* of the line */
	const uint8_t *start;
	struct mrg_span words[NAME_AND_WORDS];
	size_t count;
	const uint8_t *brace; /* `{` or `}` of this line */
	bool opens;
	size_t *faults;
	bool bad; /* a fault of this line has been said */
	/* between braces */
	const struct conf_block *block; /* NULL and open: of no known kind, its lines are passed over */
	void *about;                    /* ctx of its lines; NULL: they are passed over */
	bool open;
	size_t open_number; /* the line that opened it */
};

/* From here on messages say where in the file; the text is good until the next call. */
static void say_where(const struct reader *l, const uint8_t *at)
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

static void fault(struct reader *l, const uint8_t *at, const char *what)
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
static char *join(struct reader *l, const char *before, const struct mrg_span *words, size_t count)
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

/* ---- what a line says ---- */

/* An option of the command line. */
static bool take_option(struct reader *l)
{
	enum { KEY_AND_VALUE = 2 };
	if (l->count > 1 + KEY_AND_VALUE) {
		fault(l, l->words[1 + KEY_AND_VALUE].p, "more than a name, a key and a value");
		return true;
	}
	const char *const name = join(l, "--", l->words, 1);
	const char *const value = l->count == 1 ? NULL : join(l, "", l->words + 1, l->count - 1);
	if (name == NULL || (value == NULL && l->count != 1)) {
		fault(l, l->words[0].p, "not enough memory");
		return true;
	}
	return args_take(l->conf->args, l->ctx, name, value);
}

static bool is(struct mrg_span word, const char *name)
{
	return strlen(name) == word.len && memcmp(name, word.p, word.len) == 0;
}

static const struct conf_line *find_line(const struct reader *l)
{
	for (size_t i = 0; i < l->block->count; i++)
		if (is(l->words[0], l->block->lines[i].name))
			return &l->block->lines[i];
	return NULL;
}

/* A line of a block. */
static bool take_member(struct reader *l)
{
	const char *words[CONF_WORDS];
	const char *const program = l->conf->args->program;
	const struct conf_line *const line = find_line(l);
	const char *const name = join(l, "", l->words, 1);
	for (size_t i = 1; i < l->count; i++)
		words[i - 1] = join(l, "", l->words + i, 1);
	if (name == NULL || (l->count > 1 && words[l->count - 2] == NULL)) {
		fault(l, l->words[0].p, "not enough memory");
		return true;
	}
	if (line == NULL) {
		say(program, ": '", name, "' is nothing that a ", l->block->name, " has", NULL);
		return false;
	}
	if (l->count - 1 < line->least || l->count - 1 > line->most) {
		say(program, ": expected ", name, " ", line->form, NULL);
		return false;
	}
	return line->take(l->about, words, l->count - 1);
}

static const struct conf_block *find_block(const struct conf *conf, struct mrg_span name)
{
	for (size_t i = 0; i < conf->block_count; i++)
		if (is(name, conf->blocks[i].name))
			return &conf->blocks[i];
	return NULL;
}

/* NAME VALUE { */
static bool open_block(struct reader *l)
{
	if (l->open) {
		fault(l, l->brace, "no block stands in another");
		return true;
	}
	l->open = true;
	l->open_number = l->number;
	l->about = NULL;
	l->block = l->count == 0 ? NULL : find_block(l->conf, l->words[0]);
	if (l->block == NULL) {
		fault(l, l->count == 0 ? l->brace : l->words[0].p, "nothing that has lines of its own");
		return true;
	}
	if (l->count != 2) {
		fault(l, l->brace, "expected a name and a value before the brace");
		return true;
	}
	const char *const value = join(l, "", l->words + 1, 1);
	if (value == NULL) {
		fault(l, l->words[1].p, "not enough memory");
		return true;
	}
	l->about = l->block->begin(l->conf->block_ctx, value);
	return l->about != NULL;
}

static bool close_block(struct reader *l)
{
	const bool whole = l->open && l->about != NULL && l->block->end != NULL;
	if (!l->open)
		fault(l, l->brace, "no block is open");
	else if (l->count != 0)
		fault(l, l->brace, "expected a line of its own for the brace");
	l->open = false;
	return l->bad || !whole || l->block->end(l->about);
}

/* To whoever takes such a line; false: it was refused. */
static bool dispatch_line(struct reader *l)
{
	if (l->brace != NULL)
		return l->opens ? open_block(l) : close_block(l);
	if (l->count == 0 || (l->open && l->about == NULL))
		return true;
	return l->open ? take_member(l) : take_option(l);
}

static void take_line(struct reader *l)
{
	if (!l->bad && (l->count != 0 || l->brace != NULL)) {
		say_where(l, l->count != 0 ? l->words[0].p : l->brace);
		if (!dispatch_line(l)) {
			l->bad = true;
			++*l->faults;
		}
		say_place(NULL);
	}
}

/* ---- the words ---- */

static void next_line(struct reader *l, const uint8_t *start)
{
	take_line(l);
	l->number++;
	l->start = start;
	l->count = 0;
	l->brace = NULL;
	l->bad = false;
}

static void add_word(struct reader *l, struct mrg_span word)
{
	if (l->brace != NULL)
		fault(l, word.p, "expected the end of the line behind a brace");
	else if (l->count == NAME_AND_WORDS)
		fault(l, word.p, "more words than any line has");
	else
		l->words[l->count++] = word;
}

static void add_brace(struct reader *l, const uint8_t *at, bool opens)
{
	if (l->brace != NULL)
		fault(l, at, "expected the end of the line behind a brace");
	l->brace = at;
	l->opens = opens;
}

/* The file has ended. */
static void end_file(struct reader *l, const uint8_t *at)
{
	take_line(l);
	if (!l->open)
		return;
	l->number = l->open_number;
	l->start = at;
	l->bad = false;
	fault(l, at, "the block that begins here has no end");
}

static void read_text(struct reader *l, struct mrg_span text)
{
	const uint8_t *at = text.p;
	l->start = at;
	for (;;) {
		const uint8_t *const from = at;
		switch (mrg_config_file_next(&at, text.p + text.len)) {
		case MRG_CONFIG_FILE_END: end_file(l, from); return;
		case MRG_CONFIG_FILE_NEWLINE: next_line(l, at); break;
		case MRG_CONFIG_FILE_OPEN: add_brace(l, from, true); break;
		case MRG_CONFIG_FILE_CLOSE: add_brace(l, from, false); break;
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

bool conf_read(const struct conf *conf, void *ctx, struct mrg_arena *arena, const char *file, size_t *faults)
{
	struct reader l = { .conf = conf, .ctx = ctx, .arena = arena, .file = file, .number = 1 };
	struct text_file text;
	const char *const why = text_file_read(&text, file);
	if (why != NULL) {
		say(conf->args->program, ": ", file, ": ", why, NULL);
		return false;
	}
	l.faults = faults;
	read_text(&l, text.text);
	text_file_close(&text);
	return true;
}
