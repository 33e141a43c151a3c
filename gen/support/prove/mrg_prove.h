/*
 * mrg_prove.h - contracts, in ACSL, of what mrg.h has for generated checks and accessors.  A part of mrg.h for proofs alone (MRG_PROVE):
 * no compiler sees it.  `make prove` proves the functions of mrg.h against them, and generated code by them.
 *
 * Lengths are at most MRG_PROVE_MAX here: more than that no object has, since pointers into it could not be subtracted.
 */
#ifndef MRG_PROVE_H
#define MRG_PROVE_H

#define MRG_PROVE_MAX 0x7fffffffffffffff

/*@ predicate mrg_span_at{L}(uint8_t *p, integer n) = 0 <= n <= MRG_PROVE_MAX && \valid_read(p + (0 .. n - 1));
    predicate mrg_span{L}(struct mrg_span s) = mrg_span_at(s.p, s.len) && (s.p == \null ==> s.len == 0);
    predicate mrg_bytes{L}(uint8_t *p, uint8_t *end) = \base_addr(p) == \base_addr(end) && end == p + (end - p) && mrg_span_at(p, end - p);
    predicate mrg_within(uint8_t *p, uint8_t *end, uint8_t *q) = \base_addr(q) == \base_addr(p) && 0 <= q - p <= end - p && q == p + (q - p); */

/*
 * What the solvers are not told of bits, which are integers to them.  These are taken for granted rather than proved by WP;
 * `make prove` proves them of words of 64 bits by bits.smt2; the last are C's own words (C11 6.3.1.3) about negative numbers.
 */
/*@ axiomatic mrg_bits {
      axiom mrg_land: \forall integer x, m; 0 <= x <= 0xffffffffffffffff && 0 <= m <= 0xffffffffffffffff ==> 0 <= (x & m) <= m;
      axiom mrg_land_1: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 1) == x % 2;
      axiom mrg_land_2: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 3) == x % 4;
      axiom mrg_land_3: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 7) == x % 8;
      axiom mrg_land_4: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 15) == x % 16;
      axiom mrg_land_5: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 31) == x % 32;
      axiom mrg_land_6: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 63) == x % 64;
      axiom mrg_land_7: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x & 127) == x % 128;
      axiom mrg_shift_1: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 1) == x / 2;
      axiom mrg_shift_2: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 2) == x / 4;
      axiom mrg_shift_3: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 3) == x / 8;
      axiom mrg_shift_4: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 4) == x / 16;
      axiom mrg_shift_5: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 5) == x / 32;
      axiom mrg_shift_6: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 6) == x / 64;
      axiom mrg_shift_7: \forall integer x; 0 <= x <= 0xffffffffffffffff ==> (x >> 7) == x / 128;
      axiom mrg_wrap_8: \forall integer x; -0x100 <= x < 0 ==> (uint8_t)x == x + 0x100;
      axiom mrg_wrap_16: \forall integer x; -0x10000 <= x < 0 ==> (uint16_t)x == x + 0x10000;
      axiom mrg_wrap_32: \forall integer x; -0x100000000 <= x < 0 ==> (uint32_t)x == x + 0x100000000;
    } */

/* --- loads --- */

/*@ logic uint16_t l_be16{L}(uint8_t *p) = (uint16_t)(p[0] * 256 + p[1]);
    logic uint16_t l_le16{L}(uint8_t *p) = (uint16_t)(p[1] * 256 + p[0]);
    logic uint32_t l_be32{L}(uint8_t *p) = (uint32_t)(p[0] * 0x1000000 + p[1] * 0x10000 + p[2] * 256 + p[3]);
    logic uint32_t l_le32{L}(uint8_t *p) = (uint32_t)(p[3] * 0x1000000 + p[2] * 0x10000 + p[1] * 256 + p[0]);
    logic uint64_t l_be64{L}(uint8_t *p) = (uint64_t)(l_be32(p) * 0x100000000 + l_be32(p + 4));
    logic uint64_t l_le64{L}(uint8_t *p) = (uint64_t)(l_le32(p + 4) * 0x100000000 + l_le32(p)); */

/*@ requires \valid_read(p);
    terminates \true; exits \false; assigns \nothing; ensures \result == p[0]; */
static inline uint8_t mrg_u8(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 1));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_be16(p); */
static inline uint16_t mrg_be16(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 1));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_le16(p); */
static inline uint16_t mrg_le16(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 3));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_be32(p); */
static inline uint32_t mrg_be32(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 3));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_le32(p); */
static inline uint32_t mrg_le32(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 7));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_be64(p); */
static inline uint64_t mrg_be64(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 7));
    terminates \true; exits \false; assigns \nothing; ensures \result == l_le64(p); */
static inline uint64_t mrg_le64(const uint8_t *p);

/*@ requires 1 <= n <= 8 && \valid_read(p + (0 .. n - 1));
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_be(const uint8_t *p, unsigned n);
/*@ requires 1 <= n <= 8 && \valid_read(p + (0 .. n - 1));
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_le(const uint8_t *p, unsigned n);

/* --- places --- */

/*@ terminates \true; exits \false; assigns \nothing; ensures \result <= buf.len; */
static inline size_t mrg_off(struct mrg_span buf, const uint8_t *p);

/* --- checksums --- */

/*@ terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_inet16_carry(uint64_t a, uint64_t b);
/* These three copy octets into a number, which WP can't follow: their contracts are taken for granted. */
/*@ requires \valid_read(p + (0 .. 3));
    terminates \true; exits \false; assigns \nothing; */
static inline uint32_t mrg_native32(const uint8_t *p);
/*@ requires \valid_read(p + (0 .. 7));
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_native64(const uint8_t *p);
/*@ requires len < 8 && \valid_read(p + (0 .. len - 1));
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_inet16_few(const uint8_t *p, size_t len);
/*@ requires mrg_span_at(p, 32 * count);
    terminates \true; exits \false; assigns \nothing; */
static uint64_t mrg_inet16_blocks(const uint8_t *p, size_t count);
/*@ requires mrg_span_at(p, len);
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_inet16_words(const uint8_t *p, size_t len);
/*@ requires mrg_span_at(p, len);
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_inet16_more(uint64_t sum, const uint8_t *p, size_t len);
/* It asks which way round its machine has numbers, by a copy again: taken for granted. */
/*@ requires mrg_span_at(p, len);
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t mrg_inet16_add(uint64_t sum, const uint8_t *p, size_t len, size_t odd);
/*@ terminates \true; exits \false; assigns \nothing; */
static inline bool mrg_inet16_ones(uint64_t sum);
/*@ terminates \true; exits \false; assigns \nothing; */
static inline uint16_t mrg_inet16_end(uint64_t sum);
/*@ requires mrg_bytes(from, to) && \base_addr(hole) == \base_addr(from) && 0 <= hole - from && 2 <= to - hole;
    terminates \true; exits \false; assigns \nothing; */
static bool mrg_inet16_alone(const uint8_t *from, const uint8_t *to, const uint8_t *hole);

/* --- rejections --- */

/*@ requires \valid(rj);
    terminates \true; exits \false; assigns *rj; ensures rj->status == st; */
static void mrg_reject_note(struct mrg_reject *rj, enum mrg_status st, const uint8_t *at, unsigned bit, const struct mrg_site *site);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns *rj; */
static void mrg_reject_note_up(struct mrg_reject *rj, bool in_region, const struct mrg_site *site);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns *rj \from \nothing; assigns \result \from \nothing; ensures \result == \null; */
static inline const uint8_t *mrg_reject_at(struct mrg_reject *rj, enum mrg_status st, const uint8_t *at, unsigned bit, const struct mrg_site *site);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns *rj; assigns \result \from \nothing; ensures \result == \null; */
static inline const uint8_t *mrg_reject_up(struct mrg_reject *rj, const struct mrg_site *site);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns *rj; assigns \result \from \nothing; ensures \result == \null; */
static inline const uint8_t *mrg_reject_in(struct mrg_reject *rj, const struct mrg_site *site);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns rj->bit_off; */
static void mrg_reject_note_done(struct mrg_reject *rj, const uint8_t *start);
/*@ requires \valid(rj);
    terminates \true; exits \false; assigns rj->bit_off; ensures \result != MRG_OK; */
static enum mrg_status mrg_reject_done(struct mrg_reject *rj, const uint8_t *start);
/*@ requires mrg_span(s);
    terminates \true; exits \false; assigns \nothing; ensures mrg_span_at(\result, s.len) && \result != \null && (s.len > 0 ==> \result == s.p); */
static inline const uint8_t *mrg_start(struct mrg_span s);

#endif
