/*
 * mrg_stream.h - streams cut into messages, and what messages say of the state of who sent them, for fuzzers of servers.
 *
 * From the specification (gen/mrg/emit/streams.py): packets of a length and as many octets; grammars with messages Request and Response,
 * whose bodies are as RFC 9112 has them.  What is not a message is cut, too: by the length that it says, or behind the next empty line.
 *
 * Use, as AFLNet does:
 *	unsigned n;
 *	region_t *const regions = extract_requests_dns_message_tcp_message(buf, len, &n);
 */
#ifndef MRG_STREAM_H
#define MRG_STREAM_H

#include "mrg.h"
#include "mrg_part.h"

/* A number in a message: bits from its first one, the highest bit first. */
struct mrg_stream_field {
	uint32_t bit;
	uint8_t bits;
};

typedef enum mrg_status mrg_stream_read(
	struct mrg_span in, struct mrg_capture *out, size_t cap, size_t *count, size_t *len, unsigned *code);

enum { MRG_STREAM_NONE = 0xffff }; /* no such capture */

/* A kind of text messages, and which of its captures are what. */
struct mrg_stream_head {
	mrg_stream_read *read;
	unsigned name, value; /* of a field */
	unsigned status;      /* three digits */
};

/* What is not there is NULL or 0. */
struct mrg_stream {
	/* packets: `head` octets, in which `length` is, and as many as that says */
	uint32_t head;
	struct mrg_stream_field length;
	bool little;
	const struct mrg_stream_field *state; /* numbers that tell of a state, one behind the other */
	size_t state_n;
	/* texts */
	struct mrg_stream_head request, response;
	mrg_stream_read *chunk, *chunk_end, *trailer;
	unsigned size; /* of a chunk: its capture */
};

/* Octets of the first message of in[0..len), len > 0; all of them when it goes on behind.  At least 1. */
size_t mrg_stream_next(const struct mrg_stream *s, bool response, const uint8_t *in, size_t len);

/*
 * What a message says of the state: of packets a 1 and then the bits of all that tell of it (DNS: opcode and response code, so 0x103 is
 * NXDOMAIN); of texts the status.  0: it says nothing.
 */
unsigned mrg_stream_state(const struct mrg_stream *s, const uint8_t *in, size_t len);

#endif
