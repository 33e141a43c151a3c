/* mrg_stream.c - see mrg_stream.h. */
#include "mrg_stream.h"

#include <string.h>

enum {
	CAPTURES = 256,      /* of a head: what has more is cut behind its empty line */
	DIGITS = 15,         /* of a length: more is more than any stream has */
	CONTINUE_LAST = 199, /* RFC 9112 section 6.3: answers that have no body */
	NO_CONTENT = 204,
	NOT_MODIFIED = 304
};

/* --- packets ---------------------------------------------------------------------------------------------- */

static bool number(const struct mrg_stream_field *f, const uint8_t *in, size_t len, uint64_t *out)
{
	*out = 0;
	for (uint32_t i = f->bit; i < f->bit + f->bits; i++) {
		if (i / 8 >= len)
			return false;
		*out = *out << 1 | (in[i / 8] >> (7 - i % 8) & 1);
	}
	return true;
}

static size_t next_packet(const struct mrg_stream *s, const uint8_t *in, size_t len)
{
	uint64_t n;
	if (len <= s->head || !number(&s->length, in, len, &n))
		return len;
	if (s->little) {
		uint64_t turned = 0;
		for (uint8_t i = 0; i < s->length.bits; i += 8)
			turned = turned << 8 | (n >> i & 0xffu);
		n = turned;
	}
	return n < len - s->head ? s->head + (size_t)n : len;
}

static unsigned state_of_packet(const struct mrg_stream *s, const uint8_t *in, size_t len)
{
	unsigned state = 1;
	uint64_t n;
	for (size_t i = 0; i < s->state_n; i++) {
		if (!number(&s->state[i], in, len, &n))
			return 0;
		state = state << s->state[i].bits | (unsigned)n;
	}
	return s->state_n != 0 ? state : 0;
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* Behind the next empty line. */
static size_t behind_empty_line(const uint8_t *in, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i++)
		if (memcmp(in + i, "\r\n\r\n", 4) == 0)
			return i + 4;
	return len;
}

static bool is_word(const struct mrg_capture *c, const char *word)
{
	size_t i = 0;
	for (; i < c->len && word[i] != '\0'; i++) {
		const unsigned char octet = c->p[i];
		if ((octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet) != (unsigned char)word[i])
			return false;
	}
	return i == c->len && word[i] == '\0';
}

/* Of base 10 or 16; false: it is none, or longer than any stream. */
static bool digits(const struct mrg_capture *c, unsigned base, size_t *out)
{
	*out = 0;
	for (uint32_t i = 0; i < c->len; i++) {
		const unsigned octet = c->p[i], letter = octet | 0x20u;
		const unsigned digit = octet >= '0' && octet <= '9'     ? octet - '0'
				       : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
									: base;
		if (digit >= base || i == DIGITS)
			return false;
		*out = *out * base + digit;
	}
	return c->len != 0;
}

/* All chunks and what goes behind them, or as much as is there. */
static size_t chunks(const struct mrg_stream *s, const uint8_t *in, size_t len)
{
	struct mrg_capture parts[CAPTURES];
	size_t at = 0, count, n;
	unsigned code;
	while (at < len) {
		size_t size = 0;
		if (s->chunk((struct mrg_span){ in + at, len - at }, parts, CAPTURES, &count, &n, &code) !=
			MRG_OK)
			return at + behind_empty_line(in + at, len - at);
		at += n;
		for (size_t i = 0; i < count; i++)
			if (parts[i].what == s->size && !digits(&parts[i], 16, &size))
				return len;
		if (size == 0)
			break;
		if (size >= len - at)
			return len;
		at += size;
		if (s->chunk_end((struct mrg_span){ in + at, len - at }, parts, CAPTURES, &count, &n,
			    &code) != MRG_OK)
			return at + behind_empty_line(in + at, len - at);
		at += n;
	}
	if (at < len && s->trailer != NULL)
		at += s->trailer((struct mrg_span){ in + at, len - at }, parts, CAPTURES, &count, &n,
			      &code) == MRG_OK
			      ? n
			      : behind_empty_line(in + at, len - at);
	return at;
}

/* What a head says of the body behind it. */
struct framing {
	bool chunked, has_length;
	size_t length, status;
};

static struct framing framing_of(
	const struct mrg_stream_head *head, const struct mrg_capture *parts, size_t count)
{
	struct framing f = { false, false, 0, 0 };
	const struct mrg_capture *name = NULL;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].what == head->name)
			name = &parts[i];
		else if (parts[i].what == head->status)
			(void)digits(&parts[i], 10, &f.status);
		if (parts[i].what != head->value || name == NULL)
			continue;
		if (is_word(name, "content-length"))
			f.has_length = digits(&parts[i], 10, &f.length);
		/* What comes last is what counts, and it must be this. */
		else if (is_word(name, "transfer-encoding") && parts[i].len >= 7) {
			const struct mrg_capture last = { parts[i].p + parts[i].len - 7, 7, 0 };
			f.chunked = is_word(&last, "chunked");
		}
	}
	return f;
}

static size_t next_text(const struct mrg_stream *s, bool response, const uint8_t *in, size_t len)
{
	const struct mrg_stream_head *const head = response ? &s->response : &s->request;
	struct mrg_capture parts[CAPTURES];
	size_t count = 0, n = 0;
	unsigned code;
	const enum mrg_status st =
		head->read((struct mrg_span){ in, len }, parts, CAPTURES, &count, &n, &code);
	if (st == MRG_MORE)
		return len;
	if (st != MRG_OK)
		return behind_empty_line(in, len);
	const struct framing f = framing_of(head, parts, count);
	const size_t left = len - n;
	if (response && (f.status <= CONTINUE_LAST || f.status == NO_CONTENT || f.status == NOT_MODIFIED))
		return n;
	if (f.chunked && s->chunk != NULL && s->chunk_end != NULL)
		return n + chunks(s, in + n, left);
	if (f.has_length)
		return f.length < left ? n + f.length : len;
	return response ? len : n;
}

static unsigned state_of_text(const struct mrg_stream *s, const uint8_t *in, size_t len)
{
	struct mrg_capture parts[CAPTURES];
	size_t count = 0, n = 0;
	unsigned code;
	const struct mrg_stream_head *const head = &s->response;
	if (head->read((struct mrg_span){ in, len }, parts, CAPTURES, &count, &n, &code) != MRG_OK)
		return 0;
	return (unsigned)framing_of(head, parts, count).status;
}

/* --- either ----------------------------------------------------------------------------------------------- */

size_t mrg_stream_next(const struct mrg_stream *s, bool response, const uint8_t *in, size_t len)
{
	const size_t n = s->head != 0 ? next_packet(s, in, len) : next_text(s, response, in, len);
	return n != 0 ? n : len;
}

unsigned mrg_stream_state(const struct mrg_stream *s, const uint8_t *in, size_t len)
{
	return s->head != 0 ? state_of_packet(s, in, len) : state_of_text(s, in, len);
}
