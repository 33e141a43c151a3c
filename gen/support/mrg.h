/*
 * mrg.h - what generated protocol code needs, in one freestanding header.
 *
 * Conventions of every generated function (stated here once):
 *   - Input is a struct mrg_span; `p` may be NULL only when `len` is 0.  Input is never written;
 *     what is set in place is written through an address that the caller gives for it.
 *   - A view (struct mrg_<proto>_<packet>) comes only from its check function, from an accessor of
 *     a checked view or from an iterator.  It borrows the caller's bytes: it is valid as long as
 *     those bytes stay as they were when checked, or are changed by its setters only.
 *   - Memory that others may change meanwhile is never viewed: a packet that is `shared` in its
 *     specification has a fetch function instead of a check; its view borrows the copy.
 *   - Accessors and iterators of a checked view can't fail and don't read outside the bytes that
 *     were checked.
 *   - No heap, no globals that change, no recursion that the specification does not bound; safe to
 *     call from any thread on different objects.
 *   - Lengths are in bytes unless the name ends in _bits.
 *
 * What it does not do: input/output, time, memory.  The only functions it expects from outside
 * are memcpy, memmove, memset and memcmp.
 *
 * Use:
 *   struct mrg_own_reading r;
 *   struct mrg_reject why;
 *   if (mrg_own_reading_check((struct mrg_span){ buf, n }, &r, &why) != MRG_OK)
 *           return report(why.site->path, why.bit_off);
 *   use(mrg_own_reading_value(&r));
 */
#ifndef MRG_H
#define MRG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__STDC_HOSTED__) && __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
#endif

#if defined(__GNUC__)
#define MRG_MUST_USE __attribute__((warn_unused_result))
#define MRG_COLD __attribute__((cold, noinline))
#define MRG_NOINLINE __attribute__((noinline))
#define MRG_INLINE inline __attribute__((always_inline))
#define MRG_UNUSED __attribute__((unused))
#define MRG_LIKELY(x) __builtin_expect(!!(x), 1)
#define MRG_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define MRG_MUST_USE
#define MRG_COLD
#define MRG_NOINLINE
#define MRG_INLINE inline
#define MRG_UNUSED
#define MRG_LIKELY(x) (x)
#define MRG_UNLIKELY(x) (x)
#endif

/* Outcome of a call.  0: done.  Positive: not an error.  Negative: rejected. */
enum mrg_status {
	MRG_OK = 0,
	MRG_MORE = 1,      /* the input ends before the packet does */
	MRG_END = 2,       /* nothing more to give */
	MRG_E_VALUE = -1,  /* a field has a value that the specification forbids */
	MRG_E_TAG = -2,    /* no alternative for this tag */
	MRG_E_LENGTH = -3, /* a region is not filled exactly */
	MRG_E_SHORT = -4,  /* a region ends before its content does */
	MRG_E_LIMIT = -5,  /* a stated maximum is passed */
	MRG_E_LOOP = -6,   /* a pointer does not go strictly back */
	MRG_E_RANGE = -7,  /* a pointer out of its buffer, or a number too large */
	MRG_E_SUM = -8,    /* a checksum differs */
	MRG_E_SPACE = -9,  /* the output buffer is full */
	MRG_E_TEXT = -10   /* text that is not in presentation format */
};

/* What an event did to a machine. */
enum mrg_step {
	MRG_STEP_TAKEN,   /* a transition */
	MRG_STEP_IGNORED, /* nothing, as the specification says */
	MRG_STEP_REFUSED  /* nothing: it should not have come */
};

/* What is wrong with what was seen of a machine. */
enum mrg_watch {
	MRG_WATCH_OK,
	MRG_WATCH_REFUSED,    /* an event that the specification refuses */
	MRG_WATCH_IDLE,       /* a timer went off that did not run */
	MRG_WATCH_MISSING,    /* a deed did not come before the next event */
	MRG_WATCH_UNEXPECTED, /* a deed came that was not the next */
	MRG_WATCH_NEVER       /* so it is never to be */
};

/* The first fault that was seen, for people; what there is nothing to say of is "". */
struct mrg_watch_note {
	enum mrg_watch verdict;
	const char *state, *event; /* in which state what had come */
	const char *expected, *did; /* deeds */
	const char *where;         /* in the specification: file:line */
};

struct mrg_span {
	const uint8_t *p;
	size_t len;
};

/* The octets of a string literal. */
#define MRG_LITERAL(text) ((struct mrg_span){ (const uint8_t *)("" text), sizeof(text) - 1 })

/* Where in the specification a rejection comes from. */
struct mrg_site {
	const char *file;
	unsigned line;
	const char *path; /* "Rr.rdlength" */
	const char *what; /* "must be in 1..63" */
};

/*
 * Programs that nobody asks why, such as images for small machines, define MRG_TERSE for all of their code: rejections keep their status
 * and offset, but name no place, and the tables of places are not part of the program.
 */
#ifdef MRG_TERSE
#define MRG_SITE(table, n) ((const struct mrg_site *)NULL)
#else
#define MRG_SITE(table, n) (&(table)[n])
#endif

#define MRG_REJECT_DEPTH 8

/* Why a check refused; filled only on rejection. */
struct mrg_reject {
	enum mrg_status status;
	size_t bit_off;              /* of the offending field, from the start of `in` */
	const struct mrg_site *site; /* innermost field; NULL: with MRG_TERSE */
	unsigned depth;              /* enclosing fields in path[], innermost first */
	const struct mrg_site *path[MRG_REJECT_DEPTH];
	const uint8_t *at; /* the offending byte */
};

static inline const char *mrg_status_str(enum mrg_status st)
{
	switch (st) {
	case MRG_OK: return "ok";
	case MRG_MORE: return "input ends too early";
	case MRG_END: return "end";
	case MRG_E_VALUE: return "forbidden value";
	case MRG_E_TAG: return "no alternative for this tag";
	case MRG_E_LENGTH: return "region not filled exactly";
	case MRG_E_SHORT: return "region too short for its content";
	case MRG_E_LIMIT: return "maximum passed";
	case MRG_E_LOOP: return "pointer does not go strictly back";
	case MRG_E_RANGE: return "out of range";
	case MRG_E_SUM: return "checksum differs";
	case MRG_E_SPACE: return "output buffer full";
	case MRG_E_TEXT: return "not in presentation format";
	}
	return "unknown status";
}

/* For proofs alone: contracts of what follows. */
#ifdef MRG_PROVE
#include "prove/mrg_prove.h"
#endif

/* --- loads and stores: the only place where byte order is dealt with ------------------------- */

static inline uint8_t mrg_u8(const uint8_t *p) { return *p; }
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && \
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
/* One load, also where some of its bytes are loaded one by one besides: clang would then make it of those. */
#define MRG_NATIVE_IS_BE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#define MRG_LOADS(bits)                                                       \
	static inline uint##bits##_t mrg_be##bits(const uint8_t *p)           \
	{                                                                     \
		uint##bits##_t v;                                             \
		memcpy(&v, p, sizeof v);                                      \
		return MRG_NATIVE_IS_BE ? v : __builtin_bswap##bits(v);       \
	}                                                                     \
	static inline uint##bits##_t mrg_le##bits(const uint8_t *p)           \
	{                                                                     \
		uint##bits##_t v;                                             \
		memcpy(&v, p, sizeof v);                                      \
		return MRG_NATIVE_IS_BE ? __builtin_bswap##bits(v) : v;       \
	}
MRG_LOADS(16)
MRG_LOADS(32)
MRG_LOADS(64)
#undef MRG_LOADS
#undef MRG_NATIVE_IS_BE
#else
static inline uint16_t mrg_be16(const uint8_t *p) { return (uint16_t)(p[0] * 256u + p[1]); }
static inline uint16_t mrg_le16(const uint8_t *p) { return (uint16_t)(p[1] * 256u + p[0]); }
static inline uint32_t mrg_be32(const uint8_t *p)
{
	return p[0] * 0x1000000u + p[1] * 0x10000u + p[2] * 256u + p[3];
}
static inline uint32_t mrg_le32(const uint8_t *p)
{
	return p[3] * 0x1000000u + p[2] * 0x10000u + p[1] * 256u + p[0];
}
static inline uint64_t mrg_be64(const uint8_t *p)
{
	return mrg_be32(p) * 0x100000000u + mrg_be32(p + 4);
}
static inline uint64_t mrg_le64(const uint8_t *p)
{
	return mrg_le32(p + 4) * 0x100000000u + mrg_le32(p);
}
#endif

/* n bytes, 1..8, most significant first */
static inline uint64_t mrg_be(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;
	/*@ loop invariant 0 <= i <= n; loop assigns i, v; loop variant n - i; */
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* n bytes, 1..8, least significant first */
static inline uint64_t mrg_le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;
	/*@ loop invariant 0 <= i <= n; loop assigns i, v; loop variant i; */
	for (unsigned i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static inline void mrg_put_be(uint8_t *p, unsigned n, uint64_t v)
{
	/*@ loop invariant 0 <= i <= n; loop assigns i, v, p[0 .. n - 1]; loop variant i; */
	for (unsigned i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

static inline void mrg_put_le64(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
	p[4] = (uint8_t)(v >> 32);
	p[5] = (uint8_t)(v >> 40);
	p[6] = (uint8_t)(v >> 48);
	p[7] = (uint8_t)(v >> 56);
}

static inline void mrg_put_le(uint8_t *p, unsigned n, uint64_t v)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline void mrg_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void mrg_put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline bool mrg_span_eq(struct mrg_span a, struct mrg_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* ASCII lower case (RFC 4343 section 3) */
static inline uint8_t mrg_lower(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26u ? 32 : 0));
}

/* the same for eight bytes at once: bytes 'A'..'Z' get bit 0x20 */
static inline uint64_t mrg_lower8(uint64_t v)
{
	const uint64_t low7 = v & 0x7f7f7f7f7f7f7f7full;
	const uint64_t from_a = low7 + 0x3f3f3f3f3f3f3f3full; /* bit 7: at least 'A' */
	const uint64_t past_z = low7 + 0x2525252525252525ull; /* bit 7: above 'Z' */
	return v | ((from_a & ~past_z & ~v & 0x8080808080808080ull) >> 2);
}

static inline void mrg_fold(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t i = 0;
	for (; i + 8 <= len; i += 8) {
		const uint64_t v = mrg_lower8(mrg_le64(from + i));
		mrg_put_le64(to + i, v);
	}
	for (; i < len; i++)
		to[i] = mrg_lower(from[i]);
}

/* 1 to 8 bytes as a number, the first least significant, by loads that may overlap */
static inline uint64_t mrg_le_upto8(const uint8_t *p, size_t n)
{
	if (n >= 8)
		return mrg_le64(p);
	if (n >= 4)
		return mrg_le32(p) | (uint64_t)mrg_le32(p + n - 4) << (8 * (n - 4));
	const uint64_t first = p[0], middle = p[n / 2], last = p[n - 1];
	return first | middle << (8 * (n / 2)) | last << (8 * (n - 1));
}

/* As a rule eight bytes that are the same are so in case, too. */
static inline bool mrg_eq8_nocase(uint64_t a, uint64_t b) { return a == b || mrg_lower8(a) == mrg_lower8(b); }

static inline bool mrg_span_eq_nocase(struct mrg_span a, struct mrg_span b)
{
	if (a.len != b.len)
		return false;
	size_t left = a.len;
	for (; left >= 8; left -= 8) {
		if (!mrg_eq8_nocase(mrg_le64(a.p), mrg_le64(b.p)))
			return false;
		a.p += 8;
		b.p += 8;
	}
	return left == 0 || mrg_eq8_nocase(mrg_le_upto8(a.p, left), mrg_le_upto8(b.p, left));
}

/* What follows the last of these octets; empty when there is none. */
static inline struct mrg_span mrg_span_behind(struct mrg_span s, uint8_t octet)
{
	for (size_t i = s.len; i-- > 0;)
		if (s.p[i] == octet)
			return (struct mrg_span){ s.p + i + 1, s.len - i - 1 };
	return (struct mrg_span){ s.p, 0 };
}

/* Below 0, 0 or above 0, as bytes are ordered: a prefix comes before what it begins. */
static inline int mrg_span_order(struct mrg_span a, struct mrg_span b)
{
	const size_t len = a.len < b.len ? a.len : b.len;
	const int order = len == 0 ? 0 : memcmp(a.p, b.p, len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline int mrg_span_order_nocase(struct mrg_span a, struct mrg_span b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		const int order = mrg_lower(a.p[i]) - mrg_lower(b.p[i]);
		if (order != 0)
			return order;
	}
	return (a.len > b.len) - (a.len < b.len);
}

/* Copy between buffers that don't overlap; few bytes without a call. `from` may be NULL when len is 0. */
static inline void mrg_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 16u) {
		memcpy(to, from, len);
	} else if (len >= 8u) {
		uint8_t first[8], last[8];
		memcpy(first, from, 8);
		memcpy(last, from + len - 8u, 8);
		memcpy(to, first, 8);
		memcpy(to + len - 8u, last, 8);
	} else if (len >= 4u) {
		uint8_t first[4], last[4];
		memcpy(first, from, 4);
		memcpy(last, from + len - 4u, 4);
		memcpy(to, first, 4);
		memcpy(to + len - 4u, last, 4);
	} else if (len != 0) {
		const uint8_t first = from[0], middle = from[len / 2u], last = from[len - 1u];
		to[0] = first;
		to[len / 2u] = middle;
		to[len - 1u] = last;
	}
}

/*
 * Load memory that others may write meanwhile, each byte just once, into memory of one's own.  The
 * loads are volatile: the compiler can neither repeat them nor use `from` in place of the copy.
 * An integer at a multiple of its size (2, 4, 8 bytes) is loaded as one, as far as the machine can.
 * No barrier: the caller has the one that belongs to whatever says that the bytes are there.
 * `from` may be NULL when len is 0.
 */
static inline void mrg_load_once(uint8_t *to, const volatile void *from, size_t len)
{
	const volatile uint8_t *p = (const volatile uint8_t *)from;
#if defined(__GNUC__)
	typedef uint64_t __attribute__((__may_alias__)) word8;
	typedef uint32_t __attribute__((__may_alias__)) word4;
	typedef uint16_t __attribute__((__may_alias__)) word2;
	while (len > 1u) {
		const uintptr_t at = (uintptr_t)p;
		size_t n = 1;
		if (at % 8u == 0 && len >= 8u) {
			const uint64_t v = *(const volatile word8 *)(const volatile void *)p;
			memcpy(to, &v, n = 8);
		} else if (at % 4u == 0 && len >= 4u) {
			const uint32_t v = *(const volatile word4 *)(const volatile void *)p;
			memcpy(to, &v, n = 4);
		} else if (at % 2u == 0) {
			const uint16_t v = *(const volatile word2 *)(const volatile void *)p;
			memcpy(to, &v, n = 2);
		} else {
			*to = *p;
		}
		p += n;
		to += n;
		len -= n;
	}
#endif
	for (; len != 0; len--)
		*to++ = *p++;
}

/* Offset of p in buf, or buf.len when p does not point into it. */
static inline size_t mrg_off(struct mrg_span buf, const uint8_t *p)
{
	const size_t off = (size_t)((uintptr_t)p - (uintptr_t)buf.p);
	return off < buf.len ? off : buf.len;
}

/* Multiply and fold: the step of every hash here. Not for keyed use. */
static inline uint64_t mrg_hash_mix(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
	__extension__ typedef unsigned __int128 wide;
	const wide m = (wide)a * b;
	return (uint64_t)(m >> 64) ^ (uint64_t)m;
#else
	const uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
	const uint64_t mid = ah * bl + (al * bl >> 32);
	const uint64_t low = al * bh + (mid & 0xffffffffu);
	return (ah * bh + (mid >> 32) + (low >> 32)) ^ (a * b);
#endif
}

/* --- rejections: off the accepting path ------------------------------------------------------- */

/*
 * Internal checks give the byte after what they accepted, or NULL with rj filled (never NULL here).
 * Notes are out of line; that the result is NULL stays visible to the compiler.
 */
static MRG_COLD MRG_UNUSED void mrg_reject_note(struct mrg_reject *rj, enum mrg_status st,
						const uint8_t *at, unsigned bit,
						const struct mrg_site *site)
{
	rj->status = st;
	rj->site = site;
	rj->at = at;
	rj->bit_off = bit;
	rj->depth = 0;
}

static MRG_COLD MRG_UNUSED void mrg_reject_note_up(struct mrg_reject *rj, bool in_region,
						   const struct mrg_site *site)
{
	if (in_region && rj->status == MRG_MORE)
		rj->status = MRG_E_SHORT;
	if (site != NULL && rj->depth < MRG_REJECT_DEPTH)
		rj->path[rj->depth++] = site;
}

/* The field of `site`, `bit` bits into the byte at `at`, is refused. */
static inline const uint8_t *mrg_reject_at(struct mrg_reject *rj, enum mrg_status st,
					   const uint8_t *at, unsigned bit,
					   const struct mrg_site *site)
{
	mrg_reject_note(rj, st, at, bit, site);
	return NULL;
}

/* Something in the field of `site` was refused. */
static inline const uint8_t *mrg_reject_up(struct mrg_reject *rj, const struct mrg_site *site)
{
	if (site != NULL)
		mrg_reject_note_up(rj, false, site);
	return NULL;
}

/* The same from inside a region: more input could not help. */
static inline const uint8_t *mrg_reject_in(struct mrg_reject *rj, const struct mrg_site *site)
{
	mrg_reject_note_up(rj, true, site);
	return NULL;
}

/* Last step of a check: the offset from the start of the input. */
static MRG_COLD MRG_UNUSED void mrg_reject_note_done(struct mrg_reject *rj, const uint8_t *start)
{
	rj->bit_off += 8u * (size_t)((uintptr_t)rj->at - (uintptr_t)start);
}

static MRG_INLINE enum mrg_status mrg_reject_done(struct mrg_reject *rj, const uint8_t *start)
{
	mrg_reject_note_done(rj, start);
	/* It is never MRG_OK: then what a caller does with what was accepted is no way on from here. */
	return rj->status != MRG_OK ? rj->status : MRG_E_VALUE;
}

/* The start of a span, also of an empty one without an address. Where the length is looked at anyway this costs nothing. */
static inline const uint8_t *mrg_start(struct mrg_span s)
{
	static const uint8_t nothing[1] = { 0 };
	if (MRG_LIKELY(s.len != 0))
		return s.p;
	return s.p != NULL ? s.p : nothing;
}

#include "mrg_sum.h"

/* --- writing ------------------------------------------------------------------------------------- */

#define MRG_REFS_SLOTS 128u
#define MRG_REFS_KNOWN 64u

/*
 * What a writer remembers of chains already written, so that later ones can point to them: a hash
 * table of items, each with the item that follows it, so that one item at a time is compared.
 * While a message is copied also where its items went, so that what its own pointers lead to is
 * found without comparing anything.
 */
struct mrg_refs {
	size_t base;    /* where in the writer the message starts; pointers count from there */
	unsigned count; /* slots in use */
	uint16_t off[MRG_REFS_SLOTS];  /* 1 + offset of an item from base; 0: free */
	uint16_t next[MRG_REFS_SLOTS]; /* 1 + offset of the item after it; 0: the stop item */
	const uint8_t *from;           /* the message that is being copied, or NULL */
	uint16_t in[MRG_REFS_KNOWN];   /* 1 + offset of an item in it; 0: free */
	uint16_t out[MRG_REFS_KNOWN];  /* 1 + offset from base of the same item in what is written */
};

/*
 * A writer over the caller's buffer.  Errors stick: after the first one nothing is written and
 * mrg_w_finish tells it.  refs may be NULL: chains are then written without pointers.
 */
struct mrg_w {
	uint8_t *p;
	size_t cap, len;
	enum mrg_status st;
	struct mrg_refs *refs;
};

#ifdef MRG_PROVE
#include "prove/mrg_prove_w.h"
#endif

static inline void mrg_w_init(struct mrg_w *w, void *buf, size_t cap)
{
	w->p = (uint8_t *)buf;
	w->cap = cap;
	w->len = 0;
	w->st = MRG_OK;
	w->refs = NULL;
}

/* Let the writer compress chains of the message that starts at w->len. */
static inline void mrg_w_use_refs(struct mrg_w *w, struct mrg_refs *refs)
{
	refs->base = w->len;
	refs->count = 0;
	memset(refs->off, 0, sizeof refs->off);
	refs->from = NULL;
	w->refs = refs;
}

/* From now on items of the message at `from`, which stays as it is, are copied; NULL: no more. */
static inline void mrg_refs_from(struct mrg_refs *refs, const uint8_t *from)
{
	refs->from = from;
	if (from != NULL)
		memset(refs->in, 0, sizeof refs->in);
}

/* An item of the message that is being copied was written, or found, at `out`. */
static inline void mrg_refs_learn(struct mrg_refs *refs, const uint8_t *item, uint16_t out)
{
	const uintptr_t at = (uintptr_t)item - (uintptr_t)refs->from;
	if (at < 0xffffu) {
		refs->in[at % MRG_REFS_KNOWN] = (uint16_t)(at + 1u);
		refs->out[at % MRG_REFS_KNOWN] = out;
	}
}

/* 1 + where the item at `item` of the message that is being copied was written, or 0. */
static inline uint16_t mrg_refs_recall(const struct mrg_refs *refs, const uint8_t *item)
{
	const uintptr_t at = (uintptr_t)item - (uintptr_t)refs->from;
	return at < 0xffffu && refs->in[at % MRG_REFS_KNOWN] == at + 1u ? refs->out[at % MRG_REFS_KNOWN]
									: 0u;
}

static inline void mrg_w_fail(struct mrg_w *w, enum mrg_status st)
{
	if (w->st == MRG_OK)
		w->st = st;
}

/* Take len bytes of the buffer, or NULL when they aren't there (or after an error). */
static inline uint8_t *mrg_w_take(struct mrg_w *w, size_t len)
{
	if (MRG_UNLIKELY(w->st != MRG_OK || len > w->cap - w->len)) {
		mrg_w_fail(w, MRG_E_SPACE);
		return NULL;
	}
	uint8_t *q = w->p + w->len;
	w->len += len;
	return q;
}

static inline void mrg_w_put(struct mrg_w *w, struct mrg_span s)
{
	uint8_t *q = mrg_w_take(w, s.len);
	if (q != NULL && s.len != 0)
		memcpy(q, s.p, s.len);
}

/* The same, quicker where the bytes are few as a rule. */
static inline void mrg_w_put_few(struct mrg_w *w, struct mrg_span s)
{
	uint8_t *q = mrg_w_take(w, s.len);
	if (q != NULL)
		mrg_copy(q, s.p, s.len);
}

static inline void mrg_w_u8(struct mrg_w *w, uint8_t v)
{
	uint8_t *q = mrg_w_take(w, 1);
	if (q != NULL)
		*q = v;
}

static inline void mrg_w_be(struct mrg_w *w, unsigned n, uint64_t v)
{
	uint8_t *q = mrg_w_take(w, n);
	if (q != NULL)
		mrg_put_be(q, n, v);
}

static inline void mrg_w_le(struct mrg_w *w, unsigned n, uint64_t v)
{
	uint8_t *q = mrg_w_take(w, n);
	if (q != NULL)
		mrg_put_le(q, n, v);
}

static inline void mrg_w_be16(struct mrg_w *w, uint16_t v) { mrg_w_be(w, 2, v); }
static inline void mrg_w_be32(struct mrg_w *w, uint32_t v) { mrg_w_be(w, 4, v); }

static inline void mrg_w_zero(struct mrg_w *w, size_t len)
{
	uint8_t *q = mrg_w_take(w, len);
	if (q != NULL)
		memset(q, 0, len);
}

/* A number in place of n bytes that were written before, which nothing is after an error. */
static inline void mrg_w_set_be(struct mrg_w *w, size_t at, unsigned n, uint64_t v)
{
	if (w->st == MRG_OK)
		mrg_put_be(w->p + at, n, v);
}

static inline void mrg_w_set_le(struct mrg_w *w, size_t at, unsigned n, uint64_t v)
{
	if (w->st == MRG_OK)
		mrg_put_le(w->p + at, n, v);
}

/*
 * Put a number in place of the `room` bytes at `at`, which it has at least; what is behind them moves
 * to make room.  Returns how far.  Fails (sticky) with the number's own failure or MRG_E_SPACE.
 */
static inline size_t mrg_w_settle(struct mrg_w *w, size_t at, size_t room, const struct mrg_w *number)
{
	mrg_w_fail(w, number->st);
	const size_t more = w->st == MRG_OK ? number->len - room : 0;
	if (more != 0) {
		const size_t behind = w->len - at - room;
		if (mrg_w_take(w, more) == NULL)
			return 0;
		memmove(w->p + at + number->len, w->p + at + room, behind);
	}
	if (w->st == MRG_OK)
		mrg_copy(w->p + at, number->p, number->len);
	return more;
}

/* MRG_OK and the length, or the first error. */
static inline MRG_MUST_USE enum mrg_status mrg_w_finish(const struct mrg_w *w, size_t *len)
{
	*len = w->st == MRG_OK ? w->len : 0;
	return w->st;
}

static inline struct mrg_span mrg_w_span(const struct mrg_w *w, size_t from)
{
	return (struct mrg_span){ w->p + from, w->len - from };
}

#endif
