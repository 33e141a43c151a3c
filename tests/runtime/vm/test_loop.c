/*
 * runtime/vm: the loop of ring 3, and two stacks on two cards back to back.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/protocols/tcpip/pair.h"
#include "tests/runtime/vm/fake_host.h"
#include "vm/loop.h"

#define F(name) FAKE_BIT(MRG_VIRTIO_NET_FEATURE_##name)
#define EVENT_IDX FAKE_BIT(MRG_VIRTIO_FEATURE_EVENT_IDX)
#define TSO (F(CSUM) | F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6) | F(HOST_TSO4) | F(HOST_TSO6))
#define ALL (F(MAC) | TSO | F(MRG_RXBUF) | EVENT_IDX)

static struct vm_loop loop;
static struct vm_net net[FAKE_CARDS];
static struct mrg_arena arena;
static unsigned turns, came;

/* ---- the loop ---- */

static bool some_turns(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	MUST(now_ns == loop.now_ns);
	return turns-- != 0;
}

static bool run(unsigned count)
{
	const struct vm_turn turn = { .turn = some_turns };
	turns = count;
	return vm_loop_run(&loop, &turn);
}

static void frames(void *ctx, struct mrg_frame *f, size_t count, uint64_t now_ns)
{
	const struct mrg_span part = { f->p, f->len };
	MUST(ctx == &loop && now_ns == loop.now_ns);
	came += (unsigned)count;
	MUST(mrg_link_send(&net[0].link, &part, 1, NULL) == MRG_IO_OK);
}

static bool start(uint64_t features)
{
	fake_begin(4 << 20, features, 0);
	for (size_t i = 0; i < VM_ENTROPY; i++)
		fake.boot.entropy[i] = (uint8_t)(i * 3u);
	came = 0;
	vm_loop_init(&loop, &fake_calls, &fake.boot);
	arena = fake_arena(vm_net_memory(&vm_net_usual));
	if (!vm_loop_card(&loop, &arena, &net[0], &vm_net_usual))
		return false;
	net[0].link.user = (struct mrg_link_user){ .ctx = &loop, .frames = frames };
	return true;
}

struct tick {
	struct mrg_rt_timer timer;
	uint64_t fired_ns;
};

static void fire(struct mrg_rt_timer *t, uint64_t now_ns) { ((struct tick *)(void *)t)->fired_ns = now_ns; }

START_TEST(it_sleeps_until_the_next_timer)
{
	struct tick tick = { .timer = { .fire = fire } };
	MUST(start(ALL));
	fake.now_ns = 1000;
	mrg_rt_timer_set(&loop.timers, &tick.timer, 5000);
	ck_assert(run(2)); /* the first turn looks, the second sleeps */
	ck_assert_uint_eq(tick.fired_ns, 5000);
	ck_assert_uint_eq(fake.until_ns, 5000);
	ck_assert_uint_eq(loop.now_ns, 5000);
	ck_assert(run(2));
	ck_assert_uint_eq(fake.until_ns, MRG_RT_NEVER);
	fake_end();
}
END_TEST

static unsigned pieces;

static bool one_piece(void *ctx)
{
	(void)ctx;
	MUST(fake.waits == 0);
	if (pieces == 0)
		return false;
	pieces--;
	return true;
}

START_TEST(what_can_wait_comes_before_sleep)
{
	const struct vm_turn turn = { .turn = some_turns, .idle = one_piece };
	MUST(start(ALL));
	pieces = 3;
	turns = 4; /* the first looks for frames */
	ck_assert(vm_loop_run(&loop, &turn));
	ck_assert_uint_eq(pieces, 0);
	ck_assert_uint_eq(fake.waits, 0);
	turns = 2;
	ck_assert(vm_loop_run(&loop, &turn));
	ck_assert_uint_eq(fake.waits, 1);
	fake_end();
}
END_TEST

static void give_one(struct fake_machine *m)
{
	static const uint8_t frame[60] = { 2 };
	const struct mrg_virtio_net_header_args h = { .flags = 0 };
	(void)m;
	MUST(fake_give(0, &h, (struct mrg_span){ frame, sizeof frame }));
	fake_publish(0, FAKE_RX);
}

START_TEST(frames_wake_it_and_answers_go_at_once)
{
	struct mrg_virtio_net_header_fetched h;
	static uint8_t frame[FAKE_FRAME_MAX];
	size_t len;
	MUST(start(ALL));
	fake.on_wait = give_one;
	for (unsigned i = 1; i <= 100; i++) {
		ck_assert(run(3));
		ck_assert_uint_eq(came, i);
		ck_assert_uint_eq(fake.waits, i);
		ck_assert_uint_eq(fake.card[0].interrupts, i);
		ck_assert(fake_take(0, &h, frame, &len));
		ck_assert_uint_eq(len, 60);
		ck_assert_uint_eq(fake.card[0].kicks[FAKE_TX], i);
	}
	fake_end();
}
END_TEST

START_TEST(it_looks_on_before_it_sleeps)
{
	MUST(start(ALL));
	fake.now_ns = loop.spin_ns = 1000;
	give_one(&fake);
	ck_assert(run(50));
	ck_assert_uint_eq(came, 1);
	ck_assert_uint_eq(fake.waits, 0);
	fake.now_ns += 999;
	ck_assert(run(5));
	ck_assert_uint_eq(fake.waits, 0);
	fake.now_ns++;
	ck_assert(run(5));
	ck_assert_uint_ge(fake.waits, 1);
	fake_end();
}
END_TEST

START_TEST(a_card_that_is_given_up_ends_it)
{
	MUST(start(ALL));
	fake.card[0].used[FAKE_RX] = 999;
	fake_put_index(0, FAKE_RX, 999);
	ck_assert(!run(10));
	ck_assert_ptr_nonnull(strstr(
		fake.console, "level=error event=card_gone why=\"an index of a ring that can't be\"\n"));
	fake_end();
}
END_TEST

START_TEST(which_card)
{
	fake_begin(4 << 20, ALL, ALL);
	fake.boot.device[0].kind = VM_KIND_ENTROPY;
	fake.boot.device[1].transport = VM_PCI;
	vm_loop_init(&loop, &fake_calls, &fake.boot);
	arena = fake_arena(vm_net_memory(&vm_net_usual));
	ck_assert(vm_loop_card(&loop, &arena, &net[0], &vm_net_usual));
	ck_assert_str_eq(fake.console,
		"level=info event=card device=1 by=pci features=CSUM,GUEST_CSUM,MAC,GUEST_TSO4,GUEST_TSO6,"
		"HOST_TSO4,HOST_TSO6,MRG_RXBUF,EVENT_IDX queue_in=256 queue_out=256\n");
	ck_assert(run(3));
	fake_end();
	fake_begin(4 << 20, ALL, ALL);
	fake.boot.device_count = 0;
	vm_loop_init(&loop, &fake_calls, &fake.boot);
	ck_assert(!vm_loop_card(&loop, &arena, &net[0], &vm_net_usual));
	ck_assert_ptr_nonnull(strstr(fake.console, "level=error event=no_card why="));
	ck_assert(run(3)); /* timers work without one */
	fake_end();
	fake_begin(4 << 20, ALL, ALL);
	vm_loop_init(&loop, &fake_calls, &fake.boot);
	arena = fake_arena(1000);
	ck_assert(!vm_loop_card(&loop, &arena, &net[0], &vm_net_usual));
	ck_assert_ptr_nonnull(strstr(fake.console, "level=error event=no_card why="));
	fake_end();
}
END_TEST

START_TEST(secrets_and_time)
{
	uint64_t a[4], b[4], c[4];
	MUST(start(EVENT_IDX));
	ck_assert_uint_eq(net[0].link.address[0] & 3u, 2);
	vm_secret(&fake.boot, VM_SECRET_STACK, a, 4);
	vm_secret(&fake.boot, VM_SECRET_STACK, b, 4);
	vm_secret(&fake.boot, VM_SECRET_USER, c, 4);
	ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 4; k++)
			ck_assert(a[i] != c[k] && (i == k || a[i] != a[k]));
	}
	fake.boot.entropy[31] ^= 1;
	vm_secret(&fake.boot, VM_SECRET_STACK, b, 4);
	ck_assert_uint_ne(a[0], b[0]);
	fake.boot.entropy[31] ^= 1;
	fake.boot.entropy[0] ^= 1;
	vm_secret(&fake.boot, VM_SECRET_STACK, c, 4);
	ck_assert(a[0] != c[0] && b[0] != c[0]);
	ck_assert_uint_eq(vm_loop_time_s(&loop), 0);
	fake.boot.clock.wall_ns = 1700000000 * MRG_RT_SECOND_NS;
	loop.now_ns = 5 * MRG_RT_SECOND_NS;
	ck_assert_uint_eq(vm_loop_time_s(&loop), 1700000005);
	fake_end();
}
END_TEST

/* ---- two stacks ---- */

/* A wire of the host's: what one card sends the other gets, header and all; what it has no buffers for is lost. */
static size_t carry(uint32_t from, uint32_t to)
{
	static uint8_t frame[FAKE_FRAME_MAX];
	struct mrg_virtio_net_header_fetched h;
	size_t count = 0, len;
	while (fake_take(from, &h, frame, &len)) {
		const struct mrg_virtio_net_header_args args = { .flags =
									 mrg_virtio_net_header_flags(&h.view),
			.gso_type = mrg_virtio_net_header_gso_type(&h.view),
			.hdr_len = mrg_virtio_net_header_hdr_len(&h.view),
			.gso_size = mrg_virtio_net_header_gso_size(&h.view),
			.csum_start = mrg_virtio_net_header_csum_start(&h.view),
			.csum_offset = mrg_virtio_net_header_csum_offset(&h.view) };
		(void)fake_give(to, &args, (struct mrg_span){ frame, len });
		count++;
	}
	fake_publish(to, FAKE_RX);
	return count;
}

static bool serve(struct pair *k)
{
	bool worked = carry(0, 1) != 0;
	worked = carry(1, 0) != 0 || worked;
	for (int i = 0; i < FAKE_CARDS; i++) {
		worked = vm_net_poll(&net[i], k->host[i]->now_ns) || worked;
		vm_net_flush(&net[i]);
	}
	return worked;
}

static void link_up(struct pair *k, int i)
{
	static const char *const text[] = { "10.9.0.1", "10.9.0.2" };
	const uint8_t mac[6] = { 2, 7, 7, 7, 7, (uint8_t)i };
	struct mrg_arena a = fake_arena(vm_net_memory(&vm_net_usual));
	MUST(vm_net_init(&net[i], &a, &fake_calls, &fake.boot, (uint32_t)i, &vm_net_usual, mac));
	struct mrg_tcpip_if *const on = mrg_tcpip_if_add(k->stack[i], &net[i].link);
	MUST(on != NULL && mrg_rt_addr_read(text[i], 0, &k->address[i]));
	MUST(mrg_tcpip_address_add(on, &k->address[i], 24));
}

/* Both ways at once, with this of each card's features. */
static void transfer(uint64_t features0, uint64_t features1, uint64_t size)
{
	static struct attempt a;
	memset(&a, 0, sizeof a);
	pair_reset();
	struct pair *const k =
		pair_begin(&(struct mrg_sim_options){ .way = { .delay_ns = 1000 } }, features0 ^ size, 4);
	fake_begin(8 << 20, features0, features1);
	link_up(k, 0);
	link_up(k, 1);
	struct mrg_rt_addr at = k->address[1];
	at.port = 80;
	MUST(mrg_tcpip_listen(k->stack[1], &at, &k->server) != NULL);
	k->pattern = (struct side){ .seed = 6, .size = size / 2u };
	pair_connect(k, &a, 7, size);
	const uint64_t until = mrg_sim_now(k->sim) + 60u * SECOND;
	while (!pair_both_over(k, &a) && mrg_sim_now(k->sim) < until) {
		if (!serve(k))
			pair_run(k, 100000);
	}
	pair_must_be_done(k, &a, 0);
	for (int i = 0; i < FAKE_CARDS; i++) {
		MUST(!net[i].gone &&
			net[i].rx.counts.bad_id + net[i].counts.bad_header + net[i].counts.bad_merge == 0);
		MUST(net[i].counts.bytes_out >= (i == 0 ? size : size / 2u));
		MUST((net[i].counts.cut_out != 0) == (net[i].link.cut_max != 0));
	}
	fake_end();
}

START_TEST(streams_between_two_cards)
{
	static const uint64_t sets[] = { ALL, ALL & ~EVENT_IDX, ALL & ~TSO, F(MAC) | EVENT_IDX,
		F(MAC) | F(MRG_RXBUF), F(MAC) | F(CSUM) | F(GUEST_CSUM) };
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		transfer(sets[i], sets[i], 3000000 + i);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("vm_loop");
	TCase *const t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, it_sleeps_until_the_next_timer);
	tcase_add_test(t, what_can_wait_comes_before_sleep);
	tcase_add_test(t, frames_wake_it_and_answers_go_at_once);
	tcase_add_test(t, it_looks_on_before_it_sleeps);
	tcase_add_test(t, a_card_that_is_given_up_ends_it);
	tcase_add_test(t, which_card);
	tcase_add_test(t, secrets_and_time);
	tcase_add_test(t, streams_between_two_cards);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
