/*
 * stream_fake.h - connections that are made up, so that each split, each short write and each failure is chosen.
 */
#ifndef TESTS_DNS_STREAM_FAKE_H
#define TESTS_DNS_STREAM_FAKE_H

#include "mrg_rt.h"

/* One made-up connection: what the peer sent, how much of it is let through, what it got. */
struct fake {
	struct mrg_stream stream;
	uint8_t *in;
	size_t in_len, in_off;
	size_t read_most;  /* bytes a read gives at most; 0: all */
	size_t arrived;    /* bytes of `in` that are there to be read */
	bool eof, reset;   /* after `in` */
	size_t write_room; /* bytes that writes still take */
	size_t write_most; /* bytes a write takes at most; 0: all */
	uint8_t *out;
	size_t out_len, out_cap;
	unsigned want;
	bool finished, closed;
	struct mrg_rt_addr peer;
	struct fake *next; /* in the list of all */
};

extern uint64_t fake_copied; /* octets read from all of them */

size_t fake_least(size_t a, size_t b);

/* A new one, to which nothing has come yet; and all are gone. */
struct fake *fake_new(void);
void fakes_free(void);

/* The peer sends more. A query is `len` octets, the text and then many a 'q', behind its length. */
void fake_send_bytes(struct fake *f, const void *p, size_t len);
void fake_send_query(struct fake *f, const char *text, size_t len);

/* Let the first `arrived` octets be there, and tell of events until none holds any more. */
void fake_run(struct fake *f, const struct mrg_stream_user *user, size_t arrived, uint64_t now_ns);

#endif
