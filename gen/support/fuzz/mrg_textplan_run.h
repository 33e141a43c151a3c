/*
 * mrg_textplan_run.h - a text rule as something to be fuzzed: its generated readers and writer against the tables, and against
 * themselves.  The generated subjects (gen/mrg/emit/text_subject.py) are made of these functions.
 */
#ifndef MRG_TEXTPLAN_RUN_H
#define MRG_TEXTPLAN_RUN_H

#include "mrg_part.h"
#include "mrg_textplan.h"

/* The generated C of a rule behind one face; what it does not have is NULL. */
struct mrg_text_code {
	void *stream; /* of feed, or of next */
	enum mrg_status (*read)(struct mrg_span in, struct mrg_capture *out, size_t cap, size_t *count, size_t *len, unsigned *code);
	/* a message in pieces */
	void (*begin)(void *stream);
	enum mrg_status (*feed)(void *stream, struct mrg_span *in, struct mrg_part *out, size_t cap, size_t *count);
	unsigned (*refusal)(const void *stream); /* its code, if a limit refused it */
	/* a value, without its captures, and some of them at a time */
	enum mrg_status (*check)(struct mrg_span in, size_t *at, unsigned *code);
	void (*open)(void *stream, struct mrg_span in);
	enum mrg_status (*next)(
		void *stream, struct mrg_capture *out, size_t cap, size_t *count, size_t *at, unsigned *code);
	size_t parts_min; /* least room for feed or next */
	/* a match; in.p[in.len] is NUL.  The captures that take part, in their order */
	bool (*match)(struct mrg_span in, struct mrg_capture *out, size_t *count);
	/* the longest token, from 1 in the order of the grammar; 0 at the end, more than there are where there is none */
	unsigned (*token)(const uint8_t **at, const uint8_t *end);
	void (*put)(struct mrg_w *w, const struct mrg_capture *parts, size_t count);
};

enum { MRG_TEXT_CAPTURES = 1 << 15 };

/* What a run needs room for; one is enough for a thread. */
struct mrg_text_store {
	struct mrg_text_room room;
	struct mrg_capture first[MRG_TEXT_CAPTURES], second[MRG_TEXT_CAPTURES];
	uint8_t copy[MRG_TEXT_LEN_MAX + 1], written[2 * MRG_TEXT_LEN_MAX];
};

struct mrg_text_ctx {
	struct mrg_text text;
	struct mrg_text_code code;
	struct mrg_text_store *store;
	/* of a grammar's tokens: `text` is any number of them, one behind the other */
	const struct mrg_text *tokens;
	unsigned token_count;
};

/* For struct mrg_fuzz_subject; ctx is a struct mrg_text_ctx. */
size_t mrg_text_subject_make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap);
size_t mrg_text_subject_mutate(void *ctx, struct mrg_rng *rng, const uint8_t *in, size_t len, const uint8_t *other,
	size_t other_len, uint8_t *out, size_t cap);
size_t mrg_text_subject_smaller(void *ctx, size_t i, const uint8_t *in, size_t len, uint8_t *out, size_t cap);
void mrg_text_subject_run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result);
void mrg_text_subject_learn(void *ctx, const uint8_t *in, size_t len);
void mrg_text_subject_show(void *ctx, const uint8_t *in, size_t len, FILE *to);
const char *mrg_text_subject_point(void *ctx, size_t point);

#endif
