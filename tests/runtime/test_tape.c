/*
 * runtime/core/tape, pcap, runtime/unix/tape: the last frames of a link, compared with all that there ever were.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mrg_pcap.h"
#include "pcap.h"
#include "unix/mrg_unix.h"
#include "unix/mrg_unix_tape.h"

enum { CAP = 16 << 10, SNAP = 100, FRAMES = 20000, LONGEST = 70000 };

/* The link beneath: it takes or refuses, and the frames handed up. */
static struct mrg_link device;
static enum mrg_io takes;
static size_t sent, handed;
static uint64_t clock_ns;
static uint8_t memory[CAP * 2], bytes[LONGEST];
static struct mrg_arena arena;
static struct mrg_tape tape;

/* All frames that should be on the tape at some time. */
static struct {
	uint64_t at_ns;
	uint32_t len;
	uint8_t tag;
} all[FRAMES];
static size_t all_count;

/* Quicker than ck_assert, which notes each time where it is. */
#define MUST(x) ((x) ? (void)0 : ck_abort_msg("%s", #x))

static enum mrg_io device_send(
	struct mrg_link *l, const struct mrg_span *parts, size_t count, const struct mrg_frame_work *work)
{
	(void)parts;
	(void)work;
	MUST(l == &device);
	sent += count != 0;
	return takes;
}

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	MUST(ctx == &tape && now_ns == clock_ns);
	for (size_t i = 0; i < count; i++)
		memset(f[i].p, 0xee, f[i].len); /* as whoever answers in place does */
	handed += count;
}

static void start(size_t cap, uint32_t snap)
{
	static const struct mrg_link_ops ops = { .send = device_send };
	device = (struct mrg_link){ .ops = &ops, .mtu = 1400, .sums = true, .address = { 2, 1 } };
	takes = MRG_IO_OK;
	sent = handed = all_count = 0;
	clock_ns = 1000;
	arena = (struct mrg_arena){ .p = memory, .cap = sizeof memory };
	ck_assert(mrg_tape_init(&tape, &arena, &(struct mrg_tape_options){ cap, snap }, &device, &clock_ns));
	tape.link.user = (struct mrg_link_user){ .ctx = &tape, .frames = frames };
}

static void expect(uint32_t len, uint8_t tag)
{
	all[all_count].at_ns = clock_ns;
	all[all_count].len = len;
	all[all_count++].tag = tag;
}

/* The byte at `i` of a frame with that tag. */
static uint8_t byte_of(uint8_t tag, size_t i) { return (uint8_t)(tag + i * 3u); }

static void fill(uint8_t tag, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_of(tag, i);
}

static void send_one(uint32_t len, uint8_t tag, size_t cut)
{
	fill(tag, len);
	cut = cut < len ? cut : len;
	const struct mrg_span parts[] = { { bytes, cut }, { NULL, 0 }, { bytes + cut, len - cut } };
	const bool kept = takes == MRG_IO_OK;
	MUST(mrg_link_send(&tape.link, parts, 3, NULL) == takes);
	if (kept)
		expect(len, tag);
}

static void give_one(uint32_t len, uint8_t tag)
{
	fill(tag, len);
	struct mrg_frame f = { .p = bytes, .len = len, .cap = len };
	expect(len, tag);
	device.user.frames(device.user.ctx, &f, 1, clock_ns);
}

/* The tape has the end of `all`, as it was.   Returns: how many frames. */
static size_t compare(void)
{
	struct mrg_tape_at at;
	struct mrg_tape_frame f;
	size_t count = 0;
	for (mrg_tape_first(&tape, &at); mrg_tape_next(&tape, &at, &f);)
		count++;
	MUST(count <= all_count && count == tape.count && tape.seen == all_count);
	size_t i = all_count - count;
	for (mrg_tape_first(&tape, &at); mrg_tape_next(&tape, &at, &f); i++) {
		MUST(f.at_ns == all[i].at_ns && f.len == all[i].len);
		MUST(f.kept.len == (f.len < tape.snap ? f.len : tape.snap));
		for (size_t k = 0; k < f.kept.len; k++)
			MUST(f.kept.p[k] == byte_of(all[i].tag, k));
	}
	return count;
}

static uint32_t chance(uint32_t below)
{
	static uint64_t x = 88172645463325252u;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x % below);
}

START_TEST(it_is_the_link_beneath)
{
	start(CAP, SNAP);
	ck_assert_uint_eq(tape.link.mtu, 1400);
	ck_assert(tape.link.sums);
	ck_assert_int_eq(memcmp(tape.link.address, device.address, 6), 0);
	ck_assert_uint_eq(compare(), 0);
	give_one(60, 7);
	ck_assert_uint_eq(handed, 1);
	send_one(70, 8, 14);
	ck_assert_uint_eq(sent, 1);
	ck_assert_uint_eq(compare(), 2);
}
END_TEST

START_TEST(what_is_not_taken_is_not_kept)
{
	start(CAP, SNAP);
	takes = MRG_IO_AGAIN;
	send_one(70, 8, 14);
	takes = MRG_IO_RESET;
	send_one(70, 8, 14);
	ck_assert_uint_eq(sent, 2);
	ck_assert_uint_eq(compare(), 0);
}
END_TEST

/* Lengths of all kinds, so that every place in the ring is begun and ended at: the last ones are there, and as many as fit */
START_TEST(the_last_ones_are_there)
{
	static const uint32_t snaps[] = { 64, 100, 101, 1000, CAP, MRG_TAPE_SNAP_MAX };
	for (size_t s = 0; s < sizeof snaps / sizeof snaps[0]; s++) {
		start(CAP, snaps[s]);
		ck_assert_uint_le(tape.snap, CAP / 2);
		for (size_t i = 0; i < 3000; i++) {
			const uint32_t len = chance(4) == 0 ? chance(LONGEST) : chance(300);
			clock_ns += chance(3);
			if (chance(2) == 0)
				give_one(len, (uint8_t)i);
			else
				send_one(len, (uint8_t)i, chance(100));
			const size_t count = compare();
			/* no more room is left than a record in front of the end and one that was too long for it */
			MUST(count == all_count || (count + 2) * (tape.snap + 24) >= CAP);
		}
	}
}
END_TEST

START_TEST(equal_frames_fill_it)
{
	start(CAP, 64); /* records of 80 bytes: 204 of them */
	for (size_t i = 0; i < 1000; i++) {
		give_one(1500, (uint8_t)i);
		MUST(compare() == (i < 204 ? i + 1 : 204));
	}
	start(CAP, 112); /* 128 bytes: exactly 128 */
	for (size_t i = 0; i < 1000; i++) {
		give_one(1500, (uint8_t)i);
		MUST(compare() == (i < 128 ? i + 1 : 128));
	}
}
END_TEST

START_TEST(an_arena_may_be_too_small)
{
	start(CAP, SNAP);
	struct mrg_tape other;
	const struct mrg_link_user user = device.user;
	arena = (struct mrg_arena){ .p = memory, .cap = CAP - 1 };
	ck_assert(
		!mrg_tape_init(&other, &arena, &(struct mrg_tape_options){ CAP, SNAP }, &device, &clock_ns));
	ck_assert_ptr_eq(device.user.ctx, user.ctx);
}
END_TEST

/* ---- captures ---- */

/* The capture has the end of `all`. */
static void check_capture(struct mrg_span left, uint64_t ahead_ns)
{
	struct mrg_pcap_file_header header;
	struct mrg_pcap_record r;
	MUST(mrg_pcap_file_header_check(left, &header, NULL) == MRG_OK);
	MUST(mrg_pcap_file_header_nanoseconds(&header));
	MUST(mrg_pcap_file_header_link_type(&header) == 1);
	MUST(mrg_pcap_file_header_snap_len(&header) == tape.snap);
	left = (struct mrg_span){ left.p + header.len, left.len - header.len };
	for (size_t i = all_count - tape.count; i < all_count; i++) {
		MUST(mrg_pcap_record_check(left, 0, &r, NULL) == MRG_OK);
		const struct mrg_span data = mrg_pcap_record_packet_data(&r);
		const uint64_t at =
			mrg_pcap_record_seconds(&r) * MRG_RT_SECOND_NS + mrg_pcap_record_fraction(&r);
		MUST(mrg_pcap_record_original_length(&r) == all[i].len);
		MUST(data.len == (all[i].len < tape.snap ? all[i].len : tape.snap));
		MUST(data.len == 0 || data.p[data.len - 1] == byte_of(all[i].tag, data.len - 1));
		MUST(ahead_ns == 0 || at == ahead_ns + all[i].at_ns);
		left = (struct mrg_span){ left.p + r.len, left.len - r.len };
	}
	MUST(left.len == 0);
}

START_TEST(a_capture_needs_no_more_room_than_the_tape)
{
	static uint8_t out[MRG_RT_PCAP_BEGIN + CAP];
	const uint64_t ahead = UINT64_C(1700000000) * MRG_RT_SECOND_NS + 999999000;
	for (uint32_t len = 0; len < 130; len++) {
		struct mrg_w w;
		start(CAP, SNAP);
		for (size_t i = 0; i < 1500; i++, clock_ns += 17)
			give_one(len, (uint8_t)i);
		mrg_w_init(&w, out, sizeof out);
		mrg_tape_put(&tape, ahead, &w);
		ck_assert_int_eq(w.st, MRG_OK);
		check_capture(mrg_w_span(&w, 0), ahead);
	}
}
END_TEST

START_TEST(a_file_has_the_last_frames_and_nothing_else)
{
	char path[] = "/tmp/mrg-tape-XXXXXX";
	struct mrg_unix_text text;
	struct stat st;
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "before", 6), 6);
	(void)close(fd);
	start(CAP, 4000);
	ck_assert_int_eq(mrg_unix_tape_open(path, &fd), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 6); /* what it has stays until something is written */
	for (unsigned round = 0; round < 3; round++) {
		clock_ns = mrg_unix_now_ns();
		for (unsigned i = 0; i < 10; i++)
			give_one(round == 1 ? 10 : 3000 + i, (uint8_t)i);
		ck_assert_int_eq(mrg_unix_tape_write(fd, &tape), 0);
		ck_assert_int_eq(mrg_unix_text_read(&text, path), 0);
		check_capture((struct mrg_span){ text.p, text.len }, 0);
		struct mrg_pcap_record r;
		ck_assert_int_eq(mrg_pcap_record_check((struct mrg_span){ text.p + MRG_RT_PCAP_BEGIN,
							       text.len - MRG_RT_PCAP_BEGIN },
					 0, &r, NULL),
			MRG_OK);
		const uint64_t now_s = mrg_unix_time_s();
		ck_assert(
			mrg_pcap_record_seconds(&r) <= now_s + 1 && mrg_pcap_record_seconds(&r) + 60 > now_s);
		mrg_unix_text_close(&text);
	}
	(void)close(fd);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_new_file_is_not_for_others)
{
	char folder[] = "/tmp/mrg-tape-XXXXXX", path[64];
	struct stat st;
	int fd;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/new", folder);
	(void)umask(0);
	ck_assert_int_eq(mrg_unix_tape_open(path, &fd), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777u, 0600);
	(void)close(fd);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(files_that_cannot_be_had)
{
	int fd;
	ck_assert_int_eq(mrg_unix_tape_open("/nonexistent/file", &fd), ENOENT);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(mrg_unix_tape_open("/dev/null", &fd), EINVAL);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(mrg_unix_tape_open("/tmp", &fd), EISDIR);
	start(CAP, SNAP);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mrg_unix_tape_write(fd, &tape), EINVAL); /* as ftruncate has it */
	(void)close(fd);
	ck_assert_int_eq(mrg_unix_tape_write(-1, &tape), EBADF);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("tape");
	TCase *const t = tcase_create("all");
	tcase_add_test(t, it_is_the_link_beneath);
	tcase_add_test(t, what_is_not_taken_is_not_kept);
	tcase_add_test(t, the_last_ones_are_there);
	tcase_add_test(t, equal_frames_fill_it);
	tcase_add_test(t, an_arena_may_be_too_small);
	tcase_add_test(t, a_capture_needs_no_more_room_than_the_tape);
	tcase_add_test(t, a_file_has_the_last_frames_and_nothing_else);
	tcase_add_test(t, a_new_file_is_not_for_others);
	tcase_add_test(t, files_that_cannot_be_had);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
