/*
 * master_source.c - the words of one entry of a master file: parentheses, comments and line ends.
 * What a word is, the generated lexer says (specs/dns/master.mrg).
 */
#include "protocols/dns/master_in.h"

static void newline(struct mrg_dns_master *m)
{
	m->file->line++;
	m->file->line_start = m->file->at;
}

/* The entry ends here: nothing is taken, so that it ends here again when asked again. */
static void end(struct mrg_dns_master *m, const uint8_t *at)
{
	m->file->at = at;
	m->text.tok = (struct mrg_text_token){ { at, 0 }, MRG_TEXT_END };
}

/* Something that can't be a word: the first error of an entry is the one that is told. */
static MRG_COLD void wrong(
	struct mrg_dns_master *m, const uint8_t *at, size_t len, enum mrg_status st, const char *what)
{
	m->text.line = m->file->line;
	m->text.line_start = m->file->line_start;
	m->text.tok = (struct mrg_text_token){ { at, len }, MRG_TEXT_WORD };
	mrg_text_bad_status(&m->text, st, what);
}

static void word(struct mrg_dns_master *m, const uint8_t *start, unsigned kind)
{
	const struct mrg_dns_master_file *f = m->file;
	size_t len = (size_t)(f->at - start);
	m->kind = kind;
	m->text.line = f->line;
	m->text.line_start = f->line_start;
	if (kind == MRG_DNS_MASTER_QUOTED) {
		m->text.tok = (struct mrg_text_token){ { start + 1, len - 2 }, MRG_TEXT_QUOTED };
		return;
	}
	if (len > MRG_DNS_MASTER_WORD_MAX) {
		wrong(m, start, len, MRG_E_LIMIT, "a word that is too long");
		len = MRG_DNS_MASTER_WORD_MAX;
	}
	m->text.tok = (struct mrg_text_token){ { start, len }, MRG_TEXT_WORD };
}

static void open_parenthesis(struct mrg_dns_master *m, const uint8_t *at)
{
	if (m->parens++ > 0)
		return;
	m->open = at;
	m->open_line = m->file->line;
	m->open_line_start = m->file->line_start;
}

static void close_parenthesis(struct mrg_dns_master *m, const uint8_t *at)
{
	if (m->parens > 0)
		m->parens--;
	else
		wrong(m, at, 1, MRG_E_TEXT, "a ) that closes nothing");
}

static MRG_COLD void no_word(struct mrg_dns_master *m, const uint8_t *at, unsigned kind)
{
	if (kind == MRG_DNS_MASTER_UNCLOSED)
		wrong(m, at, (size_t)(m->file->at - at), MRG_E_TEXT, "a quoted string without its end");
	else
		wrong(m, at, 1, MRG_E_TEXT,
			"a character that can't stand here (NUL, or \\ at the end of a line)");
}

/* What was opened should have been closed; told where it was opened. */
static MRG_COLD void not_closed(struct mrg_dns_master *m)
{
	struct mrg_text *t = &m->text;
	t->err.status = MRG_OK;
	t->err.ranged = false;
	t->line = m->open_line;
	t->line_start = m->open_line_start;
	t->tok = (struct mrg_text_token){ { m->open, 1 }, MRG_TEXT_WORD };
	mrg_text_bad(t, "a ( without its )");
}

/* Get more of the text; false: there is none.  `stay`: an entry has begun, and what is known of it points to the text. */
static bool more(struct mrg_dns_master *m, bool stay)
{
	struct mrg_dns_master_file *f = m->file;
	if (m->making || f->source.more == NULL) /* what $GENERATE made is whole */
		return false;
	const uint8_t *const from = stay ? f->at : f->line_start;
	const size_t left = (size_t)(f->end - from);
	struct mrg_span text = { from, left };
	const char *const why = f->source.more(f->source.ctx, &text, stay);
	f->at = text.p + (f->at - from);
	f->line_start = stay ? f->line_start : text.p;
	f->end = text.p + text.len;
	if (why == NULL && text.len > left)
		return true;
	f->source.more = NULL; /* it is not asked again */
	f->broken = why;
	return false;
}

static void end_of_text(struct mrg_dns_master *m)
{
	if (m->file->broken != NULL)
		wrong(m, m->file->at, 0, MRG_E_TEXT, "the file can't be read beyond this");
	else if (m->parens > 0)
		not_closed(m);
	m->text.line = m->file->line;
	m->text.line_start = m->file->line_start;
	end(m, m->file->end);
}

/* struct mrg_text's pull */
static void next_word(struct mrg_text *t)
{
	struct mrg_dns_master *m = t->ctx;
	struct mrg_dns_master_file *f = m->file;
	for (;;) {
		const uint8_t *const start = f->at;
		const enum mrg_dns_master_token kind = mrg_dns_master_next(&f->at, f->end);
		switch (kind) {
		case MRG_DNS_MASTER_BLANK:
		case MRG_DNS_MASTER_COMMENT: break;
		case MRG_DNS_MASTER_NEWLINE:
			if (m->parens == 0) {
				t->line = f->line;
				t->line_start = f->line_start;
				end(m, start);
				return;
			}
			newline(m);
			break;
		case MRG_DNS_MASTER_END:
			if (more(m, true))
				break;
			end_of_text(m);
			return;
		case MRG_DNS_MASTER_OPEN: open_parenthesis(m, start); break;
		case MRG_DNS_MASTER_CLOSE: close_parenthesis(m, start); break;
		case MRG_DNS_MASTER_UNCLOSED:
		case MRG_DNS_MASTER_NONE: no_word(m, start, kind); break;
		case MRG_DNS_MASTER_QUOTED:
		case MRG_DNS_MASTER_NUMBER:
		case MRG_DNS_MASTER_DURATION:
		case MRG_DNS_MASTER_ORIGIN:
		case MRG_DNS_MASTER_TTL:
		case MRG_DNS_MASTER_INCLUDE:
		case MRG_DNS_MASTER_GENERATE:
		case MRG_DNS_MASTER_DIRECTIVE:
		case MRG_DNS_MASTER_WORD: word(m, start, kind); return;
		}
	}
}

void mrg_dns_master_open_(struct mrg_dns_master *m, const struct mrg_dns_master_source *src)
{
	struct mrg_dns_master_file *f = m->file;
	f->source = *src;
	f->broken = NULL;
	f->at = src->p;
	f->end = src->p + src->len;
	f->line_start = src->p;
	f->line = 1;
	m->text.pull = next_word;
	m->text.ctx = m;
}

void mrg_dns_master_done_(const struct mrg_dns_master_source *src)
{
	if (src->done != NULL)
		src->done(src->ctx);
}

void mrg_dns_master_entry_(struct mrg_dns_master *m)
{
	m->parens = 0;
	m->text.pull = next_word;
	m->text.have = false;
	mrg_text_begin(&m->text, NULL);
}

/* Go to the end of the current line. */
static void to_line_end(struct mrg_dns_master_file *f)
{
	for (;;) {
		const uint8_t *const start = f->at;
		const enum mrg_dns_master_token kind = mrg_dns_master_next(&f->at, f->end);
		if (kind == MRG_DNS_MASTER_NEWLINE || kind == MRG_DNS_MASTER_END) {
			f->at = start;
			return;
		}
	}
}

/*
 * A parenthesis without end has eaten the rest of the text: go back to the first line after it that
 * is not indented, which is likely an entry of its own.  A few times only, so that the cost stays linear.
 */
static void resume(struct mrg_dns_master *m)
{
	struct mrg_dns_master_file *f = m->file;
	if (m->resumed == MRG_DNS_MASTER_RESUME_MAX)
		return;
	m->resumed++;
	f->at = m->open;
	f->line = m->open_line;
	f->line_start = m->open_line_start;
	for (;;) {
		to_line_end(f);
		const uint8_t *const line_end = f->at;
		if (mrg_dns_master_next(&f->at, f->end) == MRG_DNS_MASTER_END)
			return;
		const uint8_t *peek = f->at;
		const enum mrg_dns_master_token first = mrg_dns_master_next(&peek, f->end);
		if (first != MRG_DNS_MASTER_BLANK && first != MRG_DNS_MASTER_NEWLINE) {
			f->at = line_end;
			return;
		}
		newline(m);
	}
}

void mrg_dns_master_drain_(struct mrg_dns_master *m)
{
	m->text.pull = next_word;
	if (m->text.have && m->text.tok.kind == MRG_TEXT_END)
		return;
	m->text.have = false;
	while (mrg_text_more(&m->text))
		m->text.have = false;
}

void mrg_dns_master_skip_(struct mrg_dns_master *m)
{
	mrg_dns_master_drain_(m);
	if (m->parens > 0)
		resume(m);
	m->parens = 0;
}

static MRG_COLD void tell_broken(struct mrg_dns_master *m)
{
	mrg_dns_master_entry_(m);
	wrong(m, m->file->at, 0, MRG_E_TEXT, m->file->broken);
	(void)mrg_dns_master_report_(m, "file");
}

bool mrg_dns_master_line_(struct mrg_dns_master *m, bool *indented)
{
	struct mrg_dns_master_file *f = m->file;
	*indented = false;
	for (;;) {
		const uint8_t *const start = f->at;
		switch (mrg_dns_master_next(&f->at, f->end)) {
		case MRG_DNS_MASTER_END:
			if (more(m, false))
				break;
			if (f->broken != NULL)
				tell_broken(m);
			return false;
		case MRG_DNS_MASTER_NEWLINE:
			newline(m);
			*indented = false;
			break;
		case MRG_DNS_MASTER_BLANK: *indented = true; break;
		case MRG_DNS_MASTER_COMMENT: break;
		default: f->at = start; return true;
		}
	}
}
