/*
 * dns_stream.c - messages on a connection to the DNS server: the input is what the client sends, behind which it ends.
 *
 * However it is cut, and however the client takes what it gets, the replies are those of mrg_dns_answer in order, each behind its length,
 * up to the first message that has none, where the connection ends.  Requests for transfers are answered by a few short messages of one,
 * some of which are cut off; some replies come later.
 */
#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "fuzz/dns_server.h"
#include "fuzz/frames.h"
#include "fuzz/pipe.h"
#include "protocols/dns/stream.h"
#include "protocols/dns/transfer_out.h"

/* A connection has two blocks at most, so that none is closed because another needs one. */
enum { LEN_MAX = 16384, ROOM = 1 << 20, OUT_MAX = 4 << 20, CONNS = 2, BLOCKS = 2 * CONNS, LENGTH = 2 };
enum { OPS = 20000, OPS_OCTET = 150 }; /* of a connection: so many, and for each octet either way */

enum point {
	NOTHING,
	ONE,
	MANY,
	CUT_LENGTH,
	CUT_MESSAGE,
	EMPTY,
	LONG,
	ENDED,
	HELD,
	SILENT,
	TRANSFERRED,
	CUT_OFF,
	LATER,
	POINTS
};

static const char *const point_names[POINTS] = { "no message", "one message", "three messages or more",
	"ends within a length", "ends within a message", "a message without octets",
	"a message of more than 512 octets", "ended by a message without a reply", "a reply had to wait",
	"silence", "a transfer of more than one message", "a transfer that is cut off",
	"a reply that came later" };

struct own {
	bool ready;
	bool two; /* of connections: see run */
	uint8_t *memory, *want, *out[CONNS];
	struct mrg_guard guard;
	struct mrg_arena arena;
	struct mrg_rt_timers timers;
	struct mrg_dns_streams streams;
	uint8_t reached[POINTS];
};

static void mark(struct own *o, enum point point, bool reached)
{
	if (reached)
		o->reached[point] = 1;
}

/* ---- who answers ---- */

/* A transfer goes no further than this, and some end before that without an end. */
enum { TRANSFER_MAX = 5, TRANSFER_LEN = 400, CUT_AT = 3 };

struct sending {
	struct mrg_dns_transfer t;
	bool cut;
	unsigned said;
};

/* What is owed: transfers that nobody has let go of, and replies to be said later. */
static unsigned under_way;
static struct mrg_dns_ticket waiting[CONNS];
static uint8_t waiting_for[CONNS][LEN_MAX];
static size_t waiting_len[CONNS];

static enum mrg_dns_said next(void *ctx, void *transfer, uint8_t *out, size_t cap, size_t *out_len)
{
	struct sending *const s = transfer;
	(void)ctx;
	(void)cap;
	if (s->said == (s->cut ? (unsigned)CUT_AT : (unsigned)TRANSFER_MAX))
		return MRG_DNS_SAID_NOTHING;
	s->said++;
	const enum mrg_status st = mrg_dns_transfer_next(&s->t, out, TRANSFER_LEN, out_len);
	if (st == MRG_MORE && s->said < TRANSFER_MAX)
		return MRG_DNS_SAID_PART;
	return st == MRG_OK || st == MRG_MORE ? MRG_DNS_SAID_ALL : MRG_DNS_SAID_NOTHING;
}

static void done(void *ctx, void *transfer)
{
	(void)ctx;
	under_way--;
	free(transfer);
}

/* Say the first message; `keep` gets the rest, if there is one. */
static enum mrg_dns_said begin(const struct mrg_dns_transfer_request *r, const struct mrg_dns_zone *zone,
	void **keep, uint8_t *out, size_t cap, size_t *out_len)
{
	struct sending *const s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	s->cut = mrg_dns_header_id(&r->query.header) % 16 == 0;
	mrg_dns_transfer_begin(
		&s->t, r, zone, NULL, &(struct mrg_dns_transfer_opt){ .udp_size = 1232 }, NULL);
	const enum mrg_dns_said said = next(NULL, s, out, cap, out_len);
	under_way++;
	if (said == MRG_DNS_SAID_PART)
		*keep = s;
	else
		done(NULL, s);
	return said;
}

static enum mrg_dns_said answer_now(struct mrg_span query, uint8_t *out, size_t cap, size_t *out_len)
{
	const struct mrg_dns_asker asker = dns_asker(MRG_DNS_TCP);
	return mrg_dns_answer(&dns_zones()->server, &asker, query, out, cap, out_len) == MRG_OK
		       ? MRG_DNS_SAID_ALL
		       : MRG_DNS_SAID_NOTHING;
}

static enum mrg_dns_said answer(void *ctx, struct mrg_dns_call *call, struct mrg_span query, uint8_t *out,
	size_t cap, size_t *out_len)
{
	struct mrg_dns_transfer_request r;
	(void)ctx;
	if (mrg_dns_transfer_asked(query, MRG_DNS_TCP, &r)) {
		const struct mrg_dns_zone *const zone = mrg_dns_db_find(&dns_zones()->db, &r.name, 0);
		if (zone != NULL)
			return begin(&r, zone, &call->transfer, out, cap, out_len);
	}
	if (call->ticket.number != 0 && query.len > 1 && query.p[1] % 8 == 5) {
		for (unsigned i = 0; i < CONNS; i++) {
			if (waiting[i].number != 0)
				continue;
			waiting[i] = call->ticket;
			waiting_len[i] = query.len;
			memcpy(waiting_for[i], query.p, query.len);
			return MRG_DNS_SAID_LATER;
		}
	}
	return answer_now(query, out, cap, out_len);
}

/* Say what was to be said later. Whether there was something. */
static bool say_later(struct own *o, uint64_t now_ns)
{
	static uint8_t out[65535];
	bool any = false;
	for (unsigned i = 0; i < CONNS; i++) {
		const struct mrg_dns_ticket ticket = waiting[i];
		if (ticket.number == 0)
			continue;
		size_t len = 0;
		const struct mrg_span query = { waiting_for[i], waiting_len[i] };
		if (answer_now(query, out, sizeof out, &len) != MRG_DNS_SAID_ALL)
			len = 0;
		waiting[i].number = 0;
		any = true;
		mark(o, LATER,
			mrg_dns_streams_reply(&o->streams, ticket, (struct mrg_span){ out, len }, now_ns));
	}
	return any;
}

static void open_own(struct own *o)
{
	o->memory = calloc(1, ROOM);
	o->want = malloc(OUT_MAX);
	for (unsigned i = 0; i < CONNS; i++)
		o->out[i] = malloc(OUT_MAX);
	if (o->memory == NULL || o->want == NULL || o->out[0] == NULL || o->out[1] == NULL)
		abort();
	o->ready = true;
}

/* A server as it is when it begins. */
static void reset(struct own *o, uint32_t blocks)
{
	static const struct mrg_dns_answerer answerer = { .answer = answer, .next = next, .done = done };
	const struct mrg_dns_stream_limits limits = {
		.conn_count = CONNS, .block_count = blocks, .idle_ns = MRG_RT_SECOND_NS
	};
	o->arena = (struct mrg_arena){ .p = o->memory, .cap = ROOM };
	o->timers = (struct mrg_rt_timers){ .top = NULL };
	for (unsigned i = 0; i < CONNS; i++)
		waiting[i].number = 0;
	if (mrg_dns_streams_init(&o->streams, &o->arena, &o->timers, &limits, &answerer) != MRG_OK)
		abort();
}

/* What the client has to get. */
struct wanted {
	size_t len, messages;
	bool ends; /* before all is read */
};

static void want_message(struct own *o, struct wanted *w, size_t n)
{
	o->want[w->len] = (uint8_t)(n >> 8);
	o->want[w->len + 1] = (uint8_t)n;
	w->len += LENGTH + n;
}

/* All messages of a reply. False: it has no end. */
static bool want_reply(struct own *o, struct wanted *w, struct mrg_span query)
{
	struct mrg_dns_call call = { .ticket = { NULL, 0 } };
	size_t n = 0;
	enum mrg_dns_said said = answer(NULL, &call, query, o->want + w->len + LENGTH, 65535, &n);
	const bool transfers = said == MRG_DNS_SAID_PART;
	while (said == MRG_DNS_SAID_PART) {
		want_message(o, w, n);
		said = next(NULL, call.transfer, o->want + w->len + LENGTH, 65535, &n);
	}
	if (transfers)
		done(NULL, call.transfer);
	mark(o, TRANSFERRED, transfers);
	mark(o, CUT_OFF, transfers && said != MRG_DNS_SAID_ALL);
	if (said == MRG_DNS_SAID_ALL)
		want_message(o, w, n);
	return said == MRG_DNS_SAID_ALL;
}

static struct wanted replies(struct own *o, const uint8_t *in, size_t len)
{
	struct wanted w = { .len = 0 };
	size_t at = 0;
	while (at < len) {
		const struct frame f = frames_next(in, len, &at);
		mark(o, CUT_LENGTH, f.p == NULL);
		if (f.p == NULL || f.len != f.said) {
			mark(o, CUT_MESSAGE, f.p != NULL);
			break;
		}
		mark(o, EMPTY, f.len == 0);
		mark(o, LONG, f.len > 512);
		if (OUT_MAX - w.len < (size_t)TRANSFER_MAX * (LENGTH + 65535))
			break;
		w.messages++;
		w.ends = !want_reply(o, &w, (struct mrg_span){ f.p, f.len });
		if (w.ends)
			break;
	}
	mark(o, NOTHING, w.messages == 0);
	mark(o, ONE, w.messages == 1);
	mark(o, MANY, w.messages > 2);
	mark(o, ENDED, w.ends);
	return w;
}

/* ---- one way of cutting ---- */

static bool check(const struct own *o, const struct pipe *p, const struct wanted *w, unsigned which,
	struct mrg_fuzz_result *result)
{
	size_t at = 0;
	if (p->misuse != NULL)
		return fuzz_wrong(result, p->misuse, "%s, split %u", p->misuse, p->split);
	while (at < w->len && at < p->out_len && p->out[at] == o->want[at])
		at++;
	if (at < w->len || p->out_len != w->len)
		return fuzz_wrong(result, "other replies",
			"split %u: %zu octets for the client, %zu expected, the same up to %zu", p->split,
			p->out_len, w->len, at);
	if (!p->closed)
		return fuzz_wrong(
			result, "not closed", "split %u: connection %u is not closed", p->split, which);
	if (w->ends && !p->finished)
		return fuzz_wrong(result, "not finished",
			"split %u: the client is not told that the connection ends", p->split);
	return true;
}

/* Nothing may be left: all blocks are back, no timer runs. */
static bool check_rest(struct own *o, size_t blocks, struct mrg_fuzz_result *result)
{
	struct mrg_dns_streams *const t = &o->streams;
	size_t free_big = t->big.left;
	for (void **p = t->big.free; p != NULL; p = *p)
		free_big++;
	size_t free_small = t->small.left;
	for (void **p = t->small.free; p != NULL; p = *p)
		free_small++;
	if (mrg_dns_streams_count(t) != 0 || free_big != blocks || free_small != 2 * CONNS)
		return fuzz_wrong(result, "left behind",
			"%u connections, %zu big and %zu small blocks are free", mrg_dns_streams_count(t),
			free_big, free_small);
	if (under_way != 0)
		return fuzz_wrong(result, "left behind", "%u transfers are not over", under_way);
	if (t->counts.queries - t->counts.answers > t->counts.opened)
		return fuzz_wrong(result, "counts", "more queries than answers");
	return true;
}

static bool run_split(struct own *o, const uint8_t *in, size_t len, enum pipe_split split, unsigned conns,
	bool silent, const struct wanted *w, struct mrg_fuzz_result *result)
{
	struct pipe p[CONNS];
	struct mrg_rng rng = fuzz_rng_of(in, len);
	uint64_t now_ns = 5;
	reset(o, BLOCKS);
	fuzz_ops = 0;
	for (unsigned i = 0; i < conns; i++) {
		pipe_open(&p[i], in, len, split, (struct mrg_rng){ mrg_rng_next(&rng) | 1u }, o->out[i],
			OUT_MAX);
		p[i].silent = silent;
		if (!o->streams.user.open(o->streams.user.ctx, &p[i].stream, now_ns))
			return fuzz_wrong(result, "refused", "a connection is refused");
	}
	/* each step takes an octet in or out, but for those where nothing is taken: one in four */
	uint64_t most = 1000 + 64 * (uint64_t)(len + w->len);
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < conns; i++) {
			more = pipe_step(&p[i], &o->streams.user, now_ns) || more;
			mark(o, HELD, !p[i].closed && p[i].want == MRG_STREAM_WRITABLE);
		}
		more = say_later(o, now_ns) || more;
		if (most-- == 0)
			return fuzz_wrong(
				result, "endless", "split %u: no end after 64 events an octet", split);
	}
	for (unsigned i = 0; i < conns; i++) {
		mark(o, SILENT, silent && !p[i].closed);
		if (silent)
			(void)pipe_wait(&p[i], &o->timers, &now_ns);
		if (!check(o, &p[i], w, i, result))
			return false;
	}
	return check_rest(o, BLOCKS, result) && fuzz_linear(result, OPS, OPS_OCTET, conns * (len + w->len));
}

/*
 * Connections break, there are fewer blocks than they need, and the server ends at some time: what a client got is the beginning of what
 * it was to get, and nothing is left.
 */
static bool run_rough(
	struct own *o, const uint8_t *in, size_t len, const struct wanted *w, struct mrg_fuzz_result *result)
{
	enum { STEPS = 2000 };
	struct pipe p[CONNS];
	struct mrg_rng rng = fuzz_rng_of(in, len);
	const uint32_t blocks = (uint32_t)mrg_rng_below(&rng, 3);
	const uint64_t ends_at = mrg_rng_below(&rng, 200);
	uint64_t now_ns = 5;
	reset(o, blocks);
	for (unsigned i = 0; i < CONNS; i++) {
		pipe_open(&p[i], in, len, PIPE_ROUGH, (struct mrg_rng){ mrg_rng_next(&rng) | 1u }, o->out[i],
			OUT_MAX);
		p[i].silent = true;
		if (!o->streams.user.open(o->streams.user.ctx, &p[i].stream, now_ns))
			return fuzz_wrong(result, "refused", "a connection is refused");
	}
	bool more = true;
	for (uint64_t step = 0; step < STEPS && more; step++) {
		more = step <= ends_at;
		if (step == ends_at)
			mrg_dns_streams_drain(&o->streams, now_ns);
		for (unsigned i = 0; i < CONNS; i++)
			more = pipe_step(&p[i], &o->streams.user, now_ns) || more;
		more = say_later(o, now_ns) || more;
	}
	for (unsigned i = 0; i < CONNS; i++) {
		if (!pipe_wait(&p[i], &o->timers, &now_ns))
			return fuzz_wrong(
				result, "not closed", "connection %u is not closed when the server ends", i);
		if (p[i].misuse != NULL)
			return fuzz_wrong(result, p[i].misuse, "%s, split %u", p[i].misuse, PIPE_ROUGH);
		if (p[i].out_len > w->len || memcmp(p[i].out, o->want, p[i].out_len) != 0)
			return fuzz_wrong(
				result, "other replies", "other replies before connection %u broke", i);
	}
	return check_rest(o, blocks, result);
}

static void run(void *ctx, const uint8_t *in, size_t len, struct mrg_fuzz_result *result)
{
	enum { OCTETS_MAX = 700 };
	struct own *const o = ctx;
	if (!o->ready)
		open_own(o);
	const struct wanted w = replies(o, in, len);
	result->verdict = w.messages != 0 && !w.ends ? MRG_FUZZ_ACCEPTED : MRG_FUZZ_REFUSED;
	if (run_split(o, in, len, PIPE_WHOLE, 1, false, &w, result) &&
		run_split(o, in, len, PIPE_WHOLE, 1, true, &w, result) &&
		(len > OCTETS_MAX || run_split(o, in, len, PIPE_OCTETS, 1, false, &w, result)) &&
		run_split(o, in, len, PIPE_PIECES, CONNS, false, &w, result))
		(void)(run_split(o, in, len, PIPE_SLOW, CONNS, false, &w, result) &&
			run_rough(o, in, len, &w, result));
}

/* ---- the subject ---- */

static const struct frames_maker maker = {
	.most = 6, .make = dns_query_make, .change = dns_query_change, .smaller = dns_query_smaller
};

static size_t make(void *ctx, struct mrg_rng *rng, uint8_t *out, size_t cap)
{
	(void)ctx;
	return frames_make(&maker, rng, out, cap);
}

FRAMES_WAYS(maker)

static void show(void *ctx, const uint8_t *in, size_t len, FILE *to)
{
	(void)ctx;
	dns_queries_show(in, len, to);
}

FUZZ_POINT_NAMES(point_names)
static struct own of_stream;
FUZZ_SUBJECT(dns_server_stream, "dns.server.stream", of_stream, LEN_MAX, POINTS);
