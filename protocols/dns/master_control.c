/*
 * master_control.c - $ORIGIN, $INCLUDE (RFC 1035 section 5.1), $TTL (RFC 2308 section 4), $GENERATE.
 */
#include "protocols/dns/master_in.h"

#include "dns/name.h"
#include "iana/dns_text.h"

/* The entry has no more words. */
static bool ends(struct mrg_dns_master *m, const char *field)
{
	return (mrg_text_end(&m->text) && m->text.err.status == MRG_OK) || mrg_dns_master_report_(m, field);
}

static bool control_ttl(struct mrg_dns_master *m)
{
	uint32_t ttl;
	if (!mrg_dns_master_ttl_(m, &ttl) || !ends(m, "$TTL"))
		return false;
	m->default_ttl = ttl;
	m->default_ttl_known = true;
	return true;
}

static bool control_origin(struct mrg_dns_master *m)
{
	uint8_t name[320], len = 0;
	if (!mrg_dns_master_name_(m, "$ORIGIN", name, &len) || !ends(m, "$ORIGIN"))
		return false;
	memcpy(m->file->origin, name, len);
	m->file->origin_len = len;
	m->text.origin = (struct mrg_span){ m->file->origin, len };
	return true;
}

/* --- $INCLUDE -------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	for (; *a != '\0' && *a == *b; a++)
		b++;
	return *a == *b;
}

static bool is_open(const struct mrg_dns_master *m, const char *name)
{
	for (const struct mrg_dns_master_file *f = m->files; f <= m->file; f++)
		if (same_text(f->source.name, name))
			return true;
	return false;
}

/* The included file starts with this origin and owner; the including one gets its own back (RFC 1035 5.1). */
static void enter(struct mrg_dns_master *m, const struct mrg_dns_master_source *src, struct mrg_span origin)
{
	memcpy(m->file->owner, m->owner, m->owner_len);
	m->file->owner_len = m->owner_len;
	m->file++;
	memcpy(m->file->origin, origin.p, origin.len);
	m->file->origin_len = (uint8_t)origin.len;
	m->text.origin = (struct mrg_span){ m->file->origin, origin.len };
	mrg_dns_master_open_(m, src);
}

static bool control_include(struct mrg_dns_master *m)
{
	struct mrg_text *t = &m->text;
	struct mrg_dns_master_source src = { 0 };
	struct mrg_span origin = t->origin;
	uint8_t name[320], len = 0;
	if (!mrg_text_any(t))
		return mrg_dns_master_report_(m, "$INCLUDE");
	const struct mrg_text_token file = t->tok;
	if (mrg_text_more(t)) {
		if (!mrg_dns_master_name_(m, "$INCLUDE origin", name, &len))
			return false;
		origin = (struct mrg_span){ name, len };
	}
	if (!ends(m, "$INCLUDE"))
		return false;
	t->tok = file;
	if (m->file == &m->files[MRG_DNS_MASTER_DEPTH - 1])
		return mrg_dns_master_bad_(m, "$INCLUDE", "files include each other too deep");
	if (m->ev->include == NULL || !m->ev->include(m->ev->ctx, file.s, m->file->source.name, &src))
		return mrg_dns_master_bad_(m, "$INCLUDE", "the file can't be read");
	if (is_open(m, src.name)) {
		mrg_dns_master_done_(&src);
		return mrg_dns_master_bad_(m, "$INCLUDE", "a file that includes itself");
	}
	enter(m, &src, origin);
	return true;
}

/* --- $GENERATE -------------------------------------------------------------------------------------- */

struct range {
	uint64_t start, stop, step;
};

/* The matchers want a NUL after their input. */
static bool terminated(struct mrg_span *s, uint8_t *copy, size_t cap)
{
	if (s->len >= cap)
		return false;
	memcpy(copy, s->p, s->len);
	copy[s->len] = 0;
	s->p = copy;
	return true;
}

static bool read_range(struct mrg_dns_master *m, struct range *r)
{
	struct mrg_dns_generate_range_captures c;
	uint8_t copy[64];
	if (!mrg_text_word(&m->text))
		return mrg_dns_master_report_(m, "$GENERATE range");
	struct mrg_span s = m->text.tok.s;
	if (!terminated(&s, copy, sizeof copy) || !mrg_dns_generate_range_match(s, &c))
		return mrg_dns_master_bad_(m, "$GENERATE range", "not start-stop or start-stop/step");
	r->step = 1;
	if (!mrg_text_parse_dec(c.start, INT32_MAX, &r->start) ||
		!mrg_text_parse_dec(c.stop, INT32_MAX, &r->stop) ||
		(c.step.p != NULL && !mrg_text_parse_dec(c.step, INT32_MAX, &r->step)))
		return mrg_dns_master_bad_(m, "$GENERATE range", "numbers above 2147483647");
	if (r->start > r->stop || r->step == 0)
		return mrg_dns_master_bad_(
			m, "$GENERATE range", "nothing to count: start is above stop, or step is 0");
	const uint64_t count = (r->stop - r->start) / r->step + 1;
	if (count > MRG_DNS_MASTER_GENERATE_MAX - m->generated)
		return mrg_dns_master_bad_(m, "$GENERATE range", "too many records");
	m->generated += (uint32_t)count;
	return true;
}

/* ip6.arpa style: nibbles from the lowest, dots between; `width` counts both (as BIND's n and N) */
static void put_nibbles(struct mrg_w *w, uint64_t v, uint64_t width, bool upper)
{
	do {
		mrg_text_put_digit(w, (unsigned)(v & 15u), upper);
		v >>= 4;
		width -= width > 0;
		if (v != 0 || width > 0) {
			mrg_text_put(w, ".");
			width -= width > 0;
		}
	} while (v != 0 || width > 0);
}

static void put_based(struct mrg_w *w, uint64_t v, uint64_t width, unsigned bits, bool upper)
{
	unsigned digits = 1;
	uint64_t unit = 1;
	const uint64_t base = bits != 0 ? (uint64_t)1 << bits : 10;
	for (uint64_t rest = v / base; rest != 0; rest /= base) {
		digits++;
		unit *= base;
	}
	for (; width > digits; width--)
		mrg_text_put_digit(w, 0, upper);
	for (; unit != 0; unit /= base)
		mrg_text_put_digit(w, (unsigned)(v / unit % base), upper);
}

/* ${offset,width,base} */
static bool put_format(struct mrg_w *w, struct mrg_span s, uint64_t count)
{
	struct mrg_dns_generate_format_captures c;
	uint8_t copy[64];
	uint64_t offset, width = 0;
	if (!terminated(&s, copy, sizeof copy) || !mrg_dns_generate_format_match(s, &c))
		return false;
	if (!mrg_text_parse_dec(c.offset, INT32_MAX, &offset) || (c.minus.p != NULL && offset > count))
		return false;
	if (c.width.p != NULL && !mrg_text_parse_dec(c.width, MRG_DNS_MAX_NAME, &width))
		return false;
	const uint64_t v = c.minus.p != NULL ? count - offset : count + offset;
	if (c.nibbles.p != NULL || c.upper_nibbles.p != NULL)
		put_nibbles(w, v, width, c.nibbles.p == NULL);
	else
		put_based(w, v, width,
			c.octal.p != NULL                          ? 3
			: c.hex.p != NULL || c.upper_hex.p != NULL ? 4
								   : 0,
			c.upper_hex.p != NULL);
	return true;
}

/* One part of the template; false: a ${...} that is wrong. */
static bool expand_part(struct mrg_w *w, enum mrg_dns_generate_token token, struct mrg_span s, uint64_t count)
{
	switch (token) {
	case MRG_DNS_GENERATE_END: break;
	case MRG_DNS_GENERATE_TEXT:
	case MRG_DNS_GENERATE_NONE: mrg_w_put(w, s); break;
	case MRG_DNS_GENERATE_DOLLARS: mrg_text_put(w, "\\$"); break;
	case MRG_DNS_GENERATE_COUNT: mrg_text_put_dec(w, count); break;
	case MRG_DNS_GENERATE_BRACED: return put_format(w, s, count);
	}
	return true;
}

/*
 * The template with the count in it, up to about `stop` octets; how much of the template that took.
 * *ok is false when it is for a ${...} that is wrong.
 */
static size_t expand(struct mrg_dns_master *m, struct mrg_w *w, uint64_t count, size_t stop, bool *ok)
{
	const uint8_t *at = m->form, *end = m->form + m->form_len;
	*ok = true;
	for (;;) {
		const uint8_t *const start = at;
		const size_t before = w->len;
		const enum mrg_dns_generate_token token = mrg_dns_generate_next(&at, end);
		if (!expand_part(w, token, (struct mrg_span){ start, (size_t)(at - start) }, count))
			*ok = false;
		if (*ok && w->len < stop && token != MRG_DNS_GENERATE_END)
			continue;
		if (w->len == stop)
			return (size_t)(at - m->form);
		/* inside text, an octet is as far from its start here as there */
		const size_t within = token == MRG_DNS_GENERATE_TEXT && stop > before ? stop - before : 0;
		return (size_t)(start - m->form) + within;
	}
}

/* The column of the template's octet `off` in the file. */
static unsigned form_col(const struct mrg_dns_master *m, size_t off)
{
	/* where the RDATA stood between quotes, its first one is not in the template */
	return m->form_col + (unsigned)off + (off >= m->form_quote ? 1u : 0u);
}

unsigned mrg_dns_master_made_col_(struct mrg_dns_master *m, const uint8_t *at)
{
	uint8_t again[sizeof m->made];
	struct mrg_w w;
	bool ok;
	mrg_w_init(&w, again, sizeof again);
	return form_col(m, expand(m, &w, m->count, (size_t)(at - m->made), &ok));
}

/* What follows the owner: [TTL] [class] type RDATA.  The sole word of the RDATA if it is quoted. */
static struct mrg_span quoted_rdata(struct mrg_dns_master *m)
{
	struct mrg_text *t = &m->text;
	struct mrg_text_token last = { { NULL, 0 }, MRG_TEXT_END };
	uint64_t class;
	bool head = true;
	size_t words = 0;
	for (; mrg_text_more(t); words += !head) {
		t->have = false;
		last = t->tok;
		if (head && m->kind != MRG_DNS_MASTER_NUMBER && m->kind != MRG_DNS_MASTER_DURATION &&
			!mrg_text_enum_find(&mrg_dns_class_text, last.s, &class))
			head = false;
	}
	/* words counts the type, too */
	return words == 2 && last.kind == MRG_TEXT_QUOTED ? last.s : (struct mrg_span){ NULL, 0 };
}

/*
 * The rest of the entry as it is written is what is made again for each count; into m->form.  As
 * in BIND, RDATA that is one quoted string stands for what is between the quotes.
 */
static bool read_form(struct mrg_dns_master *m)
{
	struct mrg_text *t = &m->text;
	struct mrg_w w;
	if (!mrg_text_word(t))
		return mrg_dns_master_report_(m, "$GENERATE owner");
	const struct mrg_text_token owner = t->tok;
	m->form_col = (unsigned)(owner.s.p - t->line_start) + 1u;
	const struct mrg_span rdata = quoted_rdata(m);
	const uint8_t *end = rdata.p != NULL ? rdata.p - 1 : t->tok.s.p;
	if (t->err.status != MRG_OK)
		return mrg_dns_master_report_(m, NULL);
	mrg_w_init(&w, m->form, sizeof m->form - 1);
	mrg_w_put(&w, (struct mrg_span){ owner.s.p, (size_t)(end - owner.s.p) });
	m->form_quote = rdata.p != NULL ? w.len : SIZE_MAX;
	mrg_text_unquote(&w, rdata);
	t->tok = owner;
	m->form_owner_len = owner.s.len;
	if (mrg_w_finish(&w, &m->form_len) != MRG_OK)
		return mrg_dns_master_bad_(m, "$GENERATE", "an entry that is too long");
	m->form[m->form_len] = 0;
	return true;
}

/* Read one made entry as if it stood in the file. */
static bool make(struct mrg_dns_master *m, uint64_t count)
{
	struct mrg_w w;
	bool ok;
	mrg_w_init(&w, m->made, sizeof m->made - 1);
	const size_t off = expand(m, &w, count, SIZE_MAX, &ok);
	if (!ok || w.st != MRG_OK) {
		m->text.tok.s = (struct mrg_span){ m->form + off, m->form_len - off };
		m->text.line_start = m->text.tok.s.p - (form_col(m, off < m->form_owner_len ? 0 : off) - 1u);
		return mrg_dns_master_bad_(m, "$GENERATE",
			ok ? "an entry that is too long" : "not ${offset,width,base}, or a count below 0");
	}
	m->made[w.len] = 0;
	m->count = count;
	m->file->at = m->file->line_start = m->made;
	m->file->end = m->made + w.len;
	m->making = true;
	ok = mrg_dns_master_entry_read_(m, false);
	m->making = false;
	return ok;
}

static bool control_generate(struct mrg_dns_master *m)
{
	struct range r = { 0 };
	bool ok = true;
	if (!read_range(m, &r) || !read_form(m))
		return false;
	const struct mrg_dns_master_file file = *m->file;
	uint8_t owner[sizeof m->owner];
	const uint8_t owner_len = m->owner_len;
	memcpy(owner, m->owner, owner_len);
	for (uint64_t count = r.start; ok && count <= r.stop; count += r.step)
		ok = make(m, count);
	m->parens = 0;
	*m->file = file;
	memcpy(m->owner, owner, owner_len);
	m->owner_len = owner_len;
	return ok;
}

bool mrg_dns_master_control_(struct mrg_dns_master *m)
{
	mrg_text_any(&m->text);
	switch (m->kind) {
	case MRG_DNS_MASTER_TTL: return control_ttl(m);
	case MRG_DNS_MASTER_ORIGIN: return control_origin(m);
	case MRG_DNS_MASTER_INCLUDE: return control_include(m);
	case MRG_DNS_MASTER_GENERATE:
		if (!m->making)
			return control_generate(m);
		break;
	default: break;
	}
	return mrg_dns_master_bad_(m, "", "not $ORIGIN, $TTL, $INCLUDE or $GENERATE");
}
