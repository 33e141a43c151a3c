/*
 * mrg_prove_w.h - contracts, in ACSL, of what builders call of mrg.h.  A part of mrg.h for proofs alone (MRG_PROVE).
 */
#ifndef MRG_PROVE_W_H
#define MRG_PROVE_W_H

/*@ predicate mrg_room{L}(struct mrg_w w) = w.len <= w.cap <= MRG_PROVE_MAX && \valid(w.p + (0 .. w.cap - 1));
    predicate mrg_apart{L}(struct mrg_w w, struct mrg_span s) = mrg_span(s) && \separated(w.p + (0 .. w.cap - 1), s.p + (0 .. s.len - 1)); */

/*@ requires \valid(p + (0 .. 1));
    terminates \true; exits \false; assigns p[0 .. 1]; */
static inline void mrg_put_be16(uint8_t *p, uint16_t v);
/*@ requires \valid(p + (0 .. 3));
    terminates \true; exits \false; assigns p[0 .. 3]; */
static inline void mrg_put_be32(uint8_t *p, uint32_t v);
/*@ requires n <= 8 && \valid(p + (0 .. n - 1));
    terminates \true; exits \false; assigns p[0 .. n - 1]; */
static inline void mrg_put_be(uint8_t *p, unsigned n, uint64_t v);

/*@ requires \valid(w);
    terminates \true; exits \false; assigns w->st; ensures st != MRG_OK ==> w->st != MRG_OK; ensures \old(w->st) != MRG_OK ==> w->st == \old(w->st); */
static inline void mrg_w_fail(struct mrg_w *w, enum mrg_status st);
/*@ requires \valid(w) && mrg_room(*w);
    terminates \true; exits \false; assigns w->st, w->len;
    ensures mrg_room(*w) && w->len >= \old(w->len);
    ensures \result != \null ==> w->st == MRG_OK && \result == w->p + \old(w->len) && w->len == \old(w->len) + len; */
static inline uint8_t *mrg_w_take(struct mrg_w *w, size_t len);
/* It copies octets by a function that WP can't follow: taken for granted. */
/*@ requires \valid(w) && mrg_room(*w) && mrg_apart(*w, s);
    terminates \true; exits \false; assigns w->st, w->len, w->p[0 .. w->cap - 1];
    ensures mrg_room(*w) && w->len >= \old(w->len);
    ensures w->st == MRG_OK ==> w->len == \old(w->len) + s.len; */
static inline void mrg_w_put(struct mrg_w *w, struct mrg_span s);

#endif
