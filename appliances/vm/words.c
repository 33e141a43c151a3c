/*
 * The command line of a virtual machine.
 * Reading order: vm_words_read at the end, then upwards.
 */
#include <string.h>

#include "appliances/vm/words.h"
#include "config.h"

enum { WORD_MAX = 80 /* letters of a word that is no option */ };

struct reading {
	struct net_place at; /* first */
	struct vm_words *out;
	struct mrg_arena *arena;
	const struct mrg_rt_log *log;
	bool options; /* all words are, from here on */
};

/* ---- what is said ---- */

static void say_word(
	const struct reading *r, const char *level, const char *event, struct mrg_span word, const char *why)
{
	struct mrg_rt_line l;
	mrg_rt_line_begin(&l, level, event);
	mrg_rt_line_span(&l, "word", word);
	if (why != NULL)
		mrg_rt_line_str(&l, "why", why);
	mrg_rt_log_line(r->log, &l);
}

static void fault(struct reading *r, struct mrg_span word, const char *why)
{
	r->out->faults++;
	say_word(r, "error", "word_wrong", word, why);
}

static struct mrg_span span_of(const char *text)
{
	return (struct mrg_span){ (const uint8_t *)text, strlen(text) };
}

/* As in messages about --net, where an IPv4 address is `addr`. */
static void net_wrong(const struct net_place *at, const char *word, const char *what)
{
	const struct reading *const r = (const struct reading *)(const void *)at;
	say_word(r, "error", "word_wrong", span_of(strcmp(word, "addr") == 0 ? "ip" : word), what);
}

/* ---- words ---- */

static bool begins(struct mrg_span word, const char *with)
{
	const struct mrg_span w = span_of(with);
	return word.len >= w.len && memcmp(word.p, w.p, w.len) == 0;
}

static bool is(struct mrg_span word, const char *text) { return mrg_span_eq(word, span_of(text)); }

/* Somebody else's. */
static bool passed_over(struct mrg_span word)
{
	return begins(word, "virtio_mmio.") || begins(word, "tsc=") || begins(word, "pci=");
}

static void add_option(struct reading *r, struct mrg_span word)
{
	struct vm_words *const w = r->out;
	char *const text = w->argc < VM_WORDS_MAX ? mrg_arena_get(r->arena, word.len + 1u, 1) : NULL;
	if (text == NULL) {
		fault(r, word, w->argc < VM_WORDS_MAX ? "too little memory" : "too many options");
		return;
	}
	if (word.len != 0)
		memcpy(text, word.p, word.len);
	w->argv[w->argc++] = text;
}

static void take_log(struct reading *r, struct mrg_span word)
{
	static const char *const words[] = { "log=info", "log=warn", "log=error" };
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		if (is(word, words[i])) {
			r->out->log = (enum vm_log_level)i;
			return;
		}
	fault(r, word, "expected info, warn or error");
}

/* Under the name that --net has for it. */
static void take_net(struct reading *r, struct mrg_span word)
{
	char text[WORD_MAX + 1 + sizeof "addr="];
	const struct mrg_span value = { word.p + strlen("ip="), word.len - strlen("ip=") };
	const bool four = begins(word, "ip=");
	struct mrg_w w;
	if (word.len > WORD_MAX) {
		fault(r, word, "too long");
		return;
	}
	mrg_w_init(&w, text, sizeof text);
	if (is(word, "ip=dhcp"))
		mrg_w_put(&w, MRG_LITERAL("dhcp"));
	else if (four)
		mrg_w_put(&w, MRG_LITERAL("addr="));
	mrg_w_put(&w, four ? (is(word, "ip=dhcp") ? MRG_LITERAL("") : value) : word);
	mrg_w_u8(&w, '\0');
	r->out->faults += w.st != MRG_OK || !net_take_word(&r->at, text);
}

static void take_word(struct reading *r, struct mrg_span word)
{
	static const char *const net[] = { "ip=", "gw=", "ip6=", "gw6=", "mac=", "mtu=", "ring=", "snap=" };
	if (passed_over(word))
		return;
	if (!r->options && is(word, "--")) {
		r->options = true;
		return;
	}
	if (r->options || begins(word, "-")) {
		add_option(r, word);
		return;
	}
	if (begins(word, "log=")) {
		take_log(r, word);
		return;
	}
	for (size_t i = 0; i < sizeof net / sizeof net[0]; i++)
		if (begins(word, net[i])) {
			take_net(r, word);
			return;
		}
	say_word(r, "warn", "word_unknown", word, NULL);
}

/* ---- all of it ---- */

/* The tokens want a NUL behind them, so this is a copy. */
static void read_line(struct reading *r, struct mrg_span line)
{
	uint8_t *const text = mrg_arena_get(r->arena, line.len + 1u, 1);
	const uint8_t *at = text;
	if (text == NULL) {
		fault(r, line, "too little memory");
		return;
	}
	memcpy(text, line.p, line.len);
	for (;;) {
		const uint8_t *const from = at;
		const enum mrg_config_file_token kind = mrg_config_file_next(&at, text + line.len);
		const struct mrg_span word = { from, (size_t)(at - from) };
		switch (kind) {
		case MRG_CONFIG_FILE_END: return;
		case MRG_CONFIG_FILE_OPEN: /* nothing belongs together here */
		case MRG_CONFIG_FILE_CLOSE:
		case MRG_CONFIG_FILE_WORD: take_word(r, word); break;
		case MRG_CONFIG_FILE_QUOTED:
			take_word(r, (struct mrg_span){ word.p + 1, word.len - 2u });
			break;
		case MRG_CONFIG_FILE_UNCLOSED: fault(r, word, "the quote has no end"); break;
		case MRG_CONFIG_FILE_NONE: fault(r, word, "not a character of text"); break;
		case MRG_CONFIG_FILE_NEWLINE:
		case MRG_CONFIG_FILE_BLANK:
		case MRG_CONFIG_FILE_COMMENT: break;
		}
	}
}

bool vm_words_read(struct vm_words *w, struct mrg_arena *arena, const char *program,
	const struct mrg_span *lines, size_t count, const struct mrg_rt_log *log)
{
	struct reading r = { .at = { &w->net, net_wrong }, .out = w, .arena = arena, .log = log };
	*w = (struct vm_words){ .log = VM_LOG_INFO };
	add_option(&r, span_of(program));
	for (size_t i = 0; i < count; i++) {
		r.options = false;
		if (lines[i].len != 0)
			read_line(&r, lines[i]);
	}
	if (w->faults == 0 && !net_take_all(&r.at))
		w->faults++;
	return w->faults == 0;
}

bool vm_log_shows(enum vm_log_level level, struct mrg_span line)
{
	return level == VM_LOG_INFO || begins(line, "level=error") || begins(line, "level=fatal") ||
	       (level == VM_LOG_WARN && begins(line, "level=warn"));
}
