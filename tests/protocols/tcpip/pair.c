/*
 * Two hosts on a wire, or some more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/protocols/tcpip/pair.h"

struct mrg_tcpip_limits pair_limits;
int pair_hosts = 2;

void pair_reset(void)
{
	pair_hosts = 2;
	pair_limits = mrg_tcpip_usual;
	pair_limits.conn_count = 64;
	pair_limits.half_open_count = 64;
	pair_limits.time_wait_count = 64;
	pair_limits.receive_max = pair_limits.send_max = 1u << 18;
	pair_limits.buffer_len = 2u << 20;
	pair_limits.sent_count = 2048;
	pair_limits.reassembly_len = 1u << 18;
	pair_limits.give_up_s = 1000000;
}

/* ---- users ---- */

/* What a side sends from a place on: eight bytes at a time that nothing else is like. */
static void make_bytes(uint64_t seed, uint64_t at, uint8_t *out, size_t len)
{
	size_t done = 0;
	while (done < len) {
		const uint64_t word =
			mrg_hash_mix(seed * 2u + 0x9e3779b97f4a7c15u, (at + done) / 8u + 0x632be59bd9b4e019u);
		const size_t skip = (size_t)((at + done) % 8u),
			     some = 8u - skip < len - done ? 8u - skip : len - done;
		memcpy(out + done, (const uint8_t *)&word + skip, some);
		done += some;
	}
}

static void write_more(struct side *s)
{
	uint8_t b[16384];
	while (s->sent < s->size) {
		const size_t len = s->size - s->sent < sizeof b ? (size_t)(s->size - s->sent) : sizeof b;
		make_bytes(s->seed, s->sent, b, len);
		const struct mrg_span part[2] = { { b, len / 2u }, { b + len / 2u, len - len / 2u } };
		size_t done = 0;
		const enum mrg_io io = mrg_stream_write(s->stream, part, 2, false, &done);
		if (io == MRG_IO_RESET)
			s->reset = true;
		if (io != MRG_IO_OK)
			return;
		s->sent += done;
	}
	if (!s->finished && !s->stay) {
		s->finished = true;
		mrg_stream_finish(s->stream);
	}
}

static void read_more(struct side *s)
{
	uint8_t b[16384], want[sizeof b];
	while (!s->eof && !s->reset && !s->mute) {
		size_t got = 0;
		const size_t cap = s->read_max != 0 ? s->read_max : sizeof b;
		const enum mrg_io io = mrg_stream_read(s->stream, b, cap, &got);
		s->eof = io == MRG_IO_EOF;
		s->reset = io == MRG_IO_RESET;
		if (io != MRG_IO_OK)
			return;
		make_bytes(s->seed ^ 1u, s->got, want, got);
		s->wrong = s->wrong || memcmp(b, want, got) != 0;
		s->got += got;
		if (s->read_max != 0)
			return;
	}
}

static void turn(struct side *s, uint64_t now_ns)
{
	if (s->closed)
		return;
	read_more(s);
	if (!s->reset)
		write_more(s);
	if (s->reset || (s->eof && s->finished && !s->linger)) {
		s->closed = true;
		s->closed_ns = now_ns;
		mrg_stream_close(s->stream);
		return;
	}
	mrg_stream_want(s->stream, (s->eof || s->mute ? 0 : (unsigned)MRG_STREAM_READABLE) |
					   (s->sent < s->size ? (unsigned)MRG_STREAM_WRITABLE : 0));
}

static void ready(void *ctx, struct mrg_stream *stream, unsigned events, uint64_t now_ns)
{
	(void)ctx;
	(void)events;
	turn(stream->conn, now_ns);
}

static bool begin(struct side *s, struct mrg_stream *stream, uint64_t now_ns)
{
	s->opened = true;
	s->opened_ns = now_ns;
	if (s->refuses)
		return false;
	s->stream = stream;
	stream->conn = s;
	turn(s, now_ns);
	return true;
}

static bool open_served(void *ctx, struct mrg_stream *stream, uint64_t now_ns)
{
	struct pair *const k = ctx;
	MUST(k->served_count < SIDES);
	struct side *const s = &k->served[k->served_count++];
	*s = k->pattern;
	s->kit = k;
	return begin(s, stream, now_ns);
}

static bool open_attempt(void *ctx, struct mrg_stream *stream, uint64_t now_ns)
{
	struct attempt *const a = ctx;
	return begin(&a->side, stream, now_ns);
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	struct attempt *const a = (struct attempt *)(void *)t;
	(void)now_ns;
	a->failed = true;
	a->why = why;
}

/* ---- the network ---- */

/* Memory for one network at a time; what the last one has used is made zero again. */
static struct mrg_arena *arena_for(size_t size)
{
	static struct mrg_arena arena;
	if (arena.cap < size) {
		if (arena.p != NULL)
			(void)munmap(arena.p, arena.cap);
		void *const p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		MUST(p != MAP_FAILED);
		arena = (struct mrg_arena){ p, 0, size };
	}
	memset(arena.p, 0, arena.len);
	arena.len = 0;
	return &arena;
}

struct pair *pair_begin(const struct mrg_sim_options *o, uint64_t seed, unsigned version)
{
	static struct pair pair;
	struct mrg_sim_limits limits = mrg_sim_usual;
	limits.host_count = limits.wire_count = limits.port_count = 4;
	limits.frame_count = 8192;
	limits.frame_max = 65536 + 14;
	limits.frame_len = 4u << 20;
	struct mrg_arena *const arena = arena_for(
		mrg_sim_memory(&limits) + (size_t)pair_hosts * mrg_tcpip_memory(&pair_limits) + (1u << 20));
	memset(&pair, 0, sizeof pair);
	pair.count = pair_hosts;
	pair.sim = mrg_sim_open(arena, &limits, seed);
	MUST(pair.sim != NULL);
	pair.wire = mrg_sim_wire_add(pair.sim, o);
	for (int i = 0; i < pair.count; i++) {
		pair.host[i] = mrg_sim_host_add(pair.sim, (uint64_t)(i + 1) * 1000u * SECOND + seed % 1000u);
		pair.link[i] = mrg_sim_port_add(pair.wire, pair.host[i]);
		const struct mrg_tcpip_world world = { .timers = &pair.host[i]->timers,
			.now_ns = &pair.host[i]->now_ns,
			.secret = { seed, seed ^ 0x1234u, (uint64_t)i, 7 } };
		pair.stack[i] = mrg_tcpip_open(arena, &pair_limits, &world);
		MUST(pair.stack[i] != NULL);
		pair.on[i] = mrg_tcpip_if_add(pair.stack[i], pair.link[i]);
		static const char *const four[PAIR_HOSTS_MAX] = { "10.0.0.1", "10.0.0.2", "10.0.0.3",
			"10.0.0.4" };
		static const char *const six[PAIR_HOSTS_MAX] = { "[fd00::1]", "[fd00::2]", "[fd00::3]",
			"[fd00::4]" };
		MUST(mrg_rt_addr_read(version == 4 ? four[i] : six[i], 0, &pair.address[i]));
		MUST(mrg_tcpip_address_add(pair.on[i], &pair.address[i], version == 4 ? 24 : 64));
	}
	pair.server = (struct mrg_stream_user){ .ctx = &pair, .open = open_served, .ready = ready };
	struct mrg_rt_addr at = pair.address[1];
	at.port = 80;
	pair.listener = mrg_tcpip_listen(pair.stack[1], &at, &pair.server);
	MUST(pair.listener != NULL);
	MUST(mrg_sim_run(pair.sim, 3u * SECOND)); /* addresses are checked for duplicates */
	return &pair;
}

void pair_connect(struct pair *k, struct attempt *a, uint64_t seed, uint64_t size)
{
	pair_connect_from(k, 0, a, seed, size);
}

void pair_connect_from(struct pair *k, int host, struct attempt *a, uint64_t seed, uint64_t size)
{
	struct mrg_rt_addr to = k->address[1];
	to.port = 80;
	a->user = (struct mrg_stream_user){ .ctx = a, .open = open_attempt, .ready = ready };
	a->connect = (struct mrg_tcpip_connect){ .user = &a->user, .failed = failed };
	a->side.seed = seed;
	a->side.size = size;
	a->side.kit = k;
	a->failed = false;
	MUST(mrg_tcpip_connect(k->stack[host], &a->connect, NULL, &to));
}

void pair_run(struct pair *k, uint64_t for_ns) { MUST(mrg_sim_run(k->sim, mrg_sim_now(k->sim) + for_ns)); }

bool pair_run_until(struct pair *k, uint64_t for_ns,
	bool (*over)(const struct pair *k, const struct attempt *a), const struct attempt *a)
{
	const uint64_t until = mrg_sim_now(k->sim) + for_ns;
	while (!over(k, a)) {
		const uint64_t next = mrg_sim_next(k->sim);
		if (next > until)
			return false;
		MUST(mrg_sim_run(k->sim, next));
	}
	return true;
}

bool pair_both_over(const struct pair *k, const struct attempt *a)
{
	return a->failed || (a->side.closed && k->served_count != 0 && k->served[0].closed);
}

bool pair_quiet(const struct pair *k, const struct attempt *a)
{
	(void)a;
	for (int i = 0; i < k->count; i++) {
		const struct tcp_state *const t = k->stack[i]->tcp;
		if (t->conn_count != 0 || t->half_count != 0 || t->wait_due.first != 0)
			return false;
	}
	return true;
}

/* ---- what must be ---- */

void pair_must_be_done(const struct pair *k, const struct attempt *a, size_t n)
{
	MUST_SAY(!a->failed, "could not be opened: %s", mrg_net_why_str(a->why));
	MUST_SAY(n < k->served_count, "%zu were opened", k->served_count);
	const struct side *const both[2] = { &a->side, &k->served[n] };
	for (int i = 0; i < 2; i++) {
		const struct side *const s = both[i], *const other = both[1 - i];
		MUST_SAY(!s->reset, "side %d: broken after %lu of %lu bytes", i, (unsigned long)s->got,
			(unsigned long)other->size);
		MUST_SAY(!s->wrong, "side %d: wrong bytes", i);
		MUST_SAY(s->got == other->size && s->eof, "side %d: got %lu of %lu bytes%s", i,
			(unsigned long)s->got, (unsigned long)other->size, s->eof ? " and the end" : "");
		MUST(s->closed);
	}
}

void pair_must_be_empty(const struct pair *k)
{
	for (int i = 0; i < k->count; i++) {
		struct tcp_state *const t = k->stack[i]->tcp;
		MUST_SAY(t->conn_count == 0, "host %d: %u connections are left", i, t->conn_count);
		MUST_SAY(t->half_count == 0, "host %d: %u half-open ones are left", i, t->half_count);
		MUST_SAY(t->wait_due.first == 0, "host %d: some are in TIME-WAIT", i);
		for (uint32_t slot = 0; slot <= t->mask; slot++)
			MUST(t->table[slot] == NULL);
		for (unsigned l = 0; l < TCP_LOCALS_MAX; l++)
			MUST(t->local_uses[l] == 0);
		/* every block and every piece can be had again */
		const size_t largest = (size_t)256 << t->buffers.top;
		static uint8_t *blocks[4096];
		size_t count = 0;
		MUST(t->buffers.cap / largest <= 4096);
		while (count < t->buffers.cap / largest &&
			(blocks[count] = mrg_rt_blocks_get(&t->buffers, largest)) != NULL)
			count++;
		MUST_SAY(count == t->buffers.cap / largest, "host %d: blocks are missing", i);
		while (count > 0)
			mrg_rt_blocks_put(&t->buffers, blocks[--count], largest);
		struct mrg_rt_pool *const pools[] = { &t->pieces, &t->flights, &t->gaps, &t->conns };
		const size_t sizes[] = { k->stack[i]->limits.sent_count, k->stack[i]->limits.conn_count,
			k->stack[i]->limits.conn_count, k->stack[i]->limits.conn_count };
		for (size_t p = 0; p < 4; p++) {
			void *all = NULL, *one;
			size_t n = 0;
			while ((one = mrg_rt_pool_get(pools[p])) != NULL) {
				memcpy(one, &all, sizeof all);
				all = one;
				n++;
			}
			MUST_SAY(n == sizes[p], "host %d: pool %zu has %zu of %zu", i, p, n, sizes[p]);
			while (all != NULL) {
				void *next;
				memcpy(&next, all, sizeof next);
				mrg_rt_pool_put(pools[p], all);
				all = next;
			}
		}
	}
}

struct wanted {
	const char *name;
	uint64_t value;
	bool found;
};

static void pick(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct wanted *const w = ctx;
	if (strcmp(protocol, "tcp") == 0 && strcmp(name, w->name) == 0) {
		w->value = value;
		w->found = true;
	}
}

uint64_t pair_count(const struct pair *k, int host, const char *name)
{
	struct wanted w = { .name = name };
	mrg_tcpip_counts(k->stack[host], pick, &w);
	MUST_SAY(w.found, "no counter %s", name);
	return w.value;
}
