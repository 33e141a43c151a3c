/*
 * mrg_text.h - presentation format: text tokens to wire bytes, and back.
 *
 * Generated <module>_text.c is made of these functions: each reads one field's tokens from a
 * struct mrg_text and gives a number or appends wire bytes to a struct mrg_w, and each has a twin
 * that prints.  The forms are those of `text FORM` in specifications (specs/LANGUAGE.md).
 *
 * References: RFC 1035 section 5.1 (tokens, escapes, names), RFC 3597 section 5, RFC 4648, RFC 5952,
 * RFC 4034, RFC 9460 section 2.1 and appendix A, RFC 3123, RFC 1876.
 *
 * What it does not do: files, lines, comments, parentheses: that is the work of who fills `pull`.
 *
 * Use:
 *   struct mrg_text t;
 *   mrg_text_line(&t, line, origin);
 *   if (mrg_dns_mx_from_text(&t, &w, NULL) != MRG_OK)
 *           puts(mrg_text_message(&t, buf, sizeof buf));
 *
 * Conventions: readers return false on failure, after which t->err says what and where; writers
 * stick as in mrg.h.  `lo..hi` are inclusive.  `tail`: take every token to the end of the record.
 */
#ifndef MRG_TEXT_H
#define MRG_TEXT_H

#include "mrg.h"

enum mrg_text_kind {
	MRG_TEXT_END,    /* no more tokens in this record */
	MRG_TEXT_WORD,   /* a run of characters, escapes not yet resolved; only the value of a pair can have none */
	MRG_TEXT_QUOTED, /* what stood between quotes, escapes not yet resolved */
	MRG_TEXT_PIECE   /* an element of a comma-separated value, escaped twice (RFC 9460 appendix A) */
};

struct mrg_text_token {
	struct mrg_span s;
	enum mrg_text_kind kind;
};

#define MRG_TEXT_DEPTH 4

/* Why a reader refused. */
struct mrg_text_error {
	enum mrg_status status; /* MRG_OK, MRG_E_TEXT, MRG_E_SPACE or what a check said */
	unsigned line, col;     /* from 1 */
	struct mrg_span at;     /* the token; len 0 at the end of the record */
	const char *what;       /* "not a number" */
	bool ranged;            /* lo..hi say what is allowed */
	uint64_t lo, hi;
	unsigned depth; /* fields, innermost first */
	const struct mrg_site *path[MRG_TEXT_DEPTH];
};

/* Where a token stands. */
struct mrg_text_mark {
	struct mrg_span at;
	unsigned line, col;
};

/*
 * A source of the tokens of one record.  `pull` sets tok; after the last token it sets
 * MRG_TEXT_END, as often as it is asked.  It also keeps `line` and `line_start` (the first byte
 * of the line that tok stands in).
 */
struct mrg_text {
	struct mrg_text_token tok; /* the token taken last, or the one looked at */
	bool have;                 /* tok is looked at but not taken */
	unsigned line;
	const uint8_t *line_start;
	void (*pull)(struct mrg_text *t);
	struct mrg_span origin; /* flat wire form; completes relative names; empty: they are errors */
	const char *in;         /* what is being read: "MX"; may be NULL */
	void *ctx;              /* of whoever set pull */
	struct mrg_text_error err;
	struct mrg_text_mark mark; /* where an error of a whole value is told */
	struct {                   /* of mrg_text_line and mrg_text_param: the rest of the line or value */
		const uint8_t *at, *end;
	} rest;
};

/* Read tokens from one line: blanks, words, "quoted strings".  Borrows both spans. */
void mrg_text_line(struct mrg_text *t, struct mrg_span line, struct mrg_span origin);

/* "MX preference: not a number: 'abc'", cut to cap - 1 characters; returns buf. */
const char *mrg_text_message(const struct mrg_text *t, char *buf, size_t cap);
/* Its two halves: "not a number: 'abc'", and "MX preference" ("" when nothing is known). */
const char *mrg_text_reason(const struct mrg_text *t, char *buf, size_t cap);
const char *mrg_text_field(const struct mrg_text *t, char *buf, size_t cap);

/* --- tokens -------------------------------------------------------------------------------- */

/* Is there another token?  Does not take it. */
static inline bool mrg_text_more(struct mrg_text *t)
{
	if (!t->have) {
		t->pull(t);
		t->have = true;
	}
	return t->tok.kind != MRG_TEXT_END;
}

/* Put a token back in front. */
static inline void mrg_text_unget(struct mrg_text *t, struct mrg_text_token tok)
{
	t->tok = tok;
	t->have = true;
}

/* Where tok stands; a quoted string stands at its quote. */
static inline struct mrg_text_mark mrg_text_here(const struct mrg_text *t)
{
	const uint8_t *p = t->tok.s.p - (t->tok.kind == MRG_TEXT_QUOTED);
	return (struct mrg_text_mark){ t->tok.s, t->line,
		p >= t->line_start ? (unsigned)(p - t->line_start) + 1u : 1u };
}

/* A value starts at the next token: errors that are about all of it are told there. */
static inline void mrg_text_mark(struct mrg_text *t)
{
	mrg_text_more(t);
	t->mark = mrg_text_here(t);
}

/* Fail at the mark. */
bool mrg_text_bad_whole(struct mrg_text *t, const char *what);
/* What failed is part of a value that is told as a whole, at `mark`. */
bool mrg_text_part(struct mrg_text *t, const struct mrg_text_mark *mark);

/* Fail at the token taken last.  All return false. */
bool mrg_text_bad(struct mrg_text *t, const char *what);
bool mrg_text_bad_range(struct mrg_text *t, uint64_t lo, uint64_t hi);
bool mrg_text_bad_size(struct mrg_text *t, uint64_t lo, uint64_t hi);       /* in octets */
bool mrg_text_bad_whole_size(struct mrg_text *t, uint64_t lo, uint64_t hi); /* the same at the mark */
bool mrg_text_bad_count(struct mrg_text *t, uint64_t lo, uint64_t hi);
bool mrg_text_bad_status(struct mrg_text *t, enum mrg_status st, const char *what);
/* A field inside `site` failed. */
bool mrg_text_in(struct mrg_text *t, const struct mrg_site *site);
/* The same, if it did. */
static inline bool mrg_text_of(struct mrg_text *t, bool ok, const struct mrg_site *site)
{
	return ok || mrg_text_in(t, site);
}

/* Take any token. */
static inline bool mrg_text_any(struct mrg_text *t)
{
	if (MRG_UNLIKELY(!mrg_text_more(t)))
		return mrg_text_bad(t, "missing");
	t->have = false;
	return true;
}

/* Take a token that is not quoted. */
static inline bool mrg_text_word(struct mrg_text *t)
{
	if (MRG_UNLIKELY(!mrg_text_any(t)))
		return false;
	if (MRG_UNLIKELY(t->tok.kind == MRG_TEXT_QUOTED))
		return mrg_text_bad(t, "must not be quoted");
	return true;
}

/* Is the next token this word, in any case?  Takes it if so. */
bool mrg_text_is(struct mrg_text *t, const char *word);

/* The record must be at its end. */
bool mrg_text_end(struct mrg_text *t);

/* Do the bytes written since `from` lack this one? */
static inline bool mrg_text_lacks(const struct mrg_w *w, size_t from, uint8_t byte)
{
	for (size_t i = from; i < w->len; i++)
		if (w->p[i] == byte)
			return false;
	return true;
}

/* Begin: no error, nothing looked at. */
static inline void mrg_text_begin(struct mrg_text *t, const char *in)
{
	t->in = in;
	t->err.status = MRG_OK;
	t->err.depth = 0;
	t->err.ranged = false;
}

/* Give up what was written since `from`; the status, and rj filled from t->err. */
enum mrg_status mrg_text_refuse(struct mrg_text *t, struct mrg_w *w, size_t from, struct mrg_reject *rj);
/*
 * A record has been read (`ok`) or refused: it must be at its end, and all of it must have had room.
 * Else what was written since `from` is given up, and rj filled.
 */
enum mrg_status mrg_text_done(struct mrg_text *t, struct mrg_w *w, size_t from, bool ok, struct mrg_reject *rj);
/* A view's check said rj->status of what was just written, and left `more` octets over; a refusal is told at the mark. */
bool mrg_text_checked(struct mrg_text *t, const struct mrg_w *w, size_t more, const struct mrg_reject *rj);

/* --- enums ------------------------------------------------------------------------------------ */

struct mrg_text_member {
	const char *name;
	uint8_t len;
	uint64_t lo, hi; /* hi > lo: a range, never printed by name */
};

/* Names of an enum, findable both ways. */
struct mrg_text_enum {
	const struct mrg_text_member *members; /* by lo */
	unsigned count;
	const uint16_t *slots; /* by hash of the name: 1 + index, 0: free; open addressing */
	unsigned shift;        /* hash to slot */
	uint64_t mul;          /* makes most names collide with none */
	const char *unknown;   /* "TYPE"; "": the number alone */
	uint64_t max;          /* largest value of the enum's base */
};

/* Value of a name (any case), of the unknown prefix and a number, or of a number when there is no prefix. */
bool mrg_text_enum_find(const struct mrg_text_enum *e, struct mrg_span name, uint64_t *v);
/* Member with that name, or NULL. */
const struct mrg_text_member *mrg_text_enum_named(const struct mrg_text_enum *e, struct mrg_span name);
/* Member with that value, or NULL. */
const struct mrg_text_member *mrg_text_enum_member(const struct mrg_text_enum *e, uint64_t v);

/* --- readers that give a number ------------------------------------------------------------------ */

bool mrg_text_dec(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_int(struct mrg_text *t, int64_t lo, int64_t hi, uint64_t *v); /* two's complement */
bool mrg_text_hex_int(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_mnemonic(
	struct mrg_text *t, const struct mrg_text_enum *e, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_dec_enum(
	struct mrg_text *t, const struct mrg_text_enum *e, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_ttl(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_time(struct mrg_text *t, uint64_t lo, uint64_t hi, uint64_t *v);
bool mrg_text_ip4(struct mrg_text *t, uint64_t *v);
bool mrg_text_eui(struct mrg_text *t, unsigned bytes, uint64_t *v); /* 6 or 8 */
bool mrg_text_locator(struct mrg_text *t, uint64_t *v);

/* The same from a span, for who has no token: false when it is not in that form. */
bool mrg_text_parse_dec(struct mrg_span s, uint64_t max, uint64_t *v);
bool mrg_text_parse_ttl(struct mrg_span s, uint64_t *v);
bool mrg_text_parse_ip4(struct mrg_span s, uint8_t out[4]);
bool mrg_text_parse_ip6(struct mrg_span s, uint8_t out[16]);
/* What is between quotes, with \" as "; other escapes stay. */
void mrg_text_unquote(struct mrg_w *w, struct mrg_span s);
/* The character at p < end, which may be \X or \DDD (RFC 1035 5.1); where the next one is, or NULL. */
const uint8_t *mrg_text_unescape(const uint8_t *p, const uint8_t *end, uint8_t *c);

/* --- readers that append bytes -------------------------------------------------------------------- */

bool mrg_text_ip6(struct mrg_text *t, struct mrg_w *w);
/* without tail: one token, "-" when there are no bytes */
bool mrg_text_hex(struct mrg_text *t, struct mrg_w *w, bool tail);
bool mrg_text_base64(struct mrg_text *t, struct mrg_w *w, bool tail);
bool mrg_text_base32hex(struct mrg_text *t, struct mrg_w *w);
bool mrg_text_string(struct mrg_text *t, struct mrg_w *w); /* content only; quoted or not */
/* A domain name in wire form; labels up to max_label, all of it up to max_bytes (at most 255). */
bool mrg_text_name(struct mrg_text *t, struct mrg_w *w, unsigned max_label, unsigned max_bytes);
/* The same from a span and an origin; *len bytes at out.  NULL, or what is wrong. */
const char *mrg_text_parse_name(struct mrg_span s, struct mrg_span origin, unsigned max_label,
	unsigned max_bytes, uint8_t out[static 320], size_t *len);
bool mrg_text_windows(struct mrg_text *t, struct mrg_w *w, const struct mrg_text_enum *e);
bool mrg_text_apl(struct mrg_text *t, struct mrg_w *w);
bool mrg_text_loc(struct mrg_text *t, struct mrg_w *w);
/* RFC 3597 section 5, after the \# */
bool mrg_text_generic(struct mrg_text *t, struct mrg_w *w);

/*
 * key=value pairs (RFC 9460 section 2.1).  Each is `open`ed: its key is known and the source
 * gives the value's tokens, split at commas if asked; then `close`d: they must be used up.
 */
struct mrg_text_param {
	uint64_t key;
	struct mrg_span value;
	bool none;             /* the key stands alone */
	bool generic;          /* written as keyN: the value is as on the wire */
	size_t at;             /* in the writer; the caller's */
	struct mrg_text saved; /* the record's source */
};
#define MRG_TEXT_PARAMS 256u /* most pairs in one record */
bool mrg_text_param_key(struct mrg_text *t, struct mrg_text_param *p, const struct mrg_text_enum *e);
void mrg_text_param_open(struct mrg_text *t, struct mrg_text_param *p, bool split);
void mrg_text_param_close(struct mrg_text *t, struct mrg_text_param *p);
/* This key takes no value: there must be none. */
bool mrg_text_param_none(struct mrg_text *t, const struct mrg_text_param *p);
/*
 * The writer holds pairs of a 16-bit key, a 16-bit size and a value since `from`; move the one at
 * p->at to its place by key.  Fails when the key was there before.
 */
bool mrg_text_param_sort(struct mrg_text *t, struct mrg_w *w, size_t from, const struct mrg_text_param *p);
/* Sort the 16-bit numbers written since `from`; none twice. */
bool mrg_text_sort16(struct mrg_text *t, struct mrg_w *w, size_t from);
/* Each 16-bit number in the value of the pair `listing` must be the key of another pair since `from`. */
bool mrg_text_param_all(struct mrg_text *t, const struct mrg_w *w, size_t from, uint64_t listing);

/* --- printers --------------------------------------------------------------------------------------- */

void mrg_text_put(struct mrg_w *w, const char *text);
/* A blank, unless nothing was written since `from`; where the field starts. */
size_t mrg_text_sep(struct mrg_w *w, size_t from);
/* Take the blank back when the field at `mark` printed nothing. */
void mrg_text_unsep(struct mrg_w *w, size_t from, size_t mark);
/* A comma, unless *n is 0; counts n. */
void mrg_text_comma(struct mrg_w *w, unsigned *n);
void mrg_text_put_dec(struct mrg_w *w, uint64_t v);
void mrg_text_put_digit(struct mrg_w *w, unsigned v, bool upper); /* 0..15 */
void mrg_text_put_int(struct mrg_w *w, int64_t v);
void mrg_text_put_hex_int(struct mrg_w *w, uint64_t v, unsigned digits);
void mrg_text_put_mnemonic(struct mrg_w *w, const struct mrg_text_enum *e, uint64_t v);
void mrg_text_put_time(struct mrg_w *w, uint32_t v);
void mrg_text_put_ip4(struct mrg_w *w, uint32_t v);
void mrg_text_put_ip6(struct mrg_w *w, struct mrg_span s); /* 16 bytes */
void mrg_text_put_eui(struct mrg_w *w, uint64_t v, unsigned bytes);
void mrg_text_put_locator(struct mrg_w *w, uint64_t v);
void mrg_text_put_hex(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_base64(struct mrg_w *w, struct mrg_span s);
/* The same as one token: "-" when there are no bytes. */
void mrg_text_put_hex_token(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_base64_token(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_base32hex(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_string(struct mrg_w *w, struct mrg_span s); /* quoted */
void mrg_text_put_word(struct mrg_w *w, struct mrg_span s);   /* quoted only where needed */
void mrg_text_put_piece(struct mrg_w *w, struct mrg_span s);  /* inside a quoted comma-separated value */
void mrg_text_put_name(struct mrg_w *w, struct mrg_span flat);
void mrg_text_put_windows(struct mrg_w *w, struct mrg_span s, const struct mrg_text_enum *e);
void mrg_text_put_apl(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_loc(struct mrg_w *w, struct mrg_span s);
void mrg_text_put_generic(struct mrg_w *w, struct mrg_span s);

#endif
