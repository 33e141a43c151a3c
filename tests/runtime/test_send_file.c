/*
 * runtime/unix: what a stream of a kernel socket sends, from memory and from files.
 *
 * One connection on loopback; the tests call the stream's operations themselves and read at the other end.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/faulty.h"
#include "unix/mrg_unix_tree.h"

enum { LEN = 300000 };

static struct mrg_arena arena;
static struct mrg_unix_loop loop;
static struct mrg_unix_listener listener;
static struct mrg_stream *stream;
static int peer;
static uint8_t content[LEN];
static struct mrg_unix_file file;

static bool opened(void *ctx, struct mrg_stream *s, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	stream = s;
	return true;
}

static bool none_to_spare(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return false;
}

static bool until_open(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
	return stream == NULL;
}

/* A connection, and a file of LEN octets. */
static void start(void)
{
	static const struct mrg_stream_user user = { .open = opened, .spare = none_to_spare };
	const struct mrg_unix_limits limits = { .conn_count = 2, .dgram_in_max = 512, .dgram_out_max = 512 };
	const struct mrg_unix_turn turn = { .turn = until_open };
	const struct timeval patience = { .tv_sec = 10 };
	struct mrg_rt_addr bound = { .family = 4, .ip = { 127, 0, 0, 1 } };
	int fd;
	memset(&faulty, 0, sizeof faulty);
	stream = NULL;
	ck_assert_int_eq(mrg_unix_arena_open(&arena, 16u << 20, 16u << 20), 0);
	ck_assert_int_eq(mrg_unix_tcp_listen(&bound, false, &fd), 0);
	ck_assert_int_eq(mrg_unix_loop_init(&loop, &faulty_sys, &arena, &limits), 0);
	ck_assert_int_eq(mrg_unix_listener_init(&listener, &loop, fd, &user), 0);
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(bound.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	peer = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	ck_assert_int_eq(connect(peer, (const struct sockaddr *)&to, sizeof to), 0);
	ck_assert_int_eq(mrg_unix_loop_run(&loop, &turn), 0);
	for (size_t i = 0; i < LEN; i++)
		content[i] = (uint8_t)(i ^ (i >> 7) ^ (i >> 13));
	file = (struct mrg_unix_file){ .file = { .size = LEN }, .fd = memfd_create("content", MFD_CLOEXEC) };
	ck_assert_int_eq(write(file.fd, content, LEN), LEN);
}

static void stop(void)
{
	mrg_stream_close(stream);
	mrg_unix_listener_close(&listener);
	mrg_unix_loop_close(&loop);
	mrg_unix_arena_close(&arena);
	(void)close(peer);
	(void)close(file.fd);
}

static void expect(const uint8_t *p, size_t len)
{
	static uint8_t got[LEN];
	ck_assert_int_eq(recv(peer, got, len, MSG_WAITALL), (ssize_t)len);
	ck_assert_mem_eq(got, p, len);
}

/* Room in the socket comes about when the peer has read, but not at the same moment. */
static void wait_writable(void)
{
	struct pollfd p = { .fd = faulty.accepted, .events = POLLOUT };
	ck_assert_int_eq(poll(&p, 1, 10000), 1);
}

/* Send the file from `from` to `to`, the peer reading whatever has been taken. */
static void send_all(const struct mrg_rt_file *f, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t done = 0;
		wait_writable();
		const enum mrg_io io = mrg_stream_send_file(stream, f, from, to - from, &done);
		ck_assert_int_eq(io, MRG_IO_OK);
		ck_assert_uint_ge(done, 1);
		ck_assert_uint_le(done, to - from);
		expect(content + from, done);
		from += done;
	}
}

START_TEST(parts_of_a_file)
{
	start();
	send_all(&file.file, 0, LEN);
	send_all(&file.file, LEN - 1, LEN);
	send_all(&file.file, 1234, 2345);
	faulty.sendfile.most = 1000;
	send_all(&file.file, 0, LEN);
	stop();
}
END_TEST

START_TEST(no_more_than_the_file_had)
{
	size_t done = 77;
	start();
	ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, LEN, 1, &done), MRG_IO_EOF);
	ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, UINT64_MAX, UINT64_MAX, &done), MRG_IO_EOF);
	ck_assert_uint_eq(faulty.sendfile.calls, 0);
	ck_assert_int_eq(ftruncate(file.fd, LEN + 5), 0); /* what was put behind it later is not sent */
	ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, LEN - 3, UINT64_MAX, &done), MRG_IO_OK);
	ck_assert_uint_eq(done, 3);
	expect(content + LEN - 3, 3);
	stop();
}
END_TEST

START_TEST(a_file_that_becomes_shorter)
{
	size_t done = 77;
	start();
	send_all(&file.file, 0, 1000);
	ck_assert_int_eq(ftruncate(file.fd, 1500), 0);
	send_all(&file.file, 1000, 1500);
	ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, 1500, 1, &done), MRG_IO_EOF);
	ck_assert_uint_eq(done, 77);
	stop();
}
END_TEST

START_TEST(content_in_memory)
{
	size_t done = 77;
	const struct mrg_rt_file f = { .size = LEN, .p = content };
	start();
	faulty.sendmsg.most = 1000;
	send_all(&f, 0, LEN);
	ck_assert_int_eq(mrg_stream_send_file(stream, &f, LEN, 1, &done), MRG_IO_EOF);
	ck_assert_int_eq(mrg_stream_send_file(stream, &f, UINT64_MAX, 1, &done), MRG_IO_EOF);
	ck_assert_int_eq(mrg_stream_send_file(stream, &f, LEN - 3, UINT64_MAX, &done), MRG_IO_OK);
	ck_assert_uint_eq(done, 3);
	ck_assert_uint_eq(faulty.sendfile.calls, 0);
	stop();
}
END_TEST

START_TEST(sending_fails)
{
	static const int again[] = { EAGAIN, EINTR, ENOBUFS, ENOMEM },
			 gone[] = { EPIPE, ECONNRESET, EIO, EINVAL, EOVERFLOW };
	size_t done = 77;
	start();
	for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
		faulty.sendfile = (struct faulty){ .count = 1, .err = again[i] };
		ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, 0, LEN, &done), MRG_IO_AGAIN);
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		faulty.sendfile = (struct faulty){ .count = 1, .err = gone[i] };
		ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, 0, LEN, &done), MRG_IO_RESET);
	}
	ck_assert_uint_eq(done, 77);
	stop();
}
END_TEST

START_TEST(a_peer_that_is_gone)
{
	size_t done;
	enum mrg_io io = MRG_IO_OK;
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	(void)signal(SIGPIPE, SIG_IGN);
	start();
	ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
	(void)close(peer);
	for (unsigned i = 0; i < 100 && io == MRG_IO_OK; i++)
		io = mrg_stream_send_file(stream, &file.file, 0, LEN, &done);
	ck_assert_int_eq(io, MRG_IO_RESET);
	stop();
}
END_TEST

/* When the peer does not read, the socket is full at some time; nothing is lost or sent twice. */
START_TEST(a_full_socket)
{
	const int small = 4096;
	uint64_t from = 0;
	size_t done = 0;
	enum mrg_io io = MRG_IO_OK;
	start();
	ck_assert_int_eq(setsockopt(faulty.accepted, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	while (from < LEN) {
		io = mrg_stream_send_file(stream, &file.file, from, LEN - from, &done);
		if (io != MRG_IO_OK)
			break;
		from += done;
	}
	ck_assert_int_eq(io, MRG_IO_AGAIN);
	expect(content, from);
	send_all(&file.file, from, LEN);
	stop();
}
END_TEST

/* From a folder's tree, by descriptor and from memory, removed before it is sent. */
START_TEST(a_file_that_is_gone)
{
	static struct mrg_unix_tree tree;
	static const char *const names[] = { "large", "small" };
	static const size_t len[] = { LEN, 5000 };
	char folder[] = "/tmp/mrg-send-XXXXXX";
	struct mrg_arena memory;
	const size_t room = mrg_unix_tree_memory(&mrg_unix_tree_usual);
	start();
	ck_assert_int_eq(mrg_unix_arena_open(&memory, room, room), 0);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(
		mrg_unix_tree_open(&tree, &mrg_unix_tree_kernel, &memory, folder, &mrg_unix_tree_usual), 0);
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < 2; i++) {
		struct mrg_rt_file *f = NULL;
		const struct mrg_span path = { (const uint8_t *)names[i], strlen(names[i]) };
		const int fd = open(names[i], O_WRONLY | O_CREAT, 0644);
		ck_assert_int_eq(write(fd, content, len[i]), (ssize_t)len[i]);
		(void)close(fd);
		ck_assert_int_eq(mrg_rt_tree_open(&tree.tree, path, 1, &f), MRG_RT_FILE);
		ck_assert((f->p == NULL) == (i == 0));
		ck_assert_int_eq(unlink(names[i]), 0);
		send_all(f, 0, f->size);
		mrg_rt_tree_close(&tree.tree, f);
	}
	mrg_unix_tree_close(&tree);
	ck_assert_int_eq(rmdir(folder), 0);
	mrg_unix_arena_close(&memory);
	stop();
}
END_TEST

START_TEST(more_that_follows)
{
	const struct mrg_span head = { content, 100 };
	const struct mrg_rt_file f = { .size = LEN, .p = content };
	size_t done = 0;
	start();
	ck_assert_int_eq(mrg_stream_write(stream, &head, 1, true, &done), MRG_IO_OK);
	ck_assert(faulty.more);
	ck_assert_int_eq(mrg_stream_send_file(stream, &file.file, 100, 50, &done), MRG_IO_OK);
	expect(content, 150);
	ck_assert_int_eq(mrg_stream_write(stream, &head, 1, false, &done), MRG_IO_OK);
	ck_assert(!faulty.more);
	expect(content, 100);
	ck_assert_int_eq(mrg_stream_write(stream, &head, 1, true, &done), MRG_IO_OK);
	ck_assert_int_eq(mrg_stream_send_file(stream, &f, 100, 50, &done), MRG_IO_OK);
	ck_assert(!faulty.more);
	expect(content, 150);
	stop();
}
END_TEST

/* Answers that follow each other do not wait for the acknowledgement of those before: the listener passes it on. */
START_TEST(connections_send_at_once)
{
	int on = 0;
	socklen_t len = sizeof on;
	start();
	ck_assert_int_eq(getsockopt(faulty.accepted, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	ck_assert_int_ne(on, 0);
	stop();
}
END_TEST

START_TEST(the_peer_of_a_stream)
{
	struct sockaddr_in own;
	socklen_t len = sizeof own;
	struct mrg_rt_addr a;
	start();
	ck_assert_int_eq(getsockname(peer, (struct sockaddr *)&own, &len), 0);
	mrg_stream_peer(stream, &a);
	ck_assert_uint_eq(a.family, 4);
	ck_assert_uint_eq(a.port, ntohs(own.sin_port));
	stop();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("runtime/unix sending");
	TCase *const t = tcase_create("send");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, parts_of_a_file);
	tcase_add_test(t, no_more_than_the_file_had);
	tcase_add_test(t, a_file_that_becomes_shorter);
	tcase_add_test(t, content_in_memory);
	tcase_add_test(t, sending_fails);
	tcase_add_test(t, a_peer_that_is_gone);
	tcase_add_test(t, a_full_socket);
	tcase_add_test(t, a_file_that_is_gone);
	tcase_add_test(t, more_that_follows);
	tcase_add_test(t, connections_send_at_once);
	tcase_add_test(t, the_peer_of_a_stream);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
