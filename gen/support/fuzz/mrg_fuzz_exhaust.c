/* mrg_fuzz_exhaust.c - see mrg_fuzz_exhaust.h. */
#include "mrg_fuzz_inside.h"
#include "mrg_fuzz_exhaust.h"

#include <string.h>

enum {
	OCTETS = 256,
	WINDOW = OCTETS * OCTETS, /* inputs of one place */
	SHARE = 4,                /* of the cases that are left, this part is for one length */
	MADE_SMALL = 64,          /* octets: the first that has no more is taken */
	MADE_TRIES = 16           /* or the smallest of so many: what is small has more of it changed */
};

/* Of a subject that has none of its own: ends of ranges, and what texts and names are parted by. */
static const uint8_t own_alphabet[] = { 0, 1, 0xff, 0x80, 0x7f, 2, 0xfe, 0xc0, 0x40, 3, 4, ' ', '0', 'A', 'a',
	'\n', '\r', '.', ':', '/', '"', '9', 'Z', 'z', ',', '=', '-', '+', '%', '\\', '(', ')' };

/* Letters to the power of len; more than `most` is most + 1. */
static uint64_t power(uint64_t letters, size_t len, uint64_t most)
{
	uint64_t n = 1;
	for (size_t i = 0; i < len; i++) {
		if (n > most / letters)
			return most + 1;
		n *= letters;
	}
	return n;
}

static size_t heads(const struct mrg_fuzz_exhaust *e)
{
	const struct mrg_fuzz_scope *const scope = e->subject->scope;
	return scope != NULL && scope->head_n != 0 ? scope->head_n : 1;
}

static size_t head_len(const struct mrg_fuzz_exhaust *e)
{
	return e->subject->scope != NULL ? e->subject->scope->head_len : 0;
}

/* Letters of the alphabet that inputs of this length can be made of in a share of the cases; fewer than two: none. */
static size_t letters_of(const struct mrg_fuzz_exhaust *e, size_t len, uint64_t left)
{
	const uint64_t most = left / SHARE / heads(e);
	size_t n = e->alphabet_n;
	if (len > MRG_FUZZ_EXHAUST_LEN || head_len(e) + len > e->subject->len_max)
		return 0;
	while (n > 1 && power(n, len, most) > most)
		n--;
	return n;
}

/* What there will be of each part. */
static void plan(struct mrg_fuzz_exhaust *e, uint64_t cases)
{
	const size_t room = e->subject->len_max - head_len(e);
	if (e->full > room)
		e->full = room;
	for (size_t len = 0; len <= e->full; len++)
		e->count[MRG_FUZZ_ALL_OCTETS] += heads(e) * power(OCTETS, len, UINT32_MAX);
	e->count[MRG_FUZZ_WINDOWS] = cases / 2 / WINDOW * WINDOW;
	e->left = cases - e->count[MRG_FUZZ_WINDOWS];
	uint64_t left = e->left;
	size_t len = e->full + 1, n = 0;
	for (; (n = letters_of(e, len, left)) > 1; len++) {
		const uint64_t inputs = heads(e) * power(n, len, left);
		e->count[MRG_FUZZ_ALPHABET] += inputs;
		left -= inputs;
	}
	e->len_max[MRG_FUZZ_ALL_OCTETS] = e->full;
	e->len_max[MRG_FUZZ_ALPHABET] = len - 1;
}

void mrg_fuzz_exhaust_begin(struct mrg_fuzz_exhaust *e, const struct mrg_fuzz_subject *subject, uint64_t seed,
	size_t octets, uint64_t cases)
{
	*e = (struct mrg_fuzz_exhaust){
		.subject = subject, .full = octets, .letters = OCTETS, .fresh = true
	};
	e->alphabet = own_alphabet;
	e->alphabet_n = sizeof own_alphabet;
	if (subject->scope != NULL && subject->scope->alphabet_n != 0) {
		e->alphabet = subject->scope->alphabet;
		e->alphabet_n = subject->scope->alphabet_n;
	}
	e->rng = mrg_rng_of(seed);
	plan(e, cases);
}

/* The next digits of this length, the last one changes first.  False: that were all. */
static bool count_up(struct mrg_fuzz_exhaust *e)
{
	size_t i = e->len;
	while (i != 0 && (size_t)e->digits[i - 1] + 1 == e->letters)
		e->digits[--i] = 0;
	if (i == 0)
		return false;
	e->digits[i - 1]++;
	return true;
}

/* The next head, length, or part; the digits are all 0. */
static bool go_on(struct mrg_fuzz_exhaust *e)
{
	if (++e->head < heads(e))
		return true;
	e->head = 0;
	if (e->part == MRG_FUZZ_ALL_OCTETS && e->len == e->full)
		e->part = MRG_FUZZ_ALPHABET;
	else if (e->part == MRG_FUZZ_ALPHABET)
		e->left -= heads(e) * power(e->letters, e->len, e->left);
	e->len++;
	if (e->part == MRG_FUZZ_ALL_OCTETS)
		return true;
	e->letters = letters_of(e, e->len, e->left);
	if (e->letters > 1)
		return true;
	e->part = MRG_FUZZ_WINDOWS;
	e->left = e->count[MRG_FUZZ_WINDOWS] / WINDOW;
	e->made_len = e->place = 0;
	e->value = WINDOW;
	return false;
}

static void put_digits(const struct mrg_fuzz_exhaust *e, uint8_t *out, size_t *len)
{
	const size_t head = head_len(e);
	if (head != 0)
		memcpy(out, e->subject->scope->heads + e->head * head, head);
	if (e->part == MRG_FUZZ_ALL_OCTETS)
		memcpy(out + head, e->digits, e->len);
	else
		for (size_t i = 0; i < e->len; i++)
			out[head + i] = e->alphabet[e->digits[i]];
	*len = head + e->len;
}

/* One to change: it stays in `made`.  False: none comes. */
static bool make(struct mrg_fuzz_exhaust *e, uint8_t *out)
{
	e->made_len = 0;
	for (unsigned i = 0; i < MADE_TRIES && (e->made_len == 0 || e->made_len > head_len(e) + MADE_SMALL);
		i++) {
		const size_t len = mrg_fuzz_call_make(e->subject, &e->rng, out);
		if (len < 2 || len > sizeof e->made || (e->made_len != 0 && len >= e->made_len))
			continue;
		memcpy(e->made, out, len);
		e->made_len = len;
	}
	e->place = head_len(e);
	return e->made_len >= e->place + 2;
}

static bool next_window(struct mrg_fuzz_exhaust *e, uint8_t *out, size_t *len)
{
	if (e->value == WINDOW) {
		if (e->left == 0)
			return false;
		e->left--;
		e->place++;
		bool good = e->made_len >= e->place + 2;
		for (unsigned i = 0; !good && i < MADE_TRIES; i++)
			good = make(e, out);
		if (!good)
			return false;
		e->value = 0;
	}
	memcpy(out, e->made, e->made_len);
	out[e->place] = (uint8_t)(e->value >> 8);
	out[e->place + 1] = (uint8_t)e->value;
	e->value++;
	*len = e->made_len;
	return true;
}

bool mrg_fuzz_exhaust_next(struct mrg_fuzz_exhaust *e, uint8_t *out, size_t *len)
{
	if (e->part == MRG_FUZZ_WINDOWS)
		return next_window(e, out, len);
	if (!e->fresh && !count_up(e) && !go_on(e))
		return next_window(e, out, len);
	e->fresh = false;
	put_digits(e, out, len);
	return true;
}
