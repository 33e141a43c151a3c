/*
 * protocols/tcpip/udp: RFC 768, RFC 1122 section 4.1, RFC 8200 section 8.1; IP below is a fake.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/udp.h"
#include "protocols/tcpip/fake_ip.h"
#include "protocols/tcpip/udp.c"

enum { OUT_MAX = 600, ENDS = 4, HEARD_MAX = 200 };

static const struct mrg_tcpip_limits limits = {
	.if_count = 2, .dgram_count = ENDS, .dgram_out_max = OUT_MAX
};

/* A user of an end: hears everything, and answers with the same octets, or as it is told to. */
struct hearer {
	struct mrg_dgram_user user;
	size_t batches, count, batch[HEARD_MAX];
	char text[HEARD_MAX][40];
	char peer[HEARD_MAX][MRG_RT_ADDR_TEXT_MAX];
	struct mrg_rt_addr asked; /* the last one */
	bool mute;
	size_t out_len; /* 0: as long as the question */
	void (*also)(struct hearer *h, struct mrg_dgram_end *e);
	struct mrg_tcpip_udp *bound;
};

static void hear(void *ctx, struct mrg_dgram_end *e, struct mrg_dgram *d, size_t count, uint64_t now_ns)
{
	struct hearer *const h = ctx;
	MUST(now_ns == fake.now_ns && count >= 1);
	h->batch[h->batches++ % HEARD_MAX] = count;
	for (size_t i = 0; i < count; i++) {
		struct mrg_rt_addr peer;
		const size_t at = h->count++ % HEARD_MAX, len = d[i].in.len < 39 ? d[i].in.len : 39;
		memcpy(h->text[at], d[i].in.p, len);
		h->text[at][len] = '\0';
		e->ops->peer(e, i, &peer);
		mrg_rt_addr_str(&peer, h->peer[at]);
		e->ops->asked(e, i, &h->asked);
		MUST(d[i].out_len == 0 && d[i].out_cap == OUT_MAX);
		const size_t most = d[i].in.len < OUT_MAX ? d[i].in.len : OUT_MAX;
		memset(d[i].out, 'x', OUT_MAX);
		memcpy(d[i].out, d[i].in.p, most);
		if (!h->mute)
			d[i].out_len = h->out_len != 0 ? h->out_len : most;
	}
	if (h->also != NULL)
		h->also(h, e);
}

static struct mrg_tcpip_udp *bind_at(struct hearer *h, const char *at)
{
	struct mrg_rt_addr a = fake_addr(at);
	h->user = (struct mrg_dgram_user){ .ctx = h, .batch = hear };
	h->bound = mrg_tcpip_udp_bind(&fake.stack, &a, &h->user);
	return h->bound;
}

static void ask(const char *from, const char *to, const char *text)
{
	fake_input(&(struct fake_datagram){ .from = from, .to = to, .octets = text_of(text) }, true);
}

static void done(void) { udp_burst_end(&fake.stack); }

static const struct fake_sent *last_sent(void)
{
	MUST(fake.sent_count != 0);
	return &fake.sent[(fake.sent_count - 1) % FAKE_SENT_MAX];
}

/* `from>to text` of what was sent last. */
static const char *last_text(void)
{
	static char text[400];
	char a[MRG_RT_ADDR_TEXT_MAX], b[MRG_RT_ADDR_TEXT_MAX];
	const struct fake_sent *const f = last_sent();
	struct mrg_rt_addr from, to;
	MUST(fake_sum_right(f));
	ip_to_rt(&f->from, mrg_be16(f->p), 0, &from);
	ip_to_rt(&f->to, mrg_be16(f->p + 2), 0, &to);
	snprintf(text, sizeof text, "%s>%s %.*s", mrg_rt_addr_str(&from, a), mrg_rt_addr_str(&to, b),
		(int)(f->len - 8), (const char *)f->p + 8);
	return text;
}

static uint64_t wanted;
static void pick(void *ctx, const char *protocol, const char *name, uint64_t value)
{
	MUST(strcmp(protocol, "udp") == 0);
	if (strcmp(name, ctx) == 0)
		wanted = value;
}

static uint64_t counted(const char *name)
{
	char text[40];
	wanted = UINT64_MAX;
	udp_counts(&fake.stack, pick, strcpy(text, name));
	MUST_SAY(wanted != UINT64_MAX, "%s", name);
	return wanted;
}

START_TEST(a_reply_comes_from_the_address_that_was_asked)
{
	static struct hearer four, six;
	fake_stack(&limits);
	ck_assert_ptr_nonnull(bind_at(&four, "0.0.0.0:53"));
	ck_assert_ptr_nonnull(bind_at(&six, "[::]:53"));
	ask("192.0.2.1:4000", "10.0.0.3:53", "hello");
	ck_assert_uint_eq(four.count, 0);
	done();
	ck_assert_uint_eq(four.count, 1);
	ck_assert_str_eq(four.text[0], "hello");
	ck_assert_str_eq(four.peer[0], "192.0.2.1:4000");
	ck_assert_str_eq(last_text(), "10.0.0.3:53>192.0.2.1:4000 hello");
	ck_assert_uint_eq(last_sent()->parts, 1);
	ck_assert_uint_eq(last_sent()->o.protocol, 17);
	ask("[2001:db8::9]:1", "[2001:db8::2]:53", "six");
	done();
	ck_assert_str_eq(last_text(), "[2001:db8::2]:53>[2001:db8::9]:1 six");
	ck_assert_uint_eq(four.count, 1);
	ck_assert_uint_eq(counted("in_datagrams"), 2);
	ck_assert_uint_eq(counted("out_datagrams"), 2);
	done();
	ck_assert_uint_eq(four.batches + six.batches, 2);
}
END_TEST

START_TEST(sums_are_left_to_the_link_that_completes_them)
{
	static struct hearer h;
	fake_stack(&limits);
	fake.sums = true;
	bind_at(&h, "0.0.0.0:53");
	ask("192.0.2.1:4000", "10.0.0.3:53", "hello");
	done();
	ck_assert(last_sent()->o.summed);
	ck_assert_str_eq(last_text(), "10.0.0.3:53>192.0.2.1:4000 hello");
}
END_TEST

START_TEST(a_burst_is_handed_over_at_once)
{
	static struct hearer h;
	char from[40], text[40];
	fake_stack(&limits);
	bind_at(&h, "10.0.0.2:53");
	for (int i = 0; i < 150; i++) {
		snprintf(from, sizeof from, "192.0.2.%d:%d", i % 7, 1000 + i);
		snprintf(text, sizeof text, "number %d", i);
		ask(from, "10.0.0.2:53", text);
	}
	done();
	ck_assert_uint_eq(h.batches, 3);
	ck_assert_uint_eq(h.batch[0], 64);
	ck_assert_uint_eq(h.batch[1], 64);
	ck_assert_uint_eq(h.batch[2], 22);
	ck_assert_uint_eq(fake.sent_count, 150);
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof text, "number %d", i);
		snprintf(from, sizeof from, "192.0.2.%d:%d", i % 7, 1000 + i);
		ck_assert_str_eq(h.text[i], text);
		ck_assert_str_eq(h.peer[i], from);
		MUST(fake.sent[i].len == 8 + strlen(text) &&
			memcmp(fake.sent[i].p + 8, text, strlen(text)) == 0);
		MUST(fake_sum_right(&fake.sent[i]) && mrg_be16(fake.sent[i].p + 2) == 1000 + i);
	}
	ck_assert_uint_eq(fake.finds, 7);
}
END_TEST

/* More than there is room to remember the ways of. */
START_TEST(many_peers)
{
	static struct hearer h;
	char from[40];
	fake_stack(&limits);
	bind_at(&h, "0.0.0.0:53");
	for (unsigned i = 0; i < 20000; i++) {
		const unsigned peer = i / 2 * 7919u % 5000u;
		snprintf(from, sizeof from, "192.0.%u.%u:%u", peer / 256, peer % 256, 1 + i % 60000);
		ask(from, i % 2 == 0 ? "10.0.0.3:53" : "10.0.0.2:53", "x");
		done();
		const struct ip to = fake_ip(from), us = fake_ip(i % 2 == 0 ? "10.0.0.3" : "10.0.0.2");
		MUST(ip_same(&last_sent()->to, &to) && ip_same(&last_sent()->from, &us));
		MUST(fake_sum_right(last_sent()));
	}
}
END_TEST

static void error_about(const char *from, enum ip_error_kind kind, size_t len)
{
	static uint8_t b[8];
	struct mrg_w w;
	const struct mrg_rt_addr a = fake_addr(from);
	mrg_w_init(&w, b, sizeof b);
	mrg_net_udp_header_put(&w, &(struct mrg_net_udp_header_args){
					   .source_port = a.port, .destination_port = 9, .length = 5000 });
	MUST(w.st == MRG_OK);
	fake.path_mtu = 0;
	udp_error(&fake.stack, &(struct ip_error){ .from = ip_of(&a),
				       .to = fake_ip("192.0.2.1"),
				       .kind = kind,
				       .mtu = 1300,
				       .payload = guarded((struct mrg_span){ b, len }) });
}

/* RFC 1191 section 4: only of what was sent; who guesses must guess a port */
START_TEST(errors)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "10.0.0.2:53");
	error_about("10.0.0.2:53", IP_ERROR_TOO_BIG, 8);
	ck_assert_uint_eq(fake.path_mtu, 1300);
	error_about("10.0.0.2:53", IP_ERROR_TOO_BIG, 7);
	ck_assert_uint_eq(fake.path_mtu, 0);
	error_about("10.0.0.2:54", IP_ERROR_TOO_BIG, 8);
	ck_assert_uint_eq(fake.path_mtu, 0);
	error_about("10.0.0.3:53", IP_ERROR_TOO_BIG, 8);
	ck_assert_uint_eq(fake.path_mtu, 0);
	error_about("10.0.0.2:53", IP_ERROR_HARD, 8);
	ck_assert_uint_eq(fake.path_mtu, 0);
	ck_assert_uint_eq(counted("icmp_errors"), 5);
	ck_assert_uint_eq(h.count, 0);
}
END_TEST

/* An address that is good on one link only is answered on that link. */
START_TEST(link_local_peers)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "[::]:53");
	ask("[fe80::9]:5", "[2001:db8::2]:53", "near");
	done();
	ck_assert_str_eq(h.peer[0], "[fe80::9%3]:5");
	ck_assert_uint_eq(last_sent()->only, 3);
	ask("[2001:db8::9]:5", "[2001:db8::2]:53", "far");
	done();
	ck_assert_str_eq(h.peer[1], "[2001:db8::9]:5");
	ck_assert_uint_eq(last_sent()->only, 0);
	const struct mrg_rt_addr to = fake_addr("[fe80::9%2]:5");
	struct mrg_dgram_end *const e = mrg_tcpip_udp_end(h.bound);
	ck_assert_int_eq(e->ops->send(e, NULL, &to, MRG_LITERAL("x")), MRG_IO_OK);
	ck_assert_uint_eq(last_sent()->only, 2);
}
END_TEST

/* What is answered later leaves by the address that was asked, unless that was one of many. */
START_TEST(later_replies)
{
	static struct hearer h;
	fake_stack(&limits);
	struct mrg_dgram_end *const e = mrg_tcpip_udp_end(bind_at(&h, "0.0.0.0:53"));
	const struct mrg_rt_addr to = fake_addr("192.0.2.1:7");
	ask("192.0.2.1:7", "10.0.0.3:53", "one");
	done();
	ck_assert_int_eq(e->ops->send(e, &h.asked, &to, MRG_LITERAL("later")), MRG_IO_OK);
	ck_assert_str_eq(last_text(), "10.0.0.3:53>192.0.2.1:7 later");
	fake_input(&(struct fake_datagram){ .from = "192.0.2.1:7", .to = "10.0.0.255:53", .to_many = true },
		true);
	done();
	ck_assert_uint_eq(h.count, 2);
	ck_assert_int_eq(h.asked.family, 0);
	ck_assert_int_eq(e->ops->send(e, &h.asked, &to, MRG_LITERAL("later")), MRG_IO_OK);
	ck_assert_str_eq(last_text(), "10.0.0.2:53>192.0.2.1:7 later");
}
END_TEST

START_TEST(ends_take_turns)
{
	static struct hearer a, b;
	fake_stack(&limits);
	bind_at(&a, "0.0.0.0:53");
	bind_at(&b, "0.0.0.0:54");
	ask("192.0.2.1:1", "10.0.0.2:53", "1");
	ask("192.0.2.1:1", "10.0.0.2:53", "2");
	ask("192.0.2.1:1", "10.0.0.2:54", "3");
	ck_assert_uint_eq(a.count, 2);
	ask("192.0.2.1:1", "10.0.0.2:53", "4");
	ck_assert_uint_eq(b.count, 1);
	done();
	ck_assert_uint_eq(a.count, 3);
	ck_assert_str_eq(a.text[2], "4");
	ck_assert_uint_eq(fake.sent_count, 4);
}
END_TEST

/* One datagram of eight octets to an end; whether it was taken, and how long it was then. */
static int taken_of(struct fake_datagram d)
{
	static struct hearer h;
	memset(&h, 0, sizeof h);
	fake_stack(&limits);
	bind_at(&h, strchr(d.to, '[') != NULL ? "[::]:53" : "0.0.0.0:53");
	d.octets = MRG_LITERAL("octets00");
	fake_input(&d, false);
	done();
	MUST(fake.unreachables == 0);
	MUST(h.count == counted("in_datagrams"));
	MUST(h.count + counted("in_errors") + counted("in_sum_errors") == 1);
	return h.count == 0 ? -1 : (int)strlen(h.text[0]);
}

#define V4 .from = "192.0.2.1:4000", .to = "10.0.0.2:53"
#define V6 .from = "[2001:db8::9]:4000", .to = "[2001:db8::2]:53"

START_TEST(length_0)
{
	/* taken_of's 0 is "right": 65536 is 0 in 16 bits */
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 65536 }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .length = 65536 }), -1);
}
END_TEST

START_TEST(length_7)
{
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 7 }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 7, .sum_ok = true }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 1, .sum_ok = true }), -1);
}
END_TEST

START_TEST(length_8)
{
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 8 }), 0);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .length = 8 }), 0);
}
END_TEST

START_TEST(length_more_than_ip_has)
{
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 17, .no_sum = true }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 65535, .sum_ok = true }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .cut = 1, .sum_ok = true }), -1);
}
END_TEST

START_TEST(length_less_than_ip_has)
{
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .extra = 5 }), 8);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .extra = 1 }), 8);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .length = 12 }), 4);
}
END_TEST

START_TEST(cut_everywhere)
{
	for (size_t cut = 1; cut <= 16; cut++)
		ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .cut = cut, .sum_ok = true }), -1);
}
END_TEST

START_TEST(checksum_wrong)
{
	for (unsigned off = 1; off < 65535; off = off * 2 + (off % 3 == 0))
		ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .sum_off = (uint16_t)off }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .sum_off = 1 }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .sum_off = 1, .sum_ok = true }), 8);
}
END_TEST

START_TEST(checksum_0)
{
	ck_assert_int_eq(taken_of((struct fake_datagram){ V4, .no_sum = true }), 8);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .no_sum = true }), -1);
	ck_assert_int_eq(taken_of((struct fake_datagram){ V6, .no_sum = true, .sum_ok = true }), -1);
}
END_TEST

/* RFC 768: "transmitted as all ones" */
START_TEST(checksum_ffff)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "0.0.0.0:53");
	bool met = false;
	for (unsigned v = 0; v < 65536; v++) {
		const uint8_t octets[] = { (uint8_t)(v >> 8), (uint8_t)v };
		fake_input(&(struct fake_datagram){ V4, .octets = { octets, 2 } }, true);
		done();
		MUST(fake.sent_count == v + 1);
		MUST_SAY(fake_sum_right(last_sent()), "%u", v);
		met = met || mrg_be16(last_sent()->p + 6) == 0xffff;
	}
	ck_assert(met);
	ck_assert_uint_eq(h.count, 65536);
}
END_TEST

START_TEST(nobody_listens)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "10.0.0.3:53");
	ask("192.0.2.1:4000", "10.0.0.2:53", "other address");
	ask("192.0.2.1:4000", "10.0.0.3:54", "other port");
	ask("192.0.2.1:4000", "10.0.0.3:0", "no port");
	ask("[2001:db8::9]:4000", "[2001:db8::2]:53", "other family");
	ck_assert_uint_eq(fake.unreachables, 4);
	fake_input(&(struct fake_datagram){ .from = "192.0.2.1:1", .to = "10.0.0.255:54", .to_many = true },
		true);
	ck_assert_uint_eq(fake.unreachables, 4);
	ck_assert_uint_eq(counted("no_ports"), 5);
	/* what is wrong is no reason to say anything */
	fake_input(&(struct fake_datagram){ .from = "192.0.2.1:1", .to = "10.0.0.2:54", .sum_off = 1 }, true);
	ck_assert_uint_eq(fake.unreachables, 4);
	done();
	ck_assert_uint_eq(h.count, 0);
}
END_TEST

START_TEST(an_address_of_its_own_goes_before_all)
{
	static struct hearer all, one;
	fake_stack(&limits);
	bind_at(&one, "10.0.0.2:53");
	bind_at(&all, "0.0.0.0:53");
	ask("192.0.2.1:1", "10.0.0.2:53", "one");
	ask("192.0.2.1:1", "10.0.0.3:53", "all");
	done();
	ck_assert_str_eq(one.text[0], "one");
	ck_assert_str_eq(all.text[0], "all");
	mrg_tcpip_udp_close(one.bound);
	bind_at(&one, "10.0.0.2:53");
	ask("192.0.2.1:1", "10.0.0.2:53", "again");
	done();
	ck_assert_str_eq(one.text[1], "again");
}
END_TEST

START_TEST(an_interface_of_its_own_goes_before_both)
{
	static struct hearer one, user;
	static char places[2];
	struct mrg_tcpip_if *const first = (void *)&places[0], *const second = (void *)&places[1];
	fake_stack(&limits);
	one.user = (struct mrg_dgram_user){ .ctx = &one, .batch = hear };
	ck_assert_ptr_nonnull(udp_bind_on(first, &fake.stack, 68, &one.user));
	ck_assert_ptr_null(udp_bind_on(first, &fake.stack, 68, &one.user));
	bind_at(&user, "10.0.0.2:68");
	fake_input(&(struct fake_datagram){ .from = "10.0.0.1:67", .to = "10.0.0.2:68", .on = first }, true);
	fake_input(&(struct fake_datagram){ .from = "10.0.0.1:67", .to = "10.0.0.2:68", .on = second }, true);
	fake_input(
		&(struct fake_datagram){
			.from = "10.0.0.1:67", .to = "255.255.255.255:68", .on = second, .to_many = true },
		true);
	done();
	ck_assert_uint_eq(one.count, 1);
	ck_assert_uint_eq(user.count, 1);
}
END_TEST

START_TEST(what_was_sent_to_many_is_answered_from_an_address_of_ours)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "0.0.0.0:53");
	fake_input(&(struct fake_datagram){ .from = "10.0.0.9:5",
			   .to = "10.0.0.255:53",
			   .octets = MRG_LITERAL("all"),
			   .to_many = true },
		true);
	fake_input(&(struct fake_datagram){ .from = "10.0.0.9:5",
			   .to = "224.0.0.1:53",
			   .octets = MRG_LITERAL("group"),
			   .to_many = true },
		true);
	done();
	ck_assert_uint_eq(h.count, 2);
	ck_assert_str_eq(last_text(), "10.0.0.2:53>10.0.0.9:5 group");
	/* the frame was for many, the packet for us alone */
	fake_input(&(struct fake_datagram){ .from = "10.0.0.9:5",
			   .to = "10.0.0.3:53",
			   .octets = MRG_LITERAL("us"),
			   .to_many = true },
		true);
	done();
	ck_assert_str_eq(last_text(), "10.0.0.3:53>10.0.0.9:5 us");
}
END_TEST

/* RFC 768: 0 where no reply is expected */
START_TEST(source_port_0)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "0.0.0.0:53");
	ask("192.0.2.1:0", "10.0.0.2:53", "no reply, please");
	done();
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(fake.sent_count, 0);
	ck_assert_uint_eq(counted("out_errors"), 1);
}
END_TEST

START_TEST(replies_that_can_not_be_sent)
{
	static struct hearer h;
	fake_stack(&limits);
	bind_at(&h, "0.0.0.0:53");
	h.mute = true;
	ask("192.0.2.1:1", "10.0.0.2:53", "x");
	done();
	ck_assert_uint_eq(fake.sent_count + counted("out_errors"), 0);
	h.mute = false;
	h.out_len = OUT_MAX + 1;
	ask("192.0.2.1:1", "10.0.0.2:53", "x");
	done();
	ck_assert_uint_eq(fake.sent_count, 0);
	h.out_len = OUT_MAX;
	ask("192.0.2.1:1", "10.0.0.2:53", "x");
	done();
	ck_assert_uint_eq(last_sent()->len, OUT_MAX + 8);
	ck_assert(fake_sum_right(last_sent()));
	fake.outcome = MRG_IO_AGAIN;
	ask("192.0.2.1:1", "10.0.0.2:53", "x");
	done();
	fake.outcome = MRG_IO_OK;
	fake.no_way = true;
	ask("192.0.2.2:1", "10.0.0.2:53", "x");
	done();
	ck_assert_uint_eq(counted("out_errors"), 3);
	ck_assert_uint_eq(counted("out_datagrams"), 1);
	ck_assert_uint_eq(counted("in_datagrams"), 5);
}
END_TEST

/* ---- ends ---- */

START_TEST(ports_that_are_chosen)
{
	static const struct mrg_tcpip_limits many = { .dgram_count = 3000, .dgram_out_max = 10 };
	static struct hearer h;
	static bool seen[65536];
	struct mrg_tcpip *const s = fake_stack(&many);
	unsigned next_is_near = 0;
	uint16_t before = 0;
	for (unsigned i = 0; i < many.dgram_count; i++) {
		struct mrg_rt_addr a = fake_addr(i % 2 == 0 ? "0.0.0.0" : "[::]");
		MUST(mrg_tcpip_udp_bind(s, &a, &h.user) != NULL);
		MUST(a.port >= 1024 && !seen[a.port]);
		seen[a.port] = true;
		next_is_near += (uint16_t)(a.port - before) < 100;
		before = a.port;
	}
	ck_assert_uint_lt(next_is_near, many.dgram_count / 50);
	struct mrg_rt_addr a = fake_addr("0.0.0.0");
	ck_assert_ptr_null(mrg_tcpip_udp_bind(s, &a, &h.user));
	ck_assert_uint_eq(a.port, 0);
}
END_TEST

START_TEST(the_secret_decides_on_ports)
{
	static struct hearer h;
	uint16_t port[2];
	for (unsigned i = 0; i < 2; i++) {
		struct mrg_rt_addr a = fake_addr("0.0.0.0");
		fake_stack(&limits)->world.secret[0] = i;
		MUST(mrg_tcpip_udp_bind(&fake.stack, &a, &h.user) != NULL);
		port[i] = a.port;
	}
	ck_assert_uint_ne(port[0], port[1]);
}
END_TEST

START_TEST(addresses_that_are_taken)
{
	static struct hearer h;
	fake_stack(&limits);
	ck_assert_ptr_nonnull(bind_at(&h, "0.0.0.0:53"));
	ck_assert_ptr_null(bind_at(&h, "0.0.0.0:53"));
	ck_assert_ptr_nonnull(bind_at(&h, "[::]:53"));
	ck_assert_ptr_nonnull(bind_at(&h, "10.0.0.2:53"));
	ck_assert_ptr_null(bind_at(&h, "10.0.0.2:53"));
	ck_assert_ptr_nonnull(bind_at(&h, "10.0.0.3:53"));
	struct mrg_rt_addr none = { .port = 53 };
	ck_assert_ptr_null(mrg_tcpip_udp_bind(&fake.stack, &none, &h.user));
}
END_TEST

START_TEST(ends_come_and_go)
{
	static struct hearer h[ENDS + 3];
	fake_stack(&limits);
	for (int round = 0; round < 100; round++) {
		unsigned n = 0;
		char at[40];
		/* DHCP's ends are there, too */
		for (; n < ENDS + 2; n++) {
			snprintf(at, sizeof at, "0.0.0.0:%u", 1 + n * 8 * (unsigned)(round + 1));
			ck_assert_ptr_nonnull(bind_at(&h[n], at));
		}
		ck_assert_ptr_null(bind_at(&h[n], "0.0.0.0:65535"));
		ask("192.0.2.1:1", at, "x");
		for (unsigned i = 0; i < n; i++)
			mrg_tcpip_udp_close(h[(i * 5 + (unsigned)round) % n].bound);
		done();
	}
	for (unsigned i = 0; i < ENDS + 2; i++)
		ck_assert_uint_eq(h[i].count, 0);
}
END_TEST

static void close_it(struct hearer *h, struct mrg_dgram_end *e)
{
	MUST(e == mrg_tcpip_udp_end(h->bound));
	mrg_tcpip_udp_close(h->bound);
	MUST(bind_at(h, "0.0.0.0:54") != NULL);
}

START_TEST(closed_by_who_is_asked)
{
	static struct hearer h;
	fake_stack(&limits);
	h.also = close_it;
	bind_at(&h, "0.0.0.0:53");
	ask("192.0.2.1:1", "10.0.0.2:53", "bye");
	done();
	ck_assert_str_eq(last_text(), "10.0.0.2:53>192.0.2.1:1 bye");
	ask("192.0.2.1:1", "10.0.0.2:53", "bye");
	ck_assert_uint_eq(fake.unreachables, 1);
}
END_TEST

static void ask_again(struct hearer *h, struct mrg_dgram_end *e)
{
	(void)h;
	(void)e;
	ask("192.0.2.1:1", "10.0.0.2:53", "inner");
	done();
}

START_TEST(asked_while_being_asked)
{
	static struct hearer h;
	fake_stack(&limits);
	h.also = ask_again;
	bind_at(&h, "0.0.0.0:53");
	ask("192.0.2.1:1", "10.0.0.2:53", "outer");
	done();
	done();
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(counted("in_lost"), 1);
	ck_assert_str_eq(last_text(), "10.0.0.2:53>192.0.2.1:1 outer");
}
END_TEST

START_TEST(sent_without_being_asked)
{
	static struct hearer one, any, six;
	static uint8_t long_one[65536];
	fake_stack(&limits);
	struct mrg_dgram_end *const e = mrg_tcpip_udp_end(bind_at(&one, "10.0.0.3:53"));
	struct mrg_dgram_end *const f = mrg_tcpip_udp_end(bind_at(&any, "0.0.0.0:54"));
	struct mrg_dgram_end *const g = mrg_tcpip_udp_end(bind_at(&six, "[::]:55"));
	const struct mrg_rt_addr to = fake_addr("192.0.2.1:7"), to6 = fake_addr("[2001:db8::1]:7"),
				 nowhere = fake_addr("192.0.2.1:0");
	ck_assert_int_eq(e->ops->send(e, NULL, &to, MRG_LITERAL("odd")), MRG_IO_OK);
	ck_assert_str_eq(last_text(), "10.0.0.3:53>192.0.2.1:7 odd");
	ck_assert_int_eq(f->ops->send(f, NULL, &to, MRG_LITERAL("")), MRG_IO_OK);
	ck_assert_str_eq(last_text(), "10.0.0.2:54>192.0.2.1:7 ");
	ck_assert_int_eq(g->ops->send(g, NULL, &to6, MRG_LITERAL("six")), MRG_IO_OK);
	ck_assert_str_eq(last_text(), "[2001:db8::2]:55>[2001:db8::1]:7 six");
	ck_assert_int_eq(g->ops->send(g, NULL, &to, MRG_LITERAL("x")), MRG_IO_RESET);
	ck_assert_int_eq(e->ops->send(e, NULL, &to6, MRG_LITERAL("x")), MRG_IO_RESET);
	ck_assert_int_eq(e->ops->send(e, NULL, &nowhere, MRG_LITERAL("x")), MRG_IO_RESET);
	ck_assert_int_eq(e->ops->send(e, NULL, &to, (struct mrg_span){ long_one, 65528 }), MRG_IO_RESET);
	ck_assert_int_eq(e->ops->send(e, NULL, &to, (struct mrg_span){ long_one, 65527 }), MRG_IO_OK);
	ck_assert(fake_sum_right(last_sent()));
	fake.outcome = MRG_IO_AGAIN;
	ck_assert_int_eq(e->ops->send(e, NULL, &to, MRG_LITERAL("x")), MRG_IO_AGAIN);
	fake.no_way = true;
	ck_assert_int_eq(f->ops->send(f, NULL, &to, MRG_LITERAL("x")), MRG_IO_RESET);
}
END_TEST

START_TEST(an_arena_that_is_too_small)
{
	const size_t len = udp_memory(&limits);
	uint8_t *const p = aligned_alloc(64, (len + 63) / 64 * 64);
	struct mrg_tcpip s = { .limits = limits };
	size_t least = 0;
	for (size_t cap = 0; cap < len; cap += 97) {
		memset(p, 0, len);
		struct mrg_arena a = { .p = p, .cap = cap };
		if (udp_open(&s, &a) == NULL)
			least = cap;
	}
	ck_assert_uint_gt(least, len - 400);
	free(p);
}
END_TEST

int main(void)
{
	Suite *const s = suite_create("protocols/tcpip/udp");
	TCase *const t = tcase_create("udp");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_reply_comes_from_the_address_that_was_asked);
	tcase_add_test(t, sums_are_left_to_the_link_that_completes_them);
	tcase_add_test(t, a_burst_is_handed_over_at_once);
	tcase_add_test(t, many_peers);
	tcase_add_test(t, errors);
	tcase_add_test(t, link_local_peers);
	tcase_add_test(t, later_replies);
	tcase_add_test(t, ends_take_turns);
	tcase_add_test(t, length_0);
	tcase_add_test(t, length_7);
	tcase_add_test(t, length_8);
	tcase_add_test(t, length_more_than_ip_has);
	tcase_add_test(t, length_less_than_ip_has);
	tcase_add_test(t, cut_everywhere);
	tcase_add_test(t, checksum_wrong);
	tcase_add_test(t, checksum_0);
	tcase_add_test(t, checksum_ffff);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, an_address_of_its_own_goes_before_all);
	tcase_add_test(t, an_interface_of_its_own_goes_before_both);
	tcase_add_test(t, what_was_sent_to_many_is_answered_from_an_address_of_ours);
	tcase_add_test(t, source_port_0);
	tcase_add_test(t, replies_that_can_not_be_sent);
	tcase_add_test(t, replies_that_can_not_be_sent);
	tcase_add_test(t, ports_that_are_chosen);
	tcase_add_test(t, the_secret_decides_on_ports);
	tcase_add_test(t, addresses_that_are_taken);
	tcase_add_test(t, ends_come_and_go);
	tcase_add_test(t, closed_by_who_is_asked);
	tcase_add_test(t, asked_while_being_asked);
	tcase_add_test(t, sent_without_being_asked);
	tcase_add_test(t, an_arena_that_is_too_small);
	suite_add_tcase(s, t);
	SRunner *const runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
