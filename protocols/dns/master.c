/*
 * master.c - entries of a master file: owner, TTL, class, type and RDATA (RFC 1035 section 5.1).
 */
#include "protocols/dns/master_in.h"

#include "dns/rr_text.h"

/* --- errors ----------------------------------------------------------------------------------- */

MRG_COLD bool mrg_dns_master_report_(struct mrg_dns_master *m, const char *field)
{
	char where[96], what[192];
	if (!m->making)
		mrg_dns_master_drain_(m);
	m->errors++;
	if (m->ev->error == NULL)
		return false;
	/* what $GENERATE made stands in no file: its own place is told */
	const struct mrg_dns_master_error e = {
		.file = m->file->source.name,
		.line = m->making ? m->entry_line : m->text.err.line,
		.col = m->making ? mrg_dns_master_made_col_(m, m->text.err.at.p) : m->text.err.col,
		.field = field != NULL ? field : mrg_text_field(&m->text, where, sizeof where),
		.what = mrg_text_reason(&m->text, what, sizeof what),
	};
	m->ev->error(m->ev->ctx, &e);
	return false;
}

MRG_COLD bool mrg_dns_master_bad_(struct mrg_dns_master *m, const char *field, const char *what)
{
	mrg_text_bad(&m->text, what);
	return mrg_dns_master_report_(m, field);
}

enum { TTL_MAX = 2147483647 }; /* RFC 2181 section 8: 31 bits */

/* --- the fields before the RDATA ---------------------------------------------------------------- */

bool mrg_dns_master_name_(struct mrg_dns_master *m, const char *field, uint8_t out[static 320], uint8_t *len)
{
	size_t n;
	if (!mrg_text_word(&m->text))
		return mrg_dns_master_report_(m, field);
	const char *wrong = mrg_text_parse_name(
		m->text.tok.s, m->text.origin, MRG_DNS_MAX_LABEL, MRG_DNS_MAX_NAME, out, &n);
	if (wrong != NULL)
		return mrg_dns_master_bad_(m, field, wrong);
	*len = (uint8_t)n;
	return true;
}

bool mrg_dns_master_ttl_(struct mrg_dns_master *m, uint32_t *ttl)
{
	uint64_t v;
	if (!mrg_text_ttl(&m->text, 0, TTL_MAX, &v))
		return mrg_dns_master_report_(m, "TTL");
	*ttl = (uint32_t)v;
	return true;
}

static bool set_class(struct mrg_dns_master *m, uint64_t class)
{
	if (class == MRG_DNS_CLASS_ANY || class == MRG_DNS_CLASS_NONE)
		return mrg_dns_master_bad_(m, "class", "not a class that records have");
	if (m->class_known && m->class != class)
		return mrg_dns_master_bad_(m, "class", "not the class of the records before");
	m->class = (uint16_t) class;
	m->class_known = true;
	return true;
}

static bool is_time(const struct mrg_dns_master *m)
{
	return m->kind == MRG_DNS_MASTER_NUMBER || m->kind == MRG_DNS_MASTER_DURATION;
}

struct head {
	bool ttl_stated, class_stated;
	uint32_t ttl;
	uint64_t type;
};

/* [TTL] [class] type, or [class] [TTL] type */
static bool read_head(struct mrg_dns_master *m, struct head *h)
{
	struct mrg_text *t = &m->text;
	uint64_t class;
	for (;;) {
		if (!mrg_text_word(t))
			return mrg_dns_master_report_(m, "type");
		if (!h->ttl_stated && is_time(m)) {
			mrg_text_unget(t, t->tok);
			if (!mrg_dns_master_ttl_(m, &h->ttl))
				return false;
			h->ttl_stated = true;
		} else if (!h->class_stated && mrg_text_enum_find(&mrg_dns_class_text, t->tok.s, &class)) {
			if (!set_class(m, class))
				return false;
			h->class_stated = true;
		} else {
			break;
		}
	}
	if (!mrg_text_enum_find(&mrg_dns_type_text, t->tok.s, &h->type))
		return mrg_dns_master_bad_(
			m, "type", h->ttl_stated && is_time(m) ? "a second TTL" : "not a known type");
	return true;
}

/* Types that are only asked for, or only stand in messages (RFC 6895 section 3.1). */
static bool is_meta(uint64_t type)
{
	return type == 0 || type == MRG_DNS_TYPE_OPT ||
	       (type >= MRG_DNS_TYPE_NXNAME && type <= MRG_DNS_TYPE_ANY);
}

/* --- TTLs ----------------------------------------------------------------------------------------- */

/* A SOA without a TTL gives its minimum to itself and to all that have none. */
static void soa_ttl(struct mrg_dns_master *m, struct mrg_span rdata)
{
	struct mrg_dns_soa soa;
	if (mrg_dns_soa_check(rdata, (struct mrg_span){ 0 }, &soa, NULL) != MRG_OK)
		return;
	const uint32_t minimum = mrg_dns_soa_minimum(&soa);
	m->default_ttl = minimum <= TTL_MAX ? minimum : 0; /* RFC 2181 section 8 */
	m->default_ttl_known = true;
}

/* RFC 2308 section 4: what was stated, else $TTL, else (RFC 1035 5.1) the last one stated. */
static bool choose_ttl(struct mrg_dns_master *m, struct head *h, struct mrg_span rdata)
{
	if (h->ttl_stated) {
		m->ttl = h->ttl;
		m->ttl_known = true;
		return true;
	}
	if (!m->default_ttl_known && !m->ttl_known && h->type == MRG_DNS_TYPE_SOA)
		soa_ttl(m, rdata);
	if (m->default_ttl_known)
		h->ttl = m->default_ttl;
	else if (m->ttl_known)
		h->ttl = m->ttl;
	else if (m->last_resort_ttl != 0)
		h->ttl = m->last_resort_ttl;
	else
		return mrg_dns_master_bad_(
			m, "TTL", "missing: there is no $TTL, no TTL before and no SOA before");
	return true;
}

/* --- records ---------------------------------------------------------------------------------------- */

static bool deliver(struct mrg_dns_master *m, const struct head *h, struct mrg_span rdata)
{
	const struct mrg_dns_master_rr rr = {
		.owner = { m->owner, m->owner_len },
		.rdata = rdata,
		.type = (uint16_t)h->type,
		.class = m->class,
		.ttl = h->ttl,
		.file = m->file->source.name,
		.line = m->entry_line,
		.col = m->entry_col,
	};
	m->class_known = true; /* the first record's class is the zone's */
	m->stopped = !m->ev->record(m->ev->ctx, &rr);
	return !m->stopped;
}

bool mrg_dns_master_record_(struct mrg_dns_master *m)
{
	struct head h = { 0 };
	struct mrg_w w;
	if (!read_head(m, &h))
		return false;
	if (is_meta(h.type))
		return mrg_dns_master_bad_(m, "type", "not a type that records of a zone have");
	if (m->text.err.status != MRG_OK)
		return mrg_dns_master_report_(m, NULL);
	mrg_w_init(&w, m->rdata, sizeof m->rdata);
	/* Chaosnet addresses are not those of A (RFC 1035 3.4.1 is for IN) */
	const uint64_t shape = m->class == MRG_DNS_CLASS_CH && h.type == MRG_DNS_TYPE_A ? 0 : h.type;
	const enum mrg_status st = mrg_dns_rr_rdata_from_text(shape, &m->text, &w, NULL);
	if (st != MRG_OK || m->text.err.status != MRG_OK)
		return mrg_dns_master_report_(m, NULL);
	const struct mrg_span rdata = mrg_w_span(&w, 0);
	return choose_ttl(m, &h, rdata) && deliver(m, &h, rdata);
}

/* --- entries ------------------------------------------------------------------------------------------ */

static bool is_control(unsigned kind)
{
	return kind == MRG_DNS_MASTER_ORIGIN || kind == MRG_DNS_MASTER_TTL ||
	       kind == MRG_DNS_MASTER_INCLUDE || kind == MRG_DNS_MASTER_GENERATE ||
	       kind == MRG_DNS_MASTER_DIRECTIVE;
}

bool mrg_dns_master_entry_read_(struct mrg_dns_master *m, bool indented)
{
	struct mrg_text *t = &m->text;
	mrg_dns_master_entry_(m);
	if (!mrg_text_more(t)) /* nothing but parentheses or what is no word */
		return t->err.status == MRG_OK || mrg_dns_master_report_(m, NULL);
	if (!m->making) {
		m->entry_line = t->line;
		m->entry_col = (unsigned)(t->tok.s.p - t->line_start) + 1u;
	}
	if (!indented && is_control(m->kind))
		return mrg_dns_master_control_(m);
	if (!indented) {
		/* a wrong owner must not leave the one before to the records that follow without one */
		m->owner_len = 0;
		if (!mrg_dns_master_name_(m, "owner", m->owner, &m->owner_len))
			return false;
	}
	if (m->owner_len == 0)
		return mrg_text_any(t) &&
		       mrg_dns_master_bad_(m, "owner", "missing: no entry before has a right one");
	return mrg_dns_master_record_(m);
}

/* Go back to the file that included this one; false when there is none. */
static bool leave(struct mrg_dns_master *m)
{
	mrg_dns_master_done_(&m->file->source);
	if (m->file == m->files)
		return false;
	m->file--;
	m->text.origin = (struct mrg_span){ m->file->origin, m->file->origin_len };
	memcpy(m->owner, m->file->owner, m->file->owner_len);
	m->owner_len = m->file->owner_len;
	return true;
}

static void start(struct mrg_dns_master *m, struct mrg_span origin, uint32_t default_ttl,
	const struct mrg_dns_master_events *ev)
{
	memset(m, 0, offsetof(struct mrg_dns_master, owner));
	m->ev = ev;
	m->file = m->files;
	m->class = MRG_DNS_CLASS_IN;
	m->last_resort_ttl = default_ttl;
	m->file->origin_len = (uint8_t)origin.len;
	m->file->owner_len = 0;
	if (origin.len > 0)
		memcpy(m->file->origin, origin.p, origin.len);
	m->text.origin = (struct mrg_span){ m->file->origin, origin.len };
}

enum mrg_status mrg_dns_master_read(struct mrg_dns_master *m, const struct mrg_dns_master_source *src,
	struct mrg_span origin, uint32_t default_ttl, const struct mrg_dns_master_events *ev,
	size_t *error_count)
{
	bool indented;
	if (origin.len > MRG_DNS_MAX_NAME)
		return MRG_E_RANGE;
	start(m, origin, default_ttl, ev);
	mrg_dns_master_open_(m, src);
	do {
		while (!m->stopped && mrg_dns_master_line_(m, &indented))
			if (!mrg_dns_master_entry_read_(m, indented) && !m->stopped)
				mrg_dns_master_skip_(m);
	} while (leave(m));
	*error_count = m->errors;
	if (m->stopped)
		return MRG_END;
	return m->errors == 0 ? MRG_OK : MRG_E_TEXT;
}
