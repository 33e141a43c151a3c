/*
 * words.c - what appliances are told by their users: command lines (args.h) and configuration files (conf.h), over a table of options with one
 * of each kind.
 *
 * The first octet of an input says which: command lines are words that end by NUL. What is taken, what is refused and where in the file that
 * is, is held against readers of the simplest kind, which share the table only.
 * Reading order: the table, what is said, by hand, the subject.
 */
#include "fuzz/words.h"

#include "mrg_fuzz_guard.h"

#include "appliances/common/args.c" /* their parts see what is said here instead of on standard error */
#include "appliances/common/conf.c"
#include "appliances/common/text_file.c" /* which conf_read asks for, that nobody calls here */

#include <stdlib.h>

enum {
	LEN_MAX = 4096,
	ARGS_MAX = 64,
	EVENTS_MAX = 512,
	TEXT_MAX = 160,
	OPTION_MAX = 20,
	SLIP = 4,
	LEAST = 2,
	MOST = 4000
};

/* ---- what happens, told by either side ---- */

struct told {
	char event[EVENTS_MAX][TEXT_MAX];
	size_t n;
};

static struct told library, naive;

__attribute__((format(printf, 2, 3))) static void tell(struct told *t, const char *format, ...)
{
	va_list ap;
	if (t->n == EVENTS_MAX)
		return;
	va_start(ap, format);
	(void)vsnprintf(t->event[t->n++], TEXT_MAX, format, ap);
	va_end(ap);
}

/* ---- the table ---- */

static bool take_port(void *ctx, const char *value)
{
	unsigned v;
	if (!args_number("test", "--port", value, LEAST, MOST, &v))
		return false;
	tell(ctx, "port %u", v);
	return true;
}

static bool take_listen(void *ctx, const char *value)
{
	struct mrg_rt_addr a;
	if (!args_address("test", "--listen", value, 80, &a))
		return false;
	tell(ctx, "listen %s", value);
	return true;
}

static bool take_vhost(void *ctx, const char *value)
{
	tell(ctx, "vhost %s", value);
	return true;
}

static bool take_quiet(void *ctx, const char *value)
{
	tell(ctx, "quiet %s", value == NULL ? "" : value);
	return true;
}

static const struct arg table[] = { ARG_TAKES("--port", take_port), ARG_TAKES("--listen", take_listen),
	ARG_TAKES("--vhost", take_vhost), ARG_DOES("--quiet", take_quiet), ARG_DOES("-q", take_quiet),
	ARG_PRINTS("--help", "a text") };
static const struct args options = { "test", table, COUNT_OF(table) };

/* ---- what is said, in place of say.c ---- */

const char *say_place_now;

void say_place(const char *place) { say_place_now = place; }

/* Of a message, where it is about and whether it guesses what was meant. */
void say(const char *first, ...)
{
	va_list words;
	const char *guess = "";
	va_start(words, first);
	for (const char *word = first; word != NULL; word = va_arg(words, const char *))
		if (strstr(word, "did you mean") != NULL)
			guess = va_arg(words, const char *);
	va_end(words);
	tell(&library, "said %s%s", say_place_now != NULL ? say_place_now : "", guess);
}

void out_init(struct text_out *o, int fd, void *buffer, size_t cap)
{
	o->fd = fd;
	o->failed = false;
	mrg_w_init(&o->w, buffer, cap);
}

void out_str(struct text_out *o, const char *s)
{
	mrg_w_put(&o->w, (struct mrg_span){ (const uint8_t *)s, strlen(s) });
}
void out_num(struct text_out *o, uint64_t v) { mrg_digits_put(&o->w, v, 1); }

bool out_flush(struct text_out *o)
{
	tell(&library, "printed %zu", o->w.len);
	o->w.len = 0;
	return true;
}

/* ---- by hand ---- */

enum point {
	NUMBER,
	NO_NUMBER,
	ADDRESS,
	NO_ADDRESS,
	TEXT,
	FLAG,
	FLAG_WITH_VALUE,
	NO_VALUE,
	EQUALS,
	GUESSED,
	UNKNOWN,
	HELP,
	KEY_AND_VALUE,
	TOO_MANY,
	UNCLOSED,
	NO_TEXT,
	QUOTED,
	COMMENT,
	RETURN_ALONE,
	BRACE,
	PASSED_OVER,
	SECOND_FAULT,
	POINTS
};
static const char *const point_names[POINTS] = { "a number", "no number, or out of its range", "an address",
	"no address", "a text", "an option without a value", "one that is given a value",
	"one that lacks its value", "name=value", "unknown, and like another", "unknown",
	"a text that is asked for", "a key and what belongs to it", "four words", "a quote without its end",
	"NUL", "a quoted word", "a comment", "CR alone", "a brace", "a line of a block that nobody knows",
	"two faults on a line" };

static struct own {
	uint8_t reached[POINTS];
	uint8_t arena[1 << 17];
	struct mrg_guard guard; /* of a file */
} of_words;

static void mark(enum point p) { of_words.reached[p] = 1; }

static size_t least_of(size_t a, size_t b, size_t c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

/* Letters to change, the whole matrix. */
static size_t letters_apart(const char *a, size_t n, const char *b)
{
	size_t d[OPTION_MAX + 1][OPTION_MAX + 1];
	const size_t m = strlen(b);
	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k <= m; k++)
			d[i][k] = i == 0   ? k
				  : k == 0 ? i
					   : least_of(d[i - 1][k] + 1, d[i][k - 1] + 1,
						     d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
	return d[n][m];
}

static const struct arg *known(const char *name, size_t len, const char *place)
{
	const char *guess = "";
	size_t best = SLIP;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
			return &table[i];
	for (size_t i = 0; i < COUNT_OF(table) && len <= OPTION_MAX; i++) {
		const size_t apart = letters_apart(name, len, table[i].name);
		if (apart < best) {
			best = apart;
			guess = table[i].name;
		}
	}
	mark(guess[0] != 0 ? GUESSED : UNKNOWN);
	tell(&naive, "said %s%s", place, guess);
	return NULL;
}

/* An option with a value, or without (NULL). */
static bool takes(const struct arg *a, const char *value, const char *place)
{
	struct mrg_rt_addr address;
	bool good = a->has_value == (value != NULL);
	mark(!good ? (a->has_value ? NO_VALUE : FLAG_WITH_VALUE) : value == NULL ? FLAG : TEXT);
	if (good && strcmp(a->name, "--port") == 0) {
		const size_t digits = strspn(value, "0123456789");
		const unsigned long long n =
			digits != 0 && value[digits] == 0 ? strtoull(value, NULL, 10) : 0;
		good = n >= LEAST && n <= MOST;
		mark(good ? NUMBER : NO_NUMBER);
		if (good)
			tell(&naive, "port %llu", n);
	} else if (good && strcmp(a->name, "--listen") == 0) {
		good = mrg_rt_addr_read(value, 80, &address);
		mark(good ? ADDRESS : NO_ADDRESS);
		if (good)
			tell(&naive, "listen %s", value);
	} else if (good) {
		tell(&naive, "%s %s", a->has_value ? "vhost" : "quiet", value != NULL ? value : "");
	}
	if (!good)
		tell(&naive, "said %s", place);
	return good;
}

static enum outcome read_words(int n, char *const *word)
{
	for (int i = 1; i < n; i++) {
		const size_t len = strncmp(word[i], "--", 2) == 0 ? strcspn(word[i], "=") : strlen(word[i]);
		const char *value = word[i][len] == '=' ? word[i] + len + 1 : NULL;
		const struct arg *const a = known(word[i], len, "");
		if (a == NULL)
			return OUTCOME_USAGE;
		if (a->text != NULL) {
			mark(HELP);
			tell(&naive, "printed %zu", strlen(a->text));
			return OUTCOME_OK;
		}
		if (value != NULL)
			mark(EQUALS);
		else if (a->has_value && i + 1 < n)
			value = word[++i];
		if (!takes(a, value, ""))
			return OUTCOME_USAGE;
	}
	tell(&naive, "on");
	return OUTCOME_OK;
}

/* A line of a file, word by word; what was found wrong first is all that is said of it. */
struct one_line {
	char words[3][LEN_MAX + 1];
	char at[40];                     /* where the first word is */
	size_t n, number, first, fourth; /* columns */
	bool wrong;
	bool brace, opens; /* there is one */
	size_t brace_at;
	bool open; /* a block, none of which is known; since line: */
	size_t opened;
};

static void wrong_at(struct one_line *l, size_t column, enum point p, size_t *faults)
{
	mark(l->wrong ? SECOND_FAULT : p);
	if (!l->wrong) {
		tell(&naive, "said file:%zu:%zu: ", l->number, column);
		++*faults;
	}
	l->wrong = true;
}

static void word_at(struct one_line *l, size_t column, const char *text, size_t len, size_t *faults)
{
	if (l->brace || l->n == 1 + CONF_WORDS) {
		wrong_at(l, column, TOO_MANY, faults);
		return;
	}
	if (l->n == 0) {
		(void)snprintf(l->at, sizeof l->at, "file:%zu:%zu: ", l->number, column);
		l->first = column;
	}
	if (l->n == COUNT_OF(l->words))
		l->fourth = column;
	if (l->n < COUNT_OF(l->words)) {
		memcpy(l->words[l->n], text, len);
		l->words[l->n][len] = 0;
	}
	l->n++;
}

static void brace_at(struct one_line *l, size_t column, bool opens, size_t *faults)
{
	mark(BRACE);
	if (l->brace)
		wrong_at(l, column, TOO_MANY, faults);
	l->brace = true;
	l->opens = opens;
	l->brace_at = column;
}

static void end_block_line(struct one_line *l, size_t *faults)
{
	if (l->opens && !l->open) {
		wrong_at(l, l->n == 0 ? l->brace_at : l->first, BRACE, faults);
		l->opened = l->number;
	} else if (l->opens || !l->open || l->n != 0) {
		wrong_at(l, l->brace_at, BRACE, faults);
	}
	l->open = l->opens;
}

static void end_option(struct one_line *l, size_t *faults)
{
	static char name[LEN_MAX + 3], value[2 * LEN_MAX + 2];
	if (l->n > 3) {
		wrong_at(l, l->fourth, TOO_MANY, faults);
		return;
	}
	(void)snprintf(name, sizeof name, "--%s", l->words[0]);
	(void)snprintf(value, sizeof value, "%s%s%s", l->words[1], l->n == 3 ? "=" : "",
		l->n == 3 ? l->words[2] : "");
	const struct arg *const a = known(name, strlen(name), l->at);
	if (l->n == 3)
		mark(KEY_AND_VALUE);
	if (a != NULL && a->text != NULL)
		tell(&naive, "said %s", l->at);
	*faults += a == NULL || a->text != NULL || !takes(a, l->n == 1 ? NULL : value, l->at);
}

static void end_line(struct one_line *l, size_t *faults)
{
	if (!l->wrong && l->brace)
		end_block_line(l, faults);
	else if (!l->wrong && l->n != 0 && l->open)
		mark(PASSED_OVER);
	else if (!l->wrong && l->n != 0)
		end_option(l, faults);
	l->n = 0;
	l->wrong = l->brace = false;
	l->number++;
}

static size_t read_lines(const char *p, size_t len)
{
	static struct one_line l;
	size_t faults = 0, start = 0;
	l.n = 0;
	l.number = 1;
	l.wrong = l.brace = l.open = false;
	for (size_t at = 0; at < len;) {
		const size_t from = at, column = at - start + 1;
		const char c = p[at++];
		if (c == '\r' || c == '\n') {
			if (c == '\r' && at < len && p[at] == '\n')
				at++;
			else if (c == '\r')
				mark(RETURN_ALONE);
			end_line(&l, &faults);
			start = at;
		} else if (c == '#') {
			mark(COMMENT);
			while (at < len && p[at] != 0 && p[at] != '\r' && p[at] != '\n')
				at++;
		} else if (c == '"') {
			while (at < len && p[at] != 0 && p[at] != '\r' && p[at] != '\n' && p[at] != '"')
				at++;
			if (at == len || p[at] != '"') {
				wrong_at(&l, column, UNCLOSED, &faults);
				continue;
			}
			mark(QUOTED);
			word_at(&l, column + 1, p + from + 1, at++ - from - 1,
				&faults); /* what is in the quotes */
		} else if (c == 0) {
			wrong_at(&l, column, NO_TEXT, &faults);
		} else if (c != ' ' && c != '\t') {
			while (at < len && p[at] != 0 && strchr(" \t\r\n\"", p[at]) == NULL)
				at++;
			if (at - from == 1 && (c == '{' || c == '}'))
				brace_at(&l, column, c == '{', &faults);
			else
				word_at(&l, column, p + from, at - from, &faults);
		}
	}
	end_line(&l, &faults);
	if (l.open) {
		l.number = l.opened;
		wrong_at(&l, 1, BRACE, &faults);
	}
	return faults;
}

/* ---- the subject ---- */

static bool tells_the_same(struct mrg_fuzz_result *r)
{
	for (size_t i = 0; i < naive.n || i < library.n; i++)
		if (i >= naive.n || i >= library.n || strcmp(naive.event[i], library.event[i]) != 0)
			return fuzz_wrong(r, "told", "event %zu: '%.100s', expected '%.100s'", i,
				i < library.n ? library.event[i] : "none",
				i < naive.n ? naive.event[i] : "none");
	return true;
}

static bool run_words(const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	static char text[LEN_MAX + 2], program[] = "test";
	char *word[ARGS_MAX + 1] = { program };
	enum outcome outcome = OUTCOME_SYSTEM;
	int n = 1;
	memcpy(text, in, len);
	text[len] = 0;
	for (size_t at = 0; at < len && n < ARGS_MAX; at += strlen(text + at) + 1)
		word[n++] = text + at;
	word[n] = NULL;
	const bool on = args_read(&options, &library, n, word, &outcome);
	if (on)
		tell(&library, "on");
	const enum outcome want = read_words(n, word);
	return (on || outcome == want ||
		       fuzz_wrong(r, "outcome", "%d instead of %d", (int)outcome, (int)want)) &&
	       tells_the_same(r) && on;
}

static bool run_file(const uint8_t *in, size_t len, struct mrg_fuzz_result *r)
{
	struct mrg_arena arena = { .p = of_words.arena, .cap = sizeof of_words.arena };
	size_t faults = 0;
	if (of_words.guard.first == NULL && !mrg_guard_open(&of_words.guard, LEN_MAX + 1))
		abort();
	uint8_t *const text = mrg_guard_room_end(&of_words.guard, len + 1);
	memcpy(text, in, len);
	text[len] = 0; /* as mrg_unix_text_read has it */
	static const struct conf conf = { .args = &options };
	struct reader l = { .conf = &conf,
		.ctx = &library,
		.arena = &arena,
		.file = "file",
		.number = 1,
		.faults = &faults };
	read_text(&l, (struct mrg_span){ text, len });
	const size_t want = read_lines((const char *)in, len);
	return (faults == want || fuzz_wrong(r, "faults", "%zu instead of %zu", faults, want)) &&
	       tells_the_same(r) && faults == 0;
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	(void)ctx;
	library.n = naive.n = 0;
	say_place_now = NULL;
	const bool good = len != 0 && len <= LEN_MAX &&
			  (in[0] % 2 == 0 ? run_file : run_words)(in + 1, len - 1, result);
	if (result->verdict != MRG_FUZZ_WRONG)
		result->verdict = good ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
}

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	static const char *const words[] = { "port", "listen", "vhost", "quiet", "port", "vhost", "help",
		"prot", "listenn", "x", "a-name-that-is-far-too-long", "" };
	static const char *const values[] = { "1", "2", "80", "4000", "4001", "0080", "99999999999999999999",
		"-1", "127.0.0.1", "[::1]:53", "a b", "a#b", "k=v", "", "127.0.0.1:99999", "#", "\xc3\xa9",
		"{", "}", "{ }", "}}" };
	static const char *const breaks[] = { "\n", "\n", "\r\n", "\r", " \t\n", "  # why\n", "\n\n#\n",
		" {\n", "\n}\n" };
	struct mrg_w w;
	size_t len = 0;
	const bool file = mrg_rng_below(rng, 2) == 0;
	(void)ctx;
	mrg_w_init(&w, out, cap);
	mrg_w_u8(&w, !file);
	for (uint64_t n = 1 + mrg_rng_below(rng, 4); n != 0; n--) {
		const char *const word =
			words[mrg_rng_below(rng, mrg_rng_below(rng, 3) != 0 ? 6 : COUNT_OF(words))];
		const bool flag = strcmp(word, "quiet") == 0 && mrg_rng_below(rng, 8) != 0;
		if (!file)
			mrg_w_put(&w, MRG_LITERAL("--"));
		mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)word, strlen(word) });
		for (uint64_t k = flag   ? 0
				  : file ? mrg_rng_below(rng, 8) == 0 ? mrg_rng_below(rng, 5) : 1
					 : 1;
			k != 0; k--) {
			const char *const value = values[mrg_rng_below(rng, COUNT_OF(values))];
			const bool quoted = file && (strpbrk(value, " #") != NULL || value[0] == 0 ||
							    mrg_rng_below(rng, 4) == 0);
			mrg_w_u8(&w, file ? ' ' : mrg_rng_below(rng, 2) == 0 ? '=' : 0);
			if (quoted)
				mrg_w_u8(&w, '"');
			mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)value, strlen(value) });
			if (quoted && mrg_rng_below(rng, 20) != 0)
				mrg_w_u8(&w, '"');
		}
		if (file) {
			const char *const end = breaks[mrg_rng_below(rng, COUNT_OF(breaks))];
			mrg_w_put(&w, (struct mrg_span){ (const uint8_t *)end, strlen(end) });
		} else {
			mrg_w_u8(&w, 0);
		}
	}
	return mrg_w_finish(&w, &len) == MRG_OK ? len : 0;
}

/* Its octets are changed by who asks. */
static size_t mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap)
{
	(void)in;
	(void)len;
	(void)other;
	(void)other_len;
	return mrg_rng_below(rng, 3) == 0 ? make(ctx, rng, out, cap) : 0;
}

static size_t smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	(void)ctx;
	if (i != 0 || len < 2 || cap < len)
		return 0;
	memcpy(out, in, len - 1);
	return len - 1;
}

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	(void)fprintf(to, "%s\n", len != 0 && in[0] % 2 == 0 ? "a file:" : "a command line:");
	for (size_t i = 1; i < len; i++)
		(void)fprintf(to, in[i] == '\n' || (in[i] >= 0x20 && in[i] < 0x7f) ? "%c" : "\\x%02x", in[i]);
	(void)fputc('\n', to);
}

FUZZ_POINT_NAMES(point_names)
FUZZ_SUBJECT(appliance_words, "appliance.words", of_words, LEN_MAX, POINTS);
