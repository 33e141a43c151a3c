/*
 * runtime/vm: the driver of a network card against a host that keeps to the rules, and against one that says what makes no sense: how it
 * starts, and frames that come. What a host does that wants harm is in test_hostile.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/vm/card_kit.h"

/* ---- the beginning ---- */

START_TEST(a_card_starts)
{
	static const uint8_t own[6] = { 2, 0, 0, 0, 0, 0 };
	card_start(ALL);
	ck_assert(fake.card[0].started && !card_net.gone && card_net.failed == NULL);
	ck_assert_uint_eq(fake.card[0].size[FAKE_RX], QUEUE);
	ck_assert_uint_eq(fake.card[0].size[FAKE_TX], QUEUE);
	ck_assert_uint_eq(fake_avail_index(0, FAKE_RX), QUEUE);
	ck_assert_uint_eq(fake.card[0].kicks[FAKE_RX], 1);
	ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 0);
	ck_assert_int_eq(memcmp(card_net.link.address, own, 6), 0);
	ck_assert_uint_eq(card_net.link.mtu, 1500);
	ck_assert(card_net.link.sums);
	ck_assert_uint_eq(card_net.link.cut_max, LONGEST);
	ck_assert_uint_le(card_arena.len, card_arena.cap);
	fake_end();
}
END_TEST

START_TEST(what_is_not_agreed_on_is_not_used)
{
	card_start(PLAIN);
	ck_assert_int_eq(memcmp(card_net.link.address, card_made_mac, 6), 0);
	ck_assert(!card_net.link.sums && card_net.link.cut_max == 0);
	fake_end();
	card_start(F(CSUM) | F(HOST_TSO4)); /* both kinds or none */
	ck_assert(card_net.link.sums && card_net.link.cut_max == 0);
	fake_end();
	card_start(F(HOST_TSO4) | F(HOST_TSO6)); /* which hang on CSUM */
	ck_assert(!card_net.link.sums && card_net.link.cut_max == 0);
	fake_end();
	card_start_with(ALL, &vm_net_small);
	ck_assert_uint_eq(card_net.link.cut_max, (128u << 10) / 4u - FAKE_HEADER);
	fake_end();
}
END_TEST

static bool tried(void)
{
	card_arena = fake_arena(vm_net_memory(&vm_net_usual));
	const bool good =
		vm_net_init(&card_net, &card_arena, &fake_calls, &fake.boot, 0, &vm_net_usual, card_made_mac);
	ck_assert(good == !card_net.gone && good == (card_net.failed == NULL));
	return good;
}

START_TEST(addresses_that_are_none)
{
	static const uint8_t group[6] = { 3, 0, 0, 0, 0, 1 }, nobody[6] = { 0 };
	const uint8_t *const all[] = { group, nobody };
	for (size_t i = 0; i < 2; i++) {
		fake_begin(MEMORY, ALL, 0);
		memcpy(fake.boot.device[0].config, all[i], 6);
		ck_assert(tried());
		ck_assert_int_eq(memcmp(card_net.link.address, card_made_mac, 6), 0);
		fake_end();
	}
	fake_begin(MEMORY, ALL, 0);
	fake.boot.device[0].config_len = 5;
	ck_assert(!tried());
	fake_end();
}
END_TEST

START_TEST(mtus)
{
	static const struct {
		uint16_t mtu;
		bool good;
	} all[] = { { 0, false }, { 68, false }, { 1279, false }, { 1280, true }, { 1500, true },
		{ 9000, true }, { 65535, true } };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		for (unsigned merge = 0; merge < 2; merge++) {
			fake_begin(MEMORY, merge != 0 ? ALL : MAC, 0);
			fake_mtu(0, all[i].mtu);
			ck_assert(tried() == all[i].good);
			if (all[i].good) {
				ck_assert_uint_eq(card_net.link.mtu, all[i].mtu);
				card_net.link.user =
					(struct mrg_link_user){ .ctx = &card_net, .frames = card_frames };
				card_give(&card_plain, 1, 14u + all[i].mtu);
				card_poll_all();
				card_must_have_come(1, 14u + all[i].mtu);
			}
			fake_end();
		}
	}
	fake_begin(MEMORY, ALL, 0);
	fake_mtu(0, 1500);
	fake.boot.device[0].config_len = 11;
	ck_assert(!tried());
	fake_end();
}
END_TEST

START_TEST(cards_that_are_none)
{
	for (unsigned i = 0; i < 8; i++) {
		fake_begin(MEMORY, ALL, 0);
		struct vm_device *const d = &fake.boot.device[0];
		d->kind = i == 0 ? VM_KIND_CONSOLE : VM_KIND_NET;
		d->queue_count = i == 1 ? 1 : 2;
		d->queue_size_max[FAKE_RX] = i == 2 ? 0 : 256;
		d->queue_size_max[FAKE_TX] = i == 3 ? 0 : 256;
		fake.card[0].refuse_queue = i == 4;
		fake.card[0].refuse_start = i == 5;
		fake.boot.device_count = i == 6 ? 0 : 2;
		ck_assert(tried() == (i == 7));
		if (i != 7) {
			ck_assert_int_eq(card_send_frame(1, 60, NULL), MRG_IO_RESET);
			ck_assert(!vm_net_poll(&card_net, 1));
			vm_net_flush(&card_net);
			ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], 0);
		}
		fake_end();
	}
}
END_TEST

START_TEST(sizes_of_queues)
{
	static const uint16_t max[] = { 1, 2, 3, 100, 256, 1024, 65535 };
	static const uint16_t size[] = { 1, 2, 2, 64, 256, 256, 256 };
	for (size_t i = 0; i < sizeof max / sizeof max[0]; i++) {
		fake_begin(MEMORY, ALL, 0);
		fake.boot.device[0].queue_size_max[FAKE_RX] = max[i];
		fake.boot.device[0].queue_size_max[FAKE_TX] = max[i];
		ck_assert(tried());
		ck_assert_uint_eq(fake.card[0].size[FAKE_RX], size[i]);
		card_net.link.user = (struct mrg_link_user){ .ctx = &card_net, .frames = card_frames };
		for (unsigned k = 0; k < 5; k++) {
			card_give(&card_plain, 1, 60);
			card_poll_all();
			card_must_have_come(1, 60);
			ck_assert_int_eq(card_send_frame(2, 60, NULL), MRG_IO_OK);
			card_must_have_gone(2, 60);
		}
		fake_end();
	}
}
END_TEST

START_TEST(an_arena_may_be_too_small)
{
	const size_t need = vm_net_memory(&vm_net_usual);
	size_t good = 0;
	for (size_t len = 0; len <= need; len += need / 64) {
		fake_begin(MEMORY, ALL, 0);
		card_arena = fake_arena(len);
		good += vm_net_init(
			&card_net, &card_arena, &fake_calls, &fake.boot, 0, &vm_net_usual, card_made_mac);
		fake_end();
	}
	ck_assert_uint_le(good, 3);
	fake_begin(MEMORY, ALL, 0);
	ck_assert(tried());
	fake_end();
}
END_TEST

/* ---- frames that come ---- */

static const uint64_t sets[] = { PLAIN, MAC | EVENT_IDX, MAC | SUMS, MAC | F(MRG_RXBUF), MAC | TSO, ALL,
	ALL & ~EVENT_IDX };
enum { SETS = sizeof sets / sizeof sets[0] };

START_TEST(frames_come_whole)
{
	static const size_t lens[] = { 14, 15, 60, 1514, 2036, 2037, 9014, LONGEST };
	for (size_t s = 0; s < SETS; s++) {
		const size_t longest = (sets[s] & F(MRG_RXBUF)) != 0 ? LONGEST : 2036;
		size_t bytes = 0, count = 0;
		card_start(sets[s]);
		memcpy(card_net.link.address, "\2\0\0\0\0\0", 6);
		for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
			if (lens[i] > longest)
				continue;
			card_give(&card_plain, (uint8_t)i, lens[i]);
			card_poll_all();
			card_must_have_come((uint8_t)i, lens[i]);
			bytes += lens[i];
			count++;
		}
		ck_assert_uint_eq(card_handled, count);
		ck_assert_uint_eq(card_net.counts.frames_in, count);
		ck_assert_uint_eq(card_net.counts.bytes_in, bytes);
		ck_assert_uint_eq(card_net.counts.joined_in, 0);
		fake_end();
	}
}
END_TEST

START_TEST(rings_wrap)
{
	for (size_t s = 0; s < SETS; s++) {
		const size_t longest = (sets[s] & F(MRG_RXBUF)) != 0 ? LONGEST : 2036;
		card_start(sets[s]);
		memcpy(card_net.link.address, "\2\0\0\0\0\0", 6);
		any_begin(s);
		for (unsigned i = 0; i < 3000; i++) {
			const size_t most = any(8) == 0 ? longest : 1514;
			const size_t len = 14 + any((unsigned)most - 13u);
			card_give(&card_plain, (uint8_t)i, len);
			card_poll_all();
			card_must_have_come((uint8_t)i, len);
		}
		ck_assert_uint_eq(card_handled, 3000);
		ck_assert_uint_eq(card_net.counts.frames_in, 3000);
		/* in one piece, but where the ring ends; and with no more than one buffer, always */
		ck_assert_uint_le(card_net.counts.copied_in, 3000 / 8);
		ck_assert((card_net.counts.copied_in != 0) == ((sets[s] & F(MRG_RXBUF)) != 0));
		ck_assert_uint_eq(card_net.rx.counts.bad_id + card_net.rx.counts.bad_index, 0);
		fake_end();
	}
}
END_TEST

START_TEST(bursts_are_bounded_and_full_rings_wait)
{
	card_start(ALL);
	unsigned given = 0;
	while (fake_give(0, &card_plain, card_make((uint8_t)given, 60)))
		given++;
	ck_assert_uint_eq(given, QUEUE);
	fake_publish(0, FAKE_RX);
	ck_assert(vm_net_poll(&card_net, fake.now_ns));
	ck_assert_uint_eq(card_handled, VM_NET_BURST);
	ck_assert(fake_give(
		0, &card_plain, card_make((uint8_t)given, 60))); /* what was handled is free again */
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_handled, QUEUE + 1);
	ck_assert_uint_eq(card_biggest, VM_NET_BURST);
	card_must_have_come((uint8_t)given, 60);
	ck_assert(!vm_net_poll(&card_net, fake.now_ns));
	fake_end();
}
END_TEST

/* Buffers come back in another order than they were given: frames of several have to be put together, one in a burst. */
START_TEST(buffers_out_of_order)
{
	uint16_t id[QUEUE];
	uint8_t *p[QUEUE];
	uint32_t room;
	card_start(ALL);
	for (size_t i = 0; i < QUEUE; i++)
		MUST(fake_next(0, FAKE_RX, &id[i], &p[i], &room));
	for (size_t i = 0; i < QUEUE; i += 2) {
		const struct mrg_virtio_net_header_args h = { .num_buffers = 2 };
		const struct mrg_span frame = card_make((uint8_t)i, 3000);
		struct mrg_w w;
		mrg_w_init(&w, p[i + 1], FAKE_HEADER);
		mrg_virtio_net_header_put(&w, &h);
		memcpy(p[i + 1] + FAKE_HEADER, frame.p, 2036);
		memcpy(p[i], frame.p + 2036, 3000 - 2036);
		fake_put_used(0, FAKE_RX, id[i + 1], 2048);
		fake_put_used(0, FAKE_RX, id[i], 3000 - 2036);
	}
	fake_publish(0, FAKE_RX);
	for (size_t i = 0; i < QUEUE; i += 2) {
		ck_assert(vm_net_poll(&card_net, fake.now_ns));
		ck_assert_uint_eq(card_handled, i / 2 + 1);
		card_must_have_come((uint8_t)i, 3000);
	}
	ck_assert(!vm_net_poll(&card_net, fake.now_ns));
	ck_assert_uint_eq(card_net.counts.copied_in, QUEUE / 2);
	for (unsigned i = 0; i < 500; i++) { /* and it goes on */
		card_give(&card_plain, (uint8_t)i, 5000);
		card_poll_all();
		card_must_have_come((uint8_t)i, 5000);
	}
	fake_end();
}
END_TEST

START_TEST(others_frames_are_not_handed_on)
{
	uint8_t to_other[60] = { 2, 0, 0, 0, 0, 7 };
	uint8_t to_all[60], to_group[60] = { 0x33 };
	memset(to_all, 0xff, sizeof to_all);
	card_start(ALL);
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_other, 60 }));
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_all, 13 }));
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_all, 0 }));
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_all, 60 }));
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_group, 60 }));
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_handled, 2);
	ck_assert_uint_eq(card_last_bytes[0], 0x33);
	ck_assert_uint_eq(card_net.counts.foreign_in, 1);
	ck_assert_uint_eq(card_net.counts.short_in, 2);
	card_net.promiscuous = true;
	MUST(fake_give(0, &card_plain, (struct mrg_span){ to_other, 60 }));
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_handled, 3);
	card_net.link.user.frames = NULL; /* without a user they are lost, and the buffers are not */
	for (unsigned i = 0; i < 3 * QUEUE; i++) {
		card_give(&card_plain, 0, 60);
		card_poll_all();
	}
	ck_assert_uint_eq(card_net.counts.frames_in, 3 + 3 * QUEUE);
	fake_end();
}
END_TEST

/* ---- headers ---- */

START_TEST(a_header_says_what_was_done)
{
	card_start(ALL);
	card_give(&card_plain, 0, 100);
	card_poll_all();
	ck_assert(!card_last.work.sum_ok && card_last.work.sum_at == 0 &&
		  card_last.work.cut == MRG_FRAME_WHOLE);
	card_give(&(struct mrg_virtio_net_header_args){ .flags = MRG_VIRTIO_NET_DATA_VALID }, 0, 100);
	card_poll_all();
	ck_assert(card_last.work.sum_ok && card_last.work.sum_at == 0);
	card_give(
		&(struct mrg_virtio_net_header_args){
			.flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16 },
		0, 100);
	card_poll_all();
	ck_assert(card_last.work.sum_ok && card_last.work.sum_from == 34 && card_last.work.sum_at == 50);
	card_give(&(struct mrg_virtio_net_header_args){ .flags = MRG_VIRTIO_NET_NEEDS_CSUM,
			  .gso_type = MRG_VIRTIO_NET_GSO_TCPV4 | MRG_VIRTIO_NET_GSO_ECN,
			  .gso_size = 1448,
			  .csum_start = 34,
			  .csum_offset = 16 },
		0, 40000);
	card_poll_all();
	ck_assert(card_last.len == 40000 && card_last.work.cut == MRG_FRAME_TCP4 &&
		  card_last.work.segment_len == 1448);
	card_give(&(struct mrg_virtio_net_header_args){ .gso_type = MRG_VIRTIO_NET_GSO_TCPV6,
			  .gso_size = 1428 },
		0, 40000);
	card_poll_all();
	ck_assert(!card_last.work.sum_ok && card_last.work.cut == MRG_FRAME_TCP6 &&
		  card_last.work.segment_len == 1428);
	ck_assert_uint_eq(card_net.counts.joined_in, 2);
	ck_assert_uint_eq(card_net.counts.bad_header, 0);
	fake_end();
}
END_TEST

START_TEST(headers_that_lie)
{
	static const struct {
		struct mrg_virtio_net_header_args h;
		bool with_all, with_none; /* taken with all features, with none */
	} all[] = {
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 14, .csum_offset = 84 }, true, false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 14, .csum_offset = 85 }, false, false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 13, .csum_offset = 2 }, false, false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 0, .csum_offset = 0 }, false, false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 99, .csum_offset = 0 }, false, false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535 }, false,
			false },
		{ { .flags = MRG_VIRTIO_NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 65535 }, false,
			false },
		{ { .flags = MRG_VIRTIO_NET_DATA_VALID, .csum_start = 65535, .csum_offset = 65535 }, true,
			true },
		{ { .flags = 0xfc }, true, true }, /* flags that are not known */
		{ { .gso_type = MRG_VIRTIO_NET_GSO_TCPV4, .gso_size = 1 }, true, false },
		{ { .gso_type = MRG_VIRTIO_NET_GSO_TCPV6, .gso_size = 65535 }, true, false },
		{ { .gso_type = MRG_VIRTIO_NET_GSO_UDP, .gso_size = 1 }, false, false },
		{ { .gso_type = MRG_VIRTIO_NET_GSO_UDP_L4, .gso_size = 1 }, false, false },
		{ { .gso_type = 2, .gso_size = 1 }, false, false },
		{ { .gso_type = 0x7f, .gso_size = 1 }, false, false },
		{ { .gso_type = MRG_VIRTIO_NET_GSO_ECN, .gso_size = 1 }, true, true },
		{ { .hdr_len = 65535, .gso_size = 65535 }, true, true },
	};
	const size_t count = sizeof all / sizeof all[0];
	for (unsigned none = 0; none < 2; none++) {
		uint64_t taken = 0;
		card_start(none != 0 ? MAC : ALL);
		for (size_t i = 0; i < count; i++) {
			card_give(&all[i].h, 0, 100);
			card_poll_all();
			taken += none != 0 ? all[i].with_none : all[i].with_all;
			MUST_SAY(card_handled == taken && card_net.counts.bad_header == i + 1 - taken,
				"header %zu of set %u", i, none);
			MUST(none == 0 || !card_last.work.sum_ok);
		}
		for (unsigned i = 0; i < 2 * QUEUE; i++) { /* no buffer was lost */
			card_give(&card_plain, 0, 60);
			card_poll_all();
		}
		ck_assert_uint_eq(card_net.counts.frames_in, taken + 2 * QUEUE);
		fake_end();
	}
}
END_TEST

/* A kind of segments without a length of them, which no builder writes. */
START_TEST(segments_without_a_length)
{
	uint16_t id;
	uint8_t *p;
	uint32_t room;
	card_start(ALL);
	MUST(fake_next(0, FAKE_RX, &id, &p, &room));
	memset(p, 0, FAKE_HEADER);
	p[1] = MRG_VIRTIO_NET_GSO_TCPV4;
	p[10] = 1;
	fake_put_used(0, FAKE_RX, id, 100);
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_handled, 0);
	ck_assert_uint_eq(card_net.counts.bad_header, 1);
	fake_end();
}
END_TEST

/* num_buffers says 0, more than there are, or more than came; then lengths of what comes behind. */
START_TEST(buffers_that_lie)
{
	static const struct {
		uint16_t said, came;
		uint32_t len;
	} all[] = { { 0, 1, 100 }, { 2, 1, 100 }, { 257, 1, 100 }, { 65535, 3, 100 }, { 2, 2, 0 },
		{ 2, 2, 2049 }, { 3, 3, UINT32_MAX }, { 40, 40, 2048 } };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		card_start(ALL);
		for (uint16_t k = 0; k < all[i].came; k++) {
			uint16_t id;
			uint8_t *p;
			uint32_t room;
			MUST(fake_next(0, FAKE_RX, &id, &p, &room));
			memset(p, 0, FAKE_HEADER);
			p[10] = (uint8_t)all[i].said;
			p[11] = (uint8_t)(all[i].said >> 8);
			fake_put_used(0, FAKE_RX, id, k == 0 ? 2048 : all[i].len);
		}
		fake_publish(0, FAKE_RX);
		card_poll_all();
		MUST_SAY(card_net.counts.bad_merge >= 1 && card_handled == 0, "case %zu", i);
		for (unsigned k = 0; k < 2 * QUEUE; k++) {
			card_give(&card_plain, 0, 60);
			card_poll_all();
		}
		ck_assert_uint_eq(card_handled, 2 * QUEUE);
		ck_assert(!card_net.gone);
		fake_end();
	}
}
END_TEST

/* ---- rings that lie ---- */

START_TEST(ids_and_lengths_that_lie)
{
	static const uint32_t ids[] = { QUEUE, QUEUE + 1, 32767, 32768, 65536, 0x10000000, UINT32_MAX };
	static const uint32_t lens[] = { 2049, 65536, 0x80000000, UINT32_MAX };
	uint16_t id;
	uint8_t *p;
	uint32_t room;
	card_start(ALL);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		fake_put_used(0, FAKE_RX, ids[i], 100);
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_net.rx.counts.bad_id, 7);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		MUST(fake_next(0, FAKE_RX, &id, &p, &room));
		fake_put_used(0, FAKE_RX, id, lens[i]);
	}
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_net.counts.bad_len, 4);
	for (uint32_t len = 0; len < FAKE_HEADER + 14; len++) {
		MUST(fake_next(0, FAKE_RX, &id, &p, &room));
		fake_put_used(0, FAKE_RX, id, len);
	}
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_net.counts.short_in, FAKE_HEADER + 14);
	/* the same one twice in a burst, and again in the next one, when it was not taken */
	MUST(fake_give(0, &card_plain, card_make(1, 60)));
	id = (uint16_t)((fake.card[0].seen[FAKE_RX] - 1u) % QUEUE);
	fake_put_used(0, FAKE_RX, id, 100);
	fake_publish(0, FAKE_RX);
	card_poll_all();
	ck_assert_uint_eq(card_handled, 1);
	ck_assert_uint_eq(card_net.rx.counts.bad_id, 8);
	ck_assert(!card_net.gone);
	fake_end();
}
END_TEST

START_TEST(an_index_that_jumps_ends_it)
{
	for (unsigned queue = 0; queue < 2; queue++) {
		static const uint16_t jumps[] = { QUEUE + 1, 32768, 65535 };
		for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
			card_start(ALL);
			card_give(&card_plain, 1, 60);
			card_poll_all();
			ck_assert_int_eq(card_send_frame(1, 60, NULL), MRG_IO_OK);
			card_must_have_gone(1, 60);
			ck_assert(vm_net_rest(&card_net));
			fake_put_index(0, queue, (uint16_t)(1u + jumps[i]));
			card_poll_all();
			ck_assert(vm_net_rest(&card_net));
			ck_assert(card_net.gone && card_net.failed != NULL);
			ck_assert_uint_eq(card_net.rx.counts.bad_index + card_net.tx.counts.bad_index, 1);
			const unsigned kicks = fake.card[0].kicks[FAKE_RX] + fake.card[0].kicks[FAKE_TX];
			ck_assert_int_eq(card_send_frame(1, 60, NULL), MRG_IO_RESET);
			card_poll_all();
			ck_assert_uint_eq(card_handled, 1);
			ck_assert_uint_eq(fake.card[0].kicks[FAKE_RX] + fake.card[0].kicks[FAKE_TX], kicks);
			fake_end();
		}
	}
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_net");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_card_starts);
	tcase_add_test(t, what_is_not_agreed_on_is_not_used);
	tcase_add_test(t, addresses_that_are_none);
	tcase_add_test(t, mtus);
	tcase_add_test(t, cards_that_are_none);
	tcase_add_test(t, sizes_of_queues);
	tcase_add_test(t, an_arena_may_be_too_small);
	tcase_add_test(t, frames_come_whole);
	tcase_add_test(t, rings_wrap);
	tcase_add_test(t, bursts_are_bounded_and_full_rings_wait);
	tcase_add_test(t, buffers_out_of_order);
	tcase_add_test(t, others_frames_are_not_handed_on);
	tcase_add_test(t, a_header_says_what_was_done);
	tcase_add_test(t, headers_that_lie);
	tcase_add_test(t, segments_without_a_length);
	tcase_add_test(t, buffers_that_lie);
	tcase_add_test(t, ids_and_lengths_that_lie);
	tcase_add_test(t, an_index_that_jumps_ends_it);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
