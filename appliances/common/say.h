/*
 * say.h - what people read: messages on standard error, text on standard output, log lines.
 *
 * What it does not do: it formats no numbers but decimal ones, and it knows no locale.
 */
#ifndef MRG_COMMON_SAY_H
#define MRG_COMMON_SAY_H

#include "mrg_rt.h"

enum { SAY_STDOUT = 1, SAY_STDERR = 2 }; /* file descriptors */

/* Text for a file descriptor, written when the buffer is full and at the end. */
struct text_out {
	int fd;
	struct mrg_w w;
	bool failed; /* a write did; nothing more is written */
};

void out_init(struct text_out *o, int fd, void *buffer, size_t cap);
void out_str(struct text_out *o, const char *s);
void out_span(struct text_out *o, struct mrg_span s);
void out_num(struct text_out *o, uint64_t v);
bool out_flush(struct text_out *o);

/* One message on standard error: the words, one after the other, then a newline. NULL ends them. */
void say(const char *first, ...) __attribute__((sentinel));

/* From here on each message begins so; NULL: no more. The text is borrowed. */
void say_place(const char *place);
extern const char *say_place_now; /* private: what it was given; NULL: nothing */

/* Who gets messages instead of standard error: where they are about, "" if no place was said, and what. Good during the call. */
struct say_listener {
	void *ctx;
	void (*take)(void *ctx, const char *place, const char *words);
};

/* say_to - from here on messages of this program go there; NULL: to standard error. Of one thread. */
void say_to(const struct say_listener *listener);

/* The log on standard error. */
extern const struct mrg_rt_log stderr_log;

/* A log line without fields. */
void say_event(const char *level, const char *event);

/* A log line: this address is listened on. */
void log_listen(const char *event, const struct mrg_rt_addr *a);

#endif
