/* For tests of TCP packet by packet: users, connections, programs. See raw.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/tcpip/raw.h"

/* ---- users ---- */

void raw_close(struct raw_user *u)
{
	struct mrg_stream *const stream = u->stream;
	if (stream == NULL)
		return;
	u->stream = NULL;
	u->closed = true;
	mrg_stream_close(stream);
	raw_run(0);
}

/* Returns: whether the connection is still there. */
static bool take(struct raw_user *u, size_t most)
{
	while (most != 0) {
		size_t got = 0;
		MUST(u->len < RAW_GOT_MAX);
		const size_t cap = RAW_GOT_MAX - u->len < most ? RAW_GOT_MAX - u->len : most;
		const enum mrg_io io = mrg_stream_read(u->stream, u->got + u->len, cap, &got);
		if (io == MRG_IO_AGAIN)
			break;
		if (io == MRG_IO_RESET) {
			u->reset = true;
			struct mrg_stream *const stream = u->stream;
			u->stream = NULL;
			mrg_stream_close(stream);
			return false;
		}
		if (io == MRG_IO_EOF) {
			u->eof = true;
			break;
		}
		u->len += got;
		most -= got;
	}
	return true;
}

static void ready(void *ctx, struct mrg_stream *stream, unsigned events, uint64_t now_ns)
{
	struct raw_user *const u = stream->conn;
	(void)ctx;
	MUST(events != 0 && now_ns == raw.now_ns && u->stream == stream);
	if (raw.hold && (events & MRG_STREAM_WRITABLE) == 0) {
		mrg_stream_want(stream, 0);
		return;
	}
	if (take(u, raw.hold ? 1 : SIZE_MAX))
		mrg_stream_want(stream, u->eof ? 0 : MRG_STREAM_READABLE);
}

static bool open_user(void *ctx, struct mrg_stream *stream, uint64_t now_ns)
{
	(void)ctx;
	MUST(now_ns == raw.now_ns);
	struct raw_user *const u = &raw.user[raw.opened++ % RAW_USERS_MAX];
	if (u->stream != NULL || raw.refuse)
		return false;
	uint8_t *const got = u->got != NULL ? u->got : malloc(RAW_GOT_MAX);
	*u = (struct raw_user){ .stream = stream, .opened = true, .got = got };
	stream->conn = u;
	mrg_stream_want(stream, raw.hold ? 0 : MRG_STREAM_READABLE);
	return true;
}

static bool spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	raw.spared++;
	return false;
}

static void failed(struct mrg_tcpip_connect *t, enum mrg_net_why why, uint64_t now_ns)
{
	MUST(t == &raw.attempt && now_ns == raw.now_ns);
	raw.failed = true;
	raw.why = why;
}

void raw_users_begin(void)
{
	raw.served =
		(struct mrg_stream_user){ .ctx = &raw, .open = open_user, .ready = ready, .spare = spare };
}

void raw_read(struct raw_user *u, size_t most)
{
	(void)take(u, most);
	raw_run(0);
}

void raw_write(struct raw_user *u, struct mrg_span octets)
{
	size_t done = 0;
	MUST(mrg_stream_write(u->stream, &octets, 1, false, &done) == MRG_IO_OK && done == octets.len);
	raw_run(0);
}

void raw_finish(struct raw_user *u)
{
	mrg_stream_finish(u->stream);
	raw_run(0);
}

/* ---- connections ---- */

struct raw_user *raw_accept(const struct raw_options *o)
{
	const size_t before = raw.opened;
	static const struct raw_options none;
	raw_forget();
	SEND(.flags = SYN, .syn = o != NULL ? o : &none);
	EXPECT(SYN | ACK, 0, 1, 0);
	raw.ts = o != NULL && o->ts;
	SEND(.flags = ACK, .seq = 1, .ack = 1);
	MUST_SAY(raw.opened == before + 1u, "it was not opened");
	raw_forget();
	return &raw.user[before % RAW_USERS_MAX];
}

void raw_connect_begin(void)
{
	const struct mrg_rt_addr to = raw_addr(raw.peer, raw.peer_port);
	raw.attempt = (struct mrg_tcpip_connect){ .user = &raw.served, .failed = failed };
	raw.failed = false;
	raw_forget();
	MUST(mrg_tcpip_connect(raw.s, &raw.attempt, NULL, &to));
	raw_run(0);
	MUST(raw_waiting() == 1);
	raw.port = raw.out[raw.first % RAW_OUT_MAX].source_port;
}

struct raw_user *raw_connect(const struct raw_options *o)
{
	const size_t before = raw.opened;
	static const struct raw_options none;
	raw_connect_begin();
	EXPECT(SYN | ECE | CWR, 0, 0, 0);
	SEND(.flags = SYN | ACK, .ack = 1, .syn = o != NULL ? o : &none);
	raw.ts = o != NULL && o->ts;
	MUST_SAY(raw.opened == before + 1u, "it was not opened");
	EXPECT(ACK, 1, 1, 0);
	raw_forget();
	return &raw.user[before % RAW_USERS_MAX];
}

/* ---- counters, programs ---- */

struct wanted {
	const char *name;
	uint64_t value;
	bool found;
};

static void look(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct wanted *const w = ctx;
	if (strcmp(protocol, "tcp") != 0 || strcmp(name, w->name) != 0)
		return;
	w->value = value;
	w->found = true;
}

uint64_t raw_count(const char *name)
{
	struct wanted w = { .name = name };
	mrg_tcpip_counts(raw.s, look, &w);
	MUST_SAY(w.found, "no counter %s", name);
	return w.value;
}

void raw_must_eq(const char *file, int line, const char *what, uint64_t a, uint64_t b)
{
	if (a != b)
		ck_abort_msg(
			"%s:%d: %s is %lu, not %lu", file, line, what, (unsigned long)a, (unsigned long)b);
}

int raw_main(const char *name, const TTest *const *tests)
{
	Suite *const s = suite_create(name);
	TCase *const t = tcase_create(name);
	tcase_set_timeout(t, 120);
	for (; *tests != NULL; tests++)
		tcase_add_test(t, *tests);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed_count = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_count != 0;
}
