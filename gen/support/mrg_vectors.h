/*
 * mrg_vectors.h - holds generated C against the test vectors that gen/mrg/emit/tests_c.py writes.
 *
 * A case is a message with what the reference interpreter said about it, about every truncation
 * of it, about every single bit flip and about octets that follow.  Each is checked with the input
 * ending at an inaccessible page, so that a read past it is a crash.
 *
 * What it does not do: it is for test programs, not freestanding; one program includes it once.
 * Reading order: struct mrg_case, mrg_vectors_run, then one function a property.
 */
#ifndef MRG_VECTORS_H
#define MRG_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mrg.h"

/* Statuses as one letter each, in the tables below. */
static const char mrg_letters[] = "OMEVTLSXPRC";
static const enum mrg_status mrg_letter_status[] = { MRG_OK,       MRG_MORE,     MRG_END,     MRG_E_VALUE,
	                                             MRG_E_TAG,    MRG_E_LENGTH, MRG_E_SHORT, MRG_E_LIMIT,
	                                             MRG_E_LOOP,   MRG_E_RANGE,  MRG_E_SUM };

struct mrg_case {
	const char *name;
	const uint8_t *data;
	size_t len;
	const uint64_t *args;     /* number parameters of the packet */
	size_t step;              /* every so many bits are in `flip` */
	const char *exact;        /* one letter: the message itself */
	const uint32_t *exact_at; /* MRG_OK: bytes used; else the bit offset of the rejection */
	const char *cut;          /* by length 0..len-1 */
	const uint32_t *cut_at;
	const char *flip; /* by bit, first byte's most significant bit first */
	const uint32_t *flip_at;
	const char *more; /* followed by 1 octet, by 64 */
	const uint32_t *more_at;
	const uint8_t *again; /* what the builder makes of it; NULL: no builder */
	size_t again_len;
	const uint64_t *fields; /* accessors' values */
	size_t field_count;
};

struct mrg_subject {
	const char *packet;
	enum mrg_status (*check)(struct mrg_span in, const uint64_t *args, size_t *used, struct mrg_reject *rj);
	enum mrg_status (*copy)(struct mrg_span in, const uint64_t *args, struct mrg_w *w); /* may be NULL */
	bool choosy; /* the builder may refuse values that are read: `send` constraints */
	size_t (*fields)(struct mrg_span in, const uint64_t *args, uint64_t *out);
	size_t field_max;
	const struct mrg_case *cases;
	size_t count;
};

/* Memory whose last byte is the last before a page that can't be touched. */
struct mrg_fence {
	uint8_t *base;
	size_t size; /* usable, in bytes */
};

struct mrg_run {
	unsigned passed, failed, shown; /* shown: failures of the current property */
	struct mrg_fence in, out;
	const struct mrg_subject *subject;
	const struct mrg_case *now;
};

#define MRG_FENCE_SIZE ((size_t)1 << 18)
#define MRG_FAILURES_SHOWN 3u

static inline struct mrg_fence mrg_fence_make(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct mrg_fence f = { NULL, (size + page - 1u) / page * page };
	void *at = mmap(NULL, f.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || mprotect((uint8_t *)at + f.size, page, PROT_NONE) != 0) {
		perror("guard page");
		exit(2);
	}
	f.base = (uint8_t *)at;
	return f;
}

/* len bytes that end at the fence */
static inline uint8_t *mrg_fence_at(const struct mrg_fence *f, size_t len)
{
	if (len > f->size) {
		fprintf(stderr, "a case of %zu bytes is larger than the fenced buffer\n", len);
		exit(2);
	}
	return f->base + f->size - len;
}

static inline struct mrg_span mrg_fenced(const struct mrg_run *r, const uint8_t *data, size_t len)
{
	uint8_t *p = mrg_fence_at(&r->in, len);
	if (len != 0)
		memcpy(p, data, len);
	return (struct mrg_span){ p, len };
}

static inline void mrg_result(struct mrg_run *r, bool ok, const char *what, size_t i, const char *want, const char *have)
{
	if (ok)
		return;
	if (r->shown++ < MRG_FAILURES_SHOWN) {
		printf("FAIL %s, case %s, %s %zu: want %s, have %s\n     message", r->subject->packet, r->now->name, what, i, want, have);
		for (size_t k = 0; k < r->now->len; k++)
			printf("%s%02x", k % 32u == 0 ? " " : "", r->now->data[k]);
		printf("\n");
	}
}

static inline void mrg_count(struct mrg_run *r, bool ok)
{
	if (r->shown > MRG_FAILURES_SHOWN)
		printf("     ... %u more of this kind\n", r->shown - MRG_FAILURES_SHOWN);
	r->shown = 0;
	if (ok)
		r->passed++;
	else
		r->failed++;
}

/* Does the check of `in` come to the status and the offset (or size) of the table? */
static inline bool mrg_agrees(struct mrg_run *r, struct mrg_span in, char letter, uint32_t at, const char *what, size_t i)
{
	struct mrg_reject rj = { .status = MRG_OK, .bit_off = 0 };
	size_t used = 0;
	const enum mrg_status st = r->subject->check(in, r->now->args, &used, &rj);
	const char *place = strchr(mrg_letters, letter);
	const enum mrg_status want = mrg_letter_status[place - mrg_letters];
	const size_t have_at = st == MRG_OK ? used : rj.bit_off;
	bool ok = st == want && have_at == at;
	char a[64], b[96];
	snprintf(a, sizeof a, "status %d at %lu", (int)want, (unsigned long)at);
	snprintf(b, sizeof b, "status %d at %zu (%.40s)", (int)st, have_at, st != MRG_OK && rj.site != NULL ? rj.site->path : "-");
	mrg_result(r, ok, what, i, a, b);
	if (ok && st != MRG_OK && (rj.status != st || rj.site == NULL)) {
		mrg_result(r, false, what, i, "a filled rejection", "none");
		ok = false;
	}
	if (ok && r->subject->check(in, r->now->args, &used, NULL) != st) {
		mrg_result(r, false, what, i, "the same without a rejection to fill", "another status");
		ok = false;
	}
	return ok;
}

static inline bool mrg_try_exact(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	return mrg_agrees(r, mrg_fenced(r, c->data, c->len), c->exact[0], c->exact_at[0], "as it is", 0);
}

static inline bool mrg_try_cuts(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	bool ok = true;
	for (size_t n = 0; n < c->len; n++)
		ok &= mrg_agrees(r, mrg_fenced(r, c->data, n), c->cut[n], c->cut_at[n], "cut to", n);
	return ok;
}

static inline bool mrg_try_more(struct mrg_run *r)
{
	static const size_t more[2] = { 1, 64 };
	const struct mrg_case *c = r->now;
	bool ok = true;
	for (size_t k = 0; k < 2; k++) {
		uint8_t *p = mrg_fence_at(&r->in, c->len + more[k]);
		memcpy(p, c->data, c->len);
		memset(p + c->len, 0xa5, more[k]);
		ok &= mrg_agrees(r, (struct mrg_span){ p, c->len + more[k] }, c->more[k], c->more_at[k], "followed by", more[k]);
	}
	return ok;
}

static inline bool mrg_try_alignments(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	bool ok = true;
	for (size_t k = 0; k < 8; k++) {
		uint8_t *buf = (uint8_t *)malloc(c->len + k + 1u);
		if (buf == NULL)
			exit(2);
		memcpy(buf + k, c->data, c->len);
		ok &= mrg_agrees(r, (struct mrg_span){ buf + k, c->len }, c->exact[0], c->exact_at[0], "alignment", k);
		free(buf);
	}
	return ok;
}

/* What the builder makes of `in`: written against the fence, cap bytes; returns its length. */
static inline enum mrg_status mrg_rebuild(struct mrg_run *r, struct mrg_span in, size_t cap, uint8_t **out, size_t *len, struct mrg_refs *refs)
{
	struct mrg_w w;
	*out = mrg_fence_at(&r->out, cap);
	mrg_w_init(&w, *out, cap);
	if (refs != NULL)
		mrg_w_use_refs(&w, refs);
	const enum mrg_status st = r->subject->copy(in, r->now->args, &w);
	if (st != MRG_OK)
		return st;
	return mrg_w_finish(&w, len);
}

static inline bool mrg_try_flips(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	bool ok = true;
	for (size_t i = 0; i < 8u * c->len; i += c->step) {
		const size_t row = i / c->step;
		struct mrg_span in = mrg_fenced(r, c->data, c->len);
		mrg_fence_at(&r->in, c->len)[i / 8u] ^= (uint8_t)(0x80u >> i % 8u);
		const bool same = mrg_agrees(r, in, c->flip[row], c->flip_at[row], "bit", i);
		ok &= same;
		if (!same || c->flip[row] != 'O' || r->subject->copy == NULL)
			continue;
		uint8_t *out;
		size_t len = 0, used = 0;
		const enum mrg_status st = mrg_rebuild(r, in, MRG_FENCE_SIZE / 2u, &out, &len, NULL);
		if (st == MRG_E_VALUE && r->subject->choosy)
			continue;
		const bool again = st == MRG_OK && r->subject->check((struct mrg_span){ out, len }, c->args, &used, NULL) == MRG_OK && used == len;
		char have[64];
		snprintf(have, sizeof have, "status %d, %zu bytes, %zu valid", (int)st, len, used);
		mrg_result(r, again, "rebuilt after flip of bit", i, "a valid message", have);
		ok &= again;
	}
	return ok;
}

static inline bool mrg_try_fields(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	const struct mrg_subject *s = r->subject;
	bool ok = true;
	uint64_t *have = (uint64_t *)calloc(s->field_max + 1u, sizeof *have);
	if (have == NULL)
		exit(2);
	const size_t count = s->fields(mrg_fenced(r, c->data, c->len), c->args, have);
	for (size_t i = 0; i < c->field_count; i++) {
		char a[32], b[32];
		snprintf(a, sizeof a, "%llu", (unsigned long long)c->fields[i]);
		snprintf(b, sizeof b, "%llu", (unsigned long long)have[i]);
		const bool same = i < count && have[i] == c->fields[i];
		mrg_result(r, same, "field", i, a, b);
		ok &= same;
	}
	free(have);
	return ok && count == c->field_count;
}

/* parse -> build gives the interpreter's bytes; built again they stay the same */
static inline bool mrg_try_rebuild(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	uint8_t *out;
	size_t len = 0;
	const enum mrg_status st = mrg_rebuild(r, mrg_fenced(r, c->data, c->len), c->again_len, &out, &len, NULL);
	const bool ok = st == MRG_OK && len == c->again_len && (len == 0 || memcmp(out, c->again, len) == 0);
	char have[64];
	snprintf(have, sizeof have, "status %d, %zu bytes", (int)st, len);
	mrg_result(r, ok, "rebuilt", 0, "the interpreter's bytes", have);
	return ok;
}

/* a smaller output buffer is MRG_E_SPACE, whatever its size */
static inline bool mrg_try_space(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	bool ok = true;
	for (size_t cap = 0; cap < c->again_len; cap++) {
		uint8_t *out;
		size_t len = 1;
		const enum mrg_status st = mrg_rebuild(r, mrg_fenced(r, c->data, c->len), cap, &out, &len, NULL);
		char have[32];
		snprintf(have, sizeof have, "status %d", (int)st);
		mrg_result(r, st == MRG_E_SPACE, "output buffer of", cap, "status -9", have);
		ok &= st == MRG_E_SPACE;
	}
	return ok;
}

/* with compression: no longer, valid, and the same message once it is built plainly again */
static inline bool mrg_try_refs(struct mrg_run *r)
{
	const struct mrg_case *c = r->now;
	struct mrg_refs refs;
	uint8_t *out, *plain;
	size_t len = 0, plain_len = 0;
	enum mrg_status st = mrg_rebuild(r, mrg_fenced(r, c->data, c->len), c->again_len, &out, &len, &refs);
	if (st == MRG_OK)
		st = mrg_rebuild(r, mrg_fenced(r, out, len), c->again_len, &plain, &plain_len, NULL);
	const bool ok = st == MRG_OK && len <= c->again_len && plain_len == c->again_len &&
	                mrg_span_eq_nocase((struct mrg_span){ plain, plain_len }, (struct mrg_span){ c->again, c->again_len });
	char have[64];
	snprintf(have, sizeof have, "status %d, %zu then %zu bytes", (int)st, len, plain_len);
	mrg_result(r, ok, "compressed", 0, "the same message", have);
	return ok;
}

static inline void mrg_case_run(struct mrg_run *r)
{
	mrg_count(r, mrg_try_exact(r));
	mrg_count(r, mrg_try_cuts(r));
	mrg_count(r, mrg_try_more(r));
	mrg_count(r, mrg_try_flips(r));
	mrg_count(r, mrg_try_alignments(r));
	if (r->now->exact[0] != 'O')
		return;
	mrg_count(r, mrg_try_fields(r));
	if (r->subject->copy == NULL || r->now->again == NULL)
		return;
	mrg_count(r, mrg_try_rebuild(r));
	mrg_count(r, mrg_try_space(r));
	mrg_count(r, mrg_try_refs(r));
}

/* Run every case; prints the failures and "N passed, N failed"; 0 when none failed. */
static inline int mrg_vectors_run(const struct mrg_subject *subjects, size_t count)
{
	struct mrg_run r = { 0 };
	setvbuf(stdout, NULL, _IOLBF, 0); /* what was found before a crash is not lost */
	r.in = mrg_fence_make(MRG_FENCE_SIZE);
	r.out = mrg_fence_make(MRG_FENCE_SIZE);
	for (size_t i = 0; i < count; i++) {
		r.subject = &subjects[i];
		for (size_t k = 0; k < r.subject->count; k++) {
			r.now = &r.subject->cases[k];
			mrg_case_run(&r);
		}
	}
	printf("%u passed, %u failed\n", r.passed, r.failed);
	return r.failed != 0;
}

/* FNV-1a over bytes, for comparing them through one number */
static inline uint64_t mrg_hash_add(uint64_t h, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static inline uint64_t mrg_hash_span(struct mrg_span s)
{
	return mrg_hash_add(0xcbf29ce484222325u, s.p, s.len);
}

static inline uint64_t mrg_hash_number(uint64_t h, uint64_t v)
{
	uint8_t b[8];
	mrg_put_be(b, 8, v);
	return mrg_hash_add(h, b, 8);
}

#endif
