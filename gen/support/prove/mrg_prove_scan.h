/*
 * mrg_prove_scan.h - contracts, in ACSL, of what generated readers of text call of mrg_scan.h.  A part of mrg_scan.h for proofs alone
 * (MRG_PROVE): they are proved of the functions for who has no vectors.
 */
#ifndef MRG_PROVE_SCAN_H
#define MRG_PROVE_SCAN_H

#define __builtin_expect(is, mostly) (is)
/* It is called with literals alone, whose octets are there if their size says so. */
#define memcmp(octets, literal, n) mrg_prove_memcmp((octets), sizeof(literal) > (n) ? (n) : SIZE_MAX)

/*@ requires mrg_span_at(octets, n);
    terminates \true; exits \false; assigns \nothing; */
int mrg_prove_memcmp(const uint8_t *octets, size_t n);

/*@ terminates \true; exits \false; assigns \nothing; ensures \result == is; */
static inline bool mrg_rare(bool is);
/*@ requires \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures \result != 0 <==> c->in[octet] != 0; */
static inline bool mrg_in(uint8_t octet, const struct mrg_class *c);
/*@ requires mrg_bytes(p, end) && \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures mrg_within(p, end, \result); */
static inline const uint8_t *mrg_scan_each(const uint8_t *p, const uint8_t *end, const struct mrg_class *c);
/*@ requires mrg_bytes(p, end) && \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures mrg_within(p, end, \result); */
static inline const uint8_t *mrg_scan(const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c);
/*@ requires mrg_bytes(p, end) && \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures mrg_within(p, end, \result); */
static inline const uint8_t *mrg_scan_word(const uint8_t *p, const uint8_t *wide, const uint8_t *end, const struct mrg_class *c);
/*@ requires mrg_bytes(p, end) && \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures mrg_within(p, end, \result); */
static inline const uint8_t *mrg_scan_on(const uint8_t *p, const uint8_t *end, const struct mrg_class *c);
/*@ requires mrg_bytes(p, end) && \valid_read(c);
    terminates \true; exits \false; assigns \nothing; ensures mrg_within(p, end, \result); */
static inline const uint8_t *mrg_scan_rest(const uint8_t *p, const uint8_t *ahead, const uint8_t *end, const struct mrg_class *c);
/*@ requires mrg_bytes(begin, end);
    terminates \true; exits \false; assigns \nothing; */
static inline const uint8_t *mrg_wide(const uint8_t *begin, const uint8_t *end);

#endif
