/*
 * mrg_text_names.c - domain names, bitmaps of types, key=value pairs, address prefixes and the
 * generic form of RDATA in presentation format.  See mrg_text.h.
 */
#include "mrg_text.h"

/* --- names ------------------------------------------------------------------------------------ */

#define ONES 0x0101010101010101ull
#define LOW7 0x7f7f7f7f7f7f7f7full

/* The top bit of each byte of v that is c; exact, also next to other matches. */
static inline uint64_t bytes_that_are(uint64_t v, uint8_t c)
{
	const uint64_t x = v ^ (ONES * c);
	return ~(((x & LOW7) + LOW7) | x) & ~LOW7;
}

/* Which byte has the lowest of the bits of a bytes_that_are that is not 0. */
static inline unsigned first_byte(uint64_t bits)
{
#if defined(__GNUC__)
	return (unsigned)__builtin_ctzll(bits) >> 3;
#else
	unsigned n = 0;
	for (; (bits & 0x80u) == 0; bits >>= 8)
		n++;
	return n;
#endif
}

/* A name in the making: `label` is where the length of the current label stands. */
struct name {
	uint8_t *out;
	size_t label, at;
	unsigned max_label;
	const char *wrong;
};

static bool name_dot(struct name *n)
{
	const size_t len = n->at - n->label - 1;
	if (len == 0 || len > n->max_label) {
		n->wrong = len == 0 ? "a name with an empty label" : "a name with a label that is too long";
		return false;
	}
	n->out[n->label] = (uint8_t)len;
	n->label = n->at++;
	return true;
}

/*
 * Without escapes the text of a name is its wire form shifted by one, with dots in place of
 * lengths: copy, then find the dots eight characters at a time.  False: there is an escape.
 */
static bool name_plain(struct name *n, struct mrg_span s)
{
	memcpy(n->out + 1, s.p, s.len);
	memset(n->out + 1 + s.len, 0, 8);
	for (size_t i = 0; i < s.len; i += 8) {
		const uint64_t v = mrg_le64(n->out + 1 + i);
		if (bytes_that_are(v, '\\') != 0)
			return false;
		for (uint64_t dots = bytes_that_are(v, '.'); dots != 0; dots &= dots - 1) {
			n->at = 1 + i + first_byte(dots);
			if (!name_dot(n))
				return true;
		}
	}
	n->at = 1 + s.len;
	return true;
}

static void name_escaped(struct name *n, struct mrg_span s, size_t max_bytes)
{
	const uint8_t *p = s.p, *end = s.p + s.len;
	n->label = 0;
	n->at = 1;
	while (p < end) {
		uint8_t c = *p++;
		if (c == '.') {
			if (!name_dot(n))
				return;
			continue;
		}
		uint64_t v;
		if (c == '\\') {
			const bool ddd = p < end && (unsigned)*p - '0' <= 9u;
			if (p == end || (ddd && (end - p < 3 || !mrg_text_parse_dec((struct mrg_span){ p, 3 },
									255, &v)))) {
				n->wrong = "bad escape";
				return;
			}
			c = ddd ? (uint8_t)v : *p;
			p += ddd ? 3 : 1;
		}
		if (n->at > max_bytes) {
			n->wrong = "a name that is too long";
			return;
		}
		n->out[n->at++] = c;
	}
}

/* The end of the text: a relative name gets the origin, an absolute one its root label. */
static void name_finish(struct name *n, struct mrg_span origin, unsigned max_bytes)
{
	if (n->at == n->label + 1) {
		n->out[n->label] = 0;
		if (n->at > max_bytes)
			n->wrong = "a name that is too long";
		return;
	}
	if (!name_dot(n))
		return;
	n->at = n->label + origin.len;
	if (origin.len == 0)
		n->wrong = "a relative name, and there is no origin";
	else if (n->at > max_bytes)
		n->wrong = "a name that is too long with the origin";
	else
		memcpy(n->out + n->label, origin.p, origin.len);
}

const char *mrg_text_parse_name(struct mrg_span s, struct mrg_span origin, unsigned max_label,
	unsigned max_bytes, uint8_t out[static 320], size_t *len)
{
	struct name n = { .out = out, .at = 1, .max_label = max_label };
	if (s.len == 0)
		return "an empty name";
	if (s.len == 1 && (s.p[0] == '@' || s.p[0] == '.')) {
		static const uint8_t root[1];
		if (s.p[0] == '.')
			origin = (struct mrg_span){ root, 1 };
		if (origin.len == 0)
			return "@, and there is no origin";
		memcpy(out, origin.p, origin.len);
		*len = origin.len;
		return NULL;
	}
	if (s.len > max_bytes || !name_plain(&n, s))
		name_escaped(&n, s, max_bytes);
	if (n.wrong == NULL)
		name_finish(&n, origin, max_bytes);
	*len = n.at;
	return n.wrong;
}

bool mrg_text_name(struct mrg_text *t, struct mrg_w *w, unsigned max_label, unsigned max_bytes)
{
	uint8_t out[320];
	size_t len;
	if (!mrg_text_word(t))
		return false;
	const char *wrong = mrg_text_parse_name(t->tok.s, t->origin, max_label, max_bytes, out, &len);
	if (wrong != NULL)
		return mrg_text_bad(t, wrong);
	mrg_w_put(w, (struct mrg_span){ out, len });
	return true;
}

static bool name_special(uint8_t c)
{
	return c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' || c == '$';
}

void mrg_text_put_name(struct mrg_w *w, struct mrg_span flat)
{
	if (flat.len <= 1) {
		mrg_text_put(w, ".");
		return;
	}
	for (size_t i = 0; i < flat.len && flat.p[i] != 0;) {
		const size_t end = i + 1 + flat.p[i];
		for (i++; i < end && i < flat.len; i++) {
			const uint8_t c = flat.p[i];
			if (c <= ' ' || c >= 0x7f) {
				mrg_w_u8(w, '\\');
				mrg_w_u8(w, (uint8_t)('0' + c / 100));
				mrg_w_u8(w, (uint8_t)('0' + c / 10 % 10));
				mrg_w_u8(w, (uint8_t)('0' + c % 10));
				continue;
			}
			if (name_special(c))
				mrg_w_u8(w, '\\');
			mrg_w_u8(w, c);
		}
		mrg_w_u8(w, '.');
	}
}

/* --- window bitmaps (RFC 4034 section 4.1.2) ------------------------------------------------------ */

/* Open a gap of n zero bytes at `at`. */
static bool insert_zeros(struct mrg_w *w, size_t at, size_t n)
{
	const size_t behind = w->len - at;
	if (mrg_w_take(w, n) == NULL)
		return false;
	memmove(w->p + at + n, w->p + at, behind);
	memset(w->p + at, 0, n);
	return true;
}

static bool windows_add(struct mrg_w *w, size_t from, uint64_t v)
{
	const uint8_t window = (uint8_t)(v >> 8), byte = (uint8_t)((v & 255u) >> 3);
	size_t at = from;
	while (at < w->len && w->p[at] < window)
		at += 2u + w->p[at + 1];
	if (at == w->len || w->p[at] != window) {
		if (!insert_zeros(w, at, 2))
			return false;
		w->p[at] = window;
	}
	if (w->p[at + 1] <= byte) {
		const size_t have = w->p[at + 1];
		if (!insert_zeros(w, at + 2 + have, byte + 1u - have))
			return false;
		w->p[at + 1] = (uint8_t)(byte + 1u);
	}
	w->p[at + 2 + byte] |= (uint8_t)(0x80u >> (v & 7u));
	return true;
}

bool mrg_text_windows(struct mrg_text *t, struct mrg_w *w, const struct mrg_text_enum *e)
{
	const size_t from = w->len;
	while (mrg_text_more(t)) {
		uint64_t v;
		if (!mrg_text_mnemonic(t, e, 0, 65535, &v))
			return false;
		if (!windows_add(w, from, v))
			return mrg_text_bad_status(t, MRG_E_SPACE, "too long");
	}
	return true;
}

void mrg_text_put_windows(struct mrg_w *w, struct mrg_span s, const struct mrg_text_enum *e)
{
	bool first = true;
	for (size_t at = 0; at + 2 <= s.len; at += 2u + s.p[at + 1]) {
		for (size_t i = 0; i < 8u * s.p[at + 1] && at + 2 + i / 8 < s.len; i++) {
			if ((s.p[at + 2 + i / 8] & 0x80u >> (i & 7u)) == 0)
				continue;
			if (!first)
				mrg_w_u8(w, ' ');
			first = false;
			mrg_text_put_mnemonic(w, e, (uint64_t)s.p[at] << 8 | i);
		}
	}
}

/* --- key=value pairs (RFC 9460 section 2.1) --------------------------------------------------------- */

bool mrg_text_param_key(struct mrg_text *t, struct mrg_text_param *p, const struct mrg_text_enum *e)
{
	mrg_text_mark(t);
	if (!mrg_text_word(t))
		return false;
	struct mrg_span key = t->tok.s;
	const uint8_t *end = key.p + key.len, *eq = key.p;
	while (eq < end && *eq != '=')
		eq++;
	key.len = (size_t)(eq - key.p);
	p->value = (struct mrg_span){ eq < end ? eq + 1 : end, eq < end ? (size_t)(end - eq) - 1 : 0 };
	p->none = eq == end;
	if (!mrg_text_enum_find(e, key, &p->key))
		return mrg_text_bad(t, "not a known key");
	/* keyN says that the value is given as it is on the wire, also for keys with a name */
	p->generic = mrg_text_enum_named(e, key) == NULL;
	/* key="value": the quotes follow the = at once */
	if (eq + 1 == end && mrg_text_more(t) && t->tok.kind == MRG_TEXT_QUOTED && t->tok.s.p == end + 1) {
		p->value = t->tok.s;
		t->have = false;
	}
	return true;
}

/* One element of a value: up to a comma that is not escaped, behind which there is another one (RFC 9460 appendix A.1). */
static void piece_pull(struct mrg_text *t)
{
	const uint8_t *p = t->rest.at, *const end = t->rest.end;
	if (p == NULL) {
		t->tok = (struct mrg_text_token){ .kind = MRG_TEXT_END, .s = { end, 0 } };
		return;
	}
	t->tok.kind = MRG_TEXT_PIECE;
	t->tok.s.p = p;
	t->tok.s.len = (size_t)(end - p);
	t->rest.at = NULL;
	while (p < end) {
		uint8_t c;
		const uint8_t *next = mrg_text_unescape(p, end, &c);
		if (next != NULL && c == ',') {
			t->tok.s.len = (size_t)(p - t->tok.s.p);
			t->rest.at = next;
			return;
		}
		if (next != NULL && c == '\\' && next < end)
			next = mrg_text_unescape(next, end, &c);
		if (next == NULL)
			return; /* who reads the piece will say so */
		p = next;
	}
}

/* The whole value as one token. */
static void value_pull(struct mrg_text *t)
{
	const uint8_t *p = t->rest.at, *end = t->rest.end;
	t->tok.kind = p != NULL ? MRG_TEXT_WORD : MRG_TEXT_END;
	t->tok.s.p = p != NULL ? p : end;
	t->tok.s.len = p != NULL ? (size_t)(end - p) : 0;
	t->rest.at = NULL;
}

void mrg_text_param_open(struct mrg_text *t, struct mrg_text_param *p, bool split)
{
	p->saved = *t;
	t->pull = split ? piece_pull : value_pull;
	t->rest.at = split && p->value.len == 0 ? NULL : p->value.p;
	t->rest.end = p->value.p + p->value.len;
	t->have = false;
}

void mrg_text_param_close(struct mrg_text *t, struct mrg_text_param *p)
{
	t->pull = p->saved.pull;
	t->rest = p->saved.rest;
	t->tok = p->saved.tok;
	t->have = p->saved.have;
}

bool mrg_text_param_none(struct mrg_text *t, const struct mrg_text_param *p)
{
	return p->value.len == 0 || mrg_text_bad(t, "this key takes no value");
}

/* Turn a b into b a, in place: the three-reversals way. */
static void reverse(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		const uint8_t c = p[i];
		p[i] = p[len - 1 - i];
		p[len - 1 - i] = c;
	}
}

bool mrg_text_param_sort(struct mrg_text *t, struct mrg_w *w, size_t from, const struct mrg_text_param *p)
{
	size_t at = from, place = p->at;
	unsigned count = 0;
	if (w->st != MRG_OK)
		return mrg_text_bad_status(t, w->st, "too long");
	for (; at < p->at; at += 4u + mrg_be16(w->p + at + 2), count++) {
		const uint16_t key = mrg_be16(w->p + at);
		if (key == p->key)
			return mrg_text_bad(t, "a key that was there before");
		if (key > p->key && place == p->at)
			place = at;
	}
	if (count >= MRG_TEXT_PARAMS)
		return mrg_text_bad_status(t, MRG_E_LIMIT, "too many keys");
	reverse(w->p + place, p->at - place);
	reverse(w->p + p->at, w->len - p->at);
	reverse(w->p + place, w->len - place);
	return true;
}

bool mrg_text_sort16(struct mrg_text *t, struct mrg_w *w, size_t from)
{
	if (w->st != MRG_OK)
		return mrg_text_bad_status(t, w->st, "too long");
	if (w->len - from > 2u * MRG_TEXT_PARAMS)
		return mrg_text_bad_status(t, MRG_E_LIMIT, "too many keys");
	for (size_t i = from + 2; i + 2 <= w->len; i += 2) {
		const uint16_t v = mrg_be16(w->p + i);
		size_t k = i;
		for (; k > from && mrg_be16(w->p + k - 2) > v; k -= 2)
			mrg_put_be16(w->p + k, mrg_be16(w->p + k - 2));
		if (k > from && mrg_be16(w->p + k - 2) == v)
			return mrg_text_bad(t, "a key that was there before");
		mrg_put_be16(w->p + k, v);
	}
	return true;
}

bool mrg_text_param_all(struct mrg_text *t, const struct mrg_w *w, size_t from, uint64_t listing)
{
	const uint8_t *p = w->p + from, *end = w->p + w->len;
	struct mrg_span keys = { p, 0 };
	for (; end - p >= 4 && keys.len == 0; p += 4u + mrg_be16(p + 2))
		if (mrg_be16(p) == listing)
			keys = (struct mrg_span){ p + 4, mrg_be16(p + 2) };
	p = w->p + from;
	/* both rise, so one pass is enough */
	for (size_t i = 0; i + 2 <= keys.len; i += 2) {
		const uint16_t key = mrg_be16(keys.p + i);
		while (end - p >= 4 && mrg_be16(p) < key)
			p += 4u + mrg_be16(p + 2);
		if (end - p < 4 || mrg_be16(p) != key || key == listing)
			return mrg_text_bad_whole(t, "a mandatory key that is not there");
	}
	return true;
}

/* --- address prefixes (RFC 3123 section 5) -------------------------------------------------------------- */

enum { APL_IP4 = 1, APL_IP6 = 2 };

/* The address in bytes; how many, or 0 when it is none of that family. */
static size_t apl_address(struct mrg_span s, uint64_t family, uint8_t out[16])
{
	if (family == APL_IP4)
		return mrg_text_parse_ip4(s, out) ? 4 : 0;
	if (family == APL_IP6)
		return mrg_text_parse_ip6(s, out) ? 16 : 0;
	return 0;
}

static struct mrg_span until(struct mrg_span *s, uint8_t c)
{
	size_t i = 0;
	while (i < s->len && s->p[i] != c)
		i++;
	const struct mrg_span head = { s->p, i };
	i += i < s->len;
	*s = (struct mrg_span){ s->p + i, s->len - i };
	return head;
}

bool mrg_text_apl(struct mrg_text *t, struct mrg_w *w)
{
	uint8_t b[16];
	uint64_t family, prefix;
	if (!mrg_text_word(t))
		return false;
	struct mrg_span s = t->tok.s;
	const bool negated = s.len > 0 && s.p[0] == '!';
	if (negated)
		s = (struct mrg_span){ s.p + 1, s.len - 1 };
	if (!mrg_text_parse_dec(until(&s, ':'), 65535, &family))
		return mrg_text_bad(t, "not [!]family:address/prefix");
	size_t len = apl_address(until(&s, '/'), family, b);
	if (len == 0)
		return mrg_text_bad(t, "not an address of family 1 (IPv4) or 2 (IPv6)");
	if (!mrg_text_parse_dec(s, len * 8u, &prefix))
		return mrg_text_bad(t, "not a prefix length of this family");
	while (len > 0 && b[len - 1] == 0)
		len--;
	mrg_w_be(w, 2, family);
	mrg_w_u8(w, (uint8_t)prefix);
	mrg_w_u8(w, (uint8_t)((negated ? 0x80u : 0u) | len));
	mrg_w_put(w, (struct mrg_span){ b, len });
	return true;
}

void mrg_text_put_apl(struct mrg_w *w, struct mrg_span s)
{
	uint8_t b[16] = { 0 };
	const unsigned family = mrg_be16(s.p), len = s.p[3] & 0x7fu;
	const unsigned most = family == APL_IP4 ? 4u : family == APL_IP6 ? 16u : 0u;
	if (len > most || most == 0) {
		mrg_w_fail(w, MRG_E_TEXT); /* this family has no text */
		return;
	}
	memcpy(b, s.p + 4, len);
	mrg_text_put(w, (s.p[3] & 0x80u) != 0 ? "!" : "");
	mrg_text_put_dec(w, family);
	mrg_w_u8(w, ':');
	if (family == APL_IP4)
		mrg_text_put_ip4(w, mrg_be32(b));
	else
		mrg_text_put_ip6(w, (struct mrg_span){ b, 16 });
	mrg_w_u8(w, '/');
	mrg_text_put_dec(w, s.p[2]);
}

/* --- RDATA of any type (RFC 3597 section 5) ---------------------------------------------------------------- */

bool mrg_text_generic(struct mrg_text *t, struct mrg_w *w)
{
	uint64_t len;
	if (!mrg_text_dec(t, 0, 65535, &len))
		return false;
	const size_t from = w->len;
	mrg_text_mark(t);
	if (mrg_text_more(t) && !mrg_text_hex(t, w, true))
		return false;
	return w->len - from == len || mrg_text_bad_whole(t, "not as many octets as the length says");
}

void mrg_text_put_generic(struct mrg_w *w, struct mrg_span s)
{
	mrg_text_put(w, "\\# ");
	mrg_text_put_dec(w, s.len);
	if (s.len > 0)
		mrg_w_u8(w, ' ');
	mrg_text_put_hex(w, s);
}
