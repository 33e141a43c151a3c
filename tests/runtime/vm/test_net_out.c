/*
 * runtime/vm: the driver of a network card: frames that go, and who tells whom.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/vm/card_kit.h"

/* ---- frames that go ---- */

START_TEST(frames_go_behind_their_header)
{
	struct mrg_virtio_net_header_fetched h;
	size_t len;
	card_start(ALL);
	ck_assert_int_eq(card_send_frame(3, 60, NULL), MRG_IO_OK);
	MUST(fake_take(0, &h, card_sent_bytes, &len));
	ck_assert_uint_eq(len, 60);
	ck_assert_int_eq(memcmp(card_sent_bytes, card_make(3, 60).p, 60), 0);
	for (size_t i = 0; i < FAKE_HEADER; i++)
		ck_assert_uint_eq(h.bytes[i], 0);
	ck_assert_int_eq(
		card_send_frame(3, 60, &(struct mrg_frame_work){ .sum_from = 34, .sum_at = 50 }), MRG_IO_OK);
	MUST(fake_take(0, &h, card_sent_bytes, &len));
	ck_assert_uint_eq(mrg_virtio_net_header_flags(&h.view), MRG_VIRTIO_NET_NEEDS_CSUM);
	ck_assert_uint_eq(mrg_virtio_net_header_csum_start(&h.view), 34);
	ck_assert_uint_eq(mrg_virtio_net_header_csum_offset(&h.view), 16);
	ck_assert_uint_eq(mrg_virtio_net_header_gso_type(&h.view), 0);
	static const enum mrg_frame_cut cuts[] = { MRG_FRAME_TCP4, MRG_FRAME_TCP6 };
	static const unsigned kinds[] = { MRG_VIRTIO_NET_GSO_TCPV4, MRG_VIRTIO_NET_GSO_TCPV6 };
	for (size_t i = 0; i < 2; i++) {
		const struct mrg_frame_work work = { .sum_from = 54,
			.sum_at = 70,
			.cut = (uint8_t)cuts[i],
			.segment_len = 1428,
			.header_len = 86 };
		ck_assert_int_eq(card_send_frame(4, LONGEST, &work), MRG_IO_OK);
		MUST(fake_take(0, &h, card_sent_bytes, &len));
		ck_assert_uint_eq(len, LONGEST);
		ck_assert_uint_eq(mrg_virtio_net_header_gso_type(&h.view), kinds[i]);
		ck_assert_uint_eq(mrg_virtio_net_header_gso_size(&h.view), 1428);
		ck_assert_uint_eq(mrg_virtio_net_header_hdr_len(&h.view), 86);
	}
	ck_assert_uint_eq(card_net.counts.frames_out, 4);
	ck_assert_uint_eq(card_net.counts.bytes_out, 120 + 2 * LONGEST);
	ck_assert_uint_eq(card_net.counts.cut_out, 2);
	ck_assert_uint_eq(card_net.counts.lost_out, 0);
	fake_end();
}
END_TEST

START_TEST(frames_that_do_not_fit_are_lost)
{
	card_start(ALL);
	ck_assert_int_eq(card_send_frame(1, LONGEST + 1, NULL), MRG_IO_AGAIN);
	const struct mrg_span huge[2] = { { card_sent_bytes, 60 }, { card_sent_bytes, SIZE_MAX } };
	ck_assert_int_eq(mrg_link_send(&card_net.link, huge, 2, NULL), MRG_IO_AGAIN);
	ck_assert_uint_eq(card_net.counts.lost_out, 2);
	for (unsigned i = 0; i < QUEUE; i++)
		ck_assert_int_eq(card_send_frame((uint8_t)i, 60, NULL), MRG_IO_OK);
	ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 0);
	ck_assert_int_eq(card_send_frame(9, 60, NULL), MRG_IO_AGAIN);
	ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 1); /* perhaps it helps */
	ck_assert_uint_eq(card_net.counts.lost_out, 3);
	for (unsigned i = 0; i < QUEUE; i++)
		card_must_have_gone((uint8_t)i, 60);
	ck_assert_int_eq(card_send_frame(9, 60, NULL), MRG_IO_OK);
	card_must_have_gone(9, 60);
	fake_end();
	/* bytes run out before descriptors do */
	card_start(ALL);
	unsigned sent = 0;
	while (card_send_frame((uint8_t)sent, LONGEST, NULL) == MRG_IO_OK)
		sent++;
	ck_assert_uint_eq(sent, 7);
	card_must_have_gone(0, LONGEST); /* the last place is too short: two make room for one */
	for (unsigned i = 1; i < 100; i++) {
		card_must_have_gone((uint8_t)i, LONGEST);
		ck_assert_int_eq(card_send_frame((uint8_t)(i + sent - 1), LONGEST, NULL), MRG_IO_OK);
	}
	fake_end();
}
END_TEST

/* Frames of all lengths, many under way, which the device is done with in any order. */
START_TEST(frames_go_in_any_order)
{
	enum { UNDER_WAY = 64 };
	struct {
		uint16_t id;
		uint8_t *p;
		uint32_t len;
		uint8_t tag;
	} way[UNDER_WAY];
	size_t count = 0;
	unsigned sent = 0, seen = 0;
	uint32_t lens[3000];
	card_start(ALL);
	any_begin(7);
	for (unsigned i = 0; i < 20000 && seen < 3000; i++) {
		const uint32_t len = 14 + any(any(4) == 0 ? 60000 : 1500);
		if (sent < 3000 && card_send_frame((uint8_t)sent, len, NULL) == MRG_IO_OK)
			lens[sent++] = len;
		while (count < UNDER_WAY &&
			fake_next(0, FAKE_TX, &way[count].id, &way[count].p, &way[count].len)) {
			MUST(way[count].len == lens[seen] + FAKE_HEADER);
			way[count++].tag = (uint8_t)seen++;
		}
		for (unsigned k = any(3); k > 0 && count != 0; k--) {
			const size_t which = any((unsigned)count);
			const size_t n = way[which].len - FAKE_HEADER;
			MUST(memcmp(way[which].p + FAKE_HEADER, card_make(way[which].tag, n).p, n) == 0);
			fake_put_used(0, FAKE_TX, way[which].id, any(UINT32_MAX));
			fake_publish(0, FAKE_TX);
			way[which] = way[--count];
		}
	}
	ck_assert_uint_eq(seen, 3000);
	ck_assert_uint_eq(card_net.tx.counts.bad_id + card_net.tx.counts.bad_index, 0);
	fake_end();
}
END_TEST

/* ---- who is told ---- */

START_TEST(a_kick_for_a_burst)
{
	for (unsigned events = 0; events < 2; events++) {
		card_start(events != 0 ? ALL : ALL & ~EVENT_IDX);
		for (unsigned i = 0; i < 10; i++)
			ck_assert_int_eq(card_send_frame((uint8_t)i, 60, NULL), MRG_IO_OK);
		ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 0);
		vm_net_flush(&card_net);
		vm_net_flush(&card_net);
		ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 1);
		for (unsigned i = 0; i < 10; i++)
			card_must_have_gone((uint8_t)i, 60);
		fake.card[0].busy[FAKE_TX] = true;
		fake_publish(0, FAKE_TX);
		for (unsigned i = 0; i < 10; i++)
			ck_assert_int_eq(card_send_frame((uint8_t)i, 60, NULL), MRG_IO_OK);
		vm_net_flush(&card_net);
		ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 1);
		fake_end();
	}
}
END_TEST

/* The device waits for a place, at every distance and across the end of the numbers: it is told exactly when that is reached. */
START_TEST(events_at_every_place)
{
	uint16_t sent = 0;
	card_start(ALL);
	any_begin(3);
	for (unsigned round = 0; round < 9000; round++) {
		const uint16_t burst = (uint16_t)(1u + any(16)), away = (uint16_t)any(24);
		const unsigned was = fake.card[0].kicks[FAKE_TX];
		fake_put_event(0, FAKE_TX, (uint16_t)(sent + away));
		for (uint16_t i = 0; i < burst; i++)
			MUST(card_send_frame(1, 60, NULL) == MRG_IO_OK);
		vm_net_flush(&card_net);
		MUST_SAY(fake.card[0].kicks[FAKE_TX] - was == (away < burst), "at %u: %u of %u", sent, away,
			burst);
		sent = (uint16_t)(sent + burst);
		for (uint16_t i = 0; i < burst; i++)
			card_must_have_gone(1, 60);
	}
	ck_assert_uint_gt(card_net.counts.frames_out, 65536);
	fake_end();
}
END_TEST

START_TEST(interrupts_only_to_leave_sleep)
{
	for (unsigned events = 0; events < 2; events++) {
		card_start(events != 0 ? ALL : ALL & ~EVENT_IDX);
		for (unsigned round = 0; round < 20000; round++) {
			const unsigned was = fake.card[0].interrupts;
			for (unsigned i = 0; i < 3; i++) {
				card_give(&card_plain, 1, 60);
				(void)vm_net_poll(&card_net, fake.now_ns);
				MUST(card_send_frame(1, 60, NULL) == MRG_IO_OK);
				card_must_have_gone(1, 60);
			}
			vm_net_flush(&card_net);
			MUST(vm_net_rest(&card_net));
			MUST_SAY(fake.card[0].interrupts == was, "round %u", round);
			card_give(&card_plain, 1, 60);
			MUST_SAY(fake.card[0].interrupts == was + 1, "round %u", round);
			vm_net_woken(&card_net);
			card_give(&card_plain, 1, 60);
			MUST(fake.card[0].interrupts == was + 1);
			MUST(!vm_net_rest(&card_net)); /* something is there: no sleep */
			card_give(&card_plain, 1, 60);
			MUST(fake.card[0].interrupts == was + 1);
			MUST(vm_net_poll(&card_net, fake.now_ns));
		}
		ck_assert_uint_eq(card_handled, 6 * 20000);
		fake_end();
	}
}
END_TEST

/* ---- figures ---- */

struct sum {
	size_t count;
	uint64_t all;
};

static void add(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	struct sum *const s = ctx;
	ck_assert_str_eq(protocol, "link");
	ck_assert_uint_ne(strlen(name), 0);
	s->count++;
	s->all += value;
}

START_TEST(figures)
{
	struct sum s = { 0, 0 };
	card_start(ALL);
	card_give(&card_plain, 1, 60);
	card_poll_all();
	vm_net_counts(&card_net, add, &s);
	ck_assert_uint_eq(s.count, 16);
	ck_assert_uint_eq(s.all, 1 + 60 + card_net.counts.kicks);
	fake_end();
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_net_out");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, frames_go_behind_their_header);
	tcase_add_test(t, frames_that_do_not_fit_are_lost);
	tcase_add_test(t, frames_go_in_any_order);
	tcase_add_test(t, a_kick_for_a_burst);
	tcase_add_test(t, events_at_every_place);
	tcase_add_test(t, interrupts_only_to_leave_sleep);
	tcase_add_test(t, figures);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
